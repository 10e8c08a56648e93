/** How good our own connection is, as the server counts it. */

import type { Quality } from "./catalogue.js";
import { Emitter } from "./emitter.js";

interface SignalEvents {
  change: [];
}

export class Signal extends Emitter<SignalEvents> {
  #quality: Quality | null = null;

  /** Null until the server has seen some seconds of it. */
  get quality(): Quality | null {
    return this.#quality;
  }

  handleQuality(quality: Quality): void {
    this.#quality = quality;
    this.emit("change");
  }

  /** A new session begins to be measured anew. */
  handleReset(): void {
    if (this.#quality === null) return;
    this.#quality = null;
    this.emit("change");
  }
}
