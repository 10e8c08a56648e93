/** A message in a list of found or pinned ones: who wrote what and when. */

import { MESSAGE_TEXT_MAX, type Message } from "@tertulia/client";
import type { ReactNode } from "react";

import { excerpt } from "../text/excerpt";
import { plainText } from "../text/plain";
import { Name } from "../text/Prose";
import { dayText, timeText } from "../text/time";
import { visible } from "../text/visible";

interface MessageLinkProps {
  readonly message: Message;
  readonly where?: string;
  /** What was looked for. */
  readonly words?: string;
  readonly onChoose: () => void;
}

export function MessageLink({ message, where, words = "", onChoose }: MessageLinkProps): ReactNode {
  return (
    <button type="button" className="message-link" onClick={onChoose} data-testid="message-link">
      <span className="message-head">
        <span className="message-name">
          <Name name={message.sender_name ?? message.sender} />
        </span>
        <span>
          {where !== undefined && <bdi>{where} · </bdi>}
          {dayText(message.at)}, {timeText(message.at)}
        </span>
      </span>
      <bdi className="message-link-text">
        {excerpt(plainText(visible(message.body?.text ?? ""), MESSAGE_TEXT_MAX), words).map(({ text, isHit }, index) => (isHit ? <mark key={index}>{text}</mark> : text))}
      </bdi>
    </button>
  );
}
