/** Filters that are typed into the search field, `from:`, `in:`, `has:`, `before:`, `after:`, and their completion. Pure. */

import type { Conversation, Person, Requests } from "@tertulia/client";

import { visibleName } from "../text/visible";
import { titleOf } from "./names";

export type Has = NonNullable<Requests["search"]["request"]["has"]>[number];

export interface Filters {
  readonly from: Person | null;
  /** A conversation's id. */
  readonly within: string | null;
  readonly has: Has | null;
  /** Days, as `2026-11-24`: that day and those after it, or before it. */
  readonly after: string;
  readonly before: string;
}

export const NO_FILTERS: Filters = { from: null, within: null, has: null, after: "", before: "" };

export const HAS: readonly { readonly id: Has; readonly label: string }[] = [
  { id: "link", label: "a link" },
  { id: "mention", label: "a mention" },
  { id: "reaction", label: "a reaction" },
  { id: "pin", label: "a pin" },
  { id: "thread", label: "a thread" },
];

type Kind = "from" | "in" | "has" | "before" | "after";
const ABOUT: Record<Kind, string> = {
  from: "written by somebody",
  in: "in a conversation",
  has: "with a link, a pin…",
  before: "until a day",
  after: "since a day",
};
const KINDS = Object.keys(ABOUT) as Kind[];

export interface Token {
  readonly kind: Kind;
  readonly value: string;
  readonly start: number;
  readonly end: number;
}

/** The filter that is being typed at the caret; what is in quotes may have spaces. */
export function tokenAt(text: string, caret: number): Token | null {
  const match = /(?:^|\s)((from|in|has|before|after):(?:"([^"]*)|(\S*)))$/iu.exec(text.slice(0, caret));
  if (match === null) return null;
  const [, whole = "", kind = "", quoted, plain] = match;
  return { kind: kind.toLowerCase() as Kind, value: quoted ?? plain ?? "", start: caret - whole.length, end: caret };
}

/** One thing that can be chosen: a filter to set, or one to begin to type. */
export interface Option {
  readonly key: string;
  readonly label: string;
  readonly about: string;
  readonly set: Partial<Filters> | null;
  /** What the field begins with instead. */
  readonly type: string | null;
}

interface Known {
  readonly people: readonly Person[];
  readonly conversations: readonly Conversation[];
  readonly now: number;
}

const SHOWN_MAX = 8;
const DAY_MS = 86_400_000;
const DAYS: readonly (readonly [label: string, ago: number])[] = [
  ["today", 0],
  ["yesterday", 1],
  ["a week ago", 7],
  ["30 days ago", 30],
  ["a year ago", 365],
];

export function optionsOf(text: string, token: Token | null, known: Known): readonly Option[] {
  if (token === null) return text.trim() === "" ? KINDS.map((kind) => begin(kind)) : [];
  const wanted = token.value.toLocaleLowerCase();
  const fits = (label: string): boolean => label.toLocaleLowerCase().includes(wanted);
  const found = ((): Option[] => {
    switch (token.kind) {
      case "from":
        return known.people.filter(({ name }) => fits(visibleName(name))).map((person) => option(person.id, visibleName(person.name), person.id, { from: person }));
      case "in":
        return known.conversations.filter((one) => fits(titleOf(one))).map((one) => option(one.id, titleOf(one), "", { within: one.id }));
      case "has":
        return HAS.filter(({ id, label }) => id.startsWith(wanted) || fits(label)).map(({ id, label }) => option(id, id, label, { has: id }));
      case "before":
      case "after":
        return days(token.value, known.now).map(([label, day]) => option(day, label, label === day ? "" : day, { [token.kind]: day }));
    }
  })();
  return found.slice(0, SHOWN_MAX);
}

/** The text without the filter that was typed in it. */
export function without(text: string, { start, end }: Pick<Token, "start" | "end">): string {
  const quote = text[end] === '"' ? 1 : 0;
  return `${text.slice(0, start)}${text.slice(end + quote)}`.replace(/^\s+|\s+(?=\s)/g, "");
}

/** What is to be asked; null while nothing is looked for. */
export function askedOf(text: string, { from, within, has, after, before }: Filters): Requests["search"]["request"] | null {
  const query = text.trim();
  if (query === "" && from === null && has === null && after === "" && before === "") return null;
  return {
    query,
    conversation: within,
    sender: from?.id ?? null,
    has: has === null ? [] : [has],
    after: after === "" ? null : startOf(after),
    before: before === "" ? null : startOf(before) + DAY_MS,
  };
}

function option(key: string, label: string, about: string, set: Partial<Filters>): Option {
  return { key, label, about, set, type: null };
}

function begin(kind: Kind): Option {
  return { key: kind, label: `${kind}:`, about: ABOUT[kind], set: null, type: `${kind}:` };
}

function days(typed: string, now: number): (readonly [label: string, day: string])[] {
  if (/^\d{4}-\d{2}-\d{2}$/.test(typed) && !Number.isNaN(startOf(typed))) return [[typed, typed]];
  return DAYS.filter(([label]) => label.includes(typed.toLowerCase())).map(([label, ago]) => [label, dayOf(now - ago * DAY_MS)]);
}

function startOf(day: string): number {
  return new Date(`${day}T00:00`).getTime();
}

/** As date fields have it, where the reader is. */
function dayOf(at: number): string {
  const date = new Date(at);
  const two = (number: number): string => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
