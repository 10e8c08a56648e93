/** An old page and the events after it are a new page, in whatever order pages and events arrive. */

import { describe, expect, it } from "vitest";

import type { Event, HistoryPage, Message } from "../../src/catalogue.js";
import { begin, fold, hasLine, threadOf } from "../../src/chat/fold.js";
import { Lines } from "../../src/chat/lines.js";
import { Log } from "../../src/chat/log.js";
import { failed, ok } from "../../src/result.js";
import { CONVERSATION, messageEvent, settled } from "../fakes.js";

/** mulberry32: the same numbers for the same seed. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** What can happen in a conversation, in a valid order: every kind of event. */
function happen(count: number, pick: (below: number) => number): Event[] {
  const events: Event[] = [];
  const written: number[] = [];
  const reactions = new Map<string, Set<string>>();
  for (let seq = 1; seq <= count; seq += 1) {
    const sender = ["ana", "ben"][pick(2)] ?? "ana";
    const target = written[pick(Math.max(1, written.length))];
    const kind = target === undefined ? 0 : pick(9);
    const more: Partial<Event> = { sender, target: target ?? null, body: null, no: null };
    if (kind <= 2) {
      const thread = kind === 2 ? target : undefined;
      events.push(messageEvent(seq, { sender, body: { text: `message ${seq}`, ...(thread === undefined ? {} : { thread }) } }));
      if (thread === undefined) written.push(seq);
    } else if (kind === 3) events.push(messageEvent(seq, { ...more, kind: "edit", body: { text: `edited ${seq}` } }));
    else if (kind === 4) events.push(messageEvent(seq, { ...more, kind: "delete" }));
    else if (kind === 5) events.push(messageEvent(seq, { ...more, kind: pick(2) === 0 ? "pin" : "unpin" }));
    else if (kind === 6) events.push(messageEvent(seq, { ...more, kind: "x", target: null }));
    else if (kind === 7) {
      events.push(messageEvent(seq, { ...more, kind: "member", target: null, change: { action: "joined", count: 50 + pick(100) } }));
    } else {
      const emoji = ["👍", "❤️", "🎉"][pick(3)] ?? "👍";
      const who = reactions.get(`${target} ${emoji}`) ?? new Set<string>();
      reactions.set(`${target} ${emoji}`, who);
      const isAdded = !who.has(sender);
      if (isAdded) who.add(sender);
      else who.delete(sender);
      const change = { action: isAdded ? ("added" as const) : ("removed" as const), emoji, count: who.size };
      events.push(messageEvent(seq, { ...more, kind: "reaction", change }));
    }
  }
  return events;
}

/** The lines as a server folds them, from the beginning. */
function snapshot(events: readonly Event[]): Message[] {
  const messages = new Map<number, Message>();
  for (const event of events) {
    for (const [seq, message] of messages) messages.set(seq, fold(message, event, "ana"));
    if (hasLine(event)) messages.set(event.seq, begin(event));
  }
  return [...messages.values()].filter((message) => threadOf(message) === null);
}

function page(events: readonly Event[], size: number, before = Infinity): HistoryPage {
  const all = snapshot(events).filter((message) => message.seq < before);
  const last = events.at(-1);
  const head = { conversation: CONVERSATION, seq: last?.seq ?? 0, tag: last?.id.slice(0, 8) ?? null };
  return { conversation: CONVERSATION, messages: all.slice(-size), more: all.length > size, head, newer: before !== Infinity };
}

describe("replay", () => {
  it.each(Array.from({ length: 60 }, (_, seed) => seed))("old page and events are a fresh page (seed %i)", async (seed) => {
    const pick = random(seed + 1);
    const events = happen(300, pick);
    let now = 60 + pick(120);
    const lines = new Lines({
      thread: null,
      me: () => "ana",
      // The server answers with what it knows at that moment, which may be ahead of what has been told.
      fetch: ({ before }) => Promise.resolve(ok(page(events.slice(0, now), 5, before))),
    });
    const log = new Log(CONVERSATION, (_, after) =>
      Promise.resolve(ok({ conversation: CONVERSATION, status: "events", events: events.slice(after, now), head: null, more: false })),
    );
    log.on("events", (next) => lines.handleEvents(next));
    const first = page(events.slice(0, now), 5);
    log.stand(first.head);
    lines.handlePage(first);
    while (now < events.length) {
      // Asked before, answered after what happens next.
      const older = pick(3) === 0 ? lines.loadOlder() : null;
      now = Math.min(events.length, now + 1 + pick(6));
      // Over two doors: late, doubled, in any order, or not at all.
      const told = events.slice(Math.max(0, now - 5), now).filter(() => pick(4) > 0);
      log.handleEvents(told.sort(() => pick(3) - 1));
      await older;
      await settled();
    }
    const last = events.at(-1);
    if (last !== undefined) log.handleTip({ conversation: CONVERSATION, seq: last.seq, tag: last.id.slice(0, 8) });
    await settled();
    while (lines.snapshot.older) await lines.loadOlder();
    expect(lines.snapshot.messages).toEqual(snapshot(events));
    expect(log.position?.seq).toBe(events.length);
  });

  it("says why a page did not come, and asks again", async () => {
    let isAway = true;
    const events = happen(30, random(7));
    const lines = new Lines({
      thread: null,
      me: () => null,
      fetch: () => Promise.resolve(isAway ? failed({ kind: "offline" as const }) : ok(page(events, 50))),
    });
    await lines.loadNewest();
    expect(lines.snapshot).toMatchObject({ isEmpty: true, error: { kind: "offline" } });
    isAway = false;
    await lines.loadNewest();
    expect(lines.snapshot).toMatchObject({ isEmpty: false, error: null, loading: null });
  });
});
