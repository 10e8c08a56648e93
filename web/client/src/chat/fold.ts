/**
 * Folds events into messages: what a page of history shows is the event that began a message, changed by every later
 * event that names it. The server folds by the same rules, so that a page and the events after it agree with a newer
 * page, whichever way a client came by them.
 */

import type { Event, Message, ReactionCount } from "../catalogue.js";

/** Events with a line of their own; the others change a message, or only keep the numbers dense. */
const LINES: ReadonlySet<Event["kind"]> = new Set(["message", "member", "settings", "call-started", "call-ended"]);
/** In larger conversations nobody wants to read who came and went. */
const SHOWN_MEMBERS_MAX = 100;

export function hasLine({ kind, change }: Event): boolean {
  const isCrowd = (change?.count ?? 0) > SHOWN_MEMBERS_MAX;
  if (kind === "member" && (change?.action === "joined" || change?.action === "left")) return !isCrowd;
  return LINES.has(kind);
}

/** The thread an event belongs to, by the `seq` of its first message; null for the main line. */
export function threadOf(event: Event): number | null {
  return event.body?.thread ?? null;
}

/** The message that an event begins, while nothing has changed it. */
export function begin(event: Event): Message {
  return {
    ...event,
    version: event.seq,
    revision: event.seq,
    thread: threadOf(event),
    edited_at: null,
    deleted_at: null,
    pinned_at: null,
    reactions: [],
    mine: [],
    reply_count: 0,
    last_reply_at: null,
  };
}

/** The message as `event` leaves it; the same object if it does not concern it or is known to it already. */
export function fold(message: Message, event: Event, me: string | null): Message {
  if (event.seq <= message.version) return message;
  const version = event.seq;
  if (event.kind === "message") {
    if (threadOf(event) !== message.seq) return message;
    return { ...message, version, reply_count: message.reply_count + 1, last_reply_at: event.at };
  }
  if (event.target !== message.seq) return message;
  switch (event.kind) {
    case "edit":
      return { ...message, version, revision: version, body: event.body, edited_at: event.at };
    case "delete":
      return { ...message, version, body: null, deleted_at: event.at, pinned_at: null, reactions: [], mine: [] };
    case "pin":
      return { ...message, version, pinned_at: event.at };
    case "unpin":
      return { ...message, version, pinned_at: null };
    case "reaction": {
      const { emoji, count, action } = event.change ?? {};
      if (emoji == null) return message; // forgotten: the count comes with the next one
      const mine = event.sender === me ? withMine(message.mine, emoji, action === "added") : message.mine;
      return { ...message, version, reactions: withCount(message.reactions, emoji, count ?? 0), mine };
    }
    default:
      return message;
  }
}

export function withCount(reactions: readonly ReactionCount[], emoji: string, count: number): ReactionCount[] {
  const others = reactions.filter((reaction) => reaction.emoji !== emoji);
  if (count > 0) others.push({ emoji, count });
  // An order that everybody arrives at.
  return others.sort((a, b) => (a.emoji < b.emoji ? -1 : 1));
}

export function withMine(mine: readonly string[], emoji: string, isAdded: boolean): string[] {
  const others = mine.filter((one) => one !== emoji);
  if (isAdded) others.push(emoji);
  return others.sort();
}
