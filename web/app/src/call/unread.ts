/** How many messages of others came while the chat was closed. */

import type { Chat } from "@tertulia/client";
import { useEffect, useState } from "react";

export function useUnread(chat: Chat, isReading: boolean): number {
  const [count, setCount] = useState(0);
  useEffect(() => {
    if (isReading) return;
    const stop = chat.on("arrived", (messages) => setCount((before) => before + messages.length));
    return () => {
      stop();
      setCount(0);
    };
  }, [chat, isReading]);
  return count;
}
