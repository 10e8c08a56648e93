/** Who is in the room, in the order in which they came. */

import type { Participant, TrackKind } from "./catalogue.js";
import { Emitter } from "./emitter.js";

interface RosterEvents {
  change: [];
  joined: [participant: Participant];
  left: [participant: Participant, reason: string];
}

export class Roster extends Emitter<RosterEvents> {
  readonly #others = new Map<string, Participant>();
  #you: Participant | null = null;
  #snapshot: readonly Participant[] = [];

  /** Everybody but you; the same array until something changes. */
  get others(): readonly Participant[] {
    return this.#snapshot;
  }

  get you(): Participant | null {
    return this.#you;
  }

  get(id: string): Participant | null {
    return id === this.#you?.id ? this.#you : (this.#others.get(id) ?? null);
  }

  /** The list of a join. After a reconnect it replaces what was known, announcing only the difference. */
  handleList(you: Participant, participants: readonly Participant[]): void {
    const first = this.#you === null;
    this.#you = you;
    const present = new Map(participants.filter(({ id }) => id !== you.id).map((one) => [one.id, one]));
    const gone = [...this.#others.values()].filter(({ id }) => !present.has(id));
    const fresh = [...present.values()].filter(({ id }) => !this.#others.has(id));
    this.#others.clear();
    for (const [id, participant] of present) this.#others.set(id, participant);
    this.#changed();
    if (first) return;
    for (const participant of gone) this.emit("left", participant, "left");
    for (const participant of fresh) this.emit("joined", participant);
  }

  handleJoined(participant: Participant): void {
    const known = participant.id === this.#you?.id || this.#others.has(participant.id);
    this.handleUpdated(participant);
    if (!known) this.emit("joined", participant);
  }

  handleUpdated(participant: Participant): void {
    if (participant.id === this.#you?.id) this.#you = participant;
    else this.#others.set(participant.id, participant);
    this.#changed();
  }

  handleLeft(id: string, reason: string): void {
    const participant = this.#others.get(id);
    if (participant === undefined) return;
    this.#others.delete(id);
    this.#changed();
    this.emit("left", participant, reason);
  }

  #changed(): void {
    this.#snapshot = [...this.#others.values()].sort(
      (a, b) => a.joined_at - b.joined_at || (a.id < b.id ? -1 : 1),
    );
    this.emit("change");
  }
}

/** Whether a participant sends this now. */
export function sends(participant: Participant, kind: TrackKind): boolean {
  return participant.tracks.some((track) => track.kind === kind && !track.muted);
}
