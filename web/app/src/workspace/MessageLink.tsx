/** A message in a list of found or pinned ones: who wrote what and when. */

import type { Message } from "@tertulia/client";
import type { ReactNode } from "react";

import { Name } from "../text/Prose";
import { dayText, timeText } from "../text/time";
import { visible } from "../text/visible";

interface MessageLinkProps {
  readonly message: Message;
  readonly where?: string;
  readonly onChoose: () => void;
}

export function MessageLink({ message, where, onChoose }: MessageLinkProps): ReactNode {
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
      <bdi className="message-link-text">{visible(message.body?.text ?? "")}</bdi>
    </button>
  );
}
