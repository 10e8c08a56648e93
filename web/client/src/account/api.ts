/** How people come in and go, as a browser asks it: its log-in is in cookies, and `BrowserSession` sees to them. */

import type {
  Accepted,
  AuthOptions,
  FinishRegistration,
  LinkInfo,
  LoggedInAs,
  OAuthProviders,
  Outbox,
  SessionTokens,
} from "../catalogue.js";
import { askHttp } from "../http.js";
import type { Result } from "../result.js";
import type { BrowserSession } from "./session.js";

export class AccountApi {
  readonly #session: BrowserSession;

  constructor(session: BrowserSession) {
    this.#session = session;
  }

  // --- coming in

  /** How people come in here. */
  options(): Promise<Result<AuthOptions>> {
    return this.#ask("GET", "/auth/options");
  }

  /** By which providers one may log in; a browser is sent to `/auth/oauth/{name}`. */
  providers(): Promise<Result<OAuthProviders>> {
    return this.#ask("GET", "/auth/oauth");
  }

  /** What a link is for; it stays good. */
  lookAtLink(token: string): Promise<Result<LinkInfo>> {
    return this.#ask("POST", "/auth/link", { token });
  }

  /** The session, or the ticket for the second step. */
  logIn(email: string, password: string): Promise<Result<LoggedInAs>> {
    return this.#session.enter<LoggedInAs>("/auth/login", { email, password, browser: true }, ({ session }) => session);
  }

  secondFactor(ticket: string, code: string): Promise<Result<SessionTokens>> {
    return this.#session.enter<SessionTokens>("/auth/login/second", { ticket, code, browser: true }, (tokens) => tokens);
  }

  /** Ask for an account; what follows comes by mail. */
  register(email: string, invite: string | null): Promise<Result<Accepted>> {
    return this.#ask("POST", "/auth/register", { email, invite });
  }

  finishRegistration(asked: FinishRegistration): Promise<Result<SessionTokens>> {
    return this.#session.enter<SessionTokens>("/auth/register/finish", { ...asked, browser: true }, (tokens) => tokens);
  }

  /** Ask for a link by mail that sets a new password. */
  recover(email: string): Promise<Result<Accepted>> {
    return this.#ask("POST", "/auth/recover", { email });
  }

  finishRecovery(token: string, password: string): Promise<Result<Accepted>> {
    return this.#ask("POST", "/auth/recover/finish", { token, password });
  }

  /** On a development server: the mails that it did not send. */
  outbox(): Promise<Result<Outbox>> {
    return this.#ask("GET", "/auth/outbox");
  }

  // --- oneself

  /** End this session, or all of one's own. Here it is over whatever the server says. */
  async logOut(everywhere = false): Promise<Result<Accepted>> {
    const done = await this.#ask<Accepted>("POST", "/auth/logout", { everywhere });
    this.#session.forget();
    return done;
  }

  #ask<Answer>(method: string, path: string, body?: object): Promise<Result<Answer>> {
    return askHttp(this.#session.fetch, method, path, body);
  }
}
