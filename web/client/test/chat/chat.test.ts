import { beforeEach, describe, expect, it } from "vitest";

import type { Event, HistoryPage, Synced } from "../../src/catalogue.js";
import { Chat } from "../../src/chat/chat.js";
import { Log } from "../../src/chat/log.js";
import { Outbox } from "../../src/chat/outbox.js";
import type { AnswerOf, RequestOf } from "../../src/protocol.js";
import type { RequestName } from "../../src/catalogue.js";
import { failed, ok, type Failure, type Result } from "../../src/result.js";
import { CONVERSATION, messageEvent, settled, uuid, VirtualTime, unchanged } from "../fakes.js";

const OFFLINE: Failure = { kind: "offline" };

/** The conversation as a server keeps it, behind a door that can be shut. */
class ServerLog {
  readonly events: Event[] = [];
  readonly asked: string[] = [];
  failure: Failure | null = null;
  fillAnswer: (() => Synced) | null = null;

  append(more: Partial<Event> = {}): Event {
    const event = messageEvent(this.events.length + 1, more);
    this.events.push(event);
    return event;
  }

  synced(after: number, more = false): Synced {
    const events = this.events.filter((event) => event.seq > after);
    return { conversation: CONVERSATION, status: "events", events, head: this.head, more };
  }

  page(before: number | null): HistoryPage {
    const older = this.events.filter((event) => before === null || event.seq < before);
    const messages = older.slice(-3).map(unchanged);
    const more = older.length > messages.length;
    return { conversation: CONVERSATION, messages, more, head: this.head, newer: false };
  }

  get head(): { conversation: string; seq: number; tag: string } {
    const last = this.events.at(-1);
    return { conversation: CONVERSATION, seq: last?.seq ?? 0, tag: last?.id.slice(0, 8) ?? "00000000" };
  }

  readonly request = <Name extends RequestName>(name: Name, data: RequestOf<Name>): Promise<Result<AnswerOf<Name>>> => {
    this.asked.push(name);
    if (this.failure !== null) return Promise.resolve(failed(this.failure));
    return Promise.resolve(ok(this.#answer(name, data as never) as AnswerOf<Name>));
  };

  #answer(name: string, data: { client_id: string; body: { text: string }; after: number; before?: number }): unknown {
    if (name === "fill") return this.fillAnswer?.() ?? this.synced(data.after);
    if (name === "history") return this.page(data.before ?? null);
    const known = this.events.find((event) => event.client_id === data.client_id);
    return { event: known ?? this.append({ sender: "ana", client_id: data.client_id, body: data.body }) };
  }
}

describe("Chat", () => {
  let log: ServerLog;
  let time: VirtualTime;
  let chat: Chat;
  let outbox: Outbox;
  let ids: number;

  const texts = (): (string | undefined)[] => chat.snapshot.messages.map((event) => event.body?.text);
  const seqs = (): number[] => chat.snapshot.messages.map((event) => event.seq);
  const live = (...events: Event[]): void => chat.handleMessages({ conversation: CONVERSATION, events });

  beforeEach(() => {
    log = new ServerLog();
    time = new VirtualTime();
    ids = 1000;
    outbox = new Outbox({ request: log.request, makeId: () => uuid(ids++), wallClock: () => time.now(), timers: time });
    chat = new Chat({
      log: new Log(null, (conversation, after) => log.request("fill", { conversation, after })),
      outbox,
      history: (asked) => log.request("history", asked),
      wallClock: () => time.now(),
      timers: time,
    });
    chat.handleMe("ana");
    for (let count = 0; count < 5; count += 1) log.append();
    chat.handleJoined(CONVERSATION, null, log.page(null));
  });

  it("starts with the newest page and stands at its head", () => {
    expect(seqs()).toEqual([3, 4, 5]);
    expect(chat.snapshot.older).toBe(true);
    expect(chat.position).toEqual({ conversation: CONVERSATION, seq: 5, tag: "00000005" });
  });

  it("loads older pages once, up to the beginning", async () => {
    await Promise.all([chat.lines.loadOlder(), chat.lines.loadOlder()]);
    expect(seqs()).toEqual([1, 2, 3, 4, 5]);
    expect(chat.snapshot.older).toBe(false);
    await chat.lines.loadOlder();
    expect(log.asked).toEqual(["history"]);
  });

  it("applies the next event and drops what came over the other door already", () => {
    const event = log.append();
    live(event);
    live(event);
    expect(seqs()).toEqual([3, 4, 5, 6]);
  });

  it("counts stubs without showing them", () => {
    live(log.append({ kind: "x", body: null }), log.append());
    expect(seqs()).toEqual([3, 4, 5, 7]);
    expect(chat.position?.seq).toBe(7);
  });

  it("fills a gap with one request at a time, however many frames show it", async () => {
    log.append();
    live(log.append());
    live(log.append());
    await settled();
    expect(seqs()).toEqual([3, 4, 5, 6, 7, 8]);
    // The first answer was made before the last message was written.
    expect(log.asked).toEqual(["fill", "fill"]);
  });

  it("notices silent loss from the heart beat", async () => {
    log.append();
    chat.log.handleTip(log.head);
    await settled();
    expect(seqs()).toEqual([3, 4, 5, 6]);
  });

  it("asks on while an answer says that there is more", async () => {
    log.append();
    log.append();
    let answers = 0;
    log.fillAnswer = () => {
      answers += 1;
      const position = chat.position?.seq ?? 0;
      const next = log.synced(position);
      return { ...next, events: next.events.slice(0, 1), more: next.events.length > 1 };
    };
    chat.log.handleTip(log.head);
    await settled();
    expect(seqs()).toEqual([3, 4, 5, 6, 7]);
    expect(answers).toBe(2);
  });

  it("says that it is stuck after three fills that bring nothing", async () => {
    let stuck = 0;
    chat.log.on("stuck", () => (stuck += 1));
    log.fillAnswer = () => log.synced(Infinity);
    live(messageEvent(9));
    await settled();
    expect(log.asked).toEqual(["fill", "fill", "fill"]);
    expect(stuck).toBe(1);
  });

  it("drops its pages and reads history when told to reset", async () => {
    log.events.splice(2);
    chat.handleJoined(CONVERSATION, { conversation: CONVERSATION, status: "reset", events: [], head: log.head, more: false }, null);
    await settled();
    expect(seqs()).toEqual([1, 2]);
    expect(chat.position?.seq).toBe(2);
  });

  it("shows one's own message at once and replaces it by the logged one", async () => {
    chat.send({ text: "hello" });
    expect(chat.snapshot.echoes).toMatchObject([{ body: { text: "hello" }, status: "sending" }]);
    await settled();
    expect(chat.snapshot.echoes).toEqual([]);
    expect(texts().at(-1)).toBe("hello");
  });

  it("never doubles a message whose event arrives before its acknowledgement", async () => {
    chat.send({ text: "hello" });
    live(...log.events.slice(-1));
    expect(chat.snapshot.echoes).toEqual([]);
    await settled();
    expect(texts().filter((text) => text === "hello")).toHaveLength(1);
  });

  it("keeps what was written without a connection and sends it when a door opens", async () => {
    log.failure = OFFLINE;
    chat.send({ text: "one" });
    await settled();
    chat.send({ text: "two" });
    await settled();
    expect(chat.snapshot.echoes.map((echo) => echo.status)).toEqual(["waiting", "waiting"]);
    log.failure = null;
    outbox.handleDoorOpen();
    await settled();
    expect(texts().slice(-2)).toEqual(["one", "two"]);
    expect(chat.snapshot.echoes).toEqual([]);
  });

  it("keeps the order of writing when an earlier message was held up", async () => {
    log.failure = OFFLINE;
    chat.send({ text: "one" });
    await settled();
    log.failure = null;
    chat.send({ text: "two" });
    await settled();
    await settled();
    expect(texts().slice(-2)).toEqual(["one", "two"]);
  });

  it("sends again by itself when the outcome is unknown, without doubling", async () => {
    const real = log.append({ sender: "ana", client_id: uuid(1000), body: { text: "hello" } });
    log.failure = { kind: "timed-out", what: "send-message" };
    chat.send({ text: "hello" });
    await settled();
    expect(chat.snapshot.echoes).toMatchObject([{ status: "waiting" }]);
    log.failure = null;
    await time.pass(3_000);
    expect(seqs().filter((seq) => seq === real.seq)).toHaveLength(1);
    expect(chat.snapshot.echoes).toEqual([]);
  });

  it("shows a refused message as failed, with its reason, until retried or discarded", async () => {
    const refused: Failure = { kind: "refused", code: "text-too-long", message: "Too long.", field: "text" };
    log.failure = refused;
    chat.send({ text: "long" });
    await settled();
    chat.send({ text: "longer" });
    await settled();
    expect(chat.snapshot.echoes).toMatchObject([
      { status: "failed", error: refused },
      { status: "failed", error: refused },
    ]);
    log.failure = null;
    chat.retry(uuid(1000));
    await settled();
    chat.discard(uuid(1001));
    expect(texts().at(-1)).toBe("long");
    expect(chat.snapshot.echoes).toEqual([]);
  });

  it("tells of messages that arrive, but not of history", () => {
    const arrived: number[] = [];
    chat.on("arrived", (messages) => arrived.push(...messages.map((event) => event.seq)));
    chat.handleJoined(CONVERSATION, { ...log.synced(5) }, null);
    live(log.append());
    expect(arrived).toEqual([6]);
  });

  it("resumes from its position after an outage of any length", () => {
    for (let count = 0; count < 10; count += 1) log.append();
    chat.handleJoined(CONVERSATION, log.synced(chat.position?.seq ?? 0), null);
    expect(seqs()).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
  });
});
