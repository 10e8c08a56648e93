/** Tells the server what has arrived and what was read: together for what comes in quick succession, never backwards. */

import type { MarkRead } from "../catalogue.js";
import type { Timers } from "../timers.js";

const READ_MS = 300;
const ARRIVED_MS = 2_000;

export class Marker {
  readonly #timers: Timers;
  readonly #tell: (mark: MarkRead) => Promise<boolean>;
  readonly #told = { read: new Map<string, number>(), arrived: new Map<string, number>() };
  readonly #waiting = new Map<string, { seq: number; cancel: () => void }>();

  /** @param tell false if the server could not be told */
  constructor(timers: Timers, tell: (mark: MarkRead) => Promise<boolean>) {
    this.#timers = timers;
    this.#tell = tell;
  }

  /** Everything up to `seq` was seen. */
  read(conversation: string, seq: number): void {
    this.#mark("read", conversation, seq, READ_MS);
  }

  /** Everything up to `seq` is on this device. */
  arrived(conversation: string, seq: number): void {
    if ((this.#told.read.get(conversation) ?? 0) < seq) this.#mark("arrived", conversation, seq, ARRIVED_MS);
  }

  /** Marked as unread: the next look counts again. */
  forget(conversation: string): void {
    this.#told.read.delete(conversation);
    this.#waiting.get(`read ${conversation}`)?.cancel();
    this.#waiting.delete(`read ${conversation}`);
  }

  #mark(kind: "read" | "arrived", conversation: string, seq: number, ms: number): void {
    if ((this.#told[kind].get(conversation) ?? 0) >= seq) return;
    const key = `${kind} ${conversation}`;
    const before = this.#waiting.get(key);
    if (before !== undefined) {
      before.seq = Math.max(before.seq, seq);
      return;
    }
    const mark = { seq, cancel: this.#timers.after(ms, () => void this.#send(kind, conversation, key)) };
    this.#waiting.set(key, mark);
  }

  async #send(kind: "read" | "arrived", conversation: string, key: string): Promise<void> {
    const seq = this.#waiting.get(key)?.seq ?? 0;
    this.#waiting.delete(key);
    const before = this.#told[kind].get(conversation) ?? 0;
    this.#told[kind].set(conversation, seq);
    const isTold = await this.#tell({ conversation, seq, delivered: kind === "arrived" });
    if (!isTold && this.#told[kind].get(conversation) === seq) this.#told[kind].set(conversation, before);
  }
}
