/**
 * The lines of a conversation (or of one thread) that are loaded: a range without gaps, at the newest end or anywhere.
 *
 * Pages and events come over different ways and may overtake each other. The last events are therefore kept and folded
 * into every page that arrives: what a page already knows, its messages' `version` says.
 */

import type { Event, HistoryPage, Message } from "../catalogue.js";
import { Emitter } from "../emitter.js";
import type { Failure, Result } from "../result.js";
import { begin, fold, hasLine, threadOf } from "./fold.js";

/** Which page: the newest one if nothing is given. */
export interface PageAsked {
  readonly before?: number;
  readonly after?: number;
  readonly around?: number;
  readonly limit: number;
  readonly thread: number | null;
}

export interface LinesSnapshot {
  readonly messages: readonly Message[];
  /** There are older ones. */
  readonly older: boolean;
  /** There are newer ones: this is not the conversation's end. */
  readonly newer: boolean;
  readonly loading: "older" | "newer" | "page" | null;
  /** Nothing has been loaded yet. */
  readonly isEmpty: boolean;
  /** Why the last page did not come. */
  readonly error: Failure | null;
}

export interface LinesOptions {
  readonly thread: number | null;
  readonly fetch: (asked: PageAsked) => Promise<Result<HistoryPage>>;
  readonly me: () => string | null;
}

const PAGE = 50;
/** As many as a client may be behind before it is told to start over. */
const RECENT_MAX = 500;
/** Lines kept in memory; what is far away is read again when it is scrolled to. */
const LOADED_MAX = 2_000;

export class Lines extends Emitter<{ change: []; loaded: [page: HistoryPage] }> {
  readonly #options: LinesOptions;
  #recent: Event[] = [];
  /** Everything up to here is in the pages, if they reach the newest end. */
  #covered = 0;
  /** Counts loads, so that the answer of one that was overtaken is dropped. */
  #round = 0;
  #snapshot: LinesSnapshot = { messages: [], older: false, newer: false, loading: null, isEmpty: true, error: null };

  constructor(options: LinesOptions) {
    super();
    this.#options = options;
  }

  /** The same object until something changes. */
  get snapshot(): LinesSnapshot {
    return this.#snapshot;
  }

  /** A page of the newest lines, instead of what was loaded. */
  handlePage(page: HistoryPage): void {
    this.#round += 1;
    this.#replace(page, page.more, page.newer);
  }

  /** The next events of the log. */
  handleEvents(events: readonly Event[]): void {
    this.#recent = [...this.#recent, ...events].slice(-RECENT_MAX);
    if (this.#snapshot.isEmpty) return;
    const messages = this.#withEvents(this.#snapshot.messages, events, !this.#snapshot.newer);
    if (messages !== this.#snapshot.messages) this.#set({ messages });
  }

  /** Remove messages that are over (deleted for oneself, or expired). */
  remove(isOver: (message: Message) => boolean): void {
    const { messages } = this.#snapshot;
    const left = messages.filter((message) => !isOver(message));
    if (left.length < messages.length) this.#set({ messages: left });
  }

  drop(): void {
    this.#round += 1;
    this.#recent = [];
    this.#covered = 0;
    this.#set({ messages: [], older: false, newer: false, loading: null, isEmpty: true, error: null });
  }

  async loadNewest(): Promise<Result<HistoryPage> | null> {
    return this.#load("page", {}, (page) => this.#replace(page, page.more, page.newer));
  }

  /** The lines around one of them, to jump there. */
  async loadAround(seq: number): Promise<Result<HistoryPage> | null> {
    return this.#load("page", { around: seq }, (page) => this.#replace(page, page.more, page.newer));
  }

  async loadOlder(): Promise<void> {
    const { loading, older, messages } = this.#snapshot;
    if (loading !== null || !older) return;
    const first = messages[0]?.seq ?? this.#covered + 1;
    await this.#load("older", { before: first }, (page) => {
      const joined = [...this.#folded(page.messages), ...this.#snapshot.messages];
      const isLong = joined.length > LOADED_MAX;
      this.#set({ messages: joined.slice(0, LOADED_MAX), older: page.more, newer: this.#snapshot.newer || isLong });
    });
  }

  async loadNewer(): Promise<void> {
    const { loading, newer, messages } = this.#snapshot;
    if (loading !== null || !newer) return;
    const last = messages.at(-1)?.seq ?? 0;
    await this.#load("newer", { after: last }, (page) => {
      const joined = [...this.#snapshot.messages, ...this.#folded(page.messages)];
      if (!page.newer) this.#covered = page.head.seq;
      const reached = page.newer ? joined : this.#withEvents(joined, this.#recent, true);
      const isLong = reached.length > LOADED_MAX;
      this.#set({ messages: reached.slice(-LOADED_MAX), newer: page.newer, older: this.#snapshot.older || isLong });
    });
  }

  async #load(
    loading: "older" | "newer" | "page",
    asked: Pick<PageAsked, "before" | "after" | "around">,
    use: (page: HistoryPage) => void,
  ): Promise<Result<HistoryPage> | null> {
    const round = (this.#round += 1);
    this.#set({ loading, error: null });
    const page = await this.#options.fetch({ ...asked, limit: PAGE, thread: this.#options.thread });
    if (round !== this.#round) return null;
    this.#set({ loading: null, error: page.ok ? null : page.error });
    if (page.ok) {
      use(page.value);
      this.emit("loaded", page.value);
    }
    return page;
  }

  #replace(page: HistoryPage, older: boolean, newer: boolean): void {
    this.#covered = page.head.seq;
    const messages = this.#withEvents(page.messages, this.#recent, !newer);
    this.#set({ messages, older, newer, loading: null, isEmpty: false, error: null });
  }

  #folded(messages: readonly Message[]): readonly Message[] {
    return this.#withEvents(messages, this.#recent, false);
  }

  /** The same array if no event concerns it. */
  #withEvents(messages: readonly Message[], events: readonly Event[], isAtEnd: boolean): readonly Message[] {
    const me = this.#options.me();
    let changed: Message[] | null = null;
    for (const event of events) {
      const current = changed ?? messages;
      const target = hasLine(event) ? threadOf(event) : event.target;
      const at = target === null ? -1 : indexOf(current, target);
      const message = current[at];
      const folded = message === undefined ? undefined : fold(message, event, me);
      if (folded !== undefined && folded !== message) (changed ??= [...messages])[at] = folded;
      if (!isAtEnd || !hasLine(event) || threadOf(event) !== this.#options.thread) continue;
      const last = current.at(-1)?.seq ?? 0;
      if (event.seq > last && event.seq > this.#covered) (changed ??= [...messages]).push(begin(event));
    }
    return changed ?? messages;
  }

  #set(more: Partial<LinesSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...more };
    this.emit("change");
  }
}

/** Where `seq` stands in rising numbers; -1 if it is not there. */
export function indexOf(messages: readonly Message[], seq: number): number {
  let low = 0;
  let high = messages.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = messages[middle]?.seq ?? 0;
    if (found === seq) return middle;
    if (found < seq) low = middle + 1;
    else high = middle - 1;
  }
  return -1;
}
