/**
 * These few kinds of page need no library: `/`, `/r/{room}`, `/c`, `/c/{conversation}/{seq}`, `/i/{invitation}`, and the pages
 * of accounts by their names.
 */

import { useSyncExternalStore } from "react";

export type Route =
  | { readonly page: "start" }
  | { readonly page: "account"; readonly name: AccountPageName }
  | { readonly page: "room"; readonly room: string }
  | { readonly page: "workspace"; readonly conversation: string | null; readonly seq: number | null; readonly invite: string | null };

const ACCOUNT_PAGES = ["login", "register", "welcome", "recover", "outbox"] as const;
export type AccountPageName = (typeof ACCOUNT_PAGES)[number];

export function routeOf(path: string): Route {
  const account = ACCOUNT_PAGES.find((name) => path === `/${name}` || path === `/${name}/`);
  if (account !== undefined) return { page: "account", name: account };
  const [, conversation, seq] = /^\/c(?:\/([0-9a-f-]{36})(?:\/(\d{1,15}))?)?\/?$/.exec(path) ?? [null];
  if (/^\/c(?:\/|$)/.test(path)) {
    return { page: "workspace", conversation: conversation ?? null, seq: seq === undefined ? null : Number(seq), invite: null };
  }
  const invite = /^\/i\/([\w-]{22,64})\/?$/.exec(path)?.[1];
  if (invite !== undefined) return { page: "workspace", conversation: null, seq: null, invite };
  const room = /^\/r\/([^/]+)\/?$/.exec(path)?.[1];
  return room === undefined ? { page: "start" } : { page: "room", room: decodeURIComponent(room) };
}

export function pathOf(room: string): string {
  return `/r/${encodeURIComponent(room)}`;
}

export function conversationPath(conversation: string, seq: number | null = null): string {
  return seq === null ? `/c/${conversation}` : `/c/${conversation}/${seq}`;
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

/** What follows the `#` of the address: the secrets of links, which no server log and no referrer sees. */
export function useHash(): string {
  return useSyncExternalStore(subscribeToHash, () => location.hash.slice(1));
}

function subscribeToHash(changed: () => void): () => void {
  addEventListener("hashchange", changed);
  const unsubscribe = subscribe(changed);
  return () => {
    removeEventListener("hashchange", changed);
    unsubscribe();
  };
}

function subscribe(changed: () => void): () => void {
  addEventListener("popstate", changed);
  return () => removeEventListener("popstate", changed);
}
