/** Tells the server what this client wants to see: the latest wish only, and only when it changed. */

import type { Ok, View } from "./catalogue.js";
import { Emitter } from "./emitter.js";
import type { Result } from "./result.js";
import type { Timers } from "./timers.js";

/** Layouts settle while a window is being resized; sizes need not follow each step. */
const QUIET_MS = 150;

interface ViewerEvents {
  pinned: [];
}

export class Viewer extends Emitter<ViewerEvents> {
  readonly #request: (view: View) => Promise<Result<Ok>>;
  readonly #timers: Timers;
  #view: View = { seats: [] };
  #told: string;
  #pinned = false;
  #sending = false;
  #cancel: (() => void) | null = null;

  constructor(request: (view: View) => Promise<Result<Ok>>, timers: Timers) {
    super();
    this.#request = request;
    this.#timers = timers;
    this.#told = JSON.stringify(this.#view);
  }

  /** What a join should ask for. */
  get view(): View {
    return this.#view;
  }

  /** What was pinned; null if nothing is. */
  get pinned(): View | null {
    return this.#pinned ? this.#view : null;
  }

  set(view: View): void {
    if (!this.#pinned) this.#wish(view);
  }

  /** From now on this and nothing else. */
  pin(view: View): void {
    this.#pinned = true;
    this.#wish(view);
    this.emit("pinned");
  }

  /** Ask again for the same: the answer brings a slot map. */
  repeat(): void {
    this.#told = "";
    this.#sendSoon();
  }

  #wish(view: View): void {
    this.#view = view;
    if (JSON.stringify(view) !== this.#told) this.#sendSoon();
  }

  #sendSoon(): void {
    this.#cancel ??= this.#timers.after(QUIET_MS, () => {
      this.#cancel = null;
      void this.#send();
    });
  }

  async #send(): Promise<void> {
    // One at a time: over two doors an older wish could overtake a newer one.
    if (this.#sending) return;
    this.#sending = true;
    const text = JSON.stringify(this.#view);
    const answer = await this.#request(this.#view);
    this.#sending = false;
    // A lost wish is repeated by the next join, which carries the view.
    if (answer.ok) this.#told = text;
    if (answer.ok && JSON.stringify(this.#view) !== text) this.#sendSoon();
  }
}
