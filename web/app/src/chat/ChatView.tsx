/** A conversation: its messages, who is writing, and the field to write in. The same in a call and in the workspace. */

import { useEffect, useRef, type ReactNode } from "react";

import { useObserved } from "../ui/hooks";
import { useAbout } from "./about";
import { Composer, type ComposerHandle } from "./Composer";
import { MessageList } from "./MessageList";
import type { Talk } from "./talk";

interface ChatViewProps {
  readonly talk: Talk;
  readonly target: { readonly seq: number } | null;
  readonly onSeen?: (seq: number) => void;
  readonly isFocused: boolean;
  readonly empty: string;
  /** Between messages and field: who has read. */
  readonly children?: ReactNode;
}

export function ChatView({ talk, target, onSeen, isFocused, empty, children }: ChatViewProps): ReactNode {
  const { chat } = talk;
  const snapshot = useObserved(chat, "change", () => chat.snapshot);
  const about = useAbout(snapshot, talk.me);
  const composer = useRef<ComposerHandle>(null);
  useEffect(() => void chat.open(), [chat]);
  return (
    <>
      <MessageList
        talk={talk}
        lines={chat.lines}
        snapshot={snapshot}
        target={target}
        onReply={about.reply}
        onEdit={about.edit}
        onLeave={() => composer.current?.focus()}
        empty={empty}
        {...(onSeen === undefined ? {} : { onSeen })}
      />
      {children}
      <Composer
        key={about.key}
        ref={composer}
        talk={talk}
        thread={null}
        replyTo={about.replyTo}
        editing={about.editing}
        onCancel={about.cancel}
        onEditLast={about.editLast}
        isFocused={isFocused}
      />
    </>
  );
}
