import { beforeEach, describe, expect, it } from "vitest";

import { Places } from "../src/chat/places";

describe("Places", () => {
  let stored: Map<string, string>;
  let storage: Pick<Storage, "getItem" | "setItem">;

  beforeEach(() => {
    stored = new Map();
    storage = { getItem: (key) => stored.get(key) ?? null, setItem: (key, value) => void stored.set(key, value) };
  });

  it("keeps message and thread of each conversation over a reload", () => {
    const before = new Places(storage);
    before.keep("a", { seq: 12 });
    before.keep("a", { thread: 7 });
    before.keep("b", { seq: 3 });
    const after = new Places(storage);
    expect([after.get("a"), after.get("b"), after.get("c")]).toEqual([
      { seq: 12, thread: 7 },
      { seq: 3, thread: null },
      { seq: null, thread: null },
    ]);
  });

  it("forgets who is at the end, and what was left longest ago", () => {
    const places = new Places(storage);
    for (let n = 0; n < 60; n += 1) places.keep(`c${n}`, { seq: 1 });
    expect([places.get("c9").seq, places.get("c10").seq]).toEqual([null, 1]);
    places.keep("c10", { seq: null });
    expect([...stored.values()].join()).not.toContain('"c10"');
  });

  it("works without a storage", () => {
    const places = new Places({
      getItem: () => {
        throw new Error("forbidden");
      },
      setItem: () => {
        throw new Error("forbidden");
      },
    });
    places.keep("a", { seq: 1 });
    expect(places.get("a").seq).toBeNull();
  });
});
