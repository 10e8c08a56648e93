/** What a session needs of a browser. */

import { BrowserSession } from "./session.js";

const LOCK = "tertulia-session";

/** The session of this browser, shared by its windows. */
export function browserSession(storage: Pick<Storage, "getItem" | "setItem" | "removeItem">): BrowserSession {
  const session = new BrowserSession({
    fetch: (...request) => fetch(...request),
    storage,
    exclusive: exclusively(),
    wallClock: () => Date.now(),
  });
  addEventListener("storage", () => session.handleStorage());
  return session;
}

/** One at a time over all windows; in this window where a browser has no locks (pages that are not secure have none). */
function exclusively(): <Value>(run: () => Promise<Value>) => Promise<Value> {
  if ("locks" in navigator) return async (run) => navigator.locks.request(LOCK, run);
  let last: Promise<unknown> = Promise.resolve();
  return (run) => {
    const mine = last.then(run);
    last = mine.catch(() => undefined);
    return mine;
  };
}
