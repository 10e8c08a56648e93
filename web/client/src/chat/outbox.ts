/**
 * What one has done and the server has not confirmed yet: messages, edits, deletions, reactions, pins.
 *
 * Each goes out under an id made here, in the order of doing within its conversation, over whatever door is open, and
 * again under the same id until there is an answer: that can never double it. The store keeps them over a reload.
 */

import type { RequestName, Sent } from "../catalogue.js";
import { Emitter } from "../emitter.js";
import type { AnswerOf, RequestOf } from "../protocol.js";
import { isTransient, type Failure, type Result } from "../result.js";
import type { Timers } from "../timers.js";
import { nowhere, type OutboxStore } from "./store.js";

export type ChangeName = RequestName &
  ("send-message" | "edit-message" | "delete-message" | "hide-message" | "react" | "pin-message");

export type ChangeRequest = <Name extends ChangeName>(
  name: Name,
  data: RequestOf<Name>,
) => Promise<Result<AnswerOf<Name>>>;

/** One change with its name, so that a `switch` narrows its data. */
export type Change = { [Name in ChangeName]: { readonly name: Name; readonly data: RequestOf<Name> } }[ChangeName];

export type Entry = Change & {
  /** Rises in the order of doing. */
  readonly order: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Not to be sent before: until then it can be taken back. */
  readonly notBefore: number;
  /** `waiting` goes out by itself when a door opens. */
  readonly status: "sending" | "waiting" | "failed";
  readonly error: Failure | null;
};

interface OutboxEvents {
  change: [conversation: string];
  /** `sent` is null where the answer is no event. */
  done: [entry: Entry, sent: Sent | null];
  /** The server does not want it, and trying again would not change that. */
  refused: [entry: Entry, error: Failure];
}

export interface OutboxOptions {
  readonly request: ChangeRequest;
  readonly makeId: () => string;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly timers: Timers;
  readonly store?: OutboxStore;
}

const RESEND_MS = 3_000;

type WithoutId<Data> = Omit<Data, "client_id">;

export class Outbox extends Emitter<OutboxEvents> {
  readonly #options: OutboxOptions;
  readonly #store: OutboxStore;
  readonly #pumping = new Set<string>();
  #entries: readonly Entry[] = [];
  #order = 0;
  #resending = false;
  /** Writes to the store go one after the other, so that a removal cannot overtake its entry. */
  #stored: Promise<void> = Promise.resolve();

  constructor(options: OutboxOptions) {
    super();
    this.#options = options;
    this.#store = options.store ?? nowhere;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  entriesOf(conversation: string | null): readonly Entry[] {
    return this.#entries.filter((entry) => entry.data.conversation === conversation);
  }

  /** Takes up what was left by an earlier page; sent when a door opens. */
  async restore(): Promise<void> {
    const kept = await this.#store.load();
    const known = new Set(this.#entries.map(idOf));
    const restored = kept.filter((entry) => !known.has(idOf(entry)));
    const renewed = restored.map((entry) => (entry.status === "failed" ? entry : { ...entry, status: "waiting" as const }));
    this.#order = Math.max(this.#order, ...renewed.map((entry) => entry.order + 1));
    this.#entries = [...renewed, ...this.#entries].sort((a, b) => a.order - b.order);
    const now = this.#options.wallClock();
    for (const { notBefore } of renewed) {
      if (notBefore > now) this.#options.timers.after(notBefore - now, () => this.handleDoorOpen());
    }
    for (const conversation of this.#conversations()) this.emit("change", conversation);
  }

  /** @param delayMs time in which it can still be taken back with `discard` */
  add<Name extends ChangeName>(name: Name, data: WithoutId<RequestOf<Name>>, delayMs = 0): string {
    const clientId = this.#options.makeId();
    const now = this.#options.wallClock();
    const change = { name, data: { ...data, client_id: clientId } } as unknown as Change;
    const entry: Entry = { ...change, order: this.#order++, at: now, notBefore: now + delayMs, status: "sending", error: null };
    this.#entries = [...this.#entries, entry];
    this.#keep(entry);
    this.emit("change", entry.data.conversation);
    if (delayMs > 0) this.#options.timers.after(delayMs, () => this.handleDoorOpen());
    this.#release(entry.data.conversation);
    return clientId;
  }

  retry(clientId: string): void {
    const entry = this.#entries.find((one) => idOf(one) === clientId);
    if (entry === undefined) return;
    this.#mark(clientId, "sending", null);
    void this.#pump(entry.data.conversation);
  }

  discard(clientId: string): void {
    const entry = this.#entries.find((one) => idOf(one) === clientId);
    if (entry === undefined) return;
    this.#entries = this.#entries.filter((one) => one !== entry);
    this.#stored = this.#stored.then(() => this.#store.remove(clientId)).catch(() => undefined);
    this.emit("change", entry.data.conversation);
  }

  /** The log has an event under this id: it arrived, whatever the answer was. */
  handleLogged(clientId: string): void {
    this.discard(clientId);
  }

  /** A door opened: send what waits. */
  handleDoorOpen(): void {
    for (const conversation of this.#conversations()) this.#release(conversation);
  }

  /** What waits goes out too, and before what was done later. */
  #release(conversation: string): void {
    for (const entry of this.entriesOf(conversation)) {
      if (entry.status === "waiting") this.#mark(idOf(entry), "sending", null);
    }
    void this.#pump(conversation);
  }

  async #pump(conversation: string): Promise<void> {
    if (this.#pumping.has(conversation)) return;
    this.#pumping.add(conversation);
    for (let entry = this.#next(conversation); entry !== undefined; entry = this.#next(conversation)) {
      const answer = await this.#options.request(entry.name, entry.data);
      if (answer.ok) this.#settle(entry, "event" in answer.value ? (answer.value as Sent) : null);
      else if (isTransient(answer.error)) this.#hold(answer.error);
      else {
        this.#mark(idOf(entry), "failed", answer.error);
        this.emit("refused", entry, answer.error);
      }
    }
    this.#pumping.delete(conversation);
  }

  #next(conversation: string): Entry | undefined {
    const now = this.#options.wallClock();
    return this.entriesOf(conversation).find((entry) => entry.status === "sending" && entry.notBefore <= now);
  }

  #settle(entry: Entry, sent: Sent | null): void {
    // Listeners put the event where the echo was; only then does the echo go.
    this.emit("done", entry, sent);
    this.discard(idOf(entry));
  }

  /** Nothing gets through now: everything that was to be sent waits. */
  #hold(error: Failure): void {
    for (const entry of this.#entries) if (entry.status === "sending") this.#mark(idOf(entry), "waiting", error);
    // A closed door tells when it opens again; a slow or busy one does not.
    if (error.kind === "offline" || this.#resending) return;
    this.#resending = true;
    this.#options.timers.after(RESEND_MS, () => {
      this.#resending = false;
      this.handleDoorOpen();
    });
  }

  #mark(clientId: string, status: Entry["status"], error: Failure | null): void {
    const before = this.#entries.find((entry) => idOf(entry) === clientId);
    if (before === undefined) return;
    const entry = { ...before, status, error };
    this.#entries = this.#entries.map((one) => (one === before ? entry : one));
    // Over a reload only a refusal is worth knowing: everything else is tried again.
    if (status === "failed" || before.status === "failed") this.#keep(entry);
    this.emit("change", entry.data.conversation);
  }

  #keep(entry: Entry): void {
    // A full or forbidden storage must not keep anybody from writing.
    this.#stored = this.#stored.then(() => this.#store.save(entry)).catch(() => undefined);
  }

  #conversations(): ReadonlySet<string> {
    return new Set(this.#entries.map((entry) => entry.data.conversation));
  }
}

export function idOf(entry: Change): string {
  return entry.data.client_id;
}
