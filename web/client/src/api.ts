/** The HTTP door: rooms, guest tokens and TURN credentials. */

import type { IceServer, LoggedIn, RoomInfo, RoomToken } from "./catalogue.js";
import { failed, isRecord, ok, refusedFrom, type Result } from "./result.js";

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

  async #ask<Answer>(method: string, path: string, body?: object, token?: string): Promise<Result<Answer>> {
    const headers: Record<string, string> = { accept: "application/json" };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (token !== undefined) headers["authorization"] = `Bearer ${token}`;
    try {
      const init: RequestInit = { method, headers };
      if (body !== undefined) init.body = JSON.stringify(body);
      const response = await this.#fetch(this.#url + path, init);
      const answer: unknown = await response.json();
      if (response.ok) return ok(answer as Answer);
      return failed(refusedFrom(isRecord(answer) ? answer["error"] : null));
    } catch {
      // No network, or an answer that is not JSON: a proxy speaks for a server that is away.
      return failed({ kind: "offline" });
    }
  }
}
