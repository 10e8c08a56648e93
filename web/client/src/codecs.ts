/** Trims what is offered: opus with its redundancy, VP8 and H264 with their retransmission. A 12-slot offer shrinks to a third by it. */

import type { SlotKind } from "./protocol.js";

type Codec = RTCRtpCapabilities["codecs"][number];

/** Constrained Baseline with packetization mode 1: what hardware everywhere decodes (RFC 6184, section 8.1). */
function isPlainH264(codec: Codec): boolean {
  const format = codec.sdpFmtpLine ?? "";
  return format.includes('packetization-mode=1') && /profile-level-id=42e0/i.test(format);
}

/** The codecs of ours among `codecs`, the preferred first; empty if none is there. */
export function trimCodecs(kind: SlotKind, codecs: readonly Codec[]): Codec[] {
  const is = (name: string) => (codec: Codec) => codec.mimeType.toLowerCase() === name;
  if (kind === "audio") {
    const opus = codecs.filter(is("audio/opus"));
    // RED carries the packets before once more: of use only together with what it repeats.
    return opus.length === 0 ? [] : [...opus, ...codecs.filter(is("audio/red"))];
  }
  const vp8 = codecs.filter(is("video/vp8"));
  const h264 = codecs.filter((codec) => is("video/h264")(codec) && isPlainH264(codec)).slice(0, 1);
  if (vp8.length + h264.length === 0) return [];
  return [...vp8, ...h264, ...codecs.filter(is("video/rtx"))];
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
): void {
  // Older browsers offer what they like; the server takes what it knows.
  if (!("setCodecPreferences" in transceiver)) return;
  const codecs = trimCodecs(kind, capabilities[direction](kind));
  if (codecs.length === 0) return;
  try {
    transceiver.setCodecPreferences(codecs);
  } catch (error) {
    // Some browsers accept only receive capabilities on a sender; a longer offer is no reason to have no call.
    if (!(error instanceof DOMException)) throw error;
  }
}
