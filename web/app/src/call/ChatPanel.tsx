/** The room's conversation in a call: what was said stays, also for those who come later. */

import type { Room } from "@tertulia/client";
import { useCallback, useMemo, useState, type ReactNode } from "react";

import { ChatView } from "../chat/ChatView";
import type { Talk } from "../chat/talk";
import { useObserved } from "../ui/hooks";
import { PanelFrame } from "./PanelFrame";

interface ChatPanelProps {
  readonly room: Room;
  readonly onClose: () => void;
  readonly isSheet: boolean;
}

export function ChatPanel({ room, onClose, isSheet }: ChatPanelProps): ReactNode {
  const [target, setTarget] = useState<{ seq: number } | null>(null);
  const talk = useRoomTalk(
    room,
    useCallback((seq: number) => setTarget({ seq }), []),
  );
  return (
    <PanelFrame title="Chat" testId="chat" isSheet={isSheet} onClose={onClose}>
      <ChatView talk={talk} target={target} isFocused={isSheet} empty="Nothing has been written yet." />
    </PanelFrame>
  );
}

function useRoomTalk(room: Room, onJump: (seq: number) => void): Talk {
  const { chat, roster } = room;
  const you = useObserved(roster, "change", () => roster.you);
  const others = useObserved(roster, "change", () => roster.others);
  return useMemo<Talk>(() => {
    const grants = room.grants;
    return {
      chat,
      me: you?.id ?? null,
      canModerate: grants?.moderate ?? false,
      canPin: grants?.moderate ?? false,
      isThread: false,
      canHide: false,
      silence: grants?.chat === false ? "You may not write in this room." : null,
      people: [...others, ...(you === null ? [] : [you])],
      readNo: null,
      link: () => null,
      draft: null,
      onDraft: () => undefined,
      onWriting: () => undefined,
      onJump: (seq) => void chat.find(seq).then((isThere) => isThere && onJump(seq)),
      request: (name, data) => room.doors.request(name, data),
    };
  }, [room, chat, you, others, onJump]);
}
