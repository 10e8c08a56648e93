/** One message, and one that is still on its way. */

import type { Chat, Echo, Event } from "@tertulia/client";
import { memo, type ReactNode } from "react";

import { failureText } from "../text/errors";
import { linkify } from "../text/linkify";
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
  const name = message.sender_name ?? message.sender ?? "Somebody";
  return (
    <>
      {day !== null && (
        <li className="day">{day}</li>
      )}
      <li className="message" data-yours={isYours} data-together={isTogether} data-testid="chat-message">
        <p className={isTogether ? "visually-hidden" : "message-head"}>
          <span className="message-name">{isYours ? "You" : name}</span>
          <time dateTime={new Date(message.at).toISOString()}>{timeText(message.at)}</time>
        </p>
        <Text text={message.body?.text ?? ""} />
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
      <Text text={text} />
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

/** Text is always text: React escapes it, and only http(s) addresses become links. */
function Text({ text }: { readonly text: string }): ReactNode {
  return (
    <p className="message-text" dir="auto" data-testid="chat-text">
      {linkify(text).map((piece, index) =>
        "href" in piece ? (
          <a key={index} href={piece.href} target="_blank" rel="noopener noreferrer nofollow">
            {piece.text}
          </a>
        ) : (
          piece.text
        ),
      )}
    </p>
  );
}
