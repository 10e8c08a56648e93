/** Makes a message's body of what was typed: whom it names, what it answers. Pure. */

import type { MessageBody } from "@tertulia/client";

import { visibleName } from "../text/visible";
import type { Person } from "./talk";

export const EVERYBODY: Person = { id: "*", name: "all" };
const MENTIONS_MAX = 50;
const SHOWN_MAX = 8;

export interface Begun {
  readonly start: number;
  readonly end: number;
  readonly query: string;
}

/** The name that is being written at the caret, after an @ at the beginning of a word. */
export function mentionAt(text: string, caret: number | null): Begun | null {
  if (caret === null) return null;
  const match = /(?:^|[\s(])@([\p{L}\p{N}_.-]{0,30})$/u.exec(text.slice(0, caret));
  const query = match?.[1];
  return query === undefined ? null : { start: caret - query.length - 1, end: caret, query };
}

export function completions(people: readonly Person[], me: string | null, query: string): readonly Person[] {
  const wanted = query.toLocaleLowerCase();
  const starts = (person: Person): boolean =>
    visibleName(person.name)
      .toLocaleLowerCase()
      .split(/\s+/)
      .some((word) => word.startsWith(wanted));
  return [...people.filter((person) => person.id !== me), EVERYBODY].filter(starts).slice(0, SHOWN_MAX);
}

interface About {
  readonly thread: number | null;
  readonly replyTo: number | null;
}

export function bodyOf(text: string, people: readonly Person[], { thread, replyTo }: About): MessageBody {
  const written = text.trim();
  const named = (name: string): boolean => {
    for (let at = written.indexOf(`@${name}`); at >= 0; at = written.indexOf(`@${name}`, at + 1)) {
      const after = written.slice(at + name.length + 1);
      if (!/^[\p{L}\p{N}_]/u.test(after)) return true;
    }
    return false;
  };
  const mentions = [...new Set(people.filter(({ name }) => named(name)).map(({ id }) => id))].slice(0, MENTIONS_MAX);
  return {
    text: written,
    ...(mentions.length === 0 ? {} : { mentions }),
    ...(named(EVERYBODY.name) ? { everybody: true } : {}),
    ...(replyTo === null ? {} : { reply_to: replyTo }),
    ...(thread === null ? {} : { thread }),
  };
}

export function sameBody(a: MessageBody, b: MessageBody | null): boolean {
  return b !== null && a.text === b.text && (a.mentions ?? []).join() === (b.mentions ?? []).join();
}
