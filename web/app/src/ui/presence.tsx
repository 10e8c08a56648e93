/**
 * Who is here, as a dot beside a picture. Its shape says it as well as its colour, and where a name stands alone also a word.
 *
 * Pages that know of presence hand it down; elsewhere (in a call, where everybody is here) there are no dots.
 */

import type { PersonPresence, ShownStatus } from "@tertulia/client";
import { createContext, useCallback, useContext, useEffect, useSyncExternalStore, type ReactNode } from "react";

import { agoText } from "../text/time";
import { visible } from "../text/visible";
import { Avatar } from "./Avatar";

/** The part of the client's `People` that is needed here. */
export interface PresenceSource {
  get(id: string | null): PersonPresence | null;
  show(people: readonly string[]): () => void;
  on(name: "change", listener: () => void): () => void;
}

const Context = createContext<PresenceSource | null>(null);

export const PresenceOf = Context.Provider;

export const STATUS_TEXT: Record<ShownStatus, string> = {
  online: "online",
  away: "away",
  dnd: "do not disturb",
  invisible: "invisible",
  offline: "offline",
};

/** "away · Reading until noon", or since when somebody is not here. */
export function presenceText({ status, text, last_seen }: PersonPresence): ReactNode {
  const seen = status === "offline" && last_seen !== null ? `, last seen ${agoText(last_seen)}` : "";
  return (
    <>
      {STATUS_TEXT[status]}
      {seen}
      {text !== "" && <bdi> · {visible(text)}</bdi>}
    </>
  );
}

const nothing = (): void => undefined;

/** Null where nothing is known of somebody. */
export function usePresence(id: string | null): PersonPresence | null {
  const source = useContext(Context);
  const subscribe = useCallback((changed: () => void) => source?.on("change", changed) ?? nothing, [source]);
  return useSyncExternalStore(subscribe, () => source?.get(id) ?? null);
}

/** These people are on screen while the caller is. */
export function useShown(ids: readonly string[]): void {
  const source = useContext(Context);
  const key = [...ids].sort().join("\n");
  useEffect(() => (source === null || key === "" ? undefined : source.show(key.split("\n"))), [source, key]);
}

interface PersonAvatarProps {
  readonly name: string;
  readonly id: string;
  /** Where screen readers are told elsewhere, or where it would be said again and again. */
  readonly isSilent?: boolean;
}

export function PersonAvatar({ name, id, isSilent = false }: PersonAvatarProps): ReactNode {
  const presence = usePresence(id);
  return (
    <span className="person-avatar">
      <Avatar name={name} id={id} />
      {presence !== null && (
        <>
          <span className="presence" data-status={presence.status} aria-hidden="true" data-testid="presence" />
          {!isSilent && <span className="visually-hidden">{STATUS_TEXT[presence.status]}</span>}
        </>
      )}
    </span>
  );
}
