/**
 * Mends a call. Looks at what is broken and does the smallest thing that helps, one at a time:
 *
 *     socket was lost, media lives    → resume    join with the session's id
 *     path lost or network changed    → restart   ICE restart on the same session
 *     session unknown, or media dead  → rejoin    a new media session; tracks and chat position are kept
 *
 * Without a socket there is nothing to do but wait: the connection has a policy of its own.
 */

import type { ConnectionState } from "./connection.js";
import { Emitter } from "./emitter.js";
import type { MediaState } from "./media.js";
import type { ReconnectPolicy } from "./reconnect.js";
import type { Failure, Result } from "./result.js";
import type { Timers } from "./timers.js";

export type Remedy = "resume" | "restart" | "rejoin";

export interface RecoveryOptions {
  readonly apply: (remedy: Remedy) => Promise<Result<unknown>>;
  readonly policy: ReconnectPolicy;
  readonly timers: Timers;
}

interface RecoveryEvents {
  /** Nothing that can be done here would help. */
  hopeless: [error: Failure];
}

/** ICE often finds its way back within this time (RFC 7675: consent is asked for every 5 s). */
const DISCONNECTED_MS = 2_000;
/** A restart that has not connected by then will not. */
const RESTART_MS = 8_000;
const SESSION_GONE = new Set(["session-not-found", "not-joined"]);
/** Refusals that a later try may not meet. */
const PASSING = new Set([
  "database-unavailable",
  "internal",
  "media-unavailable",
  "outcome-unknown",
  "rate-limited",
  "room-full",
]);

export class Recovery extends Emitter<RecoveryEvents> {
  readonly #options: RecoveryOptions;
  #active = false;
  #socket = true;
  #mediaState: MediaState = "new";
  #needs: Record<Remedy, boolean> = { resume: false, restart: false, rejoin: false };
  #busy: Remedy | null = null;
  #attempt = 0;
  #cancelWatch: (() => void) | null = null;
  #cancelRetry: (() => void) | null = null;

  constructor(options: RecoveryOptions) {
    super();
    this.#options = options;
  }

  /** From the first successful join until leaving. */
  handleActive(active: boolean): void {
    this.#active = active;
    if (active) return this.#mendSoon();
    this.#cancelWatch?.();
    this.#cancelRetry?.();
  }

  handleConnection(state: ConnectionState): void {
    this.#socket = state === "connected";
    if (state === "reconnecting") this.#needs.resume = true;
    if (this.#socket) this.#mendSoon();
  }

  handleMedia(state: MediaState): void {
    this.#mediaState = state;
    if (state === "disconnected") this.#watch(DISCONNECTED_MS, "restart");
    else if (state === "failed") this.#need("restart");
    else if (state === "dead") this.#need("rejoin");
    else if (state === "connected") {
      this.#attempt = 0;
      this.#cancelWatch?.();
      this.#needs.restart = false;
    }
  }

  /** Another interface, or a network again: addresses may be new even though the old path still seems to work. */
  handleNetworkChange(): void {
    this.#need("restart");
  }

  /** The server has ended the media session but not our presence. */
  handleSessionGone(): void {
    // While a new one is being made, this is about the old one.
    if (this.#busy !== "rejoin") this.#need("rejoin");
  }

  #need(remedy: Remedy): void {
    if (!this.#active) return;
    this.#needs[remedy] = true;
    if (remedy === "rejoin" && this.#attempt > 0) this.#mendLater();
    else this.#mendSoon();
  }

  #watch(ms: number, remedy: Remedy): void {
    this.#cancelWatch?.();
    this.#cancelWatch = this.#options.timers.after(ms, () => {
      if (this.#mediaState !== "connected") this.#need(remedy);
    });
  }

  #mendSoon(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    void this.#mend();
  }

  #next(): Remedy | null {
    if (!this.#active || !this.#socket || this.#cancelRetry !== null) return null;
    if (this.#needs.rejoin) return "rejoin";
    if (this.#needs.resume) return "resume";
    return this.#needs.restart ? "restart" : null;
  }

  async #mend(): Promise<void> {
    if (this.#busy !== null) return;
    for (let remedy = this.#next(); remedy !== null; remedy = this.#next()) {
      this.#busy = remedy;
      // Cleared before, so that what breaks meanwhile is noticed.
      const before = { ...this.#needs };
      this.#needs[remedy] = false;
      if (remedy === "rejoin") this.#needs = { resume: false, restart: false, rejoin: false };
      const result = await this.#options.apply(remedy);
      this.#busy = null;
      if (result.ok) this.#handleDone(remedy);
      else this.#handleFailure(remedy, result.error, before);
    }
  }

  #handleDone(remedy: Remedy): void {
    if (remedy === "restart") this.#watch(RESTART_MS, "rejoin");
    // Each new session must prove itself by connecting; a row of them that do not is slowed down.
    if (remedy === "rejoin") this.#attempt += 1;
    else if (this.#mediaState === "connected") this.#attempt = 0;
  }

  #handleFailure(remedy: Remedy, error: Failure, before: Record<Remedy, boolean>): void {
    if (error.kind === "refused" && SESSION_GONE.has(error.code) && remedy !== "rejoin") {
      this.#needs.rejoin = true;
      return;
    }
    if (error.kind === "media-failed") {
      this.#needs.rejoin = true;
    } else {
      for (const need of ["resume", "restart", "rejoin"] as const) this.#needs[need] ||= before[need];
    }
    const passes = error.kind !== "refused" || PASSING.has(error.code) || SESSION_GONE.has(error.code);
    if (!passes) return this.#giveUp(error);
    this.#attempt += 1;
    if (!this.#mendLater()) this.#giveUp(error);
  }

  /** False if the policy has had enough. */
  #mendLater(): boolean {
    const delay = this.#options.policy.nextDelay(Math.max(0, this.#attempt - 1));
    this.#cancelRetry?.();
    this.#cancelRetry = delay === null ? null : this.#options.timers.after(delay, () => this.#mendSoon());
    return delay !== null;
  }

  #giveUp(error: Failure): void {
    if (!this.#active) return;
    this.#active = false;
    this.emit("hopeless", error);
  }
}
