/** When to try again. Give `Room` another policy to change it. */

export interface ReconnectPolicy {
  /** Milliseconds to wait before try number `attempt` (0 is the first), or null to give up. */
  nextDelay(attempt: number): number | null;
}

/**
 * Quick at first, then slower, for ever: a call that comes back by itself after an hour is worth a request now and
 * then. The random part keeps the clients of a restarted server from arriving all at once.
 */
export class SteadyReconnect implements ReconnectPolicy {
  readonly #delays: readonly number[];
  readonly #random: () => number;

  constructor(delays: readonly number[] = [100, 300, 700, 1500, 3000, 5000], random: () => number = Math.random) {
    this.#delays = delays;
    this.#random = random;
  }

  nextDelay(attempt: number): number | null {
    const base = this.#delays[Math.min(attempt, this.#delays.length - 1)];
    return base === undefined ? null : Math.round(base * (0.75 + this.#random() / 2));
  }
}
