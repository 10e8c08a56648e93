/** Guest tokens: one a room, kept in the window's session so that a reload is the same person. */

import { ok, type Api, type Result, type RoomToken } from "@tertulia/client";

/** A token that ends while the call is being set up is no use. */
const MARGIN_MS = 30_000;

export class Tokens {
  readonly #api: Api;
  readonly #room: string;
  readonly #storage: Storage;

  constructor(api: Api, room: string, storage: Storage = sessionStorage) {
    this.#api = api;
    this.#room = room;
    this.#storage = storage;
  }

  /** The token of this window for `name`; made when there is none, or when a fresh one is asked for. */
  async obtain(name: string, fresh = false): Promise<Result<RoomToken>> {
    const kept = this.#kept();
    if (!fresh && kept?.name === name && kept.expires_at > Date.now() + MARGIN_MS) return ok(kept);
    const made = await this.#api.guestToken(this.#room, name);
    if (made.ok) this.#storage.setItem(this.#key, JSON.stringify(made.value));
    return made;
  }

  get #key(): string {
    return `tertulia.token.${this.#room}`;
  }

  #kept(): RoomToken | null {
    const text = this.#storage.getItem(this.#key);
    // Only this class writes there.
    return text === null ? null : (JSON.parse(text) as RoomToken);
  }
}
