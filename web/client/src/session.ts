/**
 * One presence in the room: joining, coming back, joining afresh. Owns the media session of the moment.
 *
 * What must outlive a media session (tracks, view, chat position) belongs to others and is asked for when needed.
 */

import type { Joined, Position, TrackIntent, View } from "./catalogue.js";
import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import type { Media } from "./media.js";
import type { Publisher } from "./publisher.js";
import { failed, ok, type Failure, type MediaFailed, type Result } from "./result.js";
import type { Timers } from "./timers.js";

export interface SessionOptions {
  readonly room: string;
  readonly connection: Pick<Connection, "request">;
  readonly publisher: Publisher;
  readonly makeMedia: () => Media;
  readonly view: () => View;
  readonly position: () => Position | null;
  readonly timers: Timers;
}

interface SessionEvents {
  /** A new media session replaces the last one; it has offered. */
  media: [media: Media];
  /** The server has let us in; its answer to the offer, if there was one, is applied next. */
  joined: [joined: Joined];
  /** The join goes out, saying this. */
  offered: [tracks: readonly TrackIntent[]];
  /** The server's answer is here. */
  answered: [];
}

interface Prepared {
  readonly at: number;
  readonly media: Media;
  readonly offer: Promise<Result<string, MediaFailed>>;
}

/** Addresses and relay credentials of an offer that lay about for longer may be stale. */
const FRESH_MS = 5 * 60_000;
/** A join waits for the room to be placed; longer than an ordinary request. */
const JOIN_TIMEOUT_MS = 15_000;

export class Session extends Emitter<SessionEvents> {
  readonly #options: SessionOptions;
  #prepared: Prepared | null = null;
  #media: Media | null = null;
  #id: string | null = null;

  constructor(options: SessionOptions) {
    super();
    this.#options = options;
    options.publisher.on("send", (kind, track) => void this.#media?.send(kind, track));
  }

  get media(): Media | null {
    return this.#media;
  }

  /** Make the offer before it is needed: in the lobby, or while the socket is still opening. */
  prepare(): void {
    const now = this.#options.timers.now();
    if (this.#prepared !== null && now - this.#prepared.at < FRESH_MS) return;
    this.#prepared?.media.close();
    const media = this.#options.makeMedia();
    this.#prepared = { at: now, media, offer: media.offer() };
  }

  /** Join with a media session of our own making; what was there before is dropped. */
  async enter(): Promise<Result<Joined>> {
    this.prepare();
    const prepared = this.#prepared;
    this.#prepared = null;
    if (prepared === null) return failed({ kind: "offline" });
    const { media } = prepared;
    const before = this.#media;
    this.#media = media;
    const joined = await this.#enterWith(media, prepared.offer);
    // Not earlier: the server would tell us that the session we are replacing is over.
    before?.close();
    return joined;
  }

  async #enterWith(media: Media, offering: Prepared["offer"]): Promise<Result<Joined>> {
    const offer = await offering;
    if (!offer.ok) return offer;
    this.emit("media", media);
    const { publisher, room, view, position, connection } = this.#options;
    for (const [kind, track] of publisher.outgoing()) void media.send(kind, track);
    const tracks = media.intents((kind) => publisher.muted(kind));
    this.emit("offered", tracks);
    // The id of the session before, if there was one, says that it is still us and not somebody else with our token.
    const request = { room, offer: offer.value, session: this.#id, tracks, view: view(), position: position() };
    const joined = await connection.request("join", request, JOIN_TIMEOUT_MS);
    if (!joined.ok) return joined;
    const { answer, session } = joined.value;
    this.#id = session;
    this.emit("joined", joined.value);
    if (answer === null) return joined;
    this.emit("answered");
    const accepted = await media.accept(answer);
    return accepted.ok ? joined : accepted;
  }

  /** Come back over a new socket to a media session that still lives. */
  async resume(): Promise<Result<Joined>> {
    const { room, view, position, connection } = this.#options;
    const request = { room, offer: null, session: this.#id, tracks: [], view: view(), position: position() };
    const joined = await connection.request("join", request, JOIN_TIMEOUT_MS);
    if (joined.ok) this.emit("joined", joined.value);
    return joined;
  }

  async restartIce(): Promise<Result<null>> {
    const media = this.#media;
    if (media === null) return ok(null);
    return media.restartIce<Failure>(async (offer) => {
      const restarted = await this.#options.connection.request("restart-ice", { offer });
      return restarted.ok ? ok(restarted.value.answer) : restarted;
    });
  }

  close(): void {
    this.#prepared?.media.close();
    this.#media?.close();
    this.#prepared = null;
    this.#media = null;
  }
}
