import { beforeEach, describe, expect, it } from "vitest";

import type { Layers } from "../src/catalogue.js";
import { Media } from "../src/media.js";
import { capabilities, FakePeer, FakeTrack } from "./fake-peer.js";

describe("Demand", () => {
  let peer: FakePeer;
  let media: Media;

  const active = (index: number): boolean[] | undefined =>
    peer.transceivers[index]?.sender.encodings.map((encoding) => encoding.active ?? true);
  const tell = async (layers: Layers): Promise<void> => {
    media.demand.handleLayers(layers);
    await media.demand.fit(layers.track);
  };

  beforeEach(async () => {
    peer = new FakePeer();
    media = new Media({
      peer: () => peer.asPeer,
      capabilities,
      videoCodec: "vp8",
      plan: { seats: 1, audioOnly: 0 },
      iceServers: () => Promise.resolve([]),
    });
    await media.send("camera", new FakeTrack({ width: 1280, height: 720 }).asTrack);
  });

  it("lets layers rest that nobody wants, and wakes them", async () => {
    await tell({ track: "camera", wanted: true, rids: ["q"] });
    expect(active(1)).toEqual([true, false, false]);
    await tell({ track: "camera", wanted: true, rids: ["q", "h", "f"] });
    expect(active(1)).toEqual([true, true, true]);
    await tell({ track: "camera", wanted: false, rids: [] });
    expect(active(1)).toEqual([false, false, false]);
  });

  it("keeps to it when the picture changes its size", async () => {
    await tell({ track: "camera", wanted: true, rids: ["q"] });
    await media.send("camera", new FakeTrack({ width: 640, height: 480 }).asTrack);
    expect(active(1)).toEqual([true, false, false]);
    await tell({ track: "camera", wanted: true, rids: ["q", "h", "f"] });
    // The third layer of a small picture rests whatever is wanted.
    expect(active(1)).toEqual([true, true, false]);
  });

  it("lets a track without layers rest as a whole", async () => {
    await tell({ track: "screen", wanted: false, rids: [] });
    expect(active(2)).toEqual([false]);
    await tell({ track: "screen", wanted: true, rids: [] });
    expect(active(2)).toEqual([true]);
  });

  it("applies changes one after the other", async () => {
    media.demand.handleLayers({ track: "camera", wanted: false, rids: [] });
    media.demand.handleLayers({ track: "camera", wanted: true, rids: ["q"] });
    media.demand.handleLayers({ track: "camera", wanted: true, rids: ["q", "h"] });
    await media.demand.fit("camera");
    expect(active(1)).toEqual([true, true, false]);
  });
});
