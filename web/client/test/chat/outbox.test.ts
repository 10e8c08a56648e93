import { beforeEach, describe, expect, it } from "vitest";

import { Outbox, type Entry } from "../../src/chat/outbox.js";
import type { OutboxStore } from "../../src/chat/store.js";
import { failed, ok, type Failure } from "../../src/result.js";
import { CONVERSATION, messageEvent, settled, uuid, VirtualTime } from "../fakes.js";

/** A browser's storage, as far as the outbox sees it. */
class Storage implements OutboxStore {
  readonly kept = new Map<string, Entry>();
  load(): Promise<readonly Entry[]> {
    return Promise.resolve([...this.kept.values()]);
  }
  save(entry: Entry): Promise<void> {
    this.kept.set(entry.data.client_id, entry);
    return Promise.resolve();
  }
  remove(clientId: string): Promise<void> {
    this.kept.delete(clientId);
    return Promise.resolve();
  }
}

describe("Outbox", () => {
  let time: VirtualTime;
  let store: Storage;
  let failure: Failure | null;
  let asked: { name: string; id: string }[];
  let ids: number;

  const open = (): Outbox =>
    new Outbox({
      request: (name, data) => {
        asked.push({ name, id: data.client_id });
        const answer = failure === null ? ok({ event: messageEvent(1, { client_id: data.client_id }) }) : failed(failure);
        return Promise.resolve(answer as never);
      },
      makeId: () => uuid(ids++),
      wallClock: () => time.now(),
      timers: time,
      store,
    });

  beforeEach(() => {
    time = new VirtualTime();
    store = new Storage();
    failure = null;
    asked = [];
    ids = 1;
  });

  it("forgets what the server has taken", async () => {
    const outbox = open();
    outbox.add("send-message", { conversation: CONVERSATION, body: { text: "one" } });
    await settled();
    expect(outbox.entries).toEqual([]);
    expect(store.kept.size).toBe(0);
  });

  it("sends after a reload what was not sent before, under the same ids and in the same order", async () => {
    failure = { kind: "offline" };
    const before = open();
    before.add("send-message", { conversation: CONVERSATION, body: { text: "one" } });
    before.add("send-message", { conversation: CONVERSATION, body: { text: "two" } });
    await settled();
    asked = [];
    failure = null;
    const after = open();
    await after.restore();
    expect(after.entries.map(({ status }) => status)).toEqual(["waiting", "waiting"]);
    after.handleDoorOpen();
    await settled();
    expect(asked.map(({ id }) => id)).toEqual([uuid(1), uuid(2)]);
    expect(store.kept.size).toBe(0);
  });

  it("holds a deletion while it can be taken back, and sends it then, also after a reload", async () => {
    const before = open();
    before.add("delete-message", { conversation: CONVERSATION, seq: 4 }, 6_000);
    await time.pass(5_000);
    expect(asked).toEqual([]);
    const after = open();
    await after.restore();
    after.handleDoorOpen();
    await settled();
    expect(asked).toEqual([]);
    await time.pass(1_000);
    expect(new Set(asked.map(({ id }) => id))).toEqual(new Set([uuid(1)]));
  });

  it("does not let a held deletion keep messages back", async () => {
    const outbox = open();
    const held = outbox.add("delete-message", { conversation: CONVERSATION, seq: 4 }, 6_000);
    outbox.add("send-message", { conversation: CONVERSATION, body: { text: "one" } });
    await settled();
    expect(asked).toEqual([{ name: "send-message", id: uuid(2) }]);
    outbox.discard(held);
    await time.pass(10_000);
    expect(asked).toHaveLength(1);
  });

  it("keeps a refused message with its reason, over a reload", async () => {
    failure = { kind: "refused", code: "text-too-long", message: "Too long.", field: "text" };
    const before = open();
    before.add("send-message", { conversation: CONVERSATION, body: { text: "long" } });
    await settled();
    const after = open();
    await after.restore();
    after.handleDoorOpen();
    await settled();
    expect(after.entries).toMatchObject([{ status: "failed", error: failure }]);
    expect(asked).toHaveLength(1);
  });
});
