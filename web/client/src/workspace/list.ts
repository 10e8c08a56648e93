/**
 * One's conversations: the newest message of each, what is unread, and how one has arranged them.
 *
 * Counts follow messages as they come. Where an event changes them in a way that only the server can count (a deletion,
 * marks set on another device), the conversation is named in `stale`, and whoever listens asks for it again.
 */

import type { Change, Conversation, Event, Marks, Message } from "../catalogue.js";
import { begin, fold, hasLine, threadOf } from "../chat/fold.js";
import { tagOf } from "../chat/log.js";
import { Emitter } from "../emitter.js";

export interface ListSnapshot {
  /** Pinned ones first, then the one with the newest event. */
  readonly conversations: readonly Conversation[];
  /** The first page has come. */
  readonly isLoaded: boolean;
}

interface ListEvents {
  change: [];
  /** What is known of this conversation is to be asked for again. */
  stale: [conversation: string];
  /** A message of somebody else, in a conversation that is not muted. */
  news: [conversation: Conversation, message: Event];
  removed: [conversation: string];
}

/** Counts stop here: it is shown as 99+. */
export const UNREAD_MAX = 100;

export class ConversationList extends Emitter<ListEvents> {
  readonly #wallClock: () => number;
  #me: string | null = null;
  #blocked: readonly string[] = [];
  #byId: ReadonlyMap<string, Conversation> = new Map();
  #snapshot: ListSnapshot = { conversations: [], isLoaded: false };

  /** @param wallClock milliseconds since 1970: conversations are muted until a time */
  constructor(wallClock: () => number) {
    super();
    this.#wallClock = wallClock;
  }

  /** The same object until something changes. */
  get snapshot(): ListSnapshot {
    return this.#snapshot;
  }

  get(id: string): Conversation | null {
    return this.#byId.get(id) ?? null;
  }

  handleMe(identity: string): void {
    this.#me = identity;
  }

  /** Whose messages are not counted, as the server does not count them; it is asked for the counts so far. */
  handleBlocked(blocked: readonly string[]): void {
    const isKnown = blocked.join() === this.#blocked.join();
    this.#blocked = blocked;
    if (isKnown) return;
    for (const { id, unread, mentions } of this.#byId.values()) if (unread + mentions > 0) this.emit("stale", id);
  }

  handlePage(conversations: readonly Conversation[]): void {
    const byId = new Map(this.#byId);
    for (const one of conversations) byId.set(one.id, newer(byId.get(one.id), one));
    this.#set(byId, true);
  }

  /** One conversation as the server has it now. */
  handleConversation(conversation: Conversation): void {
    if (conversation.role === null) return;
    this.#put(conversation.id, conversation);
  }

  handleRemoved(id: string): void {
    const byId = new Map(this.#byId);
    if (!byId.delete(id)) return;
    this.#set(byId);
    this.emit("removed", id);
  }

  /** The next events of a conversation's log. */
  handleEvents(id: string, events: readonly Event[]): void {
    const before = this.#byId.get(id);
    if (before === undefined) return this.emit("stale", id);
    let isStale = false;
    let now = before;
    for (const event of events) {
      if (event.seq <= (now.head?.seq ?? 0)) continue; // counted by the server already
      now = this.#withEvent(now, event);
      isStale ||= event.kind === "delete" || (event.kind === "x" && now.unread > 0);
    }
    if (now === before) return;
    this.#put(id, now);
    if (isStale) this.emit("stale", id);
  }

  handleMarks(marks: Marks): void {
    const { conversation, ...rest } = marks;
    const known = this.#byId.get(conversation);
    if (known !== undefined) this.#put(conversation, { ...known, ...rest });
  }

  /** What changed in one's own log. */
  handleSelf(change: Change): void {
    const id = change.conversation;
    if (id == null) return;
    const known = this.#byId.get(id);
    switch (change.action) {
      case "conversation-removed":
        return this.handleRemoved(id);
      case "conversation-added":
      case "conversation-role":
        return this.emit("stale", id);
      case "draft":
        if (known !== undefined) this.#put(id, { ...known, draft: change.draft ?? null });
        return;
      case "arranged":
        if (known !== undefined) this.#put(id, arranged(known, change));
        return;
      case "marks":
        if (known !== undefined) this.#handleOwnMarks(known, change);
    }
  }

  /** Show what one has arranged before the server confirms it. */
  handleArranging(id: string, change: Pick<Change, "muted_until" | "archived" | "pinned">): void {
    const known = this.#byId.get(id);
    if (known !== undefined) this.#put(id, arranged(known, change));
  }

  isMuted({ muted_until }: Conversation): boolean {
    return muted_until > this.#wallClock();
  }

  #handleOwnMarks(known: Conversation, change: Change): void {
    const marks = {
      delivered_no: change.delivered_no ?? known.delivered_no,
      read_no: change.read_no ?? known.read_no,
      unread_from: change.unread_from ?? known.unread_from,
    };
    const isRead = marks.read_no >= known.last_no && marks.unread_from === 0;
    this.#put(known.id, { ...known, ...marks, ...(isRead ? { unread: 0, mentions: 0 } : {}) });
    if (!isRead) this.emit("stale", known.id);
  }

  #withEvent(before: Conversation, event: Event): Conversation {
    let now: Conversation = { ...before, head: { conversation: before.id, seq: event.seq, tag: tagOf(event) } };
    if (event.kind === "settings") now = { ...now, ...settings(event.change) };
    if (event.kind === "member") now = { ...now, members: event.change?.count ?? now.members };
    if (!hasLine(event)) {
      const last = now.last === null ? null : fold(now.last, event, this.#me);
      return last === now.last ? now : { ...now, last };
    }
    if (event.kind !== "message") return { ...now, last_at: event.at };
    const isOthers = event.sender !== this.#me && !this.#blocked.includes(event.sender ?? "");
    const isMention = isOthers && (event.body?.everybody === true || (event.body?.mentions ?? []).includes(this.#me ?? ""));
    if (isOthers && !this.isMuted(now)) this.emit("news", now, event);
    const mentions = Math.min(UNREAD_MAX, now.mentions + (isMention ? 1 : 0));
    if (threadOf(event) !== null) return { ...now, mentions };
    const unread = Math.min(UNREAD_MAX, now.unread + (isOthers ? 1 : 0));
    const last: Message = begin(event);
    return { ...now, last, last_at: event.at, last_no: event.no ?? now.last_no, unread, mentions };
  }

  #put(id: string, conversation: Conversation): void {
    this.#set(new Map(this.#byId).set(id, conversation));
  }

  #set(byId: ReadonlyMap<string, Conversation>, isLoaded = this.#snapshot.isLoaded): void {
    this.#byId = byId;
    const conversations = [...byId.values()].sort(
      (a, b) => Number(b.pinned) - Number(a.pinned) || b.last_at - a.last_at || (a.id < b.id ? -1 : 1),
    );
    this.#snapshot = { conversations, isLoaded };
    this.emit("change");
  }
}

/** Live events may be ahead of a page that was asked for before them. */
function newer(known: Conversation | undefined, page: Conversation): Conversation {
  return known !== undefined && (known.head?.seq ?? 0) > (page.head?.seq ?? 0) ? known : page;
}

function arranged(known: Conversation, change: Pick<Change, "muted_until" | "archived" | "pinned">): Conversation {
  const { muted_until, archived, pinned } = known;
  return {
    ...known,
    muted_until: change.muted_until ?? muted_until,
    archived: change.archived ?? archived,
    pinned: change.pinned ?? pinned,
  };
}

function settings(change: Change | null): Partial<Conversation> {
  return {
    ...(change?.title == null ? {} : { title: change.title }),
    ...(change?.about == null ? {} : { about: change.about }),
    ...(change?.retention_s == null ? {} : { retention_s: change.retention_s }),
    ...(change?.history_from_join == null ? {} : { history_from_join: change.history_from_join }),
  };
}
