/** Where one was reading, kept for this window over a reload: the message at the top of the box, and the open thread. */

interface Place {
  /** Null at the newest end, where a conversation opens anyway. */
  readonly seq: number | null;
  readonly thread: number | null;
}

const KEY = "tertulia.places";
/** What was left longest ago is forgotten first. */
const PLACES_MAX = 50;
const NOWHERE: Place = { seq: null, thread: null };

export class Places {
  readonly #storage: Pick<Storage, "getItem" | "setItem">;

  constructor(storage: Pick<Storage, "getItem" | "setItem">) {
    this.#storage = storage;
  }

  get(conversation: string): Place {
    return this.#read().find(([id]) => id === conversation)?.[1] ?? NOWHERE;
  }

  keep(conversation: string, more: Partial<Place>): void {
    const before = this.get(conversation);
    const place = { ...before, ...more };
    if (place.seq === before.seq && place.thread === before.thread) return;
    const others = this.#read().filter(([id]) => id !== conversation);
    const isSomewhere = place.seq !== null || place.thread !== null;
    const kept = isSomewhere ? [...others, [conversation, place] as const] : others;
    this.#write(kept.slice(-PLACES_MAX));
  }

  #read(): (readonly [string, Place])[] {
    try {
      // Only this class writes there.
      return JSON.parse(this.#storage.getItem(KEY) ?? "[]") as [string, Place][];
    } catch {
      return [];
    }
  }

  #write(places: readonly (readonly [string, Place])[]): void {
    try {
      this.#storage.setItem(KEY, JSON.stringify(places));
    } catch {
      // A browser that forbids storage, or has no room: one begins at the newest message.
    }
  }
}
