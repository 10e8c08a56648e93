/**
 * The one `RTCPeerConnection` of a session.
 *
 * It offers once. Senders are all there from the start, empty until a track is put in; receive slots are fixed, and
 * the server rewrites sources into them. So nothing that people do causes another offer; only an ICE restart does.
 * `counts` lets tests hold us to that.
 */

import type { ChannelName, TrackIntent, TrackKind, VideoCodec } from "./catalogue.js";
import { canUse, offerDependencies, preferCodecs, type Capabilities } from "./codecs.js";
import { Demand } from "./demand.js";
import { Emitter } from "./emitter.js";
import { cameraEncodings, isScalable, screenEncodings } from "./layers.js";
import { CHANNEL_IDS, type SlotKind } from "./protocol.js";
import { failed, ok, type MediaFailed, type Result } from "./result.js";

export type PeerFactory = (configuration: RTCConfiguration) => RTCPeerConnection;

/** How many slots to offer; the first `seats` audio and video slots pair up. */
export interface SlotPlan {
  readonly seats: number;
  readonly audioOnly: number;
}

/** A receiving section: `seat` is null for audio of people who are not on screen. */
export interface ReceiveSlot {
  readonly mid: string;
  readonly kind: SlotKind;
  readonly seat: number | null;
  readonly receiver: RTCRtpReceiver;
}

/** `dead` cannot come back: only a new session helps. */
export type MediaState = "new" | "connecting" | "connected" | "disconnected" | "failed" | "dead";

interface MediaEvents {
  state: [state: MediaState];
  /** ICE has a pair (`ice`); keys are agreed (`connected`). */
  step: [step: "ice" | "connected"];
}

export const TRACK_KINDS: readonly TrackKind[] = ["microphone", "camera", "screen", "screen-audio"];

export interface MediaOptions {
  readonly peer: PeerFactory;
  readonly capabilities: Capabilities;
  readonly plan: SlotPlan;
  /** What the room prefers. */
  readonly videoCodec: VideoCodec;
  /** Asked for with each offer, since credentials expire. */
  readonly iceServers: () => Promise<readonly RTCIceServer[]>;
}

export class Media extends Emitter<MediaEvents> {
  readonly counts = { setLocal: 0, setRemote: 0, iceRestarts: 0 };
  readonly channels: Readonly<Record<ChannelName, RTCDataChannel>>;
  readonly demand = new Demand((kind) => this.#senders.get(kind)?.sender);
  readonly #iceServers: MediaOptions["iceServers"];
  readonly #peer: RTCPeerConnection;
  readonly #senders = new Map<TrackKind, RTCRtpTransceiver>();
  readonly #receivers: { transceiver: RTCRtpTransceiver; kind: SlotKind; seat: number | null }[] = [];
  #state: MediaState = "new";
  #dtls: RTCDtlsTransport | null = null;
  #restarting = false;

  constructor(options: MediaOptions) {
    super();
    this.#iceServers = options.iceServers;
    this.#peer = options.peer({ bundlePolicy: "max-bundle" });
    this.#addSenders(options.capabilities, options.videoCodec);
    this.#addReceivers(options.plan, options.capabilities, options.videoCodec);
    // After the transceivers, so that the offer ends with m=application.
    this.channels = {
      control: this.#peer.createDataChannel("control", { negotiated: true, id: CHANNEL_IDS.control }),
      chat: this.#peer.createDataChannel("chat", { negotiated: true, id: CHANNEL_IDS.chat }),
    };
    this.#peer.addEventListener("connectionstatechange", () => this.#handleConnectionState());
    this.#peer.addEventListener("iceconnectionstatechange", () => this.#handleIceState());
  }

  get state(): MediaState {
    return this.#state;
  }

  /** The one offer. Candidates are not waited for: the server answers from whatever address a check comes. */
  async offer(): Promise<Result<string, MediaFailed>> {
    return this.#describe("offer", async () => {
      const [offer, iceServers] = await Promise.all([this.#peer.createOffer(), this.#iceServers()]);
      // Gathering begins with the local description, so this is in time.
      if (iceServers.length > 0) this.#peer.setConfiguration({ bundlePolicy: "max-bundle", iceServers: [...iceServers] });
      await this.#setLocal(offer);
      return this.#peer.localDescription?.sdp ?? "";
    });
  }

  async accept(answer: string): Promise<Result<null, MediaFailed>> {
    return this.#describe("answer", async () => {
      await this.#setRemote({ type: "answer", sdp: answer });
      this.#watchDtls();
      return null;
    });
  }

  /** Which section is which of our tracks; known after `offer`. */
  intents(muted: (kind: TrackKind) => boolean): TrackIntent[] {
    return TRACK_KINDS.flatMap((kind) => {
      const mid = this.#senders.get(kind)?.mid;
      return mid == null ? [] : [{ mid, kind, muted: muted(kind) }];
    });
  }

  receiveSlots(): ReceiveSlot[] {
    return this.#receivers.flatMap(({ transceiver, kind, seat }) =>
      transceiver.mid === null ? [] : [{ mid: transceiver.mid, kind, seat, receiver: transceiver.receiver }],
    );
  }

  /** Put a track into its sender, or take it out; never negotiates. */
  async send(kind: TrackKind, track: MediaStreamTrack | null): Promise<void> {
    const sender = this.#senders.get(kind)?.sender;
    if (sender === undefined || this.#state === "dead" || sender.track === track) return;
    await sender.replaceTrack(track);
    if (kind === "camera" && track !== null) await this.demand.fit(kind);
  }

  /**
   * Restart ICE on the same session (RFC 8445, section 9; RFC 9429, section 5.2.3.1).
   *
   * @param exchange carries the offer to the server and brings the answer
   */
  async restartIce<Reason>(
    exchange: (offer: string) => Promise<Result<string, Reason>>,
  ): Promise<Result<null, Reason | MediaFailed>> {
    if (this.#restarting || this.#state === "dead" || this.#peer.signalingState !== "stable") return ok(null);
    this.#restarting = true;
    try {
      const offer = await this.#describe("offer", async () => {
        await this.#setLocal(await this.#peer.createOffer({ iceRestart: true }));
        this.counts.iceRestarts += 1;
        return this.#peer.localDescription?.sdp ?? "";
      });
      if (!offer.ok) return offer;
      const answer = await exchange(offer.value);
      if (answer.ok) return await this.accept(answer.value);
      // The old path stays as it was, and the next try starts from a stable state. A peer closed meanwhile has none.
      if (this.#isOffering()) await this.#peer.setLocalDescription({ type: "rollback" });
      return answer;
    } finally {
      this.#restarting = false;
    }
  }

  stats(): Promise<RTCStatsReport> {
    return this.#peer.getStats();
  }

  close(): void {
    this.#peer.close();
    this.#setState("dead");
  }

  #addSenders(capabilities: Capabilities, wanted: VideoCodec): void {
    const codec = canUse(wanted, capabilities.send("video")) ? wanted : "vp8";
    const add = (kind: TrackKind, type: SlotKind, sendEncodings?: RTCRtpEncodingParameters[]): void => {
      const init: RTCRtpTransceiverInit = { direction: "sendonly" };
      if (sendEncodings !== undefined) init.sendEncodings = sendEncodings;
      const transceiver = this.#peer.addTransceiver(type, init);
      preferCodecs(transceiver, type, "send", capabilities, codec);
      if (type === "video" && isScalable(codec)) offerDependencies(transceiver);
      this.#senders.set(kind, transceiver);
    };
    add("microphone", "audio");
    add("camera", "video", cameraEncodings(codec));
    add("screen", "video", screenEncodings(codec));
    add("screen-audio", "audio");
  }

  #addReceivers(plan: SlotPlan, capabilities: Capabilities, codec: VideoCodec): void {
    const add = (kind: SlotKind, seat: number | null): void => {
      const transceiver = this.#peer.addTransceiver(kind, { direction: "recvonly" });
      preferCodecs(transceiver, kind, "receive", capabilities, codec);
      if (kind === "video" && isScalable(codec)) offerDependencies(transceiver);
      this.#receivers.push({ transceiver, kind, seat });
    };
    for (let seat = 0; seat < plan.seats; seat += 1) {
      add("audio", seat);
      add("video", seat);
    }
    for (let extra = 0; extra < plan.audioOnly; extra += 1) add("audio", null);
  }

  #isOffering(): boolean {
    return this.#peer.signalingState === "have-local-offer";
  }

  async #setLocal(description: RTCSessionDescriptionInit): Promise<void> {
    this.counts.setLocal += 1;
    await this.#peer.setLocalDescription(description);
  }

  async #setRemote(description: RTCSessionDescriptionInit): Promise<void> {
    this.counts.setRemote += 1;
    await this.#peer.setRemoteDescription(description);
  }

  async #describe<Value>(step: MediaFailed["step"], run: () => Promise<Value>): Promise<Result<Value, MediaFailed>> {
    try {
      return ok(await run());
    } catch (error) {
      return failed({ kind: "media-failed", step, message: error instanceof Error ? error.message : String(error) });
    }
  }

  /** A DTLS transport that ends cannot be revived by ICE (RFC 8842, section 5.5): it needs a new session. */
  #watchDtls(): void {
    const dtls = this.#peer.sctp?.transport;
    if (dtls === undefined || dtls === this.#dtls) return;
    this.#dtls = dtls;
    const look = (): void => {
      if (dtls.state === "connected") this.emit("step", "connected");
      if (dtls.state === "closed" || dtls.state === "failed") this.#setState("dead");
    };
    dtls.addEventListener("statechange", look);
    look();
  }

  #handleIceState(): void {
    const state = this.#peer.iceConnectionState;
    if (state === "connected" || state === "completed") this.emit("step", "ice");
  }

  #handleConnectionState(): void {
    const state = this.#peer.connectionState;
    this.#setState(state === "closed" ? "dead" : state);
  }

  #setState(state: MediaState): void {
    if (this.#state === state || this.#state === "dead") return;
    this.#state = state;
    this.emit("state", state);
  }
}
