/**
 * One negotiated data channel that carries envelopes: requests with answers, and notices.
 *
 * A request is `{t, i, d}`, its answer `{t: "ok" | "error", i, d}`, a notice `{t, d}`.
 */

import { FRAME_BYTES_MAX, type RequestName } from "./catalogue.js";
import { Emitter } from "./emitter.js";
import { isNotice, type AnswerOf, type Notice, type RequestOf } from "./protocol.js";
import { failed, isRecord, ok, refusedFrom, type Failure, type Result } from "./result.js";
import type { Timers } from "./timers.js";

/** The part of an `RTCDataChannel` that is used here. */
export interface ChannelLike {
  readonly readyState: RTCDataChannelState;
  readonly bufferedAmount: number;
  send(data: string): void;
  addEventListener(type: "open" | "close", listener: () => void): void;
  addEventListener(type: "message", listener: (event: { data: unknown }) => void): void;
}

interface ChannelEvents {
  open: [open: boolean];
  notice: [notice: Notice];
}

const BUFFERED_BYTES_MAX = 262_144;

export class Channel extends Emitter<ChannelEvents> {
  readonly #channel: ChannelLike;
  readonly #timers: Timers;
  readonly #waiting = new Map<number, (result: Result<unknown>) => void>();
  #next = 1;

  constructor(channel: ChannelLike, timers: Timers) {
    super();
    this.#channel = channel;
    this.#timers = timers;
    channel.addEventListener("open", () => this.emit("open", true));
    channel.addEventListener("close", () => this.#handleClose());
    channel.addEventListener("message", (event) => this.#handleMessage(event.data));
  }

  get open(): boolean {
    return this.#channel.readyState === "open";
  }

  /** Whether a frame of this size can go now. */
  takes(frame: string): boolean {
    return (
      this.open &&
      this.#channel.bufferedAmount < BUFFERED_BYTES_MAX &&
      new TextEncoder().encode(frame).length <= FRAME_BYTES_MAX
    );
  }

  /** `offline` if the channel is not open, is full, or the request is too large for it. */
  async request<Name extends RequestName>(
    name: Name,
    data: RequestOf<Name>,
    timeoutMs: number,
  ): Promise<Result<AnswerOf<Name>>> {
    const id = this.#next++;
    const frame = JSON.stringify({ t: name, i: id, d: data });
    if (!this.takes(frame)) return failed({ kind: "offline" });
    return new Promise((resolve) => {
      const cancel = this.#timers.after(timeoutMs, () => settle(failed({ kind: "timed-out", what: name })));
      const settle = (result: Result<unknown>): void => {
        cancel();
        this.#waiting.delete(id);
        resolve(result as Result<AnswerOf<Name>>);
      };
      this.#waiting.set(id, settle);
      try {
        this.#channel.send(frame);
      } catch {
        // The channel closed between the look and the send; the caller takes another door.
        settle(failed({ kind: "offline" }));
      }
    });
  }

  #handleMessage(data: unknown): void {
    const envelope = parse(data);
    if (envelope === null) return;
    const { t: type, i: id, d: payload } = envelope;
    if (typeof id === "number" && (type === "ok" || type === "error")) {
      this.#waiting.get(id)?.(type === "ok" ? ok(payload) : failed<Failure>(refusedFrom(payload)));
    } else if (typeof type === "string" && isNotice(type)) {
      this.emit("notice", { name: type, data: payload } as Notice);
    }
  }

  #handleClose(): void {
    for (const settle of [...this.#waiting.values()]) settle(failed({ kind: "offline" }));
    this.emit("open", false);
  }
}

/** Null for what is no envelope: a newer server may send frames that this client does not know. */
function parse(data: unknown): Record<string, unknown> | null {
  if (typeof data !== "string") return null;
  try {
    const value: unknown = JSON.parse(data);
    return isRecord(value) ? value : null;
  } catch {
    return null;
  }
}
