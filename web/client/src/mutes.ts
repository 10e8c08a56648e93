/**
 * Keeps the server's idea of what is muted true. What it was told with a join, or could not be told while no door was
 * open, is compared with how things are each time a door opens.
 */

import type { TrackIntent, TrackKind, TrackMuted } from "./catalogue.js";
import { TRACK_KINDS } from "./media.js";
import type { Publisher } from "./publisher.js";
import type { Result } from "./result.js";

export class Mutes {
  readonly #publisher: Pick<Publisher, "muted">;
  readonly #request: (state: TrackMuted) => Promise<Result<unknown>>;
  readonly #told = new Map<TrackKind, boolean>();
  readonly #telling = new Set<TrackKind>();
  #joined = false;

  constructor(publisher: Publisher, request: (state: TrackMuted) => Promise<Result<unknown>>) {
    this.#publisher = publisher;
    this.#request = request;
    publisher.on("muted", (kind) => void this.#tell(kind));
  }

  /** A join says this, and its answer will be heard by `handleJoined`. */
  handleOffered(intents: readonly TrackIntent[]): void {
    this.#joined = false;
    for (const { kind, muted } of intents) this.#told.set(kind, muted ?? false);
  }

  handleJoined(): void {
    this.#joined = true;
    for (const kind of TRACK_KINDS) void this.#tell(kind);
  }

  async #tell(kind: TrackKind): Promise<void> {
    // One at a time: over two doors an older word could overtake a newer one.
    if (!this.#joined || this.#telling.has(kind)) return;
    this.#telling.add(kind);
    for (let failed = false; !failed && this.#told.get(kind) !== this.#publisher.muted(kind); ) {
      const muted = this.#publisher.muted(kind);
      const answer = await this.#request({ kind, muted });
      if (answer.ok) this.#told.set(kind, muted);
      failed = !answer.ok;
    }
    this.#telling.delete(kind);
  }
}
