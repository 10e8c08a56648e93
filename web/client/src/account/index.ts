/** Accounts in a browser. Apart from the rest, so that a page for a room alone does not load it. */

export { AccountApi } from "./api.js";
export { browserSession } from "./browser.js";
export { BrowserSession, SESSION_KEY, type KnownSession, type SessionEnvironment } from "./session.js";
