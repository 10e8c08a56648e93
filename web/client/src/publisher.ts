/**
 * What this client sends: one place a kind for a track, and whether it is muted.
 *
 * It outlives the media session, so that a new session starts with the same microphone, camera and screen.
 * Muted means that nothing leaves this machine: the sender is emptied, not fed with silence.
 */

import type { TrackKind } from "./catalogue.js";
import { Emitter } from "./emitter.js";
import { TRACK_KINDS } from "./media.js";

interface PublisherEvents {
  /** What the sender of `kind` must hold from now on. */
  send: [kind: TrackKind, track: MediaStreamTrack | null];
  /** Tell the others. */
  muted: [kind: TrackKind, muted: boolean];
  /** A device was unplugged, or the browser's own "Stop sharing" was used. */
  ended: [kind: TrackKind];
  change: [];
}

interface Publication {
  readonly track: MediaStreamTrack | null;
  readonly muted: boolean;
}

const EMPTY: Publication = { track: null, muted: true };

export class Publisher extends Emitter<PublisherEvents> {
  readonly #publications = new Map<TrackKind, Publication>();

  track(kind: TrackKind): MediaStreamTrack | null {
    return this.#get(kind).track;
  }

  /** True when nothing is sent, be it for want of a track. */
  muted(kind: TrackKind): boolean {
    const { track, muted } = this.#get(kind);
    return muted || track === null;
  }

  /** What each sender should hold. */
  outgoing(): [kind: TrackKind, track: MediaStreamTrack | null][] {
    return TRACK_KINDS.map((kind) => [kind, this.muted(kind) ? null : this.track(kind)]);
  }

  /** Send `track` as `kind`, or nothing; the track before it is stopped. A new track is not muted unless said. */
  set(kind: TrackKind, track: MediaStreamTrack | null, muted = track === null): void {
    const before = this.#get(kind);
    if (before.track !== null && before.track !== track) before.track.stop();
    track?.addEventListener("ended", () => {
      if (this.#get(kind).track !== track) return;
      this.set(kind, null);
      this.emit("ended", kind);
    });
    this.#update(kind, { track, muted });
  }

  setMuted(kind: TrackKind, muted: boolean): void {
    this.#update(kind, { track: this.#get(kind).track, muted });
  }

  /** Let go of every device. */
  stop(): void {
    for (const kind of TRACK_KINDS) this.set(kind, null);
  }

  #get(kind: TrackKind): Publication {
    return this.#publications.get(kind) ?? EMPTY;
  }

  #update(kind: TrackKind, next: Publication): void {
    const before = this.#get(kind);
    const wasMuted = this.muted(kind);
    this.#publications.set(kind, next);
    const muted = this.muted(kind);
    if (before.track !== next.track || wasMuted !== muted) this.emit("send", kind, muted ? null : next.track);
    if (wasMuted !== muted) this.emit("muted", kind, muted);
    this.emit("change");
  }
}
