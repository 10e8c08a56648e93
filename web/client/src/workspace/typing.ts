/** Who is writing: others, until they stop or fall silent, and oneself, told to others no more often than needed. */

import type { SomebodyTyping } from "../catalogue.js";
import { Emitter } from "../emitter.js";
import type { Timers } from "../timers.js";

/** Without another word it counts for so long (catalogue: `SomebodyTyping`). */
const SHOWN_MS = 6_000;
const REPEAT_MS = 4_000;

export class Typing extends Emitter<{ change: [] }> {
  readonly #timers: Timers;
  readonly #tell: (conversation: string, typing: boolean) => void;
  readonly #others = new Map<string, Map<string, { name: string; cancel: () => void }>>();
  #told: { conversation: string; at: number } | null = null;
  #names: ReadonlyMap<string, readonly string[]> = new Map();

  constructor(timers: Timers, tell: (conversation: string, typing: boolean) => void) {
    super();
    this.#timers = timers;
    this.#tell = tell;
  }

  /** Names of those who write in a conversation now; the same array until that changes. */
  names(conversation: string): readonly string[] {
    return this.#names.get(conversation) ?? NOBODY;
  }

  handleTyping({ conversation, user, name, typing }: SomebodyTyping): void {
    const here = this.#others.get(conversation) ?? new Map<string, { name: string; cancel: () => void }>();
    this.#others.set(conversation, here);
    here.get(user)?.cancel();
    here.delete(user);
    if (typing) {
      const cancel = this.#timers.after(SHOWN_MS, () => {
        here.delete(user);
        this.#changed(conversation);
      });
      here.set(user, { name, cancel });
    }
    this.#changed(conversation);
  }

  /** Who sends a message does not write it any more. */
  handleMessage(conversation: string, user: string): void {
    if (this.#others.get(conversation)?.has(user)) this.handleTyping({ conversation, user, name: "", typing: false });
  }

  /** One writes, or has stopped. */
  write(conversation: string, typing: boolean): void {
    const now = this.#timers.now();
    const isKnown = this.#told?.conversation === conversation && now - this.#told.at < REPEAT_MS;
    if (typing && isKnown) return;
    if (!typing && this.#told?.conversation !== conversation) return;
    this.#told = typing ? { conversation, at: now } : null;
    this.#tell(conversation, typing);
  }

  #changed(conversation: string): void {
    const names = [...(this.#others.get(conversation)?.values() ?? [])].map(({ name }) => name);
    this.#names = new Map(this.#names).set(conversation, names);
    this.emit("change");
  }
}

const NOBODY: readonly string[] = [];
