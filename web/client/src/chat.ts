/**
 * The conversation's log on the client.
 *
 * The position (`seq` and tag of the last event applied) is held here and survives reconnects. Events are applied
 * densely: the next one extends the log, older ones are dropped, and after a gap what is missing is asked for with
 * `fill`, one request at a time. One's own messages show at once as echoes under their `client_id`, which the logged
 * event with that id replaces; sending an echo again, over whatever door, can never double it.
 */

import type { Event, HistoryPage, Messages, Position, RequestName, Synced, Tips } from "./catalogue.js";
import { Emitter } from "./emitter.js";
import type { AnswerOf, RequestOf } from "./protocol.js";
import { isTransient, type Failure, type Result } from "./result.js";
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
  #messages: Event[] = [];
  #echoes: Echo[] = [];
  #more = false;
  #loadingOlder = false;
  #filling = false;
  #resending = false;
  #fillFailures = 0;
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
    this.#fillFailures = 0;
    if (history !== null) this.#replace(history);
    if (synced !== null) this.#handleSynced(synced);
    this.handleDoorOpen();
  }

  handleMessages(frame: Messages): void {
    if (frame.conversation === this.#conversation) this.#apply(frame.events);
  }

  handleTips(tips: Tips): void {
    const head = tips.heads.find((position) => position.conversation === this.#conversation);
    if (head !== undefined && head.seq > this.#last.seq) void this.#fill();
  }

  /** A door opened: send what waits. */
  handleDoorOpen(): void {
    for (const echo of this.#echoes) if (echo.status === "waiting") void this.#deliver(echo.clientId);
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
    this.#changed();
    await this.#deliver(echo.clientId);
  }

  async retry(clientId: string): Promise<void> {
    await this.#deliver(clientId);
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

  async #deliver(clientId: string): Promise<void> {
    const conversation = this.#conversation;
    const echo = this.#echoes.find((one) => one.clientId === clientId);
    if (echo === undefined) return;
    if (conversation === null) { this.#mark(clientId, "waiting", null); return; }
    this.#mark(clientId, "sending", null);
    const sent = await this.#options.request("send-message", {
      conversation,
      client_id: clientId,
      body: { text: echo.text },
    });
    if (sent.ok) this.#apply([sent.value.event]);
    else {
      this.#mark(clientId, isTransient(sent.error) ? "waiting" : "failed", sent.error);
      // A closed door tells when it opens again; a slow or busy one does not.
      if (sent.error.kind !== "offline") this.#resendLater();
    }
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
      if (synced.more) void this.#fill();
    }
    if (synced.status === "reset") void this.#reload();
    if (synced.status === "gone") this.#drop();
  }

  #apply(events: readonly Event[]): void {
    const arrived: Event[] = [];
    let gap = false;
    for (const event of [...events].sort((a, b) => a.seq - b.seq)) {
      this.#settleEcho(event);
      if (event.seq <= this.#last.seq) continue;
      if (event.seq > this.#last.seq + 1) {
        gap = true;
        break;
      }
      this.#last = { seq: event.seq, tag: event.id.slice(0, 8) };
      if (event.kind !== "message") continue; // a stub: it counts, but there is nothing to show
      arrived.push(event);
    }
    if (arrived.length > 0) this.#messages = [...this.#messages, ...arrived];
    this.#changed();
    if (arrived.length > 0) this.emit("arrived", arrived);
    if (gap) void this.#fill();
  }

  #settleEcho(event: Event): void {
    if (event.client_id === null) return;
    this.#echoes = this.#echoes.filter((echo) => echo.clientId !== event.client_id);
  }

  async #fill(): Promise<void> {
    const conversation = this.#conversation;
    if (conversation === null || this.#filling) return;
    this.#filling = true;
    const after = this.#last.seq;
    const filled = await this.#options.request("fill", { conversation, after });
    this.#filling = false;
    if (filled.ok) this.#handleSynced(filled.value);
    const progressed = filled.ok && (this.#last.seq > after || filled.value.status !== "events");
    this.#fillFailures = progressed ? 0 : this.#fillFailures + 1;
    // Offline is not worth asking again: the answer of the next join brings everything.
    if (progressed || (!filled.ok && filled.error.kind === "offline")) return;
    if (this.#fillFailures < FILL_TRIES) return this.#fill();
    this.#fillFailures = 0;
    this.emit("stuck");
  }

  async #reload(): Promise<void> {
    const conversation = this.#conversation;
    if (conversation === null) return;
    const page = await this.#options.request("history", { conversation, before: null, limit: PAGE });
    if (page.ok) this.#replace(page.value);
    else if (page.error.kind !== "offline") this.emit("stuck");
  }

  #replace(page: HistoryPage): void {
    this.#messages = [...page.messages];
    this.#more = page.more;
    this.#last = { seq: page.head.seq, tag: page.head.tag };
    for (const event of page.messages) this.#settleEcho(event);
    this.#changed();
  }

  #drop(): void {
    this.#messages = [];
    this.#more = false;
    this.#last = { seq: 0, tag: null };
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
