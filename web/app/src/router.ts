/** Two kinds of page need no library: `/` and `/r/{room}`. */

import { useSyncExternalStore } from "react";

export type Route = { readonly page: "start" } | { readonly page: "room"; readonly room: string };

export function routeOf(path: string): Route {
  const room = /^\/r\/([^/]+)\/?$/.exec(path)?.[1];
  return room === undefined ? { page: "start" } : { page: "room", room: decodeURIComponent(room) };
}

export function pathOf(room: string): string {
  return `/r/${encodeURIComponent(room)}`;
}

/** Understands a whole invitation link as well as a bare room id; null if it is neither. */
export function roomIn(text: string): string | null {
  const linked = /\/r\/([a-z0-9][a-z0-9-]{2,63})(?:[/?#]|$)/.exec(text)?.[1];
  return linked ?? (/^[a-z0-9][a-z0-9-]{2,63}$/.test(text.trim()) ? text.trim() : null);
}

export function navigate(path: string): void {
  history.pushState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

export function usePath(): string {
  return useSyncExternalStore(subscribe, () => location.pathname);
}

function subscribe(changed: () => void): () => void {
  addEventListener("popstate", changed);
  return () => removeEventListener("popstate", changed);
}
