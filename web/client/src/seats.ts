/**
 * What each receive slot shows: the slot map joined with the receivers of the media session.
 *
 * A slot whose source changes is covered at once and uncovered by the first frame that is the new source's (see
 * `cover.ts`). Whoever draws the picture calls `handleFrame` for each frame and obeys `cover` events synchronously:
 * waiting for the next rendering would let one frame through.
 */

import type { Slot, Slots, TrackKind } from "./catalogue.js";
import { showsSource, type Contribution } from "./cover.js";
import { Emitter } from "./emitter.js";
import type { ReceiveSlot } from "./media.js";
import type { SlotKind } from "./protocol.js";

export interface SlotState {
  readonly mid: string;
  readonly kind: SlotKind;
  readonly seat: number | null;
  readonly participant: string | null;
  readonly track: TrackKind | null;
  readonly source: number | null;
  readonly media: MediaStreamTrack;
  /** Video only: true until a frame of `source` has been seen. */
  readonly covered: boolean;
  /** This browser cannot decode what the source sends. */
  readonly unsupported: boolean;
  /** Somebody has been in it since the session began. */
  readonly used: boolean;
}

interface SeatsEvents {
  change: [];
  cover: [mid: string, covered: boolean];
  /** A slot map was missed: ask for all of it. */
  gap: [];
  /** The first picture of a source in this session. */
  picture: [source: number];
}

interface Entry {
  readonly receiver: RTCRtpReceiver;
  state: SlotState;
  fromTs: number | null;
}

export class Seats extends Emitter<SeatsEvents> {
  readonly #entries = new Map<string, Entry>();
  readonly #seen = new Set<number>();
  #rev = 0;
  #snapshot: readonly SlotState[] = [];

  /** A new media session: its receivers, all empty. */
  handleReceivers(slots: readonly ReceiveSlot[]): void {
    this.#entries.clear();
    this.#seen.clear();
    this.#rev = 0;
    for (const { mid, kind, seat, receiver } of slots) {
      const media = receiver.track;
      const empty = { participant: null, track: null, source: null, covered: true, unsupported: false, used: false };
      const state = { mid, kind, seat, media, ...empty };
      this.#entries.set(mid, { receiver, state, fromTs: null });
    }
    this.#changed();
  }

  handleSlots(map: Slots): void {
    if (!map.full && map.rev <= this.#rev) return; // came over the other door already
    const missed = !map.full && map.rev > this.#rev + 1;
    this.#rev = map.rev;
    const named = new Set(map.slots.map((slot) => slot.mid));
    for (const slot of map.slots) this.#assign(slot);
    if (map.full) {
      for (const [mid, entry] of this.#entries) if (!named.has(mid)) this.#empty(entry);
    }
    this.#changed();
    if (missed) this.emit("gap");
  }

  /** A frame of slot `mid` is on screen. */
  handleFrame(mid: string, rtpTimestamp: number | null): void {
    const entry = this.#entries.get(mid);
    if (entry === undefined || entry.state.source === null || entry.state.unsupported) return;
    const { source } = entry.state;
    const shows = showsSource(source, rtpTimestamp, contributions(entry.receiver), entry.fromTs);
    this.#cover(entry, !shows);
    if (shows && !this.#seen.has(source)) {
      this.#seen.add(source);
      this.emit("picture", source);
    }
  }

  /** All slots, in the order of the offer; the same array until something changes. */
  get slots(): readonly SlotState[] {
    return this.#snapshot;
  }

  /** The slot that shows this track of this participant, if one does. */
  showing(participant: string, track: TrackKind): SlotState | null {
    return this.#snapshot.find((slot) => slot.participant === participant && slot.track === track) ?? null;
  }

  isCovered(mid: string): boolean {
    return this.#entries.get(mid)?.state.covered ?? true;
  }

  #assign(slot: Slot): void {
    const entry = this.#entries.get(slot.mid);
    if (entry === undefined) return;
    const { participant, track, source, unsupported } = slot;
    entry.fromTs = slot.from_ts;
    if (entry.state.source !== source || unsupported) this.#cover(entry, true);
    entry.state = { ...entry.state, participant, track, source, unsupported, used: entry.state.used || participant !== null };
  }

  #empty(entry: Entry): void {
    this.#cover(entry, true);
    entry.fromTs = null;
    entry.state = { ...entry.state, participant: null, track: null, source: null, unsupported: false };
  }

  #cover(entry: Entry, covered: boolean): void {
    if (entry.state.covered === covered) return;
    entry.state = { ...entry.state, covered };
    this.emit("cover", entry.state.mid, covered);
    this.#changed();
  }

  #changed(): void {
    this.#snapshot = [...this.#entries.values()].map((entry) => entry.state);
    this.emit("change");
  }
}

function contributions(receiver: RTCRtpReceiver): Contribution[] {
  return receiver.getContributingSources().map(({ source, rtpTimestamp }) => ({ source, rtpTimestamp }));
}
