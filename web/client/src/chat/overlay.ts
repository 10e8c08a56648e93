/** Shows what one has done before the server confirms it: pending changes laid over the messages they concern. */

import type { Message } from "../catalogue.js";
import { withCount, withMine } from "./fold.js";
import type { Entry } from "./outbox.js";

/** The messages as they will be when everything of one's own has arrived; the same array if nothing is pending. */
export function overlaid(messages: readonly Message[], pending: readonly Entry[]): readonly Message[] {
  const changes = pending.filter(({ name, status }) => name !== "send-message" && status !== "failed");
  if (changes.length === 0) return messages;
  const bySeq = new Map<number, Entry[]>();
  for (const entry of changes) {
    if (entry.name === "send-message") continue;
    bySeq.set(entry.data.seq, [...(bySeq.get(entry.data.seq) ?? []), entry]);
  }
  return messages.flatMap((message) => {
    const own = bySeq.get(message.seq);
    if (own === undefined) return [message];
    const shown = own.reduce<Message | null>((before, entry) => before && overlay(before, entry), message);
    return shown === null ? [] : [shown];
  });
}

function overlay(message: Message, entry: Entry): Message | null {
  switch (entry.name) {
    case "edit-message":
      return { ...message, body: entry.data.body, edited_at: entry.at };
    case "delete-message":
      return { ...message, body: null, deleted_at: entry.at, reactions: [], mine: [] };
    case "hide-message":
      return null;
    case "pin-message":
      return { ...message, pinned_at: entry.data.pinned === false ? null : entry.at };
    case "react": {
      const { emoji, remove = false } = entry.data;
      if (message.mine.includes(emoji) !== remove) return message;
      const count = message.reactions.find((reaction) => reaction.emoji === emoji)?.count ?? 0;
      const reactions = withCount(message.reactions, emoji, count + (remove ? -1 : 1));
      return { ...message, reactions, mine: withMine(message.mine, emoji, !remove) };
    }
    case "send-message":
      return message;
  }
}
