/** Stand-ins for what the browser and the network bring: the boundary at which the client is tested. */

import type { Event, Message } from "../src/catalogue.js";
import type { ChannelLike } from "../src/channels.js";
import type { SocketFactory, SocketLike } from "../src/connection.js";
import type { Timers } from "../src/timers.js";

/** Time that passes only when told to. */
export class VirtualTime implements Timers {
  #now = 0;
  #next = 0;
  readonly #due = new Map<number, { at: number; action: () => void }>();

  now(): number {
    return this.#now;
  }

  after(ms: number, action: () => void): () => void {
    const id = this.#next++;
    this.#due.set(id, { at: this.#now + ms, action });
    return () => void this.#due.delete(id);
  }

  /** Let time pass, with everything that falls due on the way, and what promises bring about. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (let first = this.#first(end); first !== null; first = this.#first(end)) {
      this.#due.delete(first.id);
      this.#now = first.at;
      first.action();
      await settled();
    }
    this.#now = end;
  }

  #first(end: number): { id: number; at: number; action: () => void } | null {
    const due = [...this.#due].filter(([, { at }]) => at <= end).sort(([, a], [, b]) => a.at - b.at);
    const [entry] = due;
    return entry === undefined ? null : { id: entry[0], ...entry[1] };
  }
}

/** All promises that can go on have gone on. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

type Answer = (event: string, data: unknown) => unknown;

/** A Socket.IO socket whose other end is a function. `answer` returning undefined means that no answer comes. */
export class FakeSocket implements SocketLike {
  connected = false;
  connects = 0;
  answer: Answer = () => ({});
  /** Tried at each connect; null lets it succeed. */
  refuse: (() => Error & { data?: unknown }) | null = null;
  readonly sent: { event: string; data: unknown }[] = [];
  readonly tokens: Promise<string>[] = [];
  readonly #listeners = new Map<string, (...args: never[]) => void>();
  readonly #pending = new Set<(error: Error) => void>();
  #any: (event: string, ...args: unknown[]) => void = () => undefined;
  #token: () => Promise<string> = () => Promise.resolve("");

  readonly factory: SocketFactory = (token) => {
    this.#token = token;
    return this;
  };

  connect(): void {
    this.connects += 1;
    this.tokens.push(this.#token());
    queueMicrotask(() => {
      if (this.refuse === null) {
        this.connected = true;
        this.#call("connect");
      } else {
        this.#call("connect_error", this.refuse());
      }
    });
  }

  disconnect(): void {
    this.lose("io client disconnect");
  }

  /** The other end, or the network, is gone. */
  lose(reason = "transport close"): void {
    if (!this.connected) return;
    this.connected = false;
    for (const fail of [...this.#pending]) fail(new Error("socket has been disconnected"));
    this.#pending.clear();
    this.#call("disconnect", reason);
  }

  on(event: string, listener: (...args: never[]) => void): void {
    this.#listeners.set(event, listener);
  }

  onAny(listener: (event: string, ...args: unknown[]) => void): void {
    this.#any = listener;
  }

  notify(event: string, data: unknown): void {
    this.#any(event, data);
  }

  timeout(): { emit(event: string, ...args: unknown[]): void } {
    return {
      emit: (event, data, done) => {
        const settle = done as (error: Error | null, answer?: unknown) => void;
        this.sent.push({ event, data });
        this.#pending.add(settle);
        const answer = this.answer(event, data);
        if (answer === undefined) return;
        void Promise.resolve(answer).then((value) => {
          if (this.#pending.delete(settle)) settle(null, value);
        });
      },
    };
  }

  /** Give up on everything that was asked and not answered. */
  expire(): void {
    for (const fail of [...this.#pending]) fail(new Error("operation has timed out"));
    this.#pending.clear();
  }

  #call(event: string, ...args: unknown[]): void {
    (this.#listeners.get(event) as ((...args: unknown[]) => void) | undefined)?.(...args);
  }
}

/** A data channel that records what is sent. */
export class FakeChannel implements ChannelLike {
  readyState: RTCDataChannelState = "connecting";
  bufferedAmount = 0;
  readonly sent: { t: string; i: number; d: unknown }[] = [];
  readonly #listeners = new Map<string, (event: { data: unknown }) => void>();

  send(data: string): void {
    this.sent.push(JSON.parse(data) as { t: string; i: number; d: unknown });
  }

  addEventListener(type: string, listener: (event: { data: unknown }) => void): void {
    this.#listeners.set(type, listener);
  }

  open(): void {
    this.readyState = "open";
    this.#listeners.get("open")?.({ data: null });
  }

  close(): void {
    this.readyState = "closed";
    this.#listeners.get("close")?.({ data: null });
  }

  receive(frame: unknown): void {
    this.#listeners.get("message")?.({ data: typeof frame === "string" ? frame : JSON.stringify(frame) });
  }

  /** Answer the last request. */
  answer(type: "ok" | "error", data: unknown): void {
    this.receive({ t: type, i: this.sent.at(-1)?.i, d: data });
  }
}

export const CONVERSATION = "11111111-1111-4111-8111-111111111111";

export function uuid(number: number): string {
  return `${number.toString(16).padStart(8, "0")}-0000-4000-8000-000000000000`;
}

export function messageEvent(seq: number, more: Partial<Event> = {}): Event {
  return {
    conversation: CONVERSATION,
    seq,
    id: uuid(seq),
    kind: "message",
    at: 1_000 * seq,
    sender: "ben",
    sender_name: "Ben",
    client_id: null,
    body: { text: `message ${seq}` },
    target: null,
    change: null,
    no: seq,
    expires_at: null,
    ...more,
  };
}

/** The event as a page of history shows it while nothing has changed it. */
export function unchanged(event: Event): Message {
  return {
    ...event,
    version: event.seq,
    revision: event.seq,
    edited_at: null,
    deleted_at: null,
    pinned_at: null,
    reactions: [],
    mine: [],
    thread: null,
    reply_count: 0,
    last_reply_at: null,
  };
}
