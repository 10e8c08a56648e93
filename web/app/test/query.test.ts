import { describe, expect, it } from "vitest";

import type { Conversation } from "@tertulia/client";

import { excerpt } from "../src/text/excerpt";
import { plainText } from "../src/text/plain";
import { askedOf, NO_FILTERS, optionsOf, tokenAt, without } from "../src/workspace/query";

const NOW = new Date("2026-11-24T12:00").getTime();
const PEOPLE = [
  { id: "u:ana", name: "Ana Maria" },
  { id: "u:ben", name: "Ben" },
];
const CONVERSATIONS = [{ id: "c1", kind: "public", title: "Reading circle", other: null, other_name: null }] as unknown as Conversation[];

function labels(text: string): string[] {
  const known = { people: PEOPLE, conversations: CONVERSATIONS, now: NOW };
  return optionsOf(text, tokenAt(text, text.length), known).map(({ label, about }) => [label, about].filter((one) => one !== "").join(" | "));
}

describe("the search field", () => {
  it.each([
    ["from:an", ["Ana Maria | u:ana"]],
    ["cake FROM:", ["Ana Maria | u:ana", "Ben | u:ben"]],
    ['in:"reading c', ["Reading circle"]],
    ["has:pi", ["pin | a pin"]],
    ["after:yes", ["yesterday | 2026-11-23"]],
    ["before:2026-01-31", ["2026-01-31"]],
    ["before:2026-13-31", []],
    ["thefrom:an", []],
    ["cake", []],
  ])("completes %j", (text, expected) => expect(labels(text)).toEqual(expected));

  it("offers the filters while nothing is typed", () => {
    expect(labels("").map((label) => label.split(" ")[0])).toEqual(["from:", "in:", "has:", "before:", "after:"]);
  });

  it("takes the filter out of the text, wherever it stood", () => {
    const text = 'cake in:"rea" tomorrow';
    const token = tokenAt(text, text.indexOf('" tom'));
    expect(token).toMatchObject({ kind: "in", value: "rea" });
    expect(token && without(text, token)).toBe("cake tomorrow");
  });

  it("asks for whole days, where the reader is", () => {
    expect(askedOf(" ", NO_FILTERS)).toBeNull();
    expect(askedOf("", { ...NO_FILTERS, within: "c1" })).toBeNull();
    expect(askedOf("cake ", { ...NO_FILTERS, within: "c1", after: "2026-11-01", before: "2026-11-02", has: "link" })).toEqual({
      query: "cake",
      conversation: "c1",
      sender: null,
      has: ["link"],
      after: new Date(2026, 10, 1).getTime(),
      before: new Date(2026, 10, 3).getTime(),
    });
  });
});

describe("what was found", () => {
  const marked = (text: string, words: string): string => excerpt(text, words).map((one) => (one.isHit ? `[${one.text}]` : one.text)).join("");

  it.each([
    ["A cake, no pancake", "cake", "A [cake], no pancake"],
    ["Cakes and CAKE", "cake", "[Cake]s and [CAKE]"],
    ["今日は東京です", "東京", "今日は[東京]です"],
    ["(a+b)* is safe", "(a+b)*", "([a]+[b])* is safe"],
    ["nothing", "", "nothing"],
  ])("marks %j", (text, words, expected) => expect(marked(text, words)).toBe(expected));

  it("begins near the first hit", () => {
    const text = `${"before ".repeat(40)}needle after`;
    expect(marked(text, "needle")).toMatch(/^…(before ){5,9}\[needle\] after$/);
  });

  it("is shown without the marks of Markdown", () => {
    expect(plainText("**bold** [label](https://example.org)\n\n- `a`\n- b\n\n```\ncode\n```\n> quote")).toBe("bold label a b code quote");
  });
});
