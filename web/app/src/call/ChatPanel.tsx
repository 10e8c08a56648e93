/** The room's conversation: what was said stays, also for those who come later. */

import type { Room } from "@tertulia/client";
import { useEffect, useLayoutEffect, useRef, type ReactNode, type UIEvent } from "react";

import { useObserved } from "../ui/hooks";
import { Composer } from "./Composer";
import { EchoItem, MessageItem } from "./Message";
import { PanelFrame } from "./PanelFrame";
import { dayText, sameDay } from "../text/time";

interface ChatPanelProps {
  readonly room: Room;
  readonly onClose: () => void;
  readonly isSheet: boolean;
}

/** Older messages are asked for this far before the top is reached. */
const AHEAD_PX = 300;
/** Messages of one person within this time stand together under one name. */
const TOGETHER_MS = 5 * 60_000;

export function ChatPanel({ room, onClose, isSheet }: ChatPanelProps): ReactNode {
  const { chat, roster } = room;
  const { messages, echoes, more, loadingOlder } = useObserved(chat, "change", () => chat.snapshot);
  const you = useObserved(roster, "change", () => roster.you?.id ?? null);
  const scroller = useRef<HTMLDivElement>(null);

  const lookForOlder = (event: UIEvent<HTMLDivElement>): void => {
    const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
    // The list grows upwards, so scrollTop is 0 at the newest message and negative above.
    if (scrollHeight - clientHeight + scrollTop < AHEAD_PX) void chat.loadOlder();
  };
  useEffect(() => {
    // A first page that does not fill the panel cannot be scrolled to ask for more.
    const box = scroller.current;
    if (box !== null && more && box.scrollHeight <= box.clientHeight) void chat.loadOlder();
  }, [chat, messages, more]);
  const newestEcho = echoes.at(-1)?.clientId;
  useLayoutEffect(() => {
    // Whoever writes wants to see it, wherever they have scrolled to.
    if (newestEcho !== undefined) scroller.current?.scrollTo({ top: 0 });
  }, [newestEcho]);

  return (
    <PanelFrame title="Chat" testId="chat" isSheet={isSheet} onClose={onClose}>
      {/* A box that scrolls must be reachable by keyboard. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div className="chat-scroll" ref={scroller} onScroll={lookForOlder} tabIndex={0} role="group" aria-label="Messages">
        <div role="log" aria-live="polite" aria-relevant="additions">
          {loadingOlder && <p className="chat-note">Loading older messages…</p>}
          {!more && <p className="chat-note">{messages.length === 0 ? "Nothing has been written yet." : "This is where it began."}</p>}
          <ol className="messages">
            {messages.map((message, index) => {
              const previous = messages[index - 1];
              const isNewDay = previous === undefined || !sameDay(previous.at, message.at);
              const isTogether =
                !isNewDay && previous.sender === message.sender && message.at - previous.at < TOGETHER_MS;
              return (
                <MessageItem
                  key={message.seq}
                  message={message}
                  isYours={message.sender === you}
                  isTogether={isTogether}
                  day={isNewDay ? dayText(message.at) : null}
                />
              );
            })}
            {echoes.map((echo) => (
              <EchoItem key={echo.clientId} chat={chat} echo={echo} />
            ))}
          </ol>
        </div>
      </div>
      <Composer chat={chat} isFocused={isSheet} />
    </PanelFrame>
  );
}
