/**
 * Chooses the door of each request: the data channel that takes it while that is open, the socket otherwise.
 *
 * A request without an answer on the channel goes once more over the socket. That is safe because everything a
 * channel takes is idempotent, and sends carry a client-made id. Notices of all doors come out as one stream; who
 * handles them drops what it has already (`seq` in chat, `rev` in slots).
 */

import type { ChannelName, RequestName } from "./catalogue.js";
import { Channel, type ChannelLike } from "./channels.js";
import type { Connection } from "./connection.js";
import { Emitter } from "./emitter.js";
import { channelOf, type AnswerOf, type Notice, type RequestOf } from "./protocol.js";
import type { Result } from "./result.js";
import type { Timers } from "./timers.js";

interface DoorsEvents {
  notice: [notice: Notice];
  open: [channel: ChannelName, open: boolean];
}

/** Shorter than a person's patience, longer than SCTP's second retransmission. */
const CHANNEL_TIMEOUT_MS = 4_000;

export class Doors extends Emitter<DoorsEvents> {
  /** Requests answered by each door. */
  readonly counts = { control: 0, chat: 0, socket: 0 };
  readonly #connection: Pick<Connection, "request" | "on">;
  readonly #timers: Timers;
  #channels: Partial<Record<ChannelName, Channel>> = {};

  constructor(connection: Pick<Connection, "request" | "on">, timers: Timers) {
    super();
    this.#connection = connection;
    this.#timers = timers;
    connection.on("notice", (notice) => this.emit("notice", notice));
  }

  /** Use the channels of a new media session instead of the last one's. */
  attach(channels: Readonly<Record<ChannelName, ChannelLike>>): void {
    this.#channels = {};
    for (const name of ["control", "chat"] as const) {
      const channel = new Channel(channels[name], this.#timers);
      this.#channels[name] = channel;
      const current = (): boolean => this.#channels[name] === channel;
      channel.on("notice", (notice) => {
        if (current()) this.emit("notice", notice);
      });
      channel.on("open", (open) => {
        if (current()) this.emit("open", name, open);
      });
    }
  }

  isOpen(channel: ChannelName): boolean {
    return this.#channels[channel]?.open ?? false;
  }

  async request<Name extends RequestName>(name: Name, data: RequestOf<Name>): Promise<Result<AnswerOf<Name>>> {
    const channelName = channelOf(name);
    const channel = channelName === null ? undefined : this.#channels[channelName];
    if (channelName !== null && channel !== undefined) {
      const result = await channel.request(name, data, CHANNEL_TIMEOUT_MS);
      if (result.ok || result.error.kind === "refused") {
        this.counts[channelName] += 1;
        return result;
      }
    }
    const result = await this.#connection.request(name, data);
    if (result.ok || result.error.kind === "refused") this.counts.socket += 1;
    return result;
  }
}
