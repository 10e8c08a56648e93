/** The room's conversation in a call: what was said stays, also for those who come later. Threads open in its place. */

import type { Message, Room } from "@tertulia/client";
import { useCallback, useMemo, useState, type ReactNode } from "react";

import { ChatView } from "../chat/ChatView";
import { locate } from "../chat/locate";
import { ThreadPanel } from "../chat/ThreadPanel";
import type { Talk } from "../chat/talk";
import { useAnnouncer } from "../ui/announce";
import { useObserved } from "../ui/hooks";
import { PanelFrame } from "../ui/PanelFrame";

interface ChatPanelProps {
  readonly room: Room;
  readonly onClose: () => void;
  readonly isSheet: boolean;
}

/** What is shown: the conversation, or a thread, and a message in it to show. */
interface At {
  readonly thread: number | null;
  readonly target: { readonly seq: number } | null;
}

export function ChatPanel({ room, onClose, isSheet }: ChatPanelProps): ReactNode {
  const [at, setAt] = useState<At>({ thread: null, target: null });
  const talk = useRoomTalk(room, setAt);
  const back = useCallback(() => setAt({ thread: null, target: null }), []);
  if (at.thread !== null) {
    return <ThreadPanel key={at.thread} talk={talk} seq={at.thread} target={at.target} onClose={back} isSheet={isSheet} />;
  }
  return (
    <PanelFrame title="Chat" testId="chat" isSheet={isSheet} onClose={onClose}>
      <ChatView talk={talk} target={at.target} isFocused={isSheet} empty="Nothing has been written yet." />
    </PanelFrame>
  );
}

function useRoomTalk(room: Room, onShow: (at: At) => void): Talk {
  const { chat, roster } = room;
  const announcer = useAnnouncer();
  const you = useObserved(roster, "change", () => roster.you);
  const others = useObserved(roster, "change", () => roster.others);
  return useMemo<Talk>(() => {
    const grants = room.grants;
    const request: Talk["request"] = (name, data) => room.doors.request(name, data);
    return {
      chat,
      me: you?.id ?? null,
      canModerate: grants?.moderate ?? false,
      canPin: grants?.moderate ?? false,
      isThread: false,
      canHide: false,
      silence: grants?.chat === false ? "You may not write in this room." : null,
      people: [...others, ...(you === null ? [] : [you])],
      place: null,
      blocked: [],
      readNo: null,
      link: () => null,
      draft: null,
      onDraft: () => undefined,
      onWriting: () => undefined,
      onThread: ({ seq, thread }: Message) => onShow({ thread: thread ?? seq, target: null }),
      onJump: (seq) =>
        void locate({ chat, request }, seq).then((place) => {
          if (place === null) announcer.warn("That message is not there any more.");
          else onShow({ thread: place.kind === "thread" ? place.root : null, target: { seq } });
        }),
      request,
    };
  }, [room, chat, you, others, onShow, announcer]);
}
