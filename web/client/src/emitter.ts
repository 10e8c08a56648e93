/** Typed events: the one way in which managers tell others what happened. */

export type Unsubscribe = () => void;

/** `Events` maps an event's name to the arguments of its listeners. */
export class Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  readonly #listeners: { [Name in keyof Events]?: Set<(...args: Events[Name]) => void> } = {};

  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): Unsubscribe {
    const listeners = (this.#listeners[name] ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  protected emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    // A copy, because a listener may subscribe or unsubscribe while it is called.
    for (const listener of [...(this.#listeners[name] ?? [])]) listener(...args);
  }
}
