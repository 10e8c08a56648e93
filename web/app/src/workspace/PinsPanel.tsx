/** What is pinned in a conversation; each leads to where it was written. */

import type { Failure, Message } from "@tertulia/client";
import { useEffect, useState, type ReactNode } from "react";

import { PanelFrame } from "../ui/PanelFrame";
import type { Talk } from "../chat/talk";
import { failureText } from "../text/errors";
import { useObserved } from "../ui/hooks";
import { MessageLink } from "./MessageLink";

interface PinsPanelProps {
  readonly talk: Talk;
  readonly onClose: () => void;
  readonly isSheet: boolean;
}

export function PinsPanel({ talk, onClose, isSheet }: PinsPanelProps): ReactNode {
  const { chat, request } = talk;
  const [pins, setPins] = useState<readonly Message[] | null>(null);
  const [error, setError] = useState<Failure | null>(null);
  const conversation = chat.conversation;
  // Asked for again whenever something in the conversation is pinned or taken off.
  const pinned = useObserved(chat, "change", () =>
    chat.snapshot.messages.flatMap(({ seq, pinned_at }) => (pinned_at === null ? [] : [seq])).join(),
  );
  useEffect(() => {
    if (conversation === null) return;
    let isCurrent = true;
    void request("pins", { conversation }).then((found) => {
      if (!isCurrent) return;
      if (found.ok) setPins(found.value.messages);
      setError(found.ok ? null : found.error);
    });
    return () => {
      isCurrent = false;
    };
  }, [request, conversation, pinned]);
  return (
    <PanelFrame title="Pinned" testId="pins" isSheet={isSheet} onClose={onClose}>
      <div className="panel-scroll">
        {error !== null && <p className="problem">{failureText(error)}</p>}
        {pins === null && error === null && <p className="chat-note">Loading…</p>}
        {pins?.length === 0 && <p className="chat-note">Nothing is pinned. Pin a message by its menu, so that nobody has to look for it.</p>}
        <ul>
          {pins?.map((message) => (
            <li key={message.seq}>
              <MessageLink
                message={message}
                onChoose={() => {
                  talk.onJump(message.seq);
                  if (isSheet) onClose();
                }}
              />
            </li>
          ))}
        </ul>
      </div>
    </PanelFrame>
  );
}
