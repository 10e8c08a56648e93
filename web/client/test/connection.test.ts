import { beforeEach, describe, expect, it } from "vitest";

import { Connection, type ConnectionState } from "../src/connection.js";
import { SteadyReconnect } from "../src/reconnect.js";
import type { Refused } from "../src/result.js";
import { FakeSocket, settled, VirtualTime } from "./fakes.js";

function refusal(code: string): Error & { data: unknown } {
  return Object.assign(new Error(code), { data: { code, message: `No: ${code}.` } });
}

describe("Connection", () => {
  let time: VirtualTime;
  let socket: FakeSocket;
  let connection: Connection;
  let states: ConnectionState[];
  let refusals: Refused[];
  let fresh: boolean[];

  beforeEach(() => {
    time = new VirtualTime();
    socket = new FakeSocket();
    fresh = [];
    connection = new Connection({
      socket: socket.factory,
      token: (isFresh) => {
        fresh.push(isFresh);
        return Promise.resolve("token");
      },
      policy: { nextDelay: (attempt) => [100, 200, 400][attempt] ?? null },
      timers: time,
    });
    states = [];
    refusals = [];
    connection.on("state", (state) => states.push(state));
    connection.on("refused", (error) => refusals.push(error));
  });

  it("opens, loses its socket and comes back by itself", async () => {
    connection.open();
    await settled();
    socket.lose();
    await time.pass(100);
    expect(states).toEqual(["connecting", "connected", "reconnecting", "connected"]);
  });

  it("waits as its policy says, and starts anew after each success", async () => {
    connection.open();
    await settled();
    socket.refuse = () => new Error("websocket error");
    socket.lose();
    await time.pass(99);
    expect(socket.connects).toBe(1);
    await time.pass(201);
    expect(socket.connects).toBe(3);
    socket.refuse = null;
    await time.pass(400);
    expect(connection.state).toBe("connected");
    socket.lose();
    await time.pass(100);
    expect(connection.state).toBe("connected");
  });

  it("comes back when a server that stops has asked it to, and by its policy after that", async () => {
    connection.open();
    await settled();
    socket.notify("goaway", { after_ms: 3_000 });
    socket.refuse = () => new Error("websocket error");
    socket.lose();
    await time.pass(2_999);
    expect(socket.connects).toBe(1);
    await time.pass(1);
    expect(socket.connects).toBe(2);
    socket.refuse = null;
    await time.pass(200);
    expect(connection.state).toBe("connected");
  });

  it("says that the server cannot be reached when the policy gives up", async () => {
    socket.refuse = () => new Error("websocket error");
    connection.open();
    await time.pass(10_000);
    expect(connection.state).toBe("closed");
    expect(refusals).toMatchObject([{ code: "unreachable" }]);
  });

  it("tries at once when the browser is online again", async () => {
    connection.open();
    await settled();
    socket.lose();
    connection.handleOnline();
    await settled();
    expect(states.at(-1)).toBe("connected");
    expect(socket.connects).toBe(2);
  });

  it("gives up on a refusal that trying again cannot mend", async () => {
    socket.refuse = () => refusal("room-not-found");
    connection.open();
    await time.pass(10_000);
    expect(socket.connects).toBe(1);
    expect(refusals).toEqual([{ kind: "refused", code: "room-not-found", message: "No: room-not-found.", field: null }]);
  });

  it("asks for a fresh token when the last one had expired", async () => {
    socket.refuse = () => refusal("token-expired");
    connection.open();
    await settled();
    socket.refuse = null;
    await time.pass(100);
    expect(connection.state).toBe("connected");
    expect(fresh).toEqual([false, true]);
  });

  it("answers offline at once instead of sending late", async () => {
    expect(await connection.request("leave", {})).toEqual({ ok: false, error: { kind: "offline" } });
    expect(socket.sent).toEqual([]);
  });

  it("tells a lost socket from a slow server", async () => {
    connection.open();
    await settled();
    socket.answer = () => undefined;
    const slow = connection.request("leave", {});
    socket.expire();
    expect(await slow).toEqual({ ok: false, error: { kind: "timed-out", what: "leave" } });
    const lost = connection.request("leave", {});
    socket.lose();
    expect(await lost).toEqual({ ok: false, error: { kind: "offline" } });
  });

  it("reads refusals with and without a field", async () => {
    connection.open();
    await settled();
    socket.answer = () => ({ error: { code: "room-full", message: "Full." } });
    expect(await connection.request("leave", {})).toEqual({
      ok: false,
      error: { kind: "refused", code: "room-full", message: "Full.", field: null },
    });
  });

  it("stays closed when closed", async () => {
    connection.open();
    await settled();
    connection.close();
    await time.pass(10_000);
    expect(states.at(-1)).toBe("closed");
    expect(socket.connects).toBe(1);
  });
});

describe("SteadyReconnect", () => {
  it("never gives up and never waits long", () => {
    const policy = new SteadyReconnect();
    for (let attempt = 0; attempt < 1_000; attempt += 1) expect(policy.nextDelay(attempt)).toBeLessThanOrEqual(6_250);
  });

  it("spreads the clients of a restarted server", () => {
    const first = new SteadyReconnect([1_000], () => 0).nextDelay(0);
    const last = new SteadyReconnect([1_000], () => 1).nextDelay(0);
    expect([first, last]).toEqual([750, 1_250]);
  });
});
