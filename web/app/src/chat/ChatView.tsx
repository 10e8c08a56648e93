/**
 * A conversation, or the replies to one message: what is written, and the field to write in. The same in a call, in the
 * workspace and in a thread.
 */

import type { ChatSnapshot, Lines } from "@tertulia/client";
import { useEffect, useMemo, useRef, type ReactNode } from "react";

import { useObserved } from "../ui/hooks";
import { useAbout } from "./about";
import { Composer, type ComposerHandle } from "./Composer";
import { MessageList } from "./MessageList";
import type { Talk } from "./talk";

interface ChatViewProps {
  readonly talk: Talk;
  /** The message whose replies are shown; null for the conversation itself. */
  readonly thread?: number | null;
  readonly target: { readonly seq: number } | null;
  readonly onSeen?: (seq: number) => void;
  readonly isFocused: boolean;
  readonly empty: string;
  /** Between messages and field: who has read. */
  readonly children?: ReactNode;
}

/** What a conversation and a thread have in common. */
interface Shown {
  readonly lines: Lines;
  readonly snapshot: ChatSnapshot;
  on(name: "change", listener: () => void): () => void;
  open(): Promise<void>;
  find(seq: number): Promise<boolean>;
}

export function ChatView({ talk, thread = null, target, onSeen, isFocused, empty, children }: ChatViewProps): ReactNode {
  const { chat } = talk;
  const shown = useMemo<Shown>(() => (thread === null ? chat : chat.thread(thread)), [chat, thread]);
  const snapshot = useObserved(shown, "change", () => shown.snapshot);
  const about = useAbout(snapshot, talk.me);
  const composer = useRef<ComposerHandle>(null);
  // Who comes for a certain message does not need the newest ones, nor does who was reading further up.
  const { place } = talk;
  const wanted = target?.seq ?? null;
  useEffect(() => {
    if (!shown.lines.snapshot.isEmpty) return;
    const seq = wanted ?? place?.get() ?? null;
    if (seq === null) void shown.open();
    else void shown.find(seq).then((isThere) => (isThere ? undefined : shown.lines.loadNewest()));
  }, [shown, wanted, place]);
  return (
    <>
      <MessageList
        talk={talk}
        lines={shown.lines}
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
        thread={thread}
        replyTo={about.replyTo}
        editing={about.editing}
        onCancel={about.cancel}
        onEditLast={about.editLast}
        isFocused={isFocused}
      />
    </>
  );
}
