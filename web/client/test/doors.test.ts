import { beforeEach, describe, expect, it } from "vitest";

import { Connection } from "../src/connection.js";
import { Doors } from "../src/doors.js";
import type { Notice } from "../src/protocol.js";
import { SteadyReconnect } from "../src/reconnect.js";
import { CONVERSATION, FakeChannel, FakeSocket, settled, uuid, VirtualTime } from "./fakes.js";

const MESSAGE = { conversation: CONVERSATION, client_id: uuid(1), body: { text: "hello" } };

describe("Doors", () => {
  let time: VirtualTime;
  let socket: FakeSocket;
  let control: FakeChannel;
  let chat: FakeChannel;
  let doors: Doors;
  let notices: Notice[];

  beforeEach(async () => {
    time = new VirtualTime();
    socket = new FakeSocket();
    const connection = new Connection({
      socket: socket.factory,
      token: () => Promise.resolve("token"),
      policy: new SteadyReconnect(),
      timers: time,
    });
    doors = new Doors(connection, time);
    notices = [];
    doors.on("notice", (notice) => notices.push(notice));
    control = new FakeChannel();
    chat = new FakeChannel();
    doors.attach({ control, chat });
    connection.open();
    await settled();
  });

  it("uses the socket until the channel is open, then the channel", async () => {
    await doors.request("send-message", MESSAGE);
    chat.open();
    const sent = doors.request("send-message", MESSAGE);
    chat.answer("ok", { event: null });
    expect(await sent).toEqual({ ok: true, value: { event: null } });
    expect(socket.sent.map(({ event }) => event)).toEqual(["send-message"]);
    expect(doors.counts).toEqual({ control: 0, chat: 1, socket: 1 });
  });

  it("sends over the control channel what belongs there, and over the socket what may not use a channel", async () => {
    control.open();
    chat.open();
    const viewed = doors.request("view", { seats: [] });
    control.answer("ok", {});
    await viewed;
    await doors.request("add-robot", {});
    expect(control.sent).toMatchObject([{ t: "view", d: { seats: [] } }]);
    expect(chat.sent).toEqual([]);
    expect(socket.sent.map(({ event }) => event)).toEqual(["add-robot"]);
  });

  it("does not ask again elsewhere after a refusal", async () => {
    chat.open();
    const sent = doors.request("send-message", MESSAGE);
    chat.answer("error", { code: "text-too-long", message: "Too long.", field: "text" });
    expect(await sent).toEqual({
      ok: false,
      error: { kind: "refused", code: "text-too-long", message: "Too long.", field: "text" },
    });
    expect(socket.sent).toEqual([]);
  });

  it("asks over the socket, with the same client id, when the channel does not answer", async () => {
    chat.open();
    const sent = doors.request("send-message", MESSAGE);
    await time.pass(4_000);
    expect((await sent).ok).toBe(true);
    expect(socket.sent).toEqual([{ event: "send-message", data: MESSAGE }]);
  });

  it("asks over the socket at once when the channel closes with a request under way", async () => {
    chat.open();
    const sent = doors.request("send-message", MESSAGE);
    chat.close();
    expect((await sent).ok).toBe(true);
    expect(socket.sent).toHaveLength(1);
  });

  it("asks over the socket when a frame is too large for the channel or the channel is full", async () => {
    chat.open();
    await doors.request("send-message", { ...MESSAGE, body: { text: "ñ".repeat(8_200) } });
    chat.bufferedAmount = 300_000;
    await doors.request("send-message", MESSAGE);
    expect(chat.sent).toEqual([]);
    expect(socket.sent).toHaveLength(2);
  });

  it("matches answers by their number", async () => {
    chat.open();
    const first = doors.request("fill", { conversation: CONVERSATION, after: 1 });
    const second = doors.request("fill", { conversation: CONVERSATION, after: 2 });
    const [one, two] = chat.sent.map(({ i }) => i);
    chat.receive({ t: "ok", i: two, d: "second" });
    chat.receive({ t: "ok", i: one, d: "first" });
    expect([await first, await second]).toMatchObject([{ value: "first" }, { value: "second" }]);
  });

  it("passes on the notices of all doors, and of the newest session only", () => {
    const speakers = { speakers: [] };
    socket.notify("speakers", speakers);
    control.receive({ t: "speakers", d: speakers });
    doors.attach({ control: new FakeChannel(), chat: new FakeChannel() });
    control.receive({ t: "speakers", d: speakers });
    expect(notices).toEqual([
      { name: "speakers", data: speakers },
      { name: "speakers", data: speakers },
    ]);
  });

  it.each([["not JSON"], ["null"], ["[]"], ['{"t":5}'], ['{"t":"ok","i":99,"d":{}}'], ['{"t":"toString","d":{}}']])(
    "ignores a frame it does not understand: %s",
    (frame) => {
      chat.open();
      chat.receive(frame);
      socket.notify("hasOwnProperty", {});
      expect(notices).toEqual([]);
    },
  );
});
