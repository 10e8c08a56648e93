/** A room as a client sees it: the managers, and the wires between them. It holds no logic of its own. */

import type { Grants, Joined, SessionEnded, VideoCodec, View } from "./catalogue.js";
import { Chat } from "./chat/chat.js";
import { Log } from "./chat/log.js";
import { Outbox } from "./chat/outbox.js";
import { browserCapabilities, type Capabilities } from "./codecs.js";
import { Connection, type SocketFactory } from "./connection.js";
import { Doors } from "./doors.js";
import { Emitter, type Unsubscribe } from "./emitter.js";
import { makeUuid } from "./ids.js";
import { Media, type MediaState, type PeerFactory, type SlotPlan } from "./media.js";
import { Mutes } from "./mutes.js";
import type { Notice } from "./protocol.js";
import { Publisher } from "./publisher.js";
import { SteadyReconnect, type ReconnectPolicy } from "./reconnect.js";
import { Recovery, type Remedy } from "./recovery.js";
import type { Failure, Result } from "./result.js";
import { Roster } from "./roster.js";
import { Seats } from "./seats.js";
import { Session } from "./session.js";
import { socketIo } from "./socket.js";
import { Signal } from "./signal.js";
import { Speakers } from "./speakers.js";
import { Timeline } from "./timeline.js";
import { systemTimers, type Timers } from "./timers.js";
import { Viewer } from "./viewer.js";

/** What differs between a browser, React Native and a test. */
export interface Environment {
  readonly socket: SocketFactory;
  readonly peer: PeerFactory;
  readonly capabilities: Capabilities;
  readonly timers: Timers;
  readonly policy: ReconnectPolicy;
  readonly makeId: () => string;
  readonly wallClock: () => number;
}

export interface RoomOptions {
  readonly room: string;
  /** Brings a room token; `fresh` when the last one had expired. */
  readonly token: (fresh: boolean) => Promise<string>;
  readonly plan: SlotPlan;
  /** What the room prefers (`RoomToken.video_codec`, `RoomInfo.video_codec`); asked for when an offer is made. */
  readonly videoCodec?: () => VideoCodec;
  readonly iceServers?: () => Promise<readonly RTCIceServer[]>;
  readonly environment?: Partial<Environment>;
}

export type RoomState =
  | { readonly kind: "idle" | "joining" | "joined" | "left" }
  | { readonly kind: "ended"; readonly code: SessionEnded["code"]; readonly message: string }
  | { readonly kind: "failed"; readonly error: Failure };

interface RoomEvents {
  state: [state: RoomState];
  media: [state: MediaState];
}

export class Room extends Emitter<RoomEvents> {
  readonly connection: Connection;
  readonly doors: Doors;
  readonly publisher = new Publisher();
  readonly roster = new Roster();
  readonly seats = new Seats();
  readonly speakers: Speakers;
  readonly signal = new Signal();
  readonly chat: Chat;
  readonly viewer: Viewer;
  readonly timeline = new Timeline();
  readonly session: Session;
  readonly #outbox: Outbox;
  readonly #mutes: Mutes;
  readonly #recovery: Recovery;
  #state: RoomState = { kind: "idle" };
  #info: Joined["room"] | null = null;
  #grants: Grants | null = null;

  constructor(options: RoomOptions) {
    super();
    const environment = { ...browserEnvironment(), ...options.environment };
    const { timers, policy } = environment;
    this.connection = new Connection({ socket: environment.socket, token: options.token, policy, timers });
    this.doors = new Doors(this.connection, timers);
    this.speakers = new Speakers(timers);
    this.#mutes = new Mutes(this.publisher, (state) => this.doors.request("set-track", state));
    this.viewer = new Viewer((view) => this.doors.request("view", view), timers);
    const { makeId, wallClock } = environment;
    this.#outbox = new Outbox({ request: (name, data) => this.doors.request(name, data), makeId, wallClock, timers });
    this.chat = new Chat({
      log: new Log(null, (conversation, after) => this.doors.request("fill", { conversation, after })),
      outbox: this.#outbox,
      history: (asked) => this.doors.request("history", asked),
      wallClock,
      timers,
    });
    const media = {
      peer: environment.peer,
      capabilities: environment.capabilities,
      plan: options.plan,
      iceServers: options.iceServers ?? (() => Promise.resolve([])),
    };
    this.session = new Session({
      room: options.room,
      connection: this.connection,
      publisher: this.publisher,
      makeMedia: () => new Media({ ...media, videoCodec: options.videoCodec?.() ?? "vp8" }),
      view: () => this.viewer.view,
      position: () => this.chat.position,
      timers,
    });
    this.#recovery = new Recovery({ apply: (remedy) => this.#apply(remedy), policy, timers });
    this.#wire();
  }

  get state(): RoomState {
    return this.#state;
  }

  /** The room as it was when last joined. */
  get info(): Joined["room"] | null {
    return this.#info;
  }

  /** What the token allows here; null before the first join. */
  get grants(): Grants | null {
    return this.#grants;
  }

  /** Spares the join the time that an offer takes. */
  prepare(): void {
    if (this.#state.kind === "idle") this.session.prepare();
  }

  async join(): Promise<Result<Joined>> {
    this.timeline.start();
    this.#setState({ kind: "joining" });
    const opening = this.#open();
    this.session.prepare();
    const opened = await opening;
    const joined = opened.ok ? await this.session.enter() : opened;
    if (joined.ok) {
      this.#setState({ kind: "joined" });
      this.#recovery.handleActive(true);
    } else {
      // The devices stay as they are: whoever failed to get in will try again.
      this.#setState({ kind: "failed", error: joined.error });
      this.#close();
    }
    return joined;
  }

  async leave(): Promise<void> {
    this.#recovery.handleActive(false);
    this.#setState({ kind: "left" });
    this.publisher.stop();
    await this.connection.request("leave", {}, 1_000);
    this.#close();
  }

  /** The page goes away: say so without waiting for an answer. */
  abandon(): void {
    if (this.#state.kind === "joined") void this.connection.request("leave", {}, 1_000);
    this.#finish({ kind: "left" });
  }

  addRobot(): Promise<Result<unknown>> {
    return this.connection.request("add-robot", {});
  }

  setView(view: View): void {
    this.viewer.set(view);
  }

  handleOnline(): void {
    this.connection.handleOnline();
    this.#recovery.handleNetworkChange();
  }

  #wire(): void {
    this.connection.on("state", (state) => {
      if (state === "connected") this.timeline.mark("socket");
      this.#recovery.handleConnection(state);
    });
    this.connection.on("refused", (error) => {
      if (this.#state.kind === "joined") this.#finish({ kind: "failed", error });
    });
    this.doors.on("notice", (notice) => this.#handleNotice(notice));
    this.doors.on("open", (name, open) => {
      if (name === "chat" && open) this.#outbox.handleDoorOpen();
    });
    this.session.on("offered", (tracks) => {
      this.timeline.mark("offer");
      this.#mutes.handleOffered(tracks);
    });
    this.session.on("answered", () => this.timeline.mark("answer"));
    this.session.on("joined", (joined) => this.#handleJoined(joined));
    this.session.on("media", (media) => this.#handleMedia(media));
    this.seats.on("picture", () => this.timeline.mark("firstFrame"));
    this.seats.on("gap", () => this.viewer.repeat());
    this.roster.on("left", ({ id }) => this.speakers.handleLeft(id));
    this.chat.log.on("stuck", () => this.connection.reopen());
    this.#recovery.on("hopeless", (error) => this.#finish({ kind: "failed", error }));
  }

  #handleMedia(media: Media): void {
    this.doors.attach(media.channels);
    this.seats.handleReceivers(media.receiveSlots());
    media.on("step", (step) => this.timeline.mark(step));
    media.on("state", (state) => {
      if (this.session.media !== media) return;
      this.#recovery.handleMedia(state);
      this.emit("media", state);
    });
    this.#recovery.handleMedia(media.state);
    this.emit("media", media.state);
  }

  #handleJoined(joined: Joined): void {
    this.#info = joined.room;
    this.#grants = joined.grants;
    this.roster.handleList(joined.you, joined.participants);
    if (joined.slots !== null) this.seats.handleSlots({ ...joined.slots, full: true });
    this.chat.handleMe(joined.you.id);
    this.chat.handleJoined(joined.room.conversation, joined.chat, joined.history);
    this.speakers.handleReset();
    this.signal.handleReset();
    this.#mutes.handleJoined();
  }

  #handleNotice(notice: Notice): void {
    switch (notice.name) {
      case "participant-joined":
        return this.roster.handleJoined(notice.data);
      case "participant-updated":
        return this.roster.handleUpdated(notice.data);
      case "participant-left":
        return this.roster.handleLeft(notice.data.id, notice.data.reason);
      case "slots":
        return this.seats.handleSlots(notice.data);
      case "layers":
        return this.session.media?.demand.handleLayers(notice.data);
      case "speakers":
        return this.speakers.handleSpeakers(notice.data);
      case "quality":
        return this.signal.handleQuality(notice.data);
      case "message":
        return this.chat.handleMessages(notice.data);
      case "tips":
      case "lagged":
        return notice.data.heads.forEach((head) => this.chat.log.handleTip(head));
      case "media-state":
        if (notice.data.state === "closed") this.#recovery.handleSessionGone();
        return;
      case "session-ended":
        return this.#handleEnded(notice.data);
    }
  }

  #handleEnded({ code, message }: SessionEnded): void {
    // A server that shuts down comes back, here or elsewhere: the lost socket is mended like any other.
    if (code !== "shutdown") this.#finish({ kind: "ended", code, message });
  }

  async #apply(remedy: Remedy): Promise<Result<unknown>> {
    if (remedy === "rejoin") return this.session.enter();
    return remedy === "resume" ? this.session.resume() : this.session.restartIce();
  }

  #open(): Promise<Result<null>> {
    return new Promise((resolve) => {
      const stops: Unsubscribe[] = [];
      const settle = (result: Result<null>): void => {
        for (const stop of stops) stop();
        resolve(result);
      };
      stops.push(
        this.connection.on("state", (state) => {
          if (state === "connected") settle({ ok: true, value: null });
          else if (state === "reconnecting") settle({ ok: false, error: { kind: "offline" } });
        }),
        this.connection.on("refused", (error) => settle({ ok: false, error })),
      );
      this.connection.open();
    });
  }

  #finish(state: RoomState): void {
    this.#recovery.handleActive(false);
    this.#setState(state);
    this.publisher.stop();
    this.#close();
  }

  #close(): void {
    this.connection.close();
    this.session.close();
  }

  #setState(state: RoomState): void {
    this.#state = state;
    this.emit("state", state);
  }
}

function browserEnvironment(): Environment {
  return {
    socket: socketIo(""),
    peer: (configuration) => new RTCPeerConnection(configuration),
    capabilities: browserCapabilities,
    timers: systemTimers,
    policy: new SteadyReconnect(),
    makeId: makeUuid,
    wallClock: () => Date.now(),
  };
}
