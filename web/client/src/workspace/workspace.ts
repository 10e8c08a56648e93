/**
 * A person's conversations outside of rooms: the managers, and the wires between them. It holds no logic of its own.
 *
 * After each connect: who one is, the list of conversations, then `sync` from the positions held here, so that nothing
 * that happened meanwhile is missed and nothing is shown twice.
 */

import type { Change, Conversation, ConversationList as Page, Event, Me, RequestName } from "../catalogue.js";
import { Chat } from "../chat/chat.js";
import { Log } from "../chat/log.js";
import { Outbox } from "../chat/outbox.js";
import type { OutboxStore } from "../chat/store.js";
import { Connection, type ConnectionOptions, type ConnectionState, type SocketFactory } from "../connection.js";
import { Emitter } from "../emitter.js";
import type { AnswerOf, Notice, RequestOf } from "../protocol.js";
import type { ReconnectPolicy } from "../reconnect.js";
import type { Failure, Refused, Result } from "../result.js";
import type { Timers } from "../timers.js";
import { ConversationList } from "./list.js";
import { Marker } from "./marker.js";
import { People } from "./people.js";
import { Typing } from "./typing.js";

export interface WorkspaceOptions {
  /** `fresh` when the last one had expired. */
  readonly token: (fresh: boolean) => Promise<string>;
  /** See {@link ConnectionOptions}: for those whose token is in a cookie. */
  readonly prepare?: ConnectionOptions["prepare"];
  readonly socket: SocketFactory;
  readonly timers: Timers;
  readonly policy: ReconnectPolicy;
  readonly makeId: () => string;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly store: OutboxStore;
}

interface WorkspaceEvents {
  change: [];
  /** The server does not let this person in, and trying again would not change that. */
  refused: [error: Refused];
  /** Somebody has got or read something in this conversation. */
  receipt: [conversation: string];
  /** A change of one's own that the server does not want. */
  problem: [error: Failure];
}

export interface WorkspaceSnapshot {
  readonly connection: ConnectionState;
  readonly me: Me | null;
  /** Why the list did not come. */
  readonly error: Failure | null;
}

/** As many as one `sync` may name (catalogue: `Sync`). */
const POSITIONS_MAX = 500;
const PAGE = 100;

export class Workspace extends Emitter<WorkspaceEvents> {
  readonly connection: Connection;
  readonly outbox: Outbox;
  readonly list: ConversationList;
  readonly typing: Typing;
  readonly marker: Marker;
  readonly people: People;
  readonly #options: WorkspaceOptions;
  readonly #logs = new Map<string, Log>();
  readonly #chats = new Map<string, Chat>();
  readonly #asking = new Set<string>();
  #self: Log | null = null;
  /** The conversation on screen: of large ones only this is told in full. */
  #open: string | null = null;
  #snapshot: WorkspaceSnapshot = { connection: "idle", me: null, error: null };

  constructor(options: WorkspaceOptions) {
    super();
    this.#options = options;
    const { socket, token, prepare, policy, timers, makeId, wallClock, store } = options;
    this.connection = new Connection({ socket, token, policy, timers, ...(prepare === undefined ? {} : { prepare }) });
    const request = <Name extends RequestName>(name: Name, data: RequestOf<Name>): Promise<Result<AnswerOf<Name>>> =>
      this.connection.request(name, data);
    this.outbox = new Outbox({ request, makeId, wallClock, timers, store });
    this.list = new ConversationList(wallClock);
    this.typing = new Typing(timers, (conversation, typing) => void request("typing", { conversation, typing }));
    this.marker = new Marker(timers, async (mark) => {
      const marks = await request("mark-read", mark);
      if (marks.ok) this.list.handleMarks(marks.value);
      return marks.ok;
    });
    this.people = new People({
      timers,
      watch: (asked) => request("watch", asked),
      setStatus: (asked) => request("set-status", asked),
    });
    this.#wire();
  }

  get snapshot(): WorkspaceSnapshot {
    return this.#snapshot;
  }

  async open(): Promise<void> {
    await this.outbox.restore();
    this.connection.open();
  }

  close(): void {
    this.connection.close();
  }

  /** For what concerns no manager: searching, browsing, members. */
  request<Name extends RequestName>(name: Name, data: RequestOf<Name>): Promise<Result<AnswerOf<Name>>> {
    return this.connection.request(name, data);
  }

  makeId(): string {
    return this.#options.makeId();
  }

  /** A conversation as it is shown; the same object each time. */
  chat(id: string): Chat {
    const known = this.#chats.get(id);
    if (known !== undefined) return known;
    const { timers, wallClock } = this.#options;
    const history: ConstructorParameters<typeof Chat>[0]["history"] = (asked) => this.connection.request("history", asked);
    const chat = new Chat({ log: this.#log(id), outbox: this.outbox, history, wallClock, timers });
    if (this.#snapshot.me !== null) chat.handleMe(this.#snapshot.me.id);
    this.#chats.set(id, chat);
    return chat;
  }

  /** The conversation that is on screen from now on. */
  setOpen(id: string | null): void {
    if (id === this.#open) return;
    this.#open = id;
    const log = id === null ? undefined : this.#logs.get(id);
    if (log !== undefined && this.#snapshot.connection === "connected") void this.#sync([log]);
  }

  /** A conversation that was just made, entered or opened. */
  handleConversation(conversation: Conversation): void {
    if (conversation.role === null) return;
    const isNew = this.list.get(conversation.id) === null;
    this.list.handleConversation(conversation);
    if (!isNew) return;
    void this.#follow([conversation]);
    this.people.handleAcquainted();
  }

  /** Mute, archive or pin for oneself: shown at once. */
  async arrange(id: string, change: Pick<Change, "muted_until" | "archived" | "pinned">): Promise<Result<unknown>> {
    this.list.handleArranging(id, change);
    const done = await this.request("arrange", { conversation: id, client_id: this.makeId(), ...change });
    if (!done.ok) void this.#refresh(id);
    return done;
  }

  /** Take nothing from somebody any more, or again. */
  async block(user: string, blocked: boolean): Promise<Result<unknown>> {
    const done = await this.request("set-block", { user, blocked, client_id: this.makeId() });
    if (done.ok) this.#handleBlock(user, blocked);
    return done;
  }

  #wire(): void {
    this.connection.on("state", (state) => {
      this.#set({ connection: state });
      if (state === "connected") void this.#handleConnected();
      else this.people.handleDisconnected();
    });
    this.connection.on("refused", (error) => this.emit("refused", error));
    this.connection.on("notice", (notice) => this.#handleNotice(notice));
    this.outbox.on("refused", (entry, error) => {
      // A message that was not taken stays where it was written; other changes are undone and told.
      if (entry.name === "send-message") return;
      this.outbox.discard(entry.data.client_id);
      this.emit("problem", error);
    });
    this.list.on("stale", (id) => void this.#refresh(id));
    this.list.on("removed", (id) => {
      this.#logs.delete(id);
      this.#chats.delete(id);
    });
  }

  async #handleConnected(): Promise<void> {
    const me = await this.request("me", {});
    if (!me.ok) { this.#set({ error: me.error }); return; }
    this.#set({ me: me.value, error: null });
    this.list.handleMe(me.value.id);
    this.list.handleBlocked(me.value.blocked);
    this.people.handleConnected(me.value.id);
    for (const chat of this.#chats.values()) chat.handleMe(me.value.id);
    if (me.value.self !== null && this.#self === null) this.#followSelf(me.value.self);
    if (await this.#loadList()) await this.#sync([...this.#logs.values()]);
    this.outbox.handleDoorOpen();
    for (const chat of this.#chats.values()) if (chat.snapshot.error !== null) void chat.lines.loadNewest();
  }

  async #loadList(): Promise<boolean> {
    for (let cursor: string | null = null; this.#logs.size < POSITIONS_MAX; ) {
      const page: Result<Page> = await this.request("conversations", { cursor, limit: PAGE });
      if (!page.ok) {
        this.#set({ error: page.error });
        return false;
      }
      const { conversations } = page.value;
      for (const one of conversations) {
        // Where this client has been before, it goes on from its own position.
        const log = this.#log(one.id);
        if (one.head !== null && log.position?.seq === 0) log.stand(one.head);
      }
      this.list.handlePage(conversations);
      cursor = page.value.next;
      if (cursor === null) break;
    }
    return true;
  }

  /** What happened after our positions, and from now on. */
  async #sync(logs: readonly Log[]): Promise<void> {
    const followed = [...(this.#self === null ? [] : [this.#self]), ...logs];
    const positions = followed.flatMap(({ position }) => (position === null ? [] : [position])).slice(0, POSITIONS_MAX);
    const answer = await this.request("sync", { positions, open: this.#open === null ? [] : [this.#open] });
    if (!answer.ok) return;
    for (const synced of answer.value.conversations) {
      if (synced.conversation === this.#self?.conversation) this.#self.handleSynced(synced);
      else this.#logs.get(synced.conversation)?.handleSynced(synced);
    }
  }

  async #follow(conversations: readonly Conversation[]): Promise<void> {
    const logs = conversations.map((one) => {
      const log = this.#log(one.id);
      if (one.head !== null && log.position?.seq === 0) log.stand(one.head);
      return log;
    });
    await this.#sync(logs);
  }

  #log(id: string): Log {
    const known = this.#logs.get(id);
    if (known !== undefined) return known;
    const log = new Log(id, (conversation, after) => this.request("fill", { conversation, after }));
    this.#logs.set(id, log);
    log.on("events", (events) => this.#handleEvents(id, events));
    log.on("reset", () => void this.#restart(id, log));
    log.on("gone", () => this.list.handleRemoved(id));
    log.on("stuck", () => this.connection.reopen());
    return log;
  }

  #handleEvents(id: string, events: readonly Event[]): void {
    this.list.handleEvents(id, events);
    const mine = this.#snapshot.me?.id;
    for (const { kind, sender } of events) {
      if (kind === "message" && sender !== null) this.typing.handleMessage(id, sender);
    }
    const last = events.at(-1);
    if (last !== undefined && events.some(({ kind, sender }) => kind === "message" && sender !== mine)) {
      this.marker.arrived(id, last.seq);
    }
  }

  #followSelf(position: NonNullable<Me["self"]>): void {
    const log = new Log(position.conversation, (conversation, after) => this.request("fill", { conversation, after }));
    log.stand(position);
    log.on("events", (events) => this.#handleSelf(events));
    log.on("reset", () => {
      this.#self = null;
      this.connection.reopen();
    });
    log.on("stuck", () => this.connection.reopen());
    this.#self = log;
  }

  #handleSelf(events: readonly Event[]): void {
    for (const { change } of events) {
      if (change === null) continue;
      if (change.action === "hidden" && change.conversation != null && change.seq != null) {
        const { conversation, seq } = change;
        this.#chats.get(conversation)?.handleHidden(seq);
        void this.#refresh(conversation);
      }
      const { me } = this.#snapshot;
      if ((change.action === "blocked" || change.action === "unblocked") && change.user != null) {
        this.#handleBlock(change.user, change.action === "blocked");
      }
      if (change.action === "preferences" && me !== null) {
        this.#set({ me: { ...me, preferences: { ...me.preferences, ...change.preferences } } });
      }
      this.list.handleSelf(change);
    }
  }

  /** What one's devices say to each other, and what was done here; the same thing twice changes nothing. */
  #handleBlock(user: string, isBlocked: boolean): void {
    const { me } = this.#snapshot;
    if (me === null || me.blocked.includes(user) === isBlocked) return;
    const blocked = isBlocked ? [...me.blocked, user] : me.blocked.filter((one) => one !== user);
    this.#set({ me: { ...me, blocked } });
    this.list.handleBlocked(blocked);
  }

  #handleNotice(notice: Notice): void {
    switch (notice.name) {
      case "message": {
        const { conversation, events } = notice.data;
        if (conversation === this.#self?.conversation) return this.#self.handleEvents(events);
        if (this.#logs.has(conversation)) return this.#logs.get(conversation)?.handleEvents(events);
        return void this.#refresh(conversation);
      }
      case "tips":
      case "lagged":
        for (const head of notice.data.heads) {
          if (head.conversation === this.#self?.conversation) this.#self.handleTip(head);
          else this.#logs.get(head.conversation)?.handleTip(head);
        }
        return;
      case "somebody-typing":
        if (!this.#isSilenced(notice.data.user)) this.typing.handleTyping(notice.data);
        return;
      case "presence":
        return this.people.handlePresence(notice.data);
      case "gone":
        return this.list.handleRemoved(notice.data.conversation);
      case "receipt":
        return this.emit("receipt", notice.data.conversation);
    }
  }

  /** Nobody needs to be told of oneself, or of those whom one has blocked. */
  #isSilenced(user: string): boolean {
    const { me } = this.#snapshot;
    return user === me?.id || (me?.blocked.includes(user) ?? false);
  }

  /** Ask what a conversation is now; one question at a time for each. */
  async #refresh(id: string): Promise<void> {
    if (this.#asking.has(id) || this.#snapshot.connection !== "connected") return;
    this.#asking.add(id);
    const found = await this.request("conversation", { conversation: id });
    this.#asking.delete(id);
    if (found.ok) this.handleConversation(found.value);
    else if (found.error.kind === "refused" && found.error.code === "conversation-not-found") this.list.handleRemoved(id);
  }

  /** The log is not the one that this client knew: an open chat reads its page anew and goes on from there. */
  async #restart(id: string, log: Log): Promise<void> {
    const found = await this.request("conversation", { conversation: id });
    if (!found.ok) return;
    this.list.handleConversation(found.value);
    if (!this.#chats.has(id) && found.value.head !== null) log.stand(found.value.head);
  }

  #set(more: Partial<WorkspaceSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...more };
    this.emit("change");
  }
}
