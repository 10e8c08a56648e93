/**
 * A browser's log-in: its tokens are cookies that no script can read, so what is held here is only that there is a
 * session, whose it is, and when its access token ends.
 *
 *     none ── enter() ──▶ known ── about to end, or refused as ended ──▶ refreshing ──▶ known
 *                          ▲ │                                               └── refused ──▶ none
 *                          └─┴── another window entered, refreshed or left (storage)
 *
 * Each refresh token is good once, so the windows of a browser take turns under one lock, and whoever comes second finds
 * that it was done. What is kept is shared by all windows and holds nothing secret but the token against foreign pages.
 */

import type { SessionTokens } from "../catalogue.js";
import { Emitter } from "../emitter.js";
import { askHttp } from "../http.js";
import { failed, isRecord, ok, type Failure, type Result } from "../result.js";

/** The session as all windows know it. `endsAt` is the access token's end by this machine's clock, in milliseconds. */
export interface KnownSession {
  readonly session: string;
  readonly account: string;
  readonly name: string;
  readonly csrf: string;
  readonly endsAt: number;
}

export interface SessionEnvironment {
  readonly fetch: typeof fetch;
  readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  /** Runs one at a time over all windows of this browser. */
  readonly exclusive: <Value>(run: () => Promise<Value>) => Promise<Value>;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
}

interface SessionEvents {
  /** Somebody logged in or out, in this window or another. */
  change: [];
}

export const SESSION_KEY = "tertulia.session";
/** A token that ends sooner is not worth a request. */
const MARGIN_MS = 60_000;
const CSRF_HEADER = "X-CSRF-Token";
/** What the server says of a token that a refresh can mend: its cookie has lapsed, or the account changed since. */
const MENDED_BY_REFRESH = new Set(["token-expired", "token-missing", "token-invalid", "session-ended", "csrf-invalid"]);

export class BrowserSession extends Emitter<SessionEvents> {
  readonly #environment: SessionEnvironment;
  #text: string | null;
  #known: KnownSession | null;

  constructor(environment: SessionEnvironment) {
    super();
    this.#environment = environment;
    this.#text = environment.storage.getItem(SESSION_KEY);
    this.#known = parse(this.#text);
  }

  get known(): KnownSession | null {
    return this.#known;
  }

  /** Another window has changed what is kept (the `storage` event). */
  handleStorage(): void {
    this.#read();
  }

  /** Ask for a session, and keep it if it is given; whatever else was answered is handed on. */
  async enter<Answer>(path: string, body: object, tokensIn: (answer: Answer) => SessionTokens | null): Promise<Result<Answer>> {
    let serverNow: number | null = null;
    const answer = await askHttp<Answer>(
      async (input, init) => {
        // It goes on when the window is closed meanwhile: cookies that replace those used up must not be lost.
        const response = await this.#environment.fetch(input, { ...init, keepalive: true });
        serverNow = serverTime(response);
        return response;
      },
      "POST",
      path,
      body,
    );
    const tokens = answer.ok ? tokensIn(answer.value) : null;
    if (tokens !== null) this.#adopt(tokens, serverNow);
    return answer;
  }

  /** The session is over. */
  forget(): void {
    this.#write(null);
  }

  /**
   * See to it that the cookies are good for a while. `anew` asks for new ones although the clock says that they are.
   *
   * A refusal means that the session is over, and it is forgotten; a server that is away changes nothing.
   */
  async fresh(anew = false): Promise<Result<KnownSession | null>> {
    const before = this.#known;
    if (before === null) return ok(null);
    if (!anew && this.#isGood(before)) return ok(before);
    return this.#environment.exclusive(async () => {
      this.#read();
      const known = this.#known;
      // Another window was here first.
      if (known === null || (known.endsAt !== before.endsAt && this.#isGood(known))) return ok(known);
      return this.#refresh();
    });
  }

  /**
   * Find a session whose cookies are here although nothing is kept of it (storage was cleared). Asks the server, so it is for
   * pages that need a log-in.
   */
  async restore(): Promise<Result<KnownSession | null>> {
    if (this.#known !== null) return this.fresh();
    return this.#environment.exclusive(async () => {
      this.#read();
      if (this.#known !== null) return ok(this.#known);
      const refreshed = await this.#refresh();
      return !refreshed.ok && isOver(refreshed.error) ? ok(null) : refreshed;
    });
  }

  /**
   * `fetch` as whoever is logged in: new cookies where they are about to end, the proof of being our page, and once again when
   * the server says that the token was void.
   */
  readonly fetch: typeof fetch = async (input, init = {}) => {
    if (this.#known === null || new Headers(init.headers).has("authorization")) return this.#environment.fetch(input, init);
    await this.fresh();
    const first = await this.#ask(input, init);
    // It may have ended while the answer was awaited.
    if (this.known === null || !(await isMendable(first))) return first;
    const refreshed = await this.fresh(true);
    return refreshed.ok ? this.#ask(input, init) : first;
  };

  #ask(input: RequestInfo | URL, init: RequestInit): Promise<Response> {
    const headers = new Headers(init.headers);
    if (this.#known !== null) headers.set(CSRF_HEADER, this.#known.csrf);
    return this.#environment.fetch(input, { ...init, headers });
  }

  async #refresh(): Promise<Result<KnownSession | null>> {
    const answer = await this.enter<SessionTokens>("/auth/refresh", {}, (tokens) => tokens);
    if (answer.ok) return ok(this.#known);
    if (isOver(answer.error)) this.forget();
    return failed(answer.error);
  }

  #adopt({ session, account, csrf, expires_at: expiresAt }: SessionTokens, serverNow: number | null): void {
    const now = this.#environment.wallClock();
    // Clocks differ: what counts is how long the token lives from now.
    const endsAt = expiresAt - (serverNow ?? now) + now;
    this.#write({ session, account: account.id, name: account.name, csrf: csrf ?? "", endsAt });
  }

  #isGood(known: KnownSession): boolean {
    return known.endsAt - MARGIN_MS > this.#environment.wallClock();
  }

  #read(): void {
    const text = this.#environment.storage.getItem(SESSION_KEY);
    if (text === this.#text) return;
    const before = this.#known?.session;
    this.#text = text;
    this.#known = parse(text);
    if (before !== this.#known?.session) this.emit("change");
  }

  #write(known: KnownSession | null): void {
    const { storage } = this.#environment;
    if (known === null) storage.removeItem(SESSION_KEY);
    else storage.setItem(SESSION_KEY, JSON.stringify(known));
    this.#text = storage.getItem(SESSION_KEY);
    const before = this.#known;
    this.#known = known;
    if (before?.session !== known?.session || before?.name !== known?.name) this.emit("change");
  }
}

/** The session is over, rather than out of reach. */
function isOver(error: Failure): boolean {
  return error.kind === "refused" && (error.code === "refresh-invalid" || error.code === "account-banned");
}

async function isMendable(response: Response): Promise<boolean> {
  if (response.status !== 401 && response.status !== 403) return false;
  const body: unknown = await response.clone().json().catch(() => null);
  const error = isRecord(body) ? body["error"] : null;
  return isRecord(error) && typeof error["code"] === "string" && MENDED_BY_REFRESH.has(error["code"]);
}

/** The server's clock as an answer says it (RFC 9110, section 6.6.1), in milliseconds since 1970. */
function serverTime(response: Response): number | null {
  const time = Date.parse(response.headers.get("date") ?? "");
  return Number.isNaN(time) ? null : time;
}

function parse(text: string | null): KnownSession | null {
  if (text === null) return null;
  try {
    const kept: unknown = JSON.parse(text);
    if (!isRecord(kept)) return null;
    const { session, account, name, csrf, endsAt } = kept;
    const isWhole = [session, account, name, csrf].every((one) => typeof one === "string") && typeof endsAt === "number";
    return isWhole ? (kept as unknown as KnownSession) : null;
  } catch {
    return null;
  }
}
