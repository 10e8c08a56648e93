/** The replies to one message, beside the conversation or in the call's panel. */

import type { Message } from "@tertulia/client";
import { useEffect, useMemo, useState, type ReactNode } from "react";

import { useObserved } from "../ui/hooks";
import { PanelFrame } from "../ui/PanelFrame";
import { ChatView } from "./ChatView";
import { MessageRow } from "./MessageRow";
import type { Talk } from "./talk";

interface ThreadPanelProps {
  readonly talk: Talk;
  readonly seq: number;
  /** A reply to show. */
  readonly target: { readonly seq: number } | null;
  readonly onClose: () => void;
  readonly isSheet: boolean;
}

const nothing = (): void => undefined;

export function ThreadPanel({ talk, seq, target, onClose, isSheet }: ThreadPanelProps): ReactNode {
  const { chat } = talk;
  const root = useRoot(talk, seq);
  useEffect(() => () => chat.closeThread(seq), [chat, seq]);
  // Within a thread there are no threads, and what is read here is not what is read in the conversation.
  const inner = useMemo<Talk>(
    () => ({
      ...talk,
      isThread: true,
      readNo: null,
      place: null,
      draft: null,
      onDraft: nothing,
      onWriting: nothing,
    }),
    [talk],
  );
  return (
    <PanelFrame title="Thread" testId="thread" isSheet={isSheet} onClose={onClose}>
      {root !== null && (
        <div className="thread-root">
          <MessageRow talk={inner} message={root} isTogether={false} isFound={false} onReply={nothing} onEdit={nothing} />
        </div>
      )}
      <ChatView talk={inner} thread={seq} target={target} isFocused empty="No replies yet." />
    </PanelFrame>
  );
}

/** The message that is answered; asked for where the conversation is not loaded that far. */
function useRoot({ chat, request }: Talk, seq: number): Message | null {
  const loaded = useObserved(chat, "change", () => chat.loaded(seq));
  const [asked, setAsked] = useState<Message | null>(null);
  const { conversation } = chat;
  const isMissing = loaded === null;
  useEffect(() => {
    if (!isMissing || conversation === null) return;
    let isCurrent = true;
    void request("messages", { conversation, seqs: [seq] }).then((found) => {
      if (isCurrent && found.ok) setAsked(found.value.messages[0] ?? null);
    });
    return () => {
      isCurrent = false;
    };
  }, [request, conversation, seq, isMissing]);
  return loaded ?? asked;
}
