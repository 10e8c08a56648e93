import { beforeEach, describe, expect, it } from "vitest";

import type { Join, Joined, Participant } from "../src/catalogue.js";
import { Room } from "../src/room.js";
import { capabilities, FakePeer, FakeTrack } from "./fake-peer.js";
import { CONVERSATION, FakeSocket, messageEvent, settled, uuid, VirtualTime, unchanged } from "./fakes.js";

const person = (id: string, joined_at: number): Participant => ({
  id,
  name: id,
  kind: "person",
  joined_at,
  connected: true,
  tracks: [],
});

/** A server with one room that knows the sessions it has made since it started. */
class FakeServer {
  readonly joins: Join[] = [];
  readonly events = [messageEvent(1), messageEvent(2)];
  #sessions = new Set<string>();

  answer = (event: string, data: unknown): unknown => {
    if (event !== "join") return event === "restart-ice" ? { answer: "answer" } : {};
    const join = data as Join;
    this.joins.push(join);
    if (join.offer == null && !this.#sessions.has(join.session ?? "")) {
      return { error: { code: "session-not-found", message: "Unknown session." } };
    }
    const session = join.offer == null ? (join.session ?? "") : `session ${this.joins.length}`;
    this.#sessions.add(session);
    return this.#joined(join, session);
  };

  /** As after `kill -9`: the log is still there, the sessions are not. */
  restart(): void {
    this.#sessions = new Set();
  }

  #joined(join: Join, session: string): Joined {
    const last = this.events.at(-1);
    const head = { conversation: CONVERSATION, seq: this.events.length, tag: last?.id.slice(0, 8) ?? null };
    const position = join.position?.seq;
    return {
      room: { id: "room", name: "Room", conversation: CONVERSATION, created_at: 0, participants: 1, video_codec: "vp8" },
      you: person("you", 1),
      participants: [person("ben", 2)],
      grants: { publish: true, subscribe: true, chat: true, moderate: false },
      session,
      answer: join.offer == null ? null : "answer",
      slots: { rev: 1, full: true, slots: [] },
      chat:
        position === undefined
          ? null
          : { conversation: CONVERSATION, status: "events", events: this.events.slice(position), head, more: false },
      history:
        position === undefined
          ? { conversation: CONVERSATION, messages: this.events.map(unchanged), more: false, head, newer: false }
          : null,
      ice_servers: [],
    };
  }
}

describe("Room", () => {
  let time: VirtualTime;
  let socket: FakeSocket;
  let server: FakeServer;
  let peers: FakePeer[];
  let room: Room;

  beforeEach(() => {
    time = new VirtualTime();
    socket = new FakeSocket();
    server = new FakeServer();
    socket.answer = server.answer;
    peers = [];
    let ids = 1_000;
    room = new Room({
      room: "room",
      token: () => Promise.resolve("token"),
      plan: { seats: 2, audioOnly: 1 },
      environment: {
        socket: socket.factory,
        peer: () => {
          const peer = new FakePeer();
          peers.push(peer);
          return peer.asPeer;
        },
        capabilities,
        timers: time,
        policy: { nextDelay: () => 100 },
        makeId: () => uuid(ids++),
        wallClock: () => 0,
      },
    });
  });

  const join = async (): Promise<void> => {
    const joining = room.join();
    await settled();
    expect((await joining).ok).toBe(true);
    peers[0]?.become("connected");
  };

  it("joins in one request and knows everything by its answer", async () => {
    await join();
    expect(server.joins).toHaveLength(1);
    expect(server.joins[0]).toMatchObject({ room: "room", offer: "offer", session: null, position: null });
    expect(room.state).toEqual({ kind: "joined" });
    expect(room.roster.others.map(({ id }) => id)).toEqual(["ben"]);
    expect(room.chat.snapshot.messages).toHaveLength(2);
    expect(Object.keys(room.timeline.steps)).toEqual(["click", "socket", "offer", "answer"]);
  });

  it("says why it could not join, and can be asked again", async () => {
    socket.answer = () => ({ error: { code: "room-full", message: "Full." } });
    const refused = await room.join();
    expect(refused).toMatchObject({ ok: false, error: { code: "room-full" } });
    expect(room.state.kind).toBe("failed");
    socket.answer = server.answer;
    expect((await room.join()).ok).toBe(true);
    expect(room.state.kind).toBe("joined");
  });

  it("says so when there is no server", async () => {
    socket.refuse = () => new Error("websocket error");
    expect(await room.join()).toEqual({ ok: false, error: { kind: "offline" } });
  });

  it("comes back to the session that still lives when only the socket was lost", async () => {
    await join();
    server.events.push(messageEvent(3));
    socket.lose();
    await time.pass(100);
    expect(server.joins[1]).toMatchObject({ offer: null, session: "session 1", position: { seq: 2 } });
    expect(room.chat.snapshot.messages).toHaveLength(3);
    expect(peers).toHaveLength(1);
    expect(room.session.media?.counts).toEqual({ setLocal: 1, setRemote: 1, iceRestarts: 0 });
  });

  it("rejoins with a new media session and the same camera after a restarted server", async () => {
    await join();
    const camera = new FakeTrack();
    room.publisher.set("camera", camera.asTrack);
    server.restart();
    server.events.push(messageEvent(3));
    socket.lose();
    await time.pass(100);
    expect(server.joins[2]).toMatchObject({ offer: "offer", session: "session 1", position: { seq: 2 } });
    expect(peers).toHaveLength(2);
    expect(peers[0]?.closed).toBe(true);
    expect(peers[1]?.transceivers[1]?.sender.track).toBe(camera);
    expect(camera.stopped).toBe(false);
    expect(room.chat.snapshot.messages).toHaveLength(3);
    expect(room.state.kind).toBe("joined");
  });

  it("restarts ICE on another network, on the same session", async () => {
    await join();
    room.handleOnline();
    await settled();
    expect(room.session.media?.counts).toEqual({ setLocal: 2, setRemote: 2, iceRestarts: 1 });
    expect(server.joins).toHaveLength(1);
  });

  it("rejoins when the server says that the media session is over", async () => {
    await join();
    socket.notify("media-state", { state: "closed", reason: "consent-lost" });
    await settled();
    expect(server.joins[1]).toMatchObject({ offer: "offer", session: "session 1" });
  });

  it("tells the others what is muted, from the first moment", async () => {
    room.publisher.set("microphone", new FakeTrack().asTrack, true);
    await join();
    expect(server.joins[0]?.tracks?.map(({ kind, muted }) => [kind, muted])).toEqual([
      ["microphone", true],
      ["camera", true],
      ["screen", true],
      ["screen-audio", true],
    ]);
    room.publisher.setMuted("microphone", false);
    await settled();
    expect(socket.sent.at(-1)).toEqual({ event: "set-track", data: { kind: "microphone", muted: false } });
  });

  it("tells what was muted during an outage when it is over", async () => {
    room.publisher.set("microphone", new FakeTrack().asTrack);
    await join();
    socket.lose();
    room.publisher.setMuted("microphone", true);
    await time.pass(100);
    expect(socket.sent.at(-1)).toEqual({ event: "set-track", data: { kind: "microphone", muted: true } });
  });

  it("ends for good when another window took its place", async () => {
    await join();
    const camera = new FakeTrack();
    room.publisher.set("camera", camera.asTrack);
    socket.notify("session-ended", { code: "replaced", message: "You joined from somewhere else." });
    await time.pass(60_000);
    expect(room.state).toMatchObject({ kind: "ended", code: "replaced" });
    expect(camera.stopped).toBe(true);
    expect(peers[0]?.closed).toBe(true);
    expect(socket.connects).toBe(1);
  });

  it("leaves: says so, lets go of everything, and stays away", async () => {
    await join();
    await room.leave();
    await time.pass(60_000);
    expect(socket.sent.at(-1)?.event).toBe("leave");
    expect(socket.connected).toBe(false);
    expect(room.state).toEqual({ kind: "left" });
    expect(socket.connects).toBe(1);
  });

  it("follows who comes, goes and speaks", async () => {
    await join();
    const news: string[] = [];
    room.roster.on("joined", ({ id }) => news.push(`+${id}`));
    room.roster.on("left", ({ id }) => news.push(`-${id}`));
    socket.notify("participant-joined", person("cyd", 3));
    socket.notify("participant-joined", person("cyd", 3));
    socket.notify("speakers", { speakers: [{ participant: "cyd", level: 20 }] });
    expect([...room.speakers.speaking]).toEqual(["cyd"]);
    socket.notify("speakers", { speakers: [] });
    await time.pass(399);
    expect([...room.speakers.speaking]).toEqual(["cyd"]);
    await time.pass(1);
    expect([...room.speakers.speaking]).toEqual([]);
    socket.notify("participant-left", { id: "cyd", reason: "left" });
    expect(news).toEqual(["+cyd", "-cyd"]);
  });

  it("wishes for a view once, and for the latest one only", async () => {
    await join();
    const view = (participant: string): void => room.setView({ seats: [{ participant, width: 640, height: 360 }] });
    view("ben");
    view("cyd");
    await time.pass(200);
    view("cyd");
    await time.pass(200);
    const views = socket.sent.filter(({ event }) => event === "view");
    expect(views).toEqual([{ event: "view", data: { seats: [{ participant: "cyd", width: 640, height: 360 }] } }]);
  });
});
