/**
 * The socket: opened, kept open, and asked things.
 *
 *     idle ── open() ──▶ connecting ──▶ connected ──▶ reconnecting ─┐
 *                            │              ▲              │        │ policy
 *                            └── refused ───┼── refused ───┤ ◀──────┘
 *                                           └──────────────┘
 *     any ── close() or a refusal that trying again cannot mend ──▶ closed
 *
 * Socket.IO's own reconnecting is off: the policy decides, and a browser that comes back online tries at once.
 */

import type { RequestName } from "./catalogue.js";
import { Emitter } from "./emitter.js";
import { isNotice, type AnswerOf, type Notice, type RequestOf } from "./protocol.js";
import type { ReconnectPolicy } from "./reconnect.js";
import { failed, isRecord, ok, refusedFrom, type Refused, type Result } from "./result.js";
import type { Timers } from "./timers.js";

export type ConnectionState = "idle" | "connecting" | "connected" | "reconnecting" | "closed";

/** The part of a Socket.IO client socket that is used here. */
export interface SocketLike {
  readonly connected: boolean;
  connect(): unknown;
  disconnect(): unknown;
  on(event: string, listener: (...args: never[]) => void): unknown;
  onAny(listener: (event: string, ...args: unknown[]) => void): unknown;
  timeout(ms: number): { emit(event: string, ...args: unknown[]): unknown };
}

/** Makes an unconnected socket. `token` is asked for before each attempt. */
export type SocketFactory = (token: () => Promise<string>) => SocketLike;

interface ConnectionEvents {
  state: [state: ConnectionState, previous: ConnectionState];
  notice: [notice: Notice];
  /** The server does not want this client, and trying again would not change that. */
  refused: [error: Refused];
}

const REQUEST_TIMEOUT_MS = 10_000;
/** Refusals at the door that mend themselves. */
const PASSING_REFUSALS = new Set(["database-unavailable", "internal", "rate-limited"]);
/** Refusals that another token mends; `session-ended` also says that an account has changed since its token was made. */
const STALE = new Set(["token-expired", "token-missing", "session-ended"]);

export interface ConnectionOptions {
  readonly socket: SocketFactory;
  /** `fresh` asks for a new token because the last one had expired. */
  readonly token: (fresh: boolean) => Promise<string>;
  /**
   * Done before each attempt, for those who are known by a cookie, which the socket's first request takes along. When the
   * server refuses this, it does not want this client.
   */
  readonly prepare?: (fresh: boolean) => Promise<Result<unknown>>;
  readonly policy: ReconnectPolicy;
  readonly timers: Timers;
}

export class Connection extends Emitter<ConnectionEvents> {
  readonly #options: ConnectionOptions;
  readonly #socket: SocketLike;
  #state: ConnectionState = "idle";
  #attempt = 0;
  #stale = false;
  /** What a server that stops asked for: the time after which to come back, so that not everybody does at once. */
  #comeBackMs: number | null = null;
  #cancelRetry: (() => void) | null = null;

  constructor(options: ConnectionOptions) {
    super();
    this.#options = options;
    this.#socket = options.socket(() => {
      const fresh = this.#stale;
      this.#stale = false;
      return options.token(fresh);
    });
    this.#socket.on("connect", () => this.#handleConnect());
    this.#socket.on("disconnect", () => this.#handleLoss());
    this.#socket.on("connect_error", (error: unknown) => this.#handleConnectError(error));
    this.#socket.onAny((event, data) => this.#handleEvent(event, data));
  }

  get state(): ConnectionState {
    return this.#state;
  }

  open(): void {
    if (this.#state !== "idle" && this.#state !== "closed") return;
    this.#attempt = 0;
    this.#setState("connecting");
    this.#connect();
  }

  close(): void {
    this.#cancelRetry?.();
    this.#setState("closed");
    this.#socket.disconnect();
  }

  /** Drop the socket and open another: for a server that has stopped making sense. */
  reopen(): void {
    if (this.#state !== "connected") return;
    this.#socket.disconnect();
  }

  /** The browser says that there is a network again: do not wait for the policy. */
  handleOnline(): void {
    if (this.#state !== "reconnecting" || this.#cancelRetry === null) return;
    this.#attempt = 0;
    this.#tryNow();
  }

  async request<Name extends RequestName>(
    name: Name,
    data: RequestOf<Name>,
    timeoutMs: number = REQUEST_TIMEOUT_MS,
  ): Promise<Result<AnswerOf<Name>>> {
    // Socket.IO would keep what is sent while it is down and deliver it late: answer at once instead.
    if (this.#state !== "connected" || !this.#socket.connected) return failed({ kind: "offline" });
    return new Promise((resolve) => {
      this.#socket.timeout(timeoutMs).emit(name, data, (error: Error | null, answer: unknown) => {
        if (error !== null) {
          resolve(failed(this.#socket.connected ? { kind: "timed-out", what: name } : { kind: "offline" }));
        } else if (isRecord(answer) && "error" in answer) {
          resolve(failed(refusedFrom(answer["error"])));
        } else {
          resolve(ok(answer as AnswerOf<Name>));
        }
      });
    });
  }

  #handleConnect(): void {
    this.#attempt = 0;
    this.#cancelRetry = null;
    this.#setState("connected");
  }

  #handleLoss(): void {
    if (this.#state === "closed") return;
    this.#retryLater();
  }

  #handleConnectError(error: unknown): void {
    if (this.#state === "closed") return;
    // Only a refusal by the server itself carries data; a failed transport does not.
    const data = isRecord(error) ? error["data"] : undefined;
    if (!isRecord(data) || typeof data["code"] !== "string") return this.#retryLater();
    const refused = refusedFrom(data);
    if (STALE.has(refused.code) && this.#attempt < 3) this.#stale = true;
    else if (!PASSING_REFUSALS.has(refused.code)) return this.#refuse(refused);
    this.#retryLater();
  }

  #retryLater(): void {
    this.#setState("reconnecting");
    const asked = this.#comeBackMs;
    this.#comeBackMs = null;
    const delay = asked ?? this.#options.policy.nextDelay(this.#attempt);
    this.#attempt += 1;
    if (delay === null) {
      return this.#refuse({ kind: "refused", code: "unreachable", message: "The server cannot be reached.", field: null });
    }
    this.#cancelRetry?.();
    this.#cancelRetry = this.#options.timers.after(delay, () => this.#tryNow());
  }

  #tryNow(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#connect();
  }

  #connect(): void {
    const { prepare } = this.#options;
    if (prepare === undefined) return void this.#socket.connect();
    const fresh = this.#stale;
    this.#stale = false;
    void prepare(fresh).then((ready) => {
      if (this.#state === "closed") return;
      if (ready.ok) this.#socket.connect();
      else if (ready.error.kind === "refused" && !PASSING_REFUSALS.has(ready.error.code)) this.#refuse(ready.error);
      else this.#retryLater();
    });
  }

  #refuse(error: Refused): void {
    this.#setState("closed");
    this.emit("refused", error);
  }

  #handleEvent(event: string, data: unknown): void {
    if (event === "goaway" && isRecord(data) && typeof data["after_ms"] === "number") {
      this.#comeBackMs = Math.max(0, data["after_ms"]);
      return;
    }
    // The token is void; whether the log-in is, too, turns out when another one is asked for.
    if (event === "session-ended" && isRecord(data) && data["code"] === "logged-out") this.#stale = true;
    if (isNotice(event)) this.emit("notice", { name: event, data } as Notice);
  }

  #setState(state: ConnectionState): void {
    const previous = this.#state;
    if (previous === state) return;
    this.#state = state;
    this.emit("state", state, previous);
  }
}
