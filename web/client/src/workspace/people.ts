/**
 * Presence of the people on screen: asks for them together, follows changes, and asks again after each connect.
 *
 * Each part of the page says whom it shows; whom nobody shows any more is no longer watched.
 */

import type { ChosenStatus, PersonPresence, PresenceList, SetStatus, Watch } from "../catalogue.js";
import { Emitter, type Unsubscribe } from "../emitter.js";
import type { Result } from "../result.js";
import type { Timers } from "../timers.js";

/** As many as one `watch` may name (catalogue: `Watch`). */
export const WATCHED_MAX = 200;
/** What is shown and hidden in quick succession is asked for at once. */
const GATHER_MS = 150;
const RETRY_MS = 5_000;

interface PeopleOptions {
  readonly timers: Timers;
  readonly watch: (asked: Watch) => Promise<Result<PresenceList>>;
  readonly setStatus: (asked: SetStatus) => Promise<Result<unknown>>;
}

export class People extends Emitter<{ change: [] }> {
  readonly #options: PeopleOptions;
  /** The latest last: with more than may be watched, those count. */
  readonly #shown = new Map<symbol, readonly string[]>();
  #known: ReadonlyMap<string, PersonPresence> = new Map();
  #watched: readonly string[] = [];
  #me: string | null = null;
  #isConnected = false;
  #round = 0;
  #cancel: (() => void) | null = null;

  constructor(options: PeopleOptions) {
    super();
    this.#options = options;
  }

  /** Null of people of whom nothing is known (yet). The same object until it changes. */
  get(id: string | null): PersonPresence | null {
    return id === null ? null : (this.#known.get(id) ?? null);
  }

  /** These people are on screen, until what is returned is called. */
  show(people: readonly string[]): Unsubscribe {
    const key = Symbol();
    this.#shown.set(key, people);
    this.#gather();
    return () => {
      this.#shown.delete(key);
      this.#gather();
    };
  }

  /** How one wants to be seen: known here at once, since the next choice may build on it. */
  async choose(status: ChosenStatus, text: string): Promise<Result<unknown>> {
    const done = await this.#options.setStatus({ status, text });
    if (done.ok && this.#me !== null) this.handlePresence({ people: [{ id: this.#me, status, text, last_seen: null }] });
    return done;
  }

  handleConnected(me: string): void {
    this.#me = me;
    this.#isConnected = true;
    this.#watched = [];
    this.#cancel?.();
    void this.#watch();
  }

  /** One shares another conversation with somebody: whom the server did not speak of before, it may speak of now. */
  handleAcquainted(): void {
    if (this.#watched.every((id) => this.#known.has(id))) return;
    this.#watched = [];
    this.#gather();
  }

  /** Nobody is known to be here while one is not here oneself. */
  handleDisconnected(): void {
    this.#isConnected = false;
    this.#round += 1;
    this.#cancel?.();
    this.#cancel = null;
    if (this.#known.size > 0) this.#set(new Map());
  }

  handlePresence({ people }: PresenceList): void {
    const known = new Map(this.#known);
    for (const one of people) if (this.#watched.includes(one.id)) known.set(one.id, one);
    this.#set(known);
  }

  #gather(ms = GATHER_MS): void {
    if (!this.#isConnected || this.#cancel !== null) return;
    this.#cancel = this.#options.timers.after(ms, () => void this.#watch());
  }

  async #watch(): Promise<void> {
    this.#cancel = null;
    const people = this.#wanted();
    if (people.length === this.#watched.length && people.every((id) => this.#watched.includes(id))) return;
    this.#round += 1;
    const round = this.#round;
    this.#watched = people;
    const answer = await this.#options.watch({ people: [...people] });
    if (round !== this.#round) return;
    if (!answer.ok) {
      this.#watched = [];
      this.#gather(RETRY_MS);
      return;
    }
    this.#set(new Map(answer.value.people.map((one) => [one.id, one])));
  }

  #wanted(): readonly string[] {
    const people = new Set(this.#me === null ? [] : [this.#me]);
    for (const shown of [...this.#shown.values()].reverse()) {
      for (const id of shown) if (people.size < WATCHED_MAX) people.add(id);
    }
    return [...people];
  }

  #set(known: ReadonlyMap<string, PersonPresence>): void {
    this.#known = known;
    this.emit("change");
  }
}
