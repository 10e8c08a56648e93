/**
 * Trims what is offered: opus with its redundancy; VP8, H264 and what the room prefers, with their retransmission. A 12-slot
 * offer shrinks to a third by it.
 */

import type { VideoCodec } from "./catalogue.js";
import type { SlotKind } from "./protocol.js";

type Codec = RTCRtpCapabilities["codecs"][number];

/** Constrained Baseline with packetization mode 1: what hardware everywhere decodes (RFC 6184, section 8.1). */
function isPlainH264(codec: Codec): boolean {
  const format = codec.sdpFmtpLine ?? "";
  return format.includes('packetization-mode=1') && /profile-level-id=42e0/i.test(format);
}

function isCodec(codec: Codec, name: VideoCodec): boolean {
  if (codec.mimeType.toLowerCase() !== `video/${name}`) return false;
  // Profile 0 of VP9 and AV1: 8 bits, 4:2:0.
  if (name === "vp9") return /profile-id=0|^$/.test(codec.sdpFmtpLine ?? "");
  if (name === "av1") return /profile=0|^$/.test(codec.sdpFmtpLine ?? "");
  return name === "vp8" || isPlainH264(codec);
}

/** Whether a codec that the room prefers can be used here. */
export function canUse(name: VideoCodec, codecs: readonly Codec[]): boolean {
  return codecs.some((codec) => isCodec(codec, name));
}

/** The codecs of ours among `codecs`, the preferred first; empty if none is there. */
export function trimCodecs(kind: SlotKind, codecs: readonly Codec[], prefer: VideoCodec = "vp8"): Codec[] {
  const is = (name: string) => (codec: Codec) => codec.mimeType.toLowerCase() === name;
  if (kind === "audio") {
    const opus = codecs.filter(is("audio/opus"));
    // RED carries the packets before once more: of use only together with what it repeats.
    return opus.length === 0 ? [] : [...opus, ...codecs.filter(is("audio/red"))];
  }
  const order = new Set<VideoCodec>([prefer, "vp8", "h264"]);
  const chosen = [...order].flatMap((name) => codecs.filter((codec) => isCodec(codec, name)).slice(0, 1));
  return chosen.length === 0 ? [] : [...chosen, ...codecs.filter(is("video/rtx"))];
}

/** Where capabilities come from: the browser's `RTCRtpSender` and `RTCRtpReceiver`, or a test's. */
export interface Capabilities {
  send(kind: SlotKind): readonly Codec[];
  receive(kind: SlotKind): readonly Codec[];
}

export const browserCapabilities: Capabilities = {
  send: (kind) => RTCRtpSender.getCapabilities(kind)?.codecs ?? [],
  receive: (kind) => RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [],
};

export function preferCodecs(
  transceiver: RTCRtpTransceiver,
  kind: SlotKind,
  direction: "send" | "receive",
  capabilities: Capabilities,
  prefer: VideoCodec = "vp8",
): void {
  // Older browsers offer what they like; the server takes what it knows.
  if (!("setCodecPreferences" in transceiver)) return;
  const codecs = trimCodecs(kind, capabilities[direction](kind), prefer);
  if (codecs.length === 0) return;
  try {
    transceiver.setCodecPreferences(codecs);
  } catch (error) {
    // Some browsers accept only receive capabilities on a sender; a longer offer is no reason to have no call.
    if (!(error instanceof DOMException)) throw error;
  }
}

const DEPENDENCY_DESCRIPTOR =
  "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

interface HeaderExtension {
  readonly uri: string;
  direction: RTCRtpTransceiverDirection;
}

/** Not in TypeScript's library yet (W3C WebRTC Extensions, 5.2). */
interface ExtensibleTransceiver {
  getHeaderExtensionsToNegotiate?: () => HeaderExtension[];
  setHeaderExtensionsToNegotiate?: (extensions: HeaderExtension[]) => void;
}

/**
 * Offer the header extension by which the server tells the layers of a stream apart. Some browsers do not by themselves.
 *
 * @returns whether it is offered
 */
export function offerDependencies(transceiver: RTCRtpTransceiver): boolean {
  const extensible = transceiver as ExtensibleTransceiver;
  const extensions = extensible.getHeaderExtensionsToNegotiate?.() ?? [];
  const ours = extensions.find(({ uri }) => uri === DEPENDENCY_DESCRIPTOR);
  if (ours === undefined || extensible.setHeaderExtensionsToNegotiate === undefined) return false;
  if (ours.direction === "sendrecv") return true;
  ours.direction = "sendrecv";
  extensible.setHeaderExtensionsToNegotiate(extensions);
  return true;
}
