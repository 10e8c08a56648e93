/** What to say of a connection's quality: one sentence, with what is wrong and whose way it is. */

import type { Quality } from "@tertulia/client";

const NAMES: Readonly<Record<number, string>> = { 5: "excellent", 4: "good", 3: "fair", 2: "poor", 1: "bad" };

/** Below this share a loss is not worth a word. */
const NOTICEABLE_LOSS = 0.01;
const NOTICEABLE_ROUND_TRIP_MS = 250;

export function signalSentence(quality: Quality): string {
  const name = NAMES[quality.score] ?? "unknown";
  const reasons: string[] = [];
  if (quality.up_loss >= NOTICEABLE_LOSS) reasons.push(`${percent(quality.up_loss)} of what you send is lost`);
  if (quality.down_loss >= NOTICEABLE_LOSS) reasons.push(`${percent(quality.down_loss)} of what you receive is lost`);
  if (quality.round_trip_ms !== null && quality.round_trip_ms >= NOTICEABLE_ROUND_TRIP_MS) {
    reasons.push(`answers take ${quality.round_trip_ms} ms`);
  }
  return `Your connection is ${name}${reasons.length === 0 ? "" : `: ${reasons.join(", ")}`}.`;
}

function percent(share: number): string {
  return `${Math.max(1, Math.round(share * 100))} %`;
}
