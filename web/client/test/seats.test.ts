import { beforeEach, describe, expect, it } from "vitest";

import type { Slot } from "../src/catalogue.js";
import { isAfter, showsSource, type Contribution } from "../src/cover.js";
import { Seats } from "../src/seats.js";

const ANA = 101;
const BEN = 202;

describe("showsSource", () => {
  const heard = (...pairs: [source: number, rtpTimestamp: number][]): Contribution[] =>
    pairs.map(([source, rtpTimestamp]) => ({ source, rtpTimestamp }));

  it("knows a frame of the source from the CSRC that came with it", () => {
    expect(showsSource(ANA, 1000, heard([ANA, 1000]), null)).toBe(true);
  });

  it("does not take the last frame of the source before for one of ours, though ours has been received", () => {
    expect(showsSource(BEN, 1000, heard([ANA, 1000], [BEN, 4000]), null)).toBe(false);
    expect(showsSource(BEN, 4000, heard([ANA, 1000], [BEN, 4000]), null)).toBe(true);
  });

  it("does not believe an old visit of the same source", () => {
    expect(showsSource(ANA, 7000, heard([ANA, 1000], [BEN, 7000]), null)).toBe(false);
  });

  it("does not show a frame that no CSRC is known for yet", () => {
    expect(showsSource(ANA, 4000, heard([ANA, 1000]), null)).toBe(false);
  });

  it("follows timestamps around their end", () => {
    expect(isAfter(5, 0xfffffff0)).toBe(true);
    expect(showsSource(BEN, 5, heard([ANA, 0xfffffff0], [BEN, 5]), null)).toBe(true);
    expect(showsSource(BEN, 0xfffffff0, heard([ANA, 0xfffffff0], [BEN, 5]), null)).toBe(false);
  });

  it("goes by the first timestamp where the browser reports no CSRC", () => {
    expect(showsSource(BEN, 3999, [], 4000)).toBe(false);
    expect(showsSource(BEN, 4000, [], 4000)).toBe(true);
    expect(showsSource(BEN, 4000, [], null)).toBe(false);
  });

  it("goes by the newest CSRC where the browser reports no timestamps of frames", () => {
    expect(showsSource(BEN, null, heard([ANA, 1000], [BEN, 4000]), null)).toBe(true);
    expect(showsSource(ANA, null, heard([ANA, 1000], [BEN, 4000]), null)).toBe(false);
  });
});

describe("Seats", () => {
  let seats: Seats;
  let heard: Contribution[];
  let covers: [string, boolean][];

  const slot = (participant: string | null, source: number | null, more: Partial<Slot> = {}): Slot => ({
    mid: "5",
    kind: "video",
    seat: 0,
    participant,
    track: participant === null ? null : "camera",
    source,
    from_ts: null,
    unsupported: false,
    paused: false,
    ...more,
  });

  beforeEach(() => {
    seats = new Seats();
    heard = [];
    covers = [];
    const receiver = { track: { id: "t" }, getContributingSources: () => heard } as unknown as RTCRtpReceiver;
    seats.handleReceivers([
      { mid: "4", kind: "audio", seat: 0, receiver },
      { mid: "5", kind: "video", seat: 0, receiver },
    ]);
    seats.on("cover", (mid, covered) => covers.push([mid, covered]));
    seats.handleSlots({ rev: 1, full: true, slots: [slot("ana", ANA)] });
    heard = [{ source: ANA, rtpTimestamp: 1000 }];
    seats.handleFrame("5", 1000);
  });

  it("finds the slot that shows somebody, with its track", () => {
    expect(seats.showing("ana", "camera")).toMatchObject({ mid: "5", seat: 0, covered: false, media: { id: "t" } });
    expect(seats.showing("ana", "screen")).toBeNull();
  });

  it("covers at the moment of an assignment and uncovers with the first frame of the new source", () => {
    covers.length = 0;
    seats.handleSlots({ rev: 2, full: false, slots: [slot("ben", BEN)] });
    expect(covers).toEqual([["5", true]]);
    seats.handleFrame("5", 1000);
    expect(seats.isCovered("5")).toBe(true);
    heard = [...heard, { source: BEN, rtpTimestamp: 4000 }];
    seats.handleFrame("5", 4000);
    expect(covers).toEqual([
      ["5", true],
      ["5", false],
    ]);
  });

  it("covers when a picture of somebody else comes before its slot map", () => {
    heard = [...heard, { source: BEN, rtpTimestamp: 4000 }];
    seats.handleFrame("5", 4000);
    expect(seats.isCovered("5")).toBe(true);
  });

  it("keeps the picture when a map says the same again", () => {
    covers.length = 0;
    seats.handleSlots({ rev: 2, full: false, slots: [slot("ana", ANA, { from_ts: 1000 })] });
    expect(covers).toEqual([]);
  });

  it("covers a picture that cannot be decoded any more, and uncovers when it can again", () => {
    covers.length = 0;
    seats.handleSlots({ rev: 2, full: false, slots: [slot("ana", ANA, { unsupported: true })] });
    expect(seats.showing("ana", "camera")).toMatchObject({ unsupported: true, covered: true });
    seats.handleFrame("5", 1000);
    expect(seats.isCovered("5")).toBe(true);
    seats.handleSlots({ rev: 3, full: false, slots: [slot("ana", ANA, { from_ts: 4000 })] });
    heard = [{ source: ANA, rtpTimestamp: 4000 }];
    seats.handleFrame("5", 4000);
    expect(covers).toEqual([
      ["5", true],
      ["5", false],
    ]);
  });

  it("drops a map that came over the other door already", () => {
    seats.handleSlots({ rev: 2, full: false, slots: [slot("ben", BEN)] });
    seats.handleSlots({ rev: 1, full: false, slots: [slot("ana", ANA)] });
    expect(seats.showing("ben", "camera")).not.toBeNull();
  });

  it("applies what it has and asks for the rest when a map was missed", () => {
    let gaps = 0;
    seats.on("gap", () => (gaps += 1));
    seats.handleSlots({ rev: 4, full: false, slots: [slot("ben", BEN)] });
    expect(gaps).toBe(1);
    expect(seats.showing("ben", "camera")).not.toBeNull();
  });

  it("empties slots that a whole map does not name", () => {
    seats.handleSlots({ rev: 7, full: true, slots: [] });
    expect(seats.showing("ana", "camera")).toBeNull();
    expect(seats.isCovered("5")).toBe(true);
  });

  it("keeps its snapshot until something changes", () => {
    const before = seats.slots;
    seats.handleFrame("5", 1000);
    expect(seats.slots).toBe(before);
    seats.handleSlots({ rev: 2, full: false, slots: [slot(null, null)] });
    expect(seats.slots).not.toBe(before);
  });

  it("tells of the first picture of each source once", () => {
    const pictures: number[] = [];
    seats.on("picture", (source) => pictures.push(source));
    seats.handleFrame("5", 1000);
    seats.handleSlots({ rev: 2, full: false, slots: [slot("ben", BEN)] });
    heard = [...heard, { source: BEN, rtpTimestamp: 4000 }];
    seats.handleFrame("5", 4000);
    seats.handleFrame("5", 4000);
    expect(pictures).toEqual([BEN]);
  });
});
