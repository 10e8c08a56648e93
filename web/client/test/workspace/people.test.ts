import { beforeEach, describe, expect, it } from "vitest";

import type { PersonPresence, PresenceList, SetStatus, ShownStatus, Watch } from "../../src/catalogue.js";
import { type Result } from "../../src/result.js";
import { People, WATCHED_MAX } from "../../src/workspace/people.js";
import { settled, VirtualTime } from "../fakes.js";

function presence(id: string, status: ShownStatus): PersonPresence {
  return { id, status, text: "", last_seen: null };
}

describe("People", () => {
  let time: VirtualTime;
  let asked: (readonly string[])[];
  let chosen: SetStatus[];
  let answers: ((answer: Result<PresenceList>) => void)[];
  let people: People;

  beforeEach(() => {
    time = new VirtualTime();
    asked = [];
    chosen = [];
    answers = [];
    people = new People({
      timers: time,
      watch: (watch: Watch) => {
        asked.push(watch.people);
        return new Promise((answer) => answers.push(answer));
      },
      setStatus: (status) => {
        chosen.push(status);
        return Promise.resolve({ ok: true, value: {} });
      },
    });
  });

  async function answer(status: ShownStatus, index = asked.length - 1): Promise<void> {
    answers[index]?.({ ok: true, value: { people: (asked[index] ?? []).map((id) => presence(id, status)) } });
    await settled();
  }

  it("asks at once for everybody who is shown, and for oneself", async () => {
    people.show(["bob"]);
    people.show(["eve", "bob"]);
    people.handleConnected("ada");
    expect(asked.map((ids) => [...ids].sort())).toEqual([["ada", "bob", "eve"]]);
    expect(people.get("bob")).toBeNull();
    await answer("online");
    expect(people.get("bob")?.status).toBe("online");
    expect(people.get(null)).toBeNull();
  });

  it("gathers what changes on screen, and does not ask again for the same people", async () => {
    people.handleConnected("ada");
    await answer("online");
    const hide = people.show(["bob"]);
    people.show(["eve"]);
    await time.pass(1_000);
    expect(asked).toHaveLength(2);
    await answer("away");
    hide();
    people.show(["bob"]);
    await time.pass(1_000);
    expect(asked).toHaveLength(2);
  });

  it("forgets whom nobody shows", async () => {
    people.handleConnected("ada");
    const hide = people.show(["bob"]);
    await time.pass(1_000);
    await answer("online");
    hide();
    await time.pass(1_000);
    await answer("online");
    expect(asked.at(-1)).toEqual(["ada"]);
    expect(people.get("bob")).toBeNull();
    people.handlePresence({ people: [presence("bob", "away")] });
    expect(people.get("bob")).toBeNull();
  });

  it("follows changes", async () => {
    people.show(["bob"]);
    people.handleConnected("ada");
    await answer("offline");
    let changes = 0;
    people.on("change", () => (changes += 1));
    people.handlePresence({ people: [presence("bob", "dnd")] });
    expect([people.get("bob")?.status, people.get("ada")?.status, changes]).toEqual(["dnd", "offline", 1]);
  });

  it("knows of nobody while it is disconnected, and asks again after each connect", async () => {
    people.show(["bob"]);
    people.handleConnected("ada");
    people.handleDisconnected();
    await answer("online"); // of the connection before
    expect(people.get("bob")).toBeNull();
    people.handleConnected("ada");
    await answer("online");
    expect(people.get("bob")?.status).toBe("online");
    people.handleDisconnected();
    expect(people.get("bob")).toBeNull();
    people.show(["eve"]);
    await time.pass(10_000);
    expect(asked).toHaveLength(2);
  });

  it("takes the answer to the last question only", async () => {
    people.handleConnected("ada");
    people.show(["bob"]);
    await time.pass(1_000);
    await answer("online", 1);
    await answer("offline", 0);
    expect(people.get("ada")?.status).toBe("online");
    expect(people.get("bob")?.status).toBe("online");
  });

  it("tries again when it was refused", async () => {
    people.handleConnected("ada");
    answers[0]?.({ ok: false, error: { kind: "offline" } });
    await time.pass(10_000);
    expect(asked).toEqual([["ada"], ["ada"]]);
  });

  it("names no more people than may be watched: those shown last, and oneself", async () => {
    people.show(Array.from({ length: WATCHED_MAX }, (_, n) => `u:${n}`));
    people.show(["bob"]);
    people.handleConnected("ada");
    expect(asked[0]).toHaveLength(WATCHED_MAX);
    expect(asked[0]?.slice(0, 2)).toEqual(["ada", "bob"]);
    await settled();
  });

  it("asks again for strangers when there is another conversation that they may be in", async () => {
    people.show(["bob"]);
    people.handleConnected("ada");
    answers[0]?.({ ok: true, value: { people: [presence("ada", "online")] } });
    await settled();
    people.handleAcquainted();
    await time.pass(1_000);
    await answer("online");
    expect(people.get("bob")?.status).toBe("online");
    people.handleAcquainted();
    await time.pass(1_000);
    expect(asked).toHaveLength(2);
  });

  it("tells how one wants to be seen", async () => {
    people.handleConnected("ada");
    await answer("online");
    await people.choose("invisible", "in a hat");
    expect(people.get("ada")).toMatchObject({ status: "invisible", text: "in a hat" });
    expect(chosen).toEqual([{ status: "invisible", text: "in a hat" }]);
  });
});
