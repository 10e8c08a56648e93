/** A conversation: its messages, who is writing, and the field to write in. The same in a call and in the workspace. */

import { useCallback, useEffect, useRef, useState, type ReactNode } from "react";

import { useObserved } from "../ui/hooks";
import { Composer, type ComposerHandle } from "./Composer";
import { MessageList } from "./MessageList";
import type { Talk } from "./talk";

interface ChatViewProps {
  readonly talk: Talk;
  readonly target: { readonly seq: number } | null;
  readonly onSeen?: (seq: number) => void;
  readonly isFocused: boolean;
  readonly empty: string;
  /** Between messages and field: who is writing, who has read. */
  readonly children?: ReactNode;
}

export function ChatView({ talk, target, onSeen, isFocused, empty, children }: ChatViewProps): ReactNode {
  const { chat } = talk;
  const snapshot = useObserved(chat, "change", () => chat.snapshot);
  const [about, setAbout] = useState<{ readonly kind: "reply" | "edit"; readonly seq: number } | null>(null);
  const composer = useRef<ComposerHandle>(null);
  useEffect(() => void chat.open(), [chat]);
  const reply = useCallback((seq: number) => setAbout({ kind: "reply", seq }), []);
  const edit = useCallback((seq: number) => setAbout({ kind: "edit", seq }), []);
  const editLast = (): void => {
    const mine = snapshot.messages.findLast(({ sender, body, kind }) => kind === "message" && sender === talk.me && body !== null);
    if (mine !== undefined) edit(mine.seq);
  };
  const named = about === null ? null : (snapshot.messages.find(({ seq, body }) => seq === about.seq && body !== null) ?? null);
  return (
    <>
      <MessageList
        talk={talk}
        lines={chat.lines}
        snapshot={snapshot}
        target={target}
        onReply={reply}
        onEdit={edit}
        onLeave={() => composer.current?.focus()}
        empty={empty}
        {...(onSeen === undefined ? {} : { onSeen })}
      />
      {children}
      <Composer
        // Editing begins from the message's text, and what was being written comes back afterwards.
        key={about?.kind === "edit" ? `edit ${about.seq}` : "write"}
        ref={composer}
        talk={talk}
        thread={null}
        replyTo={about?.kind === "reply" ? named : null}
        editing={about?.kind === "edit" ? named : null}
        onCancel={() => setAbout(null)}
        onEditLast={editLast}
        isFocused={isFocused}
      />
    </>
  );
}
