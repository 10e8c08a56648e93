/** The log-in of this browser, and the operations of accounts as it. */

import { AccountApi, browserSession, type KnownSession } from "@tertulia/client/account";
import { useSyncExternalStore } from "react";

import { memory } from "../memory";

export const session = browserSession(memory);
export const accounts = new AccountApi(session);

/** Who is logged in with an account, in any window of this browser. */
export function useSession(): KnownSession | null {
  return useSyncExternalStore(
    (changed) => session.on("change", changed),
    () => session.known,
  );
}
