import { describe, expect, it } from "vitest";

import { signalSentence } from "../src/text/signal";

const quality = (score: number, up = 0, down = 0, rtt: number | null = 40) => ({
  score,
  up_loss: up,
  down_loss: down,
  round_trip_ms: rtt,
});

describe("the sentence about the connection", () => {
  it("says only how it is when nothing is wrong", () => {
    expect(signalSentence(quality(5, 0.004, 0.009))).toBe("Your connection is excellent.");
  });

  it("says which way loses and how slow it is", () => {
    expect(signalSentence(quality(2, 0.12, 0, 300))).toBe(
      "Your connection is poor: 12 % of what you send is lost, answers take 300 ms.",
    );
    expect(signalSentence(quality(3, 0, 0.05, null))).toBe("Your connection is fair: 5 % of what you receive is lost.");
  });
});
