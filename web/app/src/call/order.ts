/** The order of people on the stage, as it changes with who comes, goes and speaks. */

import { Emitter, type Participant, type Roster, type Speakers } from "@tertulia/client";

import { arrange } from "./arrange";

interface OrderEvents {
  change: [];
}

export class Order extends Emitter<OrderEvents> {
  readonly #roster: Roster;
  readonly #speakers: Speakers;
  #ids: readonly string[] = [];
  #people: readonly Participant[] = [];
  #firstPage = Infinity;

  constructor(roster: Roster, speakers: Speakers) {
    super();
    this.#roster = roster;
    this.#speakers = speakers;
    roster.on("change", () => this.#arrange());
    speakers.on("change", () => this.#arrange());
  }

  /** Everybody who has a tile, except oneself; the same array until something changes. */
  get people(): readonly Participant[] {
    return this.#people;
  }

  setFirstPage(count: number): void {
    this.#firstPage = count;
    this.#arrange();
  }

  #arrange(): void {
    // Viewers only watch: they are in the list of people and need no tile.
    const present = this.#roster.others.filter(({ kind }) => kind !== "viewer");
    const byId = new Map(present.map((one) => [one.id, one]));
    this.#ids = arrange(
      this.#ids,
      [...byId.keys()],
      this.#speakers.speaking,
      (id) => this.#speakers.lastSpoke(id),
      this.#firstPage,
    );
    const people = this.#ids.flatMap((id) => byId.get(id) ?? []);
    if (people.length === this.#people.length && people.every((one, index) => one === this.#people[index])) return;
    this.#people = people;
    this.emit("change");
  }
}
