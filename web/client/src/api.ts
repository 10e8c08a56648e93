/** The HTTP door: rooms, guest tokens and TURN credentials. */

import type { IceServer, LoggedIn, RoomInfo, RoomToken } from "./catalogue.js";
import { askHttp } from "./http.js";
import { ok, type Result } from "./result.js";

export class Api {
  readonly #url: string;
  readonly #fetch: typeof fetch;

  /** @param url the server's origin; empty for the page's own */
  constructor(url = "", fetcher: typeof fetch = (...request) => fetch(...request)) {
    this.#url = url;
    this.#fetch = fetcher;
  }

  createRoom(name: string): Promise<Result<RoomInfo>> {
    return this.#ask("POST", "/rooms", { name });
  }

  room(id: string): Promise<Result<RoomInfo>> {
    return this.#ask("GET", `/rooms/${encodeURIComponent(id)}`);
  }

  guestToken(room: string, name: string): Promise<Result<RoomToken>> {
    return this.#ask("POST", `/rooms/${encodeURIComponent(room)}/tokens`, { name });
  }

  /** On a development server, whoever says a name is that person. */
  logIn(name: string): Promise<Result<LoggedIn>> {
    return this.#ask("POST", "/auth/dev", { name });
  }

  async iceServers(token: string): Promise<Result<IceServer[]>> {
    const answer = await this.#ask<{ ice_servers?: IceServer[] }>("GET", "/turn/credentials", undefined, token);
    return answer.ok ? ok(answer.value.ice_servers ?? []) : answer;
  }

  #ask<Answer>(method: string, path: string, body?: object, token?: string): Promise<Result<Answer>> {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return askHttp(this.#fetch, method, this.#url + path, body, headers);
  }
}
