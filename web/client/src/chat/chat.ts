/**
 * One conversation as it is shown: its loaded lines, with one's own unconfirmed changes laid over them, and its threads.
 *
 * Wiring between the log (what happened), the lines (what is loaded) and the outbox (what one has done).
 */

import type { Event, HistoryPage, Message, MessageBody, Messages, Position, Synced } from "../catalogue.js";
import { Emitter } from "../emitter.js";
import type { Failure, Result } from "../result.js";
import type { Timers } from "../timers.js";
import { Lines, indexOf, type LinesSnapshot, type PageAsked } from "./lines.js";
import type { Log } from "./log.js";
import { idOf, type Entry, type Outbox } from "./outbox.js";
import { overlaid } from "./overlay.js";

/** A message of one's own that is not in the log yet. */
export interface Echo {
  readonly clientId: string;
  readonly body: MessageBody;
  readonly at: number;
  readonly status: Entry["status"];
  readonly error: Failure | null;
}

export interface ChatSnapshot extends LinesSnapshot {
  /** In the order of writing; they stand after all messages. */
  readonly echoes: readonly Echo[];
}

interface ChatEvents {
  change: [];
  /** Messages of others, or of one's own other devices, that are new since joining. */
  arrived: [messages: readonly Event[]];
  gone: [];
}

export interface ChatOptions {
  readonly log: Log;
  readonly outbox: Outbox;
  readonly history: (asked: PageAsked & { readonly conversation: string }) => Promise<Result<HistoryPage>>;
  /** Milliseconds since 1970: messages that disappear do so by it. */
  readonly wallClock: () => number;
  readonly timers: Timers;
}

/** Deleting can be taken back for so long. */
export const UNDO_MS = 6_000;
/** Timers of browsers hold 31 bits; who looks at one conversation for longer looks again then. */
const TIMER_MAX_MS = 86_400_000;

export class Chat extends Emitter<ChatEvents> {
  readonly log: Log;
  readonly lines: Lines;
  readonly #options: ChatOptions;
  readonly #threads = new Map<number, Thread>();
  #me: string | null = null;
  #snapshot: ChatSnapshot;
  #cancelExpiry: (() => void) | null = null;
  /** The position is worthless; the next page says where to go on. */
  #isReset = false;

  constructor(options: ChatOptions) {
    super();
    this.#options = options;
    this.log = options.log;
    this.lines = this.#makeLines(null);
    this.#snapshot = { ...this.lines.snapshot, echoes: [] };
    this.lines.on("change", () => this.#changed());
    this.lines.on("loaded", (page) => this.#handleLoaded(page));
    options.outbox.on("change", (conversation) => {
      if (conversation === this.log.conversation) this.#changed();
    });
    options.outbox.on("done", (entry, sent) => {
      if (entry.data.conversation !== this.log.conversation) return;
      if (entry.name === "hide-message") this.handleHidden(entry.data.seq);
      if (sent !== null) this.log.handleEvents([sent.event]);
    });
    this.log.on("events", (events) => this.#handleEvents(events));
    this.log.on("reset", () => {
      this.#isReset = true;
      this.lines.drop();
      void this.lines.loadNewest();
      for (const thread of this.#threads.values()) void thread.lines.loadNewest();
    });
    this.log.on("gone", () => {
      this.lines.drop();
      this.emit("gone");
    });
  }

  /** The same object until something changes. */
  get snapshot(): ChatSnapshot {
    return this.#snapshot;
  }

  get conversation(): string | null {
    return this.log.conversation;
  }

  get position(): Position | null {
    return this.log.position;
  }

  get me(): string | null {
    return this.#me;
  }

  /** Whose reactions are one's own. */
  handleMe(identity: string): void {
    this.#me = identity;
  }

  /** The chat part of a join's answer: a first page, or what happened after our position. */
  handleJoined(conversation: string, synced: Synced | null, history: HistoryPage | null): void {
    if (this.log.conversation !== conversation) {
      this.lines.drop();
      this.log.stand({ conversation, seq: 0, tag: null });
    }
    if (history !== null) {
      this.#isReset = false;
      this.log.stand(history.head);
      this.lines.handlePage(history);
    }
    if (synced !== null) this.log.handleSynced(synced);
    this.#options.outbox.handleDoorOpen();
  }

  handleMessages({ conversation, events }: Messages): void {
    if (conversation === this.log.conversation) this.log.handleEvents(events);
  }

  /** Deleted for oneself, perhaps on another device. */
  handleHidden(seq: number): void {
    this.#remove((message) => message.seq === seq);
  }

  /** Loads the newest page, if nothing is loaded. */
  async open(): Promise<void> {
    if (this.lines.snapshot.isEmpty && this.lines.snapshot.loading === null) await this.lines.loadNewest();
  }

  /** A message by number, if it is loaded; the same object until it changes. */
  loaded(seq: number): Message | null {
    const { messages } = this.#snapshot;
    return messages[indexOf(messages, seq)] ?? null;
  }

  /** Makes sure that a message is among the loaded ones; false if there is none of this number. */
  find(seq: number): Promise<boolean> {
    return find(this.lines, seq);
  }

  /** The replies to a message: their own lines, with one's own unconfirmed changes. Close it when it is not shown. */
  thread(seq: number): Thread {
    const known = this.#threads.get(seq);
    if (known !== undefined) return known;
    const thread = new Thread(seq, this.#makeLines(seq), () => this.#pending());
    this.#threads.set(seq, thread);
    return thread;
  }

  closeThread(seq: number): void {
    this.#threads.delete(seq);
  }

  send(body: MessageBody): void {
    const conversation = this.log.conversation;
    if (conversation !== null) this.#options.outbox.add("send-message", { conversation, body });
  }

  edit(message: Message, body: MessageBody): void {
    const { conversation, seq, revision } = message;
    this.#options.outbox.add("edit-message", { conversation, seq, body, revision });
  }

  /** Shown at once, sent after a while: until then `discard` with the id takes it back. */
  remove({ conversation, seq }: Message, forAll: boolean): string {
    return this.#options.outbox.add(forAll ? "delete-message" : "hide-message", { conversation, seq }, UNDO_MS);
  }

  react({ conversation, seq }: Message, emoji: string, remove: boolean): void {
    this.#options.outbox.add("react", { conversation, seq, emoji, remove });
  }

  pin({ conversation, seq }: Message, pinned: boolean): void {
    this.#options.outbox.add("pin-message", { conversation, seq, pinned });
  }

  retry(clientId: string): void {
    this.#options.outbox.retry(clientId);
  }

  discard(clientId: string): void {
    this.#options.outbox.discard(clientId);
  }

  #makeLines(thread: number | null): Lines {
    const fetch = (asked: PageAsked): Promise<Result<HistoryPage>> => {
      const conversation = this.log.conversation;
      if (conversation === null) return Promise.resolve({ ok: false, error: { kind: "offline" } });
      return this.#options.history({ ...asked, conversation });
    };
    return new Lines({ thread, fetch, me: () => this.#me });
  }

  #handleLoaded(page: HistoryPage): void {
    const position = this.log.position;
    if (this.#isReset || position === null || position.seq === 0) this.log.stand(page.head);
    else this.log.handleTip(page.head);
    this.#isReset = false;
  }

  #handleEvents(events: readonly Event[]): void {
    for (const { client_id, sender } of events) {
      if (client_id !== null && (this.#me === null || sender === this.#me)) this.#options.outbox.handleLogged(client_id);
    }
    this.lines.handleEvents(events);
    for (const thread of this.#threads.values()) thread.lines.handleEvents(events);
    this.#changed();
    const arrived = events.filter(({ kind }) => kind === "message");
    if (arrived.length > 0) this.emit("arrived", arrived);
  }

  #remove(isOver: (message: Message) => boolean): void {
    this.lines.remove(isOver);
    for (const thread of this.#threads.values()) thread.lines.remove(isOver);
  }

  #pending(): readonly Entry[] {
    return this.#options.outbox.entriesOf(this.log.conversation);
  }

  #changed(): void {
    this.#snapshot = snapshotOf(this.lines.snapshot, this.#pending(), null);
    this.#watchExpiry();
    for (const thread of this.#threads.values()) thread.handleChange();
    this.emit("change");
  }

  /** Messages that disappear: removed here at their time, whatever the server says and when. */
  #watchExpiry(): void {
    this.#cancelExpiry?.();
    this.#cancelExpiry = null;
    const shown = [this.lines, ...[...this.#threads.values()].map(({ lines }) => lines)];
    const next = Math.min(...shown.flatMap(({ snapshot }) => snapshot.messages.map((one) => one.expires_at ?? Infinity)));
    if (next === Infinity) return;
    const wait = Math.min(Math.max(0, next - this.#options.wallClock()), TIMER_MAX_MS);
    this.#cancelExpiry = this.#options.timers.after(wait, () => {
      const now = this.#options.wallClock();
      this.#remove((message) => message.expires_at !== null && message.expires_at <= now);
      this.#watchExpiry();
    });
  }
}

/** The replies to one message. */
export class Thread extends Emitter<{ change: [] }> {
  readonly seq: number;
  readonly lines: Lines;
  readonly #pending: () => readonly Entry[];
  #snapshot: ChatSnapshot;

  constructor(seq: number, lines: Lines, pending: () => readonly Entry[]) {
    super();
    this.seq = seq;
    this.lines = lines;
    this.#pending = pending;
    this.#snapshot = snapshotOf(lines.snapshot, pending(), seq);
    lines.on("change", () => this.handleChange());
  }

  get snapshot(): ChatSnapshot {
    return this.#snapshot;
  }

  /** Loads the newest page, if nothing is loaded. */
  async open(): Promise<void> {
    if (this.lines.snapshot.isEmpty && this.lines.snapshot.loading === null) await this.lines.loadNewest();
  }

  /** Makes sure that a reply is among the loaded ones; false if there is none of this number here. */
  find(seq: number): Promise<boolean> {
    return find(this.lines, seq);
  }

  handleChange(): void {
    this.#snapshot = snapshotOf(this.lines.snapshot, this.#pending(), this.seq);
    this.emit("change");
  }
}

async function find(lines: Lines, seq: number): Promise<boolean> {
  if (indexOf(lines.snapshot.messages, seq) < 0) await lines.loadAround(seq);
  return indexOf(lines.snapshot.messages, seq) >= 0;
}

function snapshotOf(lines: LinesSnapshot, pending: readonly Entry[], thread: number | null): ChatSnapshot {
  const echoes = pending.flatMap((entry): Echo[] => {
    if (entry.name !== "send-message" || (entry.data.body.thread ?? null) !== thread) return [];
    return [{ clientId: idOf(entry), body: entry.data.body, at: entry.at, status: entry.status, error: entry.error }];
  });
  return { ...lines, messages: overlaid(lines.messages, pending), echoes };
}
