/** Every operation of accounts, as a browser asks it: its log-in is in cookies, and `BrowserSession` sees to them. */

import type {
  Accepted,
  Account,
  AccountList,
  AccountRole,
  AuditList,
  AuthOptions,
  FinishRegistration,
  Link,
  LinkInfo,
  LoggedInAs,
  MakeInvitation,
  Myself,
  Outbox,
  Profile,
  RecoveryCodes,
  SessionList,
  SessionTokens,
  TotpSecret,
  UpdateAccount,
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

  myself(): Promise<Result<Myself>> {
    return this.#ask("GET", "/auth/user");
  }

  /** End this session, or all of one's own. Here it is over whatever the server says. */
  async logOut(everywhere = false): Promise<Result<Accepted>> {
    const done = await this.#ask<Accepted>("POST", "/auth/logout", { everywhere });
    this.#session.forget();
    return done;
  }

  async update(asked: UpdateAccount): Promise<Result<Account>> {
    const account = await this.#ask<Account>("PUT", "/user/update", asked);
    if (account.ok) this.#session.rename(account.value.name);
    return account;
  }

  changePassword(password: string, newPassword: string): Promise<Result<Accepted>> {
    return this.#ask("POST", "/auth/password", { password, new_password: newPassword });
  }

  sessions(): Promise<Result<SessionList>> {
    return this.#ask("GET", "/auth/sessions");
  }

  endSession(id: string): Promise<Result<Accepted>> {
    return this.#ask("DELETE", `/auth/sessions/${encodeURIComponent(id)}`);
  }

  beginTotp(password: string): Promise<Result<TotpSecret>> {
    return this.#ask("POST", "/auth/totp", { password });
  }

  confirmTotp(code: string): Promise<Result<RecoveryCodes>> {
    return this.#ask("POST", "/auth/totp/confirm", { code });
  }

  removeTotp(password: string): Promise<Result<Accepted>> {
    return this.#ask("POST", "/auth/totp/remove", { password });
  }

  renewRecoveryCodes(password: string): Promise<Result<RecoveryCodes>> {
    return this.#ask("POST", "/auth/recovery-codes", { password });
  }

  // --- others

  profile(id: string): Promise<Result<Profile>> {
    return this.#ask("GET", `/user/${encodeURIComponent(id)}`);
  }

  accounts(cursor: string | null): Promise<Result<AccountList>> {
    return this.#ask("GET", `/accounts?limit=100${cursor === null ? "" : `&cursor=${encodeURIComponent(cursor)}`}`);
  }

  setRole(id: string, role: AccountRole): Promise<Result<Account>> {
    return this.#ask("PUT", `/accounts/${encodeURIComponent(id)}/role`, { role });
  }

  setBan(id: string, banned: boolean): Promise<Result<Account>> {
    return this.#ask("PUT", `/accounts/${encodeURIComponent(id)}/ban`, { banned });
  }

  logOutAccount(id: string): Promise<Result<Accepted>> {
    return this.#ask("POST", `/accounts/${encodeURIComponent(id)}/logout`, {});
  }

  resetLink(id: string): Promise<Result<Link>> {
    return this.#ask("POST", `/accounts/${encodeURIComponent(id)}/reset-link`, {});
  }

  invite(asked: MakeInvitation): Promise<Result<Link>> {
    return this.#ask("POST", "/accounts/invitations", asked);
  }

  audit(cursor: string | null): Promise<Result<AuditList>> {
    return this.#ask("GET", `/accounts/audit${cursor === null ? "" : `?cursor=${encodeURIComponent(cursor)}`}`);
  }

  #ask<Answer>(method: string, path: string, body?: object): Promise<Result<Answer>> {
    return askHttp(this.#session.fetch, method, path, body);
  }
}
