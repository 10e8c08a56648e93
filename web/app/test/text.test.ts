import { describe, expect, it } from "vitest";

import { roomIn, routeOf } from "../src/router";
import { failureText } from "../src/text/errors";
import { linkify } from "../src/text/linkify";
import { hueOf, initials } from "../src/text/time";

describe("linkify", () => {
  const links = (text: string): string[] => linkify(text).flatMap((piece) => ("href" in piece ? [piece.href] : []));

  it("leaves plain text alone", () => {
    expect(linkify("no links here")).toEqual([{ text: "no links here" }]);
  });

  it("finds addresses and leaves the sentence's end to the sentence", () => {
    expect(linkify("See https://example.org/a?b=c#d.")).toEqual([
      { text: "See " },
      { text: "https://example.org/a?b=c#d", href: "https://example.org/a?b=c#d" },
      { text: "." },
    ]);
  });

  it("keeps brackets that the address opened, and only those", () => {
    expect(links("(https://example.org/a_(b))")).toEqual(["https://example.org/a_(b)"]);
    expect(links("[https://example.org/x]")).toEqual(["https://example.org/x"]);
  });

  it.each(["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://example.org", "http://", "xhttps://a"])(
    "makes no link of %s",
    (text) => {
      expect(links(text)).toEqual([]);
    },
  );

  it("does not let markup or quotes into an address", () => {
    expect(links('https://example.org/"onclick="x')).toEqual(["https://example.org/"]);
    expect(links("https://example.org/<script>")).toEqual(["https://example.org/"]);
  });

  it("loses nothing of the text", () => {
    const text = "a https://example.org/1, (https://example.org/2) b";
    expect(linkify(text).map((piece) => piece.text).join("")).toBe(text);
  });
});

describe("routes", () => {
  it("knows the start page and rooms", () => {
    expect(routeOf("/")).toEqual({ page: "start" });
    expect(routeOf("/r/calm-river-4821")).toEqual({ page: "room", room: "calm-river-4821" });
    expect(routeOf("/elsewhere")).toEqual({ page: "start" });
  });

  it("understands links and bare room ids", () => {
    expect(roomIn("https://example.org/r/calm-river-4821?x")).toBe("calm-river-4821");
    expect(roomIn(" calm-river-4821 ")).toBe("calm-river-4821");
    expect(roomIn("https://example.org/")).toBeNull();
  });
});

describe("names", () => {
  it.each([["Ana", "A"], ["Ana García", "AG"], ["Ana Maria García", "AG"], ["", ""], ["👩‍🚀 x", "👩X"]])(
    "shortens %j to %j",
    (name, short) => {
      expect(initials(name)).toBe(short);
    },
  );

  it("gives a name the same colour each time", () => {
    expect(hueOf("ana")).toBe(hueOf("ana"));
    expect(hueOf("ana")).not.toBe(hueOf("ben"));
  });
});

describe("failureText", () => {
  it("prefers its own sentence and falls back to the server's", () => {
    const refused = (code: string): string =>
      failureText({ kind: "refused", code, message: "The server's words.", field: null });
    expect(refused("room-full")).toContain("full");
    expect(refused("from-a-newer-server")).toBe("The server's words.");
  });
});
