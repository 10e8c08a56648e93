/** The replies to one message. */

import { useCallback, useEffect, useMemo, useRef, type ReactNode } from "react";

import { PanelFrame } from "../call/PanelFrame";
import { Composer, type ComposerHandle } from "../chat/Composer";
import { MessageList } from "../chat/MessageList";
import { MessageRow } from "../chat/MessageRow";
import type { Talk } from "../chat/talk";
import { useObserved } from "../ui/hooks";
import { useAbout } from "../chat/about";

interface ThreadPanelProps {
  readonly talk: Talk;
  readonly seq: number;
  readonly onClose: () => void;
  readonly isSheet: boolean;
}

export function ThreadPanel({ talk, seq, onClose, isSheet }: ThreadPanelProps): ReactNode {
  const { chat } = talk;
  const thread = useMemo(() => chat.thread(seq), [chat, seq]);
  const snapshot = useObserved(thread, "change", () => thread.snapshot);
  const root = useObserved(chat, "change", () => chat.loaded(seq));
  const composer = useRef<ComposerHandle>(null);
  const about = useAbout(snapshot, talk.me);
  useEffect(() => {
    void thread.lines.loadNewest();
  }, [chat, thread, seq]);
  // Within a thread there are no threads, and what is read here is not what is read in the conversation.
  const inner = useMemo<Talk>(() => ({ ...talk, isThread: true, readNo: null, draft: null }), [talk]);
  const nothing = useCallback(() => undefined, []);
  return (
    <PanelFrame title="Thread" testId="thread" isSheet={isSheet} onClose={onClose}>
      {root !== null && (
        <div className="thread-root">
          <MessageRow talk={inner} message={root} isTogether={false} isFound={false} onReply={nothing} onEdit={nothing} />
        </div>
      )}
      <MessageList
        talk={inner}
        lines={thread.lines}
        snapshot={snapshot}
        target={null}
        onReply={about.reply}
        onEdit={about.edit}
        onLeave={() => composer.current?.focus()}
        empty="No replies yet."
      />
      <Composer
        key={about.key}
        ref={composer}
        talk={inner}
        thread={seq}
        replyTo={about.replyTo}
        editing={about.editing}
        onCancel={about.cancel}
        onEditLast={about.editLast}
        isFocused
      />
    </PanelFrame>
  );
}
