/**
 * How a picture is divided into layers: in simulcast (VP8 and H264) several sizes are sent side by side, in SVC (VP9 and
 * AV1) one stream holds them all. Which it is must be said when the sender is made.
 *
 * Browsers send fewer layers of small pictures: libwebrtc sends all three from 960x540 on, and below that only the first two
 * of the list, whatever they scale by. With quarter, half and full size a 640x480 camera would then be shown at 320x240 at
 * best. So below that size the first two layers are half and full size, and the third rests.
 */

import type { VideoCodec } from "./catalogue.js";

export interface Layer {
  readonly rid: string;
  readonly scaleResolutionDownBy: number;
  readonly maxBitrate: number;
  readonly active: boolean;
}

const THREE_LAYERS_FROM_PIXELS = 960 * 540;

const LARGE: readonly Layer[] = [
  { rid: "q", scaleResolutionDownBy: 4, maxBitrate: 180_000, active: true },
  { rid: "h", scaleResolutionDownBy: 2, maxBitrate: 600_000, active: true },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 2_000_000, active: true },
];
const SMALL: readonly Layer[] = [
  { rid: "q", scaleResolutionDownBy: 2, maxBitrate: 250_000, active: true },
  { rid: "h", scaleResolutionDownBy: 1, maxBitrate: 900_000, active: true },
  { rid: "f", scaleResolutionDownBy: 1, maxBitrate: 900_000, active: false },
];

/** The layers of a picture of this size; of a large one while the size is unknown. */
export function cameraLayers(width?: number, height?: number): readonly Layer[] {
  if (width === undefined || height === undefined) return LARGE;
  return width * height < THREE_LAYERS_FROM_PIXELS ? SMALL : LARGE;
}

/** Three sizes and three frame rates; sizes depend on each other in key frames only, so one can be sent alone. */
const CAMERA_SVC = "L3T3_KEY";
const SCREEN_SVC = "L1T3";
const CAMERA_MAX_BITRATE = 2_500_000;
const SCREEN_MAX_BITRATE = 3_000_000;

export interface Encoding extends RTCRtpEncodingParameters {
  scalabilityMode?: string;
}

/** Whether the layers of this codec are in one stream. */
export function isScalable(codec: VideoCodec): boolean {
  return codec === "vp9" || codec === "av1";
}

export function cameraEncodings(codec: VideoCodec): Encoding[] {
  if (isScalable(codec)) return [{ scalabilityMode: CAMERA_SVC, maxBitrate: CAMERA_MAX_BITRATE }];
  // Frame rates are told apart by VP8's own header; H264 has nothing to tell them by.
  return cameraLayers().map((layer) => (codec === "vp8" ? { ...layer, scalabilityMode: "L1T3" } : { ...layer }));
}

export function screenEncodings(codec: VideoCodec): Encoding[] {
  const encoding: Encoding = { maxBitrate: SCREEN_MAX_BITRATE, maxFramerate: 30 };
  return [isScalable(codec) ? { ...encoding, scalabilityMode: SCREEN_SVC } : encoding];
}
