/** Who is logged in, in this browser. */

import { failed, ok, type LoggedIn, type Result } from "@tertulia/client";

import { memory } from "../memory";
import { api } from "../visit";

const KEY = "tertulia.login";
/** A token that ends soon is no use. */
const MARGIN_MS = 60_000;

export function kept(): LoggedIn | null {
  const text = memory.getItem(KEY);
  if (text === null || text === "") return null;
  // Only this file writes there.
  return JSON.parse(text) as LoggedIn;
}

export async function logIn(name: string): Promise<Result<LoggedIn>> {
  const answer = await api.logIn(name);
  if (!answer.ok) return failed(answer.error);
  memory.setItem(KEY, JSON.stringify(answer.value));
  return ok(answer.value);
}

export function logOut(): void {
  memory.setItem(KEY, "");
}

/** A token that still holds; the same person is asked for again when it is about to end. */
export async function freshToken(login: LoggedIn, fresh: boolean): Promise<string> {
  const known = kept() ?? login;
  if (!fresh && known.expires_at > Date.now() + MARGIN_MS) return known.token;
  const again = await logIn(login.name);
  return again.ok ? again.value.token : "";
}
