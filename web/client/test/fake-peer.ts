/** An `RTCPeerConnection` that only keeps books. */

type Listener = () => void;

class Target {
  readonly #listeners = new Map<string, Set<Listener>>();

  addEventListener(type: string, listener: Listener): void {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
  }

  protected dispatch(type: string): void {
    for (const listener of this.#listeners.get(type) ?? []) listener();
  }
}

export class FakeDtls extends Target {
  state: RTCDtlsTransportState = "new";

  become(state: RTCDtlsTransportState): void {
    this.state = state;
    this.dispatch("statechange");
  }
}

export interface FakeTransceiver {
  readonly type: string;
  readonly init: RTCRtpTransceiverInit;
  mid: string | null;
  preferred: readonly { mimeType: string }[];
  readonly sender: {
    track: unknown;
    encodings: RTCRtpEncodingParameters[];
    replaceTrack(track: unknown): Promise<void>;
    getParameters(): { encodings: RTCRtpEncodingParameters[] };
    setParameters(parameters: { encodings: RTCRtpEncodingParameters[] }): Promise<void>;
  };
  readonly receiver: { track: { id: string }; getContributingSources(): [] };
  setCodecPreferences(codecs: readonly { mimeType: string }[]): void;
  getHeaderExtensionsToNegotiate(): { uri: string; direction: string }[];
  setHeaderExtensionsToNegotiate(extensions: { uri: string; direction: string }[]): void;
  /** Whether a header extension whose name holds this is offered. */
  offered(name: string): boolean;
}

/** Chromium knows the dependency descriptor, but offers it only when told to. */
const HEADER_EXTENSIONS = [
  { uri: "urn:ietf:params:rtp-hdrext:sdes:mid", direction: "sendrecv" },
  {
    uri: "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
    direction: "stopped",
  },
];

export class FakePeer extends Target {
  signalingState: RTCSignalingState = "stable";
  connectionState: RTCPeerConnectionState = "new";
  iceConnectionState: RTCIceConnectionState = "new";
  localDescription: RTCSessionDescriptionInit | null = null;
  readonly dtls = new FakeDtls();
  readonly sctp = { transport: this.dtls };
  readonly transceivers: FakeTransceiver[] = [];
  readonly channels: { label: string; options: RTCDataChannelInit; readyState: string }[] = [];
  readonly described: string[] = [];
  readonly configurations: RTCConfiguration[] = [];
  rejectAnswer = false;
  closed = false;

  addTransceiver(type: string, init: RTCRtpTransceiverInit): FakeTransceiver {
    const sender = {
      track: null as unknown,
      encodings: init.sendEncodings ?? [],
      getParameters: () => ({ encodings: sender.encodings.map((encoding) => ({ ...encoding })) }),
      setParameters: ({ encodings }: { encodings: RTCRtpEncodingParameters[] }) => {
        sender.encodings = encodings;
        return Promise.resolve();
      },
      replaceTrack: (track: unknown) => {
        sender.track = track;
        return Promise.resolve();
      },
    };
    let extensions = HEADER_EXTENSIONS;
    const transceiver: FakeTransceiver = {
      type,
      init,
      mid: null,
      preferred: [],
      sender,
      receiver: { track: { id: `track ${this.transceivers.length}` }, getContributingSources: () => [] },
      setCodecPreferences: (codecs) => {
        transceiver.preferred = codecs;
      },
      getHeaderExtensionsToNegotiate: () => extensions.map((extension) => ({ ...extension })),
      setHeaderExtensionsToNegotiate: (wanted) => {
        extensions = wanted;
      },
      offered: (extension) => extensions.some(({ uri, direction }) => uri.includes(extension) && direction !== "stopped"),
    };
    this.transceivers.push(transceiver);
    return transceiver;
  }

  createDataChannel(label: string, options: RTCDataChannelInit): object {
    const channel = { label, options, readyState: "connecting", addEventListener: () => undefined };
    this.channels.push(channel);
    return channel;
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.configurations.push(configuration);
  }

  createOffer(options?: RTCOfferOptions): Promise<RTCSessionDescriptionInit> {
    return Promise.resolve({ type: "offer", sdp: options?.iceRestart === true ? "restart" : "offer" });
  }

  setLocalDescription(description: RTCSessionDescriptionInit): Promise<void> {
    this.described.push(`local ${description.type}`);
    this.signalingState = description.type === "rollback" ? "stable" : "have-local-offer";
    this.localDescription = description;
    this.transceivers.forEach((transceiver, index) => (transceiver.mid ??= String(index)));
    return Promise.resolve();
  }

  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    if (this.rejectAnswer) return Promise.reject(new Error("bad answer"));
    this.described.push(`remote ${description.type}`);
    this.signalingState = "stable";
    return Promise.resolve();
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.dispatch("connectionstatechange");
  }

  close(): void {
    this.closed = true;
  }

  /** As the browser's type: only what the client uses is there. */
  get asPeer(): RTCPeerConnection {
    return this as unknown as RTCPeerConnection;
  }
}

/** What Chromium offers, roughly. */
export const CODECS = {
  audio: ["audio/opus", "audio/red", "audio/G722", "audio/PCMU", "audio/CN", "audio/telephone-event"].map((mimeType) => ({
    mimeType,
    clockRate: 48_000,
  })),
  video: [
    { mimeType: "video/VP8", clockRate: 90_000 },
    { mimeType: "video/rtx", clockRate: 90_000 },
    { mimeType: "video/VP9", clockRate: 90_000, sdpFmtpLine: "profile-id=0" },
    { mimeType: "video/H264", clockRate: 90_000, sdpFmtpLine: "packetization-mode=1;profile-level-id=42001f" },
    { mimeType: "video/H264", clockRate: 90_000, sdpFmtpLine: "packetization-mode=0;profile-level-id=42e01f" },
    { mimeType: "video/H264", clockRate: 90_000, sdpFmtpLine: "packetization-mode=1;profile-level-id=42e01f" },
    { mimeType: "video/AV1", clockRate: 90_000 },
    { mimeType: "video/ulpfec", clockRate: 90_000 },
  ],
};

export const capabilities = {
  send: (kind: "audio" | "video") => CODECS[kind],
  receive: (kind: "audio" | "video") => CODECS[kind],
};

/** A media track that can be stopped and can end. */
export class FakeTrack extends Target {
  stopped = false;

  constructor(readonly size: { width?: number; height?: number } = {}) {
    super();
  }

  getSettings(): { width?: number; height?: number } {
    return this.size;
  }

  stop(): void {
    this.stopped = true;
  }

  /** Unplugged, or "Stop sharing". */
  end(): void {
    this.dispatch("ended");
  }

  get asTrack(): MediaStreamTrack {
    return this as unknown as MediaStreamTrack;
  }
}
