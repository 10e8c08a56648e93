import { beforeEach, describe, expect, it } from "vitest";

import { Recovery, type Remedy } from "../src/recovery.js";
import type { Failure, Result } from "../src/result.js";
import { settled, VirtualTime } from "./fakes.js";

const OK: Result<unknown> = { ok: true, value: null };

function refused(code: string): Result<unknown> {
  return { ok: false, error: { kind: "refused", code, message: code, field: null } };
}

describe("Recovery", () => {
  let time: VirtualTime;
  let applied: Remedy[];
  let answers: Partial<Record<Remedy, () => Result<unknown>>>;
  let hopeless: Failure[];
  let recovery: Recovery;

  beforeEach(() => {
    time = new VirtualTime();
    applied = [];
    answers = {};
    hopeless = [];
    recovery = new Recovery({
      apply: (remedy) => {
        applied.push(remedy);
        return Promise.resolve(answers[remedy]?.() ?? OK);
      },
      policy: { nextDelay: (attempt) => [100, 200, 400][attempt] ?? 800 },
      timers: time,
    });
    recovery.on("hopeless", (error) => hopeless.push(error));
    recovery.handleActive(true);
    recovery.handleMedia("connected");
  });

  const loseSocket = (): void => recovery.handleConnection("reconnecting");
  const findSocket = (): void => recovery.handleConnection("connected");

  it("resumes on a new socket while the media lives", async () => {
    loseSocket();
    await time.pass(60_000);
    expect(applied).toEqual([]);
    findSocket();
    await settled();
    expect(applied).toEqual(["resume"]);
  });

  it("rejoins when the server does not know the session any more", async () => {
    answers.resume = () => refused("session-not-found");
    loseSocket();
    findSocket();
    await settled();
    expect(applied).toEqual(["resume", "rejoin"]);
  });

  it("rejoins without asking when the media is dead as well", async () => {
    loseSocket();
    recovery.handleMedia("dead");
    findSocket();
    await settled();
    expect(applied).toEqual(["rejoin"]);
  });

  it("gives a lost path two seconds before it restarts ICE", async () => {
    recovery.handleMedia("disconnected");
    await time.pass(1_900);
    recovery.handleMedia("connected");
    await time.pass(60_000);
    expect(applied).toEqual([]);
    recovery.handleMedia("disconnected");
    await time.pass(2_000);
    expect(applied).toEqual(["restart"]);
  });

  it("restarts ICE at once on a failed path and on another network", async () => {
    recovery.handleMedia("failed");
    await settled();
    recovery.handleMedia("connected");
    recovery.handleNetworkChange();
    await settled();
    expect(applied).toEqual(["restart", "restart"]);
  });

  it("rejoins when a restart does not connect", async () => {
    recovery.handleMedia("failed");
    await time.pass(8_000);
    expect(applied).toEqual(["restart", "rejoin"]);
  });

  it("waits for the socket before it restarts, and resumes first", async () => {
    loseSocket();
    recovery.handleMedia("failed");
    await time.pass(5_000);
    expect(applied).toEqual([]);
    findSocket();
    await settled();
    expect(applied).toEqual(["resume", "restart"]);
  });

  it("slows down a row of sessions that die before they connect", async () => {
    recovery.handleSessionGone();
    await settled();
    for (let times = 0; times < 3; times += 1) recovery.handleMedia("dead");
    await time.pass(99);
    expect(applied).toEqual(["rejoin"]);
    await time.pass(1);
    expect(applied).toEqual(["rejoin", "rejoin"]);
    recovery.handleMedia("dead");
    await time.pass(199);
    expect(applied).toHaveLength(2);
    await time.pass(1);
    expect(applied).toHaveLength(3);
  });

  it("tries again after a passing refusal, and gives up on a lasting one", async () => {
    answers.rejoin = () => refused("media-unavailable");
    recovery.handleSessionGone();
    await time.pass(100);
    expect(applied).toEqual(["rejoin", "rejoin"]);
    answers.rejoin = () => refused("room-not-found");
    await time.pass(60_000);
    expect(applied).toEqual(["rejoin", "rejoin", "rejoin"]);
    expect(hopeless).toMatchObject([{ code: "room-not-found" }]);
  });

  it("ignores the end of the old session while a new one is being made", async () => {
    answers.rejoin = () => {
      recovery.handleSessionGone();
      return OK;
    };
    recovery.handleMedia("dead");
    await time.pass(60_000);
    expect(applied).toEqual(["rejoin"]);
  });

  it("does nothing after leaving", async () => {
    recovery.handleActive(false);
    recovery.handleMedia("dead");
    loseSocket();
    findSocket();
    await time.pass(60_000);
    expect(applied).toEqual([]);
  });
});
