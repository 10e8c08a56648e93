/** When each step of a join happened, as `performance` marks named `tertulia:<step>` and as numbers for tests. */

export type JoinStep = "click" | "socket" | "offer" | "answer" | "ice" | "connected" | "firstFrame";

export class Timeline {
  readonly #performance: Pick<Performance, "now" | "mark">;
  #steps = new Map<JoinStep, number>();

  constructor(clock: Pick<Performance, "now" | "mark"> = performance) {
    this.#performance = clock;
  }

  /** Each join starts a line of its own. */
  start(): void {
    this.#steps = new Map();
    this.mark("click");
  }

  /** Only the first time counts. */
  mark(step: JoinStep): void {
    if (this.#steps.has(step)) return;
    this.#steps.set(step, this.#performance.now());
    this.#performance.mark(`tertulia:${step}`);
  }

  /** Milliseconds since the click of each step that happened. */
  get steps(): Partial<Record<JoinStep, number>> {
    const click = this.#steps.get("click") ?? 0;
    return Object.fromEntries([...this.#steps].map(([step, time]) => [step, Math.round((time - click) * 10) / 10]));
  }
}
