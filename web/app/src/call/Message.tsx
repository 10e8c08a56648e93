/** One message, and one that is still on its way. */

import type { Chat, Echo, Event } from "@tertulia/client";
import { memo, type ReactNode } from "react";

import { failureText } from "../text/errors";
import { Name, Prose } from "../text/Prose";
import { timeText } from "../text/time";
import { Button } from "../ui/controls";

interface MessageItemProps {
  readonly message: Event;
  readonly isYours: boolean;
  /** Follows one of the same person closely: the name need not be repeated. */
  readonly isTogether: boolean;
  /** The first of a day. */
  readonly day: string | null;
}

export const MessageItem = memo(function MessageItem({ message, isYours, isTogether, day }: MessageItemProps): ReactNode {
  return (
    <>
      {day !== null && (
        <li className="day">{day}</li>
      )}
      <li className="message" data-yours={isYours} data-together={isTogether} data-testid="chat-message">
        <p className={isTogether ? "visually-hidden" : "message-head"}>
          <span className="message-name">{isYours ? "You" : <Name name={message.sender_name ?? message.sender} />}</span>
          <time dateTime={new Date(message.at).toISOString()}>{timeText(message.at)}</time>
        </p>
        <Prose text={message.body?.text ?? ""} />
      </li>
    </>
  );
});

const STATUS: Record<Echo["status"], string> = {
  sending: "Sending…",
  waiting: "Waiting for the connection…",
  failed: "Not sent.",
};

export function EchoItem({ chat, echo }: { readonly chat: Chat; readonly echo: Echo }): ReactNode {
  const { clientId, text, status, error } = echo;
  return (
    <li className="message" data-yours="true" data-status={status} data-testid="chat-echo">
      <p className="message-head">
        <span className="message-name">You</span>
        <span>{STATUS[status]}</span>
      </p>
      <Prose text={text} />
      {status === "failed" && (
        <div className="message-failed">
          <p>{error === null ? "" : failureText(error)}</p>
          <Button onPress={() => void chat.retry(clientId)} testId="chat-retry">
            Try again
          </Button>
          <Button onPress={() => chat.discard(clientId)}>Discard</Button>
        </div>
      )}
    </li>
  );
}
