/** Who speaks now, as the server hears it. */

import type { Speakers as SpeakersFrame } from "./catalogue.js";
import { Emitter } from "./emitter.js";
import type { Timers } from "./timers.js";

interface SpeakersEvents {
  change: [];
}

/** Words have gaps; a ring that follows each of them flickers. */
const HOLD_MS = 400;

export class Speakers extends Emitter<SpeakersEvents> {
  readonly #timers: Timers;
  readonly #lastSpoke = new Map<string, number>();
  #now: ReadonlySet<string> = new Set();
  #held: ReadonlySet<string> = new Set();
  #cancel: (() => void) | null = null;

  constructor(timers: Timers) {
    super();
    this.#timers = timers;
  }

  /** The same set until somebody starts or stops. */
  get speaking(): ReadonlySet<string> {
    return this.#held;
  }

  /** When a participant was last heard, in the timers' milliseconds; null for never. */
  lastSpoke(participant: string): number | null {
    return this.#lastSpoke.get(participant) ?? null;
  }

  handleSpeakers(frame: SpeakersFrame): void {
    const time = this.#timers.now();
    for (const participant of this.#now) this.#lastSpoke.set(participant, time);
    this.#now = new Set(frame.speakers.map((speaker) => speaker.participant));
    for (const participant of this.#now) this.#lastSpoke.set(participant, time);
    this.#settle();
  }

  handleLeft(participant: string): void {
    this.#now = new Set([...this.#now].filter((id) => id !== participant));
    this.#lastSpoke.delete(participant);
    this.#settle();
  }

  handleReset(): void {
    this.#now = new Set();
    this.#settle();
  }

  #settle(): void {
    this.#cancel?.();
    this.#cancel = null;
    const time = this.#timers.now();
    const held = new Set(this.#now);
    let next = Infinity;
    for (const [participant, last] of this.#lastSpoke) {
      const left = last + HOLD_MS - time;
      if (held.has(participant) || left <= 0) continue;
      held.add(participant);
      next = Math.min(next, left);
    }
    if (next !== Infinity) this.#cancel = this.#timers.after(next, () => this.#settle());
    if (held.size === this.#held.size && [...held].every((id) => this.#held.has(id))) return;
    this.#held = held;
    this.emit("change");
  }
}
