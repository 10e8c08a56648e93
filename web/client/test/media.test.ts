import { beforeEach, describe, expect, it } from "vitest";

import type { VideoCodec } from "../src/catalogue.js";
import type { Encoding } from "../src/layers.js";
import { Media, type MediaState } from "../src/media.js";
import { Publisher } from "../src/publisher.js";
import { capabilities, FakePeer, FakeTrack } from "./fake-peer.js";

describe("Media", () => {
  let peer: FakePeer;
  let media: Media;
  let iceServers: RTCIceServer[];

  beforeEach(() => {
    peer = new FakePeer();
    iceServers = [];
    media = make("vp8");
  });

  const make = (videoCodec: VideoCodec): Media =>
    new Media({
      peer: () => peer.asPeer,
      capabilities,
      plan: { seats: 2, audioOnly: 1 },
      videoCodec,
      iceServers: () => Promise.resolve(iceServers),
    });

  it("offers senders first, then seats in pairs, then sound without a seat", () => {
    expect(peer.transceivers.map(({ type, init }) => `${type} ${init.direction ?? ""}`)).toEqual([
      "audio sendonly",
      "video sendonly",
      "video sendonly",
      "audio sendonly",
      "audio recvonly",
      "video recvonly",
      "audio recvonly",
      "video recvonly",
      "audio recvonly",
    ]);
  });

  it("offers the camera in three sizes", () => {
    const encodings = peer.transceivers[1]?.init.sendEncodings;
    expect(encodings?.map(({ rid, scaleResolutionDownBy }) => [rid, scaleResolutionDownBy])).toEqual([
      ["q", 4],
      ["h", 2],
      ["f", 1],
    ]);
  });

  it("fits the camera's layers to a small picture, and back to a large one", async () => {
    const scales = (): unknown[] | undefined =>
      peer.transceivers[1]?.sender.encodings.map(({ rid, scaleResolutionDownBy, active }) => [rid, scaleResolutionDownBy, active]);
    await media.send("camera", new FakeTrack({ width: 640, height: 480 }).asTrack);
    expect(scales()).toEqual([
      ["q", 2, true],
      ["h", 1, true],
      ["f", 1, false],
    ]);
    await media.send("camera", new FakeTrack({ width: 1280, height: 720 }).asTrack);
    expect(scales()).toEqual([
      ["q", 4, true],
      ["h", 2, true],
      ["f", 1, true],
    ]);
  });

  it("trims codecs to opus and its redundancy, VP8, one H264 and retransmission", () => {
    const names = (index: number): string[] | undefined => peer.transceivers[index]?.preferred.map(({ mimeType }) => mimeType);
    expect(names(0)).toEqual(["audio/opus", "audio/red"]);
    expect(names(1)).toEqual(["video/VP8", "video/H264", "video/rtx"]);
    expect(names(5)).toEqual(["video/VP8", "video/H264", "video/rtx"]);
  });

  it.each([
    ["vp9", ["video/VP9", "video/VP8", "video/H264", "video/rtx"], ["L3T3_KEY"], "L1T3"],
    ["av1", ["video/AV1", "video/VP8", "video/H264", "video/rtx"], ["L3T3_KEY"], "L1T3"],
    ["h264", ["video/H264", "video/VP8", "video/rtx"], [undefined, undefined, undefined], undefined],
    ["vp8", ["video/VP8", "video/H264", "video/rtx"], ["L1T3", "L1T3", "L1T3"], undefined],
  ] as const)("sends %s as the room prefers, in the layers that it has", (codec, names, camera, screen) => {
    peer = new FakePeer();
    make(codec);
    const modes = (index: number): unknown[] | undefined =>
      peer.transceivers[index]?.init.sendEncodings?.map((encoding) => (encoding as Encoding).scalabilityMode);
    for (const index of [1, 2, 5, 7]) expect(peer.transceivers[index]?.preferred.map(({ mimeType }) => mimeType)).toEqual(names);
    expect(modes(1)).toEqual(camera);
    expect(modes(2)).toEqual([screen]);
    const isScalable = codec === "vp9" || codec === "av1";
    expect(peer.transceivers[1]?.offered("dependency-descriptor")).toBe(isScalable);
    expect(peer.transceivers[5]?.offered("dependency-descriptor")).toBe(isScalable);
    expect(peer.transceivers[0]?.offered("dependency-descriptor")).toBe(false);
  });

  it("sends simulcast of VP8 where it cannot encode what the room prefers", () => {
    peer = new FakePeer();
    const send: typeof capabilities.send = (kind) => capabilities.send(kind).filter(({ mimeType }) => mimeType !== "video/AV1");
    new Media({
      peer: () => peer.asPeer,
      capabilities: { ...capabilities, send },
      plan: { seats: 1, audioOnly: 0 },
      videoCodec: "av1",
      iceServers: () => Promise.resolve([]),
    });
    expect(peer.transceivers[1]?.init.sendEncodings).toHaveLength(3);
    expect(peer.transceivers[1]?.preferred[0]?.mimeType).toBe("video/VP8");
    expect(peer.transceivers[5]?.preferred[0]?.mimeType).toBe("video/AV1");
  });

  it("negotiates the data channels by number", () => {
    expect(peer.channels.map(({ label, options }) => [label, options])).toEqual([
      ["control", { negotiated: true, id: 0 }],
      ["chat", { negotiated: true, id: 1 }],
    ]);
  });

  it("names its senders' sections and pairs its receivers after the offer", async () => {
    expect(media.receiveSlots()).toEqual([]);
    await media.offer();
    expect(media.intents((kind) => kind !== "camera")).toEqual([
      { mid: "0", kind: "microphone", muted: true },
      { mid: "1", kind: "camera", muted: false },
      { mid: "2", kind: "screen", muted: true },
      { mid: "3", kind: "screen-audio", muted: true },
    ]);
    expect(media.receiveSlots().map(({ mid, kind, seat }) => [mid, kind, seat])).toEqual([
      ["4", "audio", 0],
      ["5", "video", 0],
      ["6", "audio", 1],
      ["7", "video", 1],
      ["8", "audio", null],
    ]);
  });

  it("describes once each way, whatever is sent, muted or shared", async () => {
    await media.offer();
    await media.accept("answer");
    const track = new FakeTrack().asTrack;
    await media.send("camera", track);
    await media.send("screen", track);
    await media.send("screen", null);
    expect(media.counts).toEqual({ setLocal: 1, setRemote: 1, iceRestarts: 0 });
    expect(peer.described).toEqual(["local offer", "remote answer"]);
  });

  it("knows relays before it gathers", async () => {
    iceServers = [{ urls: "turn:turn.example.org" }];
    await media.offer();
    expect(peer.configurations).toEqual([{ bundlePolicy: "max-bundle", iceServers }]);
  });

  it("restarts ICE with one more offer and answer", async () => {
    await media.offer();
    await media.accept("answer");
    const offers: string[] = [];
    const restarted = await media.restartIce((offer) => {
      offers.push(offer);
      return Promise.resolve({ ok: true as const, value: "answer" });
    });
    expect(restarted.ok).toBe(true);
    expect(offers).toEqual(["restart"]);
    expect(media.counts).toEqual({ setLocal: 2, setRemote: 2, iceRestarts: 1 });
  });

  it("goes back to where it was when a restart is refused", async () => {
    await media.offer();
    await media.accept("answer");
    const restarted = await media.restartIce(() => Promise.resolve({ ok: false as const, error: "no" as const }));
    expect(restarted).toEqual({ ok: false, error: "no" });
    expect(peer.signalingState).toBe("stable");
  });

  it("tells what the browser said when an answer is no good", async () => {
    await media.offer();
    peer.rejectAnswer = true;
    expect(await media.accept("nonsense")).toEqual({
      ok: false,
      error: { kind: "media-failed", step: "answer", message: "bad answer" },
    });
  });

  it("is dead once DTLS has ended, and stays so", async () => {
    const states: MediaState[] = [];
    media.on("state", (state) => states.push(state));
    await media.offer();
    await media.accept("answer");
    peer.become("connected");
    peer.dtls.become("closed");
    peer.become("connected");
    expect(states).toEqual(["connected", "dead"]);
    expect(media.state).toBe("dead");
  });
});

describe("Publisher", () => {
  let publisher: Publisher;
  let sends: [string, unknown][];
  let mutes: [string, boolean][];

  beforeEach(() => {
    publisher = new Publisher();
    sends = [];
    mutes = [];
    publisher.on("send", (kind, track) => sends.push([kind, track]));
    publisher.on("muted", (kind, muted) => mutes.push([kind, muted]));
  });

  it("empties the sender when muted and fills it again", () => {
    const track = new FakeTrack().asTrack;
    publisher.set("microphone", track);
    publisher.setMuted("microphone", true);
    publisher.setMuted("microphone", false);
    expect(sends).toEqual([
      ["microphone", track],
      ["microphone", null],
      ["microphone", track],
    ]);
    expect(mutes).toEqual([
      ["microphone", false],
      ["microphone", true],
      ["microphone", false],
    ]);
  });

  it("lets go of the device it replaces, without telling the others of a pause", () => {
    const before = new FakeTrack();
    publisher.set("camera", before.asTrack);
    publisher.set("camera", new FakeTrack().asTrack);
    expect(before.stopped).toBe(true);
    expect(mutes).toEqual([["camera", false]]);
  });

  it("stops sharing when the browser's own button is used", () => {
    const screen = new FakeTrack();
    const ended: string[] = [];
    publisher.on("ended", (kind) => ended.push(kind));
    publisher.set("screen", screen.asTrack);
    screen.end();
    expect(publisher.muted("screen")).toBe(true);
    expect(ended).toEqual(["screen"]);
  });

  it("does not mind the end of a track it has let go", () => {
    const before = new FakeTrack();
    publisher.set("camera", before.asTrack);
    const now = new FakeTrack().asTrack;
    publisher.set("camera", now);
    before.end();
    expect(publisher.track("camera")).toBe(now);
  });
});
