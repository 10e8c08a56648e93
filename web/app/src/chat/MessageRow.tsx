/** One message, with what can be done to it; and one that is still on its way. */

import type { Echo, Message } from "@tertulia/client";
import { memo, useState, type KeyboardEvent, type ReactNode } from "react";

import { failureText } from "../text/errors";
import { Name, Prose } from "../text/Prose";
import { timeText } from "../text/time";
import { visibleName } from "../text/visible";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/controls";
import { PinIcon, ThreadIcon } from "../ui/icons";
import { PersonAvatar } from "../ui/presence";
import { EditHistory } from "./EditHistory";
import { MessageActions, useMessageActions } from "./MessageActions";
import { Quote } from "./Quote";
import { Reactions } from "./Reactions";
import type { Talk } from "./talk";

interface MessageRowProps {
  readonly talk: Talk;
  readonly message: Message;
  /** Follows one of the same person closely: the name need not be repeated. */
  readonly isTogether: boolean;
  /** The one that was looked for. */
  readonly isFound: boolean;
  readonly onReply: (seq: number) => void;
  readonly onEdit: (seq: number) => void;
}

export const MessageRow = memo(function MessageRow(props: MessageRowProps): ReactNode {
  const { talk, message, isTogether, isFound, onReply, onEdit } = props;
  const [isHovered, setHovered] = useState(false);
  const [hasFocus, setFocus] = useState(false);
  const [open, setOpen] = useState<"menu" | "emoji" | null>(null);
  const [isUnfolded, setUnfolded] = useState(false);
  const isMine = message.sender === talk.me;
  const isFolded = !isUnfolded && message.sender !== null && talk.blocked.includes(message.sender);
  const isDeleted = message.body === null;
  const actions = useMessageActions({ talk, message, onReply, onEdit });
  const pressed = (event: KeyboardEvent): void => {
    if (event.target !== event.currentTarget || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actions.find(({ key }) => key === event.key);
    if (action === undefined) return;
    event.preventDefault();
    action.run();
  };
  return (
    // Messages are reached with the arrow keys; a click brings the same buttons up where nothing hovers.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <article
      className="message"
      data-yours={isMine}
      data-together={isTogether}
      data-found={isFound}
      data-active={hasFocus || open !== null}
      data-seq={message.seq}
      data-testid="chat-message"
       
      tabIndex={-1}
      aria-label={`${isMine ? "You" : visibleName(message.sender_name ?? message.sender)}, ${timeText(message.at)}`}
      onKeyDown={pressed}
      onPointerEnter={() => setHovered(true)}
      onPointerLeave={() => setHovered(false)}
      onFocus={() => setFocus(true)}
      onBlur={(event) => setFocus(event.currentTarget.contains(event.relatedTarget))}
    >
      <div className="message-side">
        {!isTogether &&
          (isMine ? (
            <Avatar name={visibleName(message.sender_name)} id={message.sender ?? ""} />
          ) : (
            <PersonAvatar name={visibleName(message.sender_name)} id={message.sender ?? ""} isSilent />
          ))}
      </div>
      <div className="message-main">
        <p className={isTogether ? "visually-hidden" : "message-head"}>
          <span className="message-name">{isMine ? "You" : <Name name={message.sender_name ?? message.sender} />}</span>
          <time dateTime={new Date(message.at).toISOString()}>{timeText(message.at)}</time>
        </p>
        {message.pinned_at !== null && (
          <p className="message-pinned">
            <PinIcon /> Pinned
          </p>
        )}
        {isFolded && (
          <p className="message-gone" data-testid="chat-folded">
            From somebody whom you have blocked.{" "}
            <button type="button" className="message-unfold" onClick={() => setUnfolded(true)}>
              Show
            </button>
          </p>
        )}
        {!isFolded && message.body?.reply_to != null && <Quote talk={talk} seq={message.body.reply_to} />}
        {isFolded ? null : message.body === null ? (
          <p className="message-gone" data-testid="chat-deleted">
            Deleted
          </p>
        ) : (
          <Prose text={message.body.text} mentions={mentionsOf(talk, message)} />
        )}
        {message.edited_at !== null && !isDeleted && !isFolded && <EditHistory talk={talk} message={message} />}
        {!isDeleted && !isFolded && <Reactions talk={talk} message={message} />}
        {message.reply_count > 0 && talk.onThread !== undefined && !talk.isThread && (
          <button type="button" className="message-replies" onClick={() => talk.onThread?.(message)} data-testid="chat-replies">
            <ThreadIcon />
            {message.reply_count === 1 ? "1 reply" : `${message.reply_count} replies`}
          </button>
        )}
      </div>
      {!isDeleted && (isHovered || hasFocus || open !== null) && (
        <MessageActions talk={talk} message={message} actions={actions} open={open} onOpen={setOpen} />
      )}
    </article>
  );
});

/** The names that stand for somebody in this message. */
function mentionsOf({ people }: Talk, { body }: Message): string {
  const names = (body?.mentions ?? []).flatMap((id) => people.find((person) => person.id === id)?.name ?? []);
  return [...names, ...(body?.everybody === true ? ["all"] : [])].join("\n");
}

const STATUS: Record<Echo["status"], string> = {
  sending: "Sending…",
  waiting: "Waiting for the connection…",
  failed: "Not sent.",
};

export function EchoRow({ talk, echo }: { readonly talk: Talk; readonly echo: Echo }): ReactNode {
  const { clientId, body, status, error } = echo;
  return (
    <article className="message" data-yours="true" data-status={status} data-testid="chat-echo" aria-label="You, not sent yet">
      <div className="message-side">
        <Avatar name={talk.people.find(({ id }) => id === talk.me)?.name ?? ""} id={talk.me ?? ""} />
      </div>
      <div className="message-main">
        <p className="message-head">
          <span className="message-name">You</span>
          <span>{STATUS[status]}</span>
        </p>
        <Prose text={body.text} mentions="" />
        {status === "failed" && (
          <div className="message-failed">
            <p>{error === null ? "" : failureText(error)}</p>
            <Button onPress={() => talk.chat.retry(clientId)} testId="chat-retry">
              Try again
            </Button>
            <Button onPress={() => talk.chat.discard(clientId)}>Discard</Button>
          </div>
        )}
      </div>
    </article>
  );
}
