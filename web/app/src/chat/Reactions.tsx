/** The reactions under a message: a press adds or takes away one's own, the tooltip says who. */

import type { Message, Reactor } from "@tertulia/client";
import { useState, type ReactNode } from "react";
import { Tooltip, TooltipTrigger, ToggleButton } from "react-aria-components";

import { visible, visibleName } from "../text/visible";
import type { Talk } from "./talk";

const NAMES_MAX = 10;

export function Reactions({ talk, message }: { readonly talk: Talk; readonly message: Message }): ReactNode {
  if (message.reactions.length === 0) return null;
  return (
    <ul className="reactions" aria-label="Reactions">
      {message.reactions.map(({ emoji, count }) => (
        <li key={emoji}>
          <Reaction talk={talk} message={message} emoji={emoji} count={count} />
        </li>
      ))}
    </ul>
  );
}

interface ReactionProps {
  readonly talk: Talk;
  readonly message: Message;
  readonly emoji: string;
  readonly count: number;
}

function Reaction({ talk, message, emoji, count }: ReactionProps): ReactNode {
  const [who, setWho] = useState<readonly Reactor[] | null>(null);
  const isMine = message.mine.includes(emoji);
  const ask = async (isOpen: boolean): Promise<void> => {
    setWho(null);
    if (!isOpen) return;
    const { conversation, seq } = message;
    const found = await talk.request("reactions", { conversation, seq, emoji, limit: NAMES_MAX });
    if (found.ok) setWho(found.value.reactions);
  };
  const names = who?.map(({ user, name }) => (user === talk.me ? "You" : visibleName(name))) ?? [];
  const others = count - names.length;
  return (
    <TooltipTrigger delay={400} closeDelay={0} onOpenChange={(isOpen) => void ask(isOpen)}>
      <ToggleButton
        className="reaction"
        isSelected={isMine}
        isDisabled={talk.silence !== null}
        aria-label={`${visible(emoji)}, ${count}${isMine ? ", yours too" : ""}`}
        onChange={() => talk.chat.react(message, emoji, isMine)}
        data-testid="chat-reaction"
      >
        <span aria-hidden="true">{visible(emoji)}</span> {count}
      </ToggleButton>
      <Tooltip className="tooltip" offset={6}>
        {who === null ? "…" : `${names.join(", ")}${others > 0 ? ` and ${others} more` : ""}`}
      </Tooltip>
    </TooltipTrigger>
  );
}
