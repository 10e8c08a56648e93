/**
 * The conversation's log on the client.
 *
 * The position (`seq` and tag of the last event applied) is held here and survives reconnects. Events are applied
 * densely: the next one extends the log, older ones are dropped, and after a gap what is missing is asked for with
 * `fill`, one request at a time. One's own messages show at once as echoes under their `client_id`, which the logged
 * event with that id replaces; sending an echo again, over whatever door, can never double it.
 */

import type { Event, HistoryPage, Messages, Position, RequestName, Sent, Synced, Tips } from "./catalogue.js";
import { Emitter } from "./emitter.js";
import type { AnswerOf, RequestOf } from "./protocol.js";
import { failed, isTransient, type Failure, type Result } from "./result.js";
import type { Timers } from "./timers.js";

export type ChatRequest = <Name extends RequestName & ("send-message" | "history" | "fill")>(
  name: Name,
  data: RequestOf<Name>,
) => Promise<Result<AnswerOf<Name>>>;

/** A message of one's own that is not in the log yet. `waiting` goes out by itself when a door opens. */
export interface Echo {
  readonly clientId: string;
  readonly text: string;
  readonly at: number;
  readonly status: "sending" | "waiting" | "failed";
  readonly error: Failure | null;
}

export interface ChatSnapshot {
  readonly messages: readonly Event[];
  readonly echoes: readonly Echo[];
  /** Older messages exist that are not loaded. */
  readonly more: boolean;
  readonly loadingOlder: boolean;
}

interface ChatEvents {
  change: [];
  /** Messages of others, or of one's own other devices, that are new since joining. */
  arrived: [messages: readonly Event[]];
  /** Three attempts to fill a gap failed: the doors are not telling the truth. */
  stuck: [];
}

export interface ChatOptions {
  readonly request: ChatRequest;
  readonly makeId: () => string;
  /** Milliseconds since 1970, for the echo's time stamp only. */
  readonly wallClock: () => number;
  readonly timers: Timers;
}

const PAGE = 50;
const FILL_TRIES = 3;
const RESEND_MS = 3_000;

export class Chat extends Emitter<ChatEvents> {
  readonly #options: ChatOptions;
  #conversation: string | null = null;
  #last: { seq: number; tag: string | null } = { seq: 0, tag: null };
  /** The newest event known to exist. */
  #heard = 0;
  #messages: Event[] = [];
  #echoes: Echo[] = [];
  #more = false;
  #loadingOlder = false;
  #filling = false;
  #resending = false;
  #sending = false;
  #snapshot: ChatSnapshot = { messages: [], echoes: [], more: false, loadingOlder: false };

  constructor(options: ChatOptions) {
    super();
    this.#options = options;
  }

  /** The same object until something changes. */
  get snapshot(): ChatSnapshot {
    return this.#snapshot;
  }

  /** Where this client stands; null before the first join. */
  get position(): Position | null {
    if (this.#conversation === null) return null;
    return { conversation: this.#conversation, seq: this.#last.seq, tag: this.#last.tag };
  }

  /** The chat part of a join's answer: a first page, or what happened after our position. */
  handleJoined(conversation: string, synced: Synced | null, history: HistoryPage | null): void {
    if (this.#conversation !== null && this.#conversation !== conversation) this.#drop();
    this.#conversation = conversation;
    if (history !== null) this.#replace(history);
    if (synced !== null) this.#handleSynced(synced);
    this.handleDoorOpen();
  }

  handleMessages(frame: Messages): void {
    if (frame.conversation === this.#conversation) this.#apply(frame.events);
  }

  handleTips(tips: Tips): void {
    const head = tips.heads.find((position) => position.conversation === this.#conversation);
    if (head === undefined || head.seq <= this.#last.seq) return;
    this.#heard = Math.max(this.#heard, head.seq);
    void this.#fill();
  }

  /** A door opened: send what waits. */
  handleDoorOpen(): void {
    void this.#release();
  }

  async send(text: string): Promise<void> {
    const echo: Echo = {
      clientId: this.#options.makeId(),
      text,
      at: this.#options.wallClock(),
      status: "sending",
      error: null,
    };
    this.#echoes = [...this.#echoes, echo];
    await this.#release();
  }

  async retry(clientId: string): Promise<void> {
    this.#mark(clientId, "sending", null);
    await this.#pump();
  }

  discard(clientId: string): void {
    this.#echoes = this.#echoes.filter((echo) => echo.clientId !== clientId);
    this.#changed();
  }

  async loadOlder(): Promise<void> {
    const conversation = this.#conversation;
    if (conversation === null || this.#loadingOlder || !this.#more) return;
    this.#loadingOlder = true;
    this.#changed();
    const before = this.#messages[0]?.seq ?? this.#last.seq + 1;
    const page = await this.#options.request("history", { conversation, before, limit: PAGE });
    this.#loadingOlder = false;
    // A reset may have replaced the pages while this one was on its way.
    if (page.ok && (this.#messages[0]?.seq ?? before) === before) {
      this.#messages = [...page.value.messages, ...this.#messages];
      this.#more = page.value.more;
    }
    this.#changed();
  }

  /** What waits goes out too, and before what was written later. */
  async #release(): Promise<void> {
    for (const { clientId, status } of this.#echoes) if (status === "waiting") this.#mark(clientId, "sending", null);
    this.#changed();
    await this.#pump();
  }

  /** Sends what is to be sent, one after the other, so that messages arrive in the order of writing. */
  async #pump(): Promise<void> {
    if (this.#sending) return;
    this.#sending = true;
    for (let echo = this.#nextEcho(); echo !== undefined; echo = this.#nextEcho()) {
      const { clientId, text } = echo;
      const sent = await this.#deliver(clientId, text);
      if (sent.ok) {
        this.#apply([sent.value.event]);
      } else if (isTransient(sent.error)) {
        this.#hold(sent.error);
      } else {
        this.#mark(clientId, "failed", sent.error);
      }
    }
    this.#sending = false;
  }

  #nextEcho(): Echo | undefined {
    return this.#echoes.find(({ status }) => status === "sending");
  }

  async #deliver(clientId: string, text: string): Promise<Result<Sent>> {
    const conversation = this.#conversation;
    if (conversation === null) return failed({ kind: "offline" });
    return this.#options.request("send-message", { conversation, client_id: clientId, body: { text } });
  }

  /** Nothing gets through now: everything that was to be sent waits. */
  #hold(error: Failure): void {
    for (const { clientId, status } of this.#echoes) if (status === "sending") this.#mark(clientId, "waiting", error);
    // A closed door tells when it opens again; a slow or busy one does not.
    if (error.kind !== "offline") this.#resendLater();
  }

  #resendLater(): void {
    if (this.#resending) return;
    this.#resending = true;
    this.#options.timers.after(RESEND_MS, () => {
      this.#resending = false;
      this.handleDoorOpen();
    });
  }

  #mark(clientId: string, status: Echo["status"], error: Failure | null): void {
    this.#echoes = this.#echoes.map((echo) => (echo.clientId === clientId ? { ...echo, status, error } : echo));
    this.#changed();
  }

  #handleSynced(synced: Synced): void {
    if (synced.status === "events") {
      this.#apply(synced.events);
      // An answer is bounded by its door: ask on for the rest.
      if (synced.more) this.#heard = Math.max(this.#heard, this.#last.seq + 1);
      if (this.#heard > this.#last.seq) void this.#fill();
    }
    if (synced.status === "reset") void this.#reload();
    if (synced.status === "gone") this.#drop();
  }

  #apply(events: readonly Event[]): void {
    const arrived: Event[] = [];
    for (const event of [...events].sort((a, b) => a.seq - b.seq)) {
      this.#settleEcho(event);
      this.#heard = Math.max(this.#heard, event.seq);
      if (event.seq !== this.#last.seq + 1) continue; // known already, or after a gap
      this.#last = { seq: event.seq, tag: event.id.slice(0, 8) };
      if (event.kind !== "message") continue; // a stub: it counts, but there is nothing to show
      arrived.push(event);
    }
    if (arrived.length > 0) this.#messages = [...this.#messages, ...arrived];
    this.#changed();
    if (arrived.length > 0) this.emit("arrived", arrived);
    if (this.#heard > this.#last.seq) void this.#fill();
  }

  #settleEcho(event: Event): void {
    if (event.client_id === null) return;
    this.#echoes = this.#echoes.filter((echo) => echo.clientId !== event.client_id);
  }

  /** Asks for what is missing until nothing is, one request at a time. */
  async #fill(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    for (let failures = 0; this.#conversation !== null && this.#heard > this.#last.seq; ) {
      const after = this.#last.seq;
      const filled = await this.#options.request("fill", { conversation: this.#conversation, after });
      if (filled.ok) this.#handleSynced(filled.value);
      // Offline is not worth asking again: the answer of the next join brings everything.
      else if (filled.error.kind === "offline") break;
      failures = this.#last.seq > after ? 0 : failures + 1;
      if (failures < FILL_TRIES || this.#heard <= this.#last.seq) continue;
      this.emit("stuck");
      break;
    }
    this.#filling = false;
  }

  async #reload(): Promise<void> {
    const conversation = this.#conversation;
    this.#heard = this.#last.seq;
    if (conversation === null) return;
    const page = await this.#options.request("history", { conversation, before: null, limit: PAGE });
    if (page.ok) this.#replace(page.value);
    else if (page.error.kind !== "offline") this.emit("stuck");
  }

  #replace(page: HistoryPage): void {
    this.#messages = [...page.messages];
    this.#more = page.more;
    this.#last = { seq: page.head.seq, tag: page.head.tag };
    this.#heard = page.head.seq;
    for (const event of page.messages) this.#settleEcho(event);
    this.#changed();
  }

  #drop(): void {
    this.#messages = [];
    this.#more = false;
    this.#last = { seq: 0, tag: null };
    this.#heard = 0;
    this.#changed();
  }

  #changed(): void {
    this.#snapshot = {
      messages: this.#messages,
      echoes: this.#echoes,
      more: this.#more,
      loadingOlder: this.#loadingOlder,
    };
    this.emit("change");
  }
}
