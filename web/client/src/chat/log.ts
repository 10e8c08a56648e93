/**
 * Follows one conversation's log without a gap.
 *
 * The position (`seq` and tag of the last event applied) is held here and survives reconnects. The next event extends
 * it, older ones are dropped, and after a gap what is missing is asked for with `fill`, one request at a time.
 */

import type { Event, Position, Synced } from "../catalogue.js";
import { Emitter } from "../emitter.js";
import type { Result } from "../result.js";

interface LogEvents {
  /** The next events, dense and in order. */
  events: [events: readonly Event[]];
  /** The server does not know this position: what was loaded is worthless, and history is to be read anew. */
  reset: [];
  /** The conversation is not there for this client any more. */
  gone: [];
  /** Three attempts to fill a gap failed: the doors are not telling the truth. */
  stuck: [];
}

export type AskFill = (conversation: string, after: number) => Promise<Result<Synced>>;

const FILL_TRIES = 3;

export class Log extends Emitter<LogEvents> {
  readonly #fill: AskFill;
  #conversation: string | null;
  #last: { readonly seq: number; readonly tag: string | null } = { seq: 0, tag: null };
  /** The newest event known to exist. */
  #heard = 0;
  #filling = false;

  constructor(conversation: string | null, fill: AskFill) {
    super();
    this.#conversation = conversation;
    this.#fill = fill;
  }

  get conversation(): string | null {
    return this.#conversation;
  }

  /** Where this client stands; null while it is not known in which conversation. */
  get position(): Position | null {
    if (this.#conversation === null) return null;
    return { conversation: this.#conversation, seq: this.#last.seq, tag: this.#last.tag };
  }

  /** Go on from here: everything up to it is known, or was read as history. */
  stand({ conversation, seq, tag }: Position): void {
    this.#conversation = conversation;
    this.#last = { seq, tag };
    this.#heard = seq;
  }

  handleEvents(events: readonly Event[]): void {
    const next: Event[] = [];
    for (const event of [...events].sort((a, b) => a.seq - b.seq)) {
      this.#heard = Math.max(this.#heard, event.seq);
      if (event.seq !== this.#last.seq + 1) continue; // known already, or after a gap
      this.#last = { seq: event.seq, tag: tagOf(event) };
      next.push(event);
    }
    if (next.length > 0) this.emit("events", next);
    if (this.#heard > this.#last.seq) void this.#fillGap();
  }

  /** Somebody says where the conversation stands. */
  handleTip({ conversation, seq, tag }: Position): void {
    if (conversation !== this.#conversation) return;
    if (seq === this.#last.seq && tag !== null && this.#last.tag !== null && tag !== this.#last.tag) this.emit("reset");
    if (seq <= this.#last.seq) return;
    this.#heard = Math.max(this.#heard, seq);
    void this.#fillGap();
  }

  handleSynced(synced: Synced): void {
    if (synced.status === "events") {
      this.handleEvents(synced.events);
      // An answer is bounded by its door: ask on for the rest.
      if (synced.more) this.#heard = Math.max(this.#heard, this.#last.seq + 1);
      if (this.#heard > this.#last.seq) void this.#fillGap();
    } else {
      this.#heard = this.#last.seq;
      this.emit(synced.status === "reset" ? "reset" : "gone");
    }
  }

  /** Asks for what is missing until nothing is, one request at a time. */
  async #fillGap(): Promise<void> {
    if (this.#filling) return;
    this.#filling = true;
    for (let failures = 0; this.#conversation !== null && this.#heard > this.#last.seq; ) {
      const after = this.#last.seq;
      const filled = await this.#fill(this.#conversation, after);
      if (filled.ok) this.handleSynced(filled.value);
      // Offline is not worth asking again: whoever comes back says where it stands.
      else if (filled.error.kind === "offline") break;
      failures = this.#last.seq > after ? 0 : failures + 1;
      if (failures < FILL_TRIES || this.#heard <= this.#last.seq) continue;
      this.emit("stuck");
      break;
    }
    this.#filling = false;
  }
}

export function tagOf(event: Event): string {
  return event.id.slice(0, 8);
}
