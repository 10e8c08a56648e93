import { describe, expect, it } from "vitest";

import { parseMarkdown, type Block, type Inline } from "../src/text/markdown";
import { visible, visibleName } from "../src/text/visible";

/** A short notation for trees, so that a test reads like what it tests. */
function inline(node: Inline): string {
  switch (node.kind) {
    case "text":
      return node.text;
    case "code":
      return `<code>${node.text}</code>`;
    case "mention":
      return `<@${node.name}>`;
    case "link":
      return `<a ${node.href}>${node.children.map(inline).join("")}${node.host === null ? "" : ` (${node.host})`}</a>`;
    default:
      return `<${node.kind}>${node.children.map(inline).join("")}</${node.kind}>`;
  }
}

function block(node: Block): string {
  switch (node.kind) {
    case "paragraph":
      return `<p>${node.children.map(inline).join("")}</p>`;
    case "code":
      return `<pre>${node.text}</pre>`;
    case "quote":
      return `<quote>${node.children.map(block).join("")}</quote>`;
    case "list":
      return `<list ${node.start ?? "-"}>${node.items.map((item) => `<li>${item.map(inline).join("")}</li>`).join("")}</list>`;
  }
}

const shown = (text: string): string => parseMarkdown(text).map(block).join("");

describe("markdown", () => {
  it.each([
    ["**bold** and *italic* and _italic_", "<p><bold>bold</bold> and <italic>italic</italic> and <italic>italic</italic></p>"],
    ["**bold with *italic* inside**", "<p><bold>bold with <italic>italic</italic> inside</bold></p>"],
    ["`a < b && **c**`", "<p><code>a < b && **c**</code></p>"],
    ["`` a ` b ``", "<p><code>a ` b</code></p>"],
    ["```ts\nlet a = `1`;\n\n**no**\n```\nafter", "<pre>let a = `1`;\n\n**no**</pre><p>after</p>"],
    ["> one\n> > two\nthree", "<quote><p>one</p><quote><p>two</p></quote></quote><p>three</p>"],
    ["- a\n- *b*\n\n3. c\n4. d", "<list -><li>a</li><li><italic>b</italic></li></list><list 3><li>c</li><li>d</li></list>"],
    ["[here](https://example.org/a_(b))", "<p><a https://example.org/a_(b)>here</a></p>"],
    ["see https://example.org/a_b_c.", "<p>see <a https://example.org/a_b_c>https://example.org/a_b_c</a>.</p>"],
    ["**https://example.org**", "<p><bold><a https://example.org/>https://example.org</a></bold></p>"],
    ["[mail](mailto:ana@example.org)", "<p><a mailto:ana@example.org>mail</a></p>"],
    ["one\ntwo\n\nthree", "<p>one\ntwo</p><p>three</p>"],
    ["\\*not\\* italic", "<p>*not* italic</p>"],
  ])("reads %j", (text, expected) => expect(shown(text)).toBe(expected));

  it.each([
    "2 * 3 * 4",
    "snake_case_name and __init__x",
    "alone *",
    "**open",
    "`open",
    "<script>alert(1)</script>",
    '<img src=x onerror="alert(1)">',
    "<svg onload=alert(1)>",
    "&lt;b&gt;",
    "[x](javascript:alert(1))",
    "[x](data:text/html,hello)",
    "[x](vbscript:x)",
    "[x](https://bank.example@evil.example/)",
    "5 > 3",
  ])("leaves %j as it is", (text) => {
    expect(shown(text)).toBe(`<p>${text}</p>`);
  });

  it("marks the names that stand for somebody, the longest one that fits", () => {
    const names = (text: string): string => parseMarkdown(text, ["Ana", "Ana Maria"]).map(block).join("");
    expect(names("@Ana Maria and *@Ana*, not Ana or @Bob")).toBe(
      "<p><@Ana Maria> and <italic><@Ana></italic>, not Ana or @Bob</p>",
    );
    expect(names("`@Ana` a@Ana")).toBe("<p><code>@Ana</code> a<@Ana></p>");
  });

  it("says where a link leads whose label looks like another address", () => {
    expect(shown("[https://bank.example](https://evil.example/x)")).toBe(
      "<p><a https://evil.example/x>https://bank.example (evil.example)</a></p>",
    );
    expect(shown("[bank.example](https://bank.example/x)")).toBe("<p><a https://bank.example/x>bank.example</a></p>");
  });

  it("does not nest without end", () => {
    const deep = (node: Block): number => (node.kind === "quote" ? 1 + Math.max(0, ...node.children.map(deep)) : 0);
    expect(Math.max(...parseMarkdown(`${">".repeat(4000)} x`).map(deep))).toBeLessThanOrEqual(4);
    expect(shown(`${"*a ".repeat(100)}${"a* ".repeat(100)}`)).toContain("a");
  });

  it.each(["*", "_", "`", "[", "](", "**a", "_a_ ", "> ", "\n", "http://", "[a](http://b", "`` `", "\\"])(
    "copes with a message that is nothing but %j",
    (piece) => {
      const text = `${piece.repeat(Math.floor(3990 / piece.length))} last`;
      expect(JSON.stringify(parseMarkdown(text))).toContain("last");
    },
  );
});

describe("visible", () => {
  it.each([
    ["abc\u202ecba", "abc⟨U+202E⟩cba"],
    ["pay\u200bpal", "pay⟨U+200B⟩pal"],
    ["a\u0000b\u0007", "a⟨U+0000⟩b⟨U+0007⟩"],
    ["x\u2066y\u2069", "x⟨U+2066⟩y⟨U+2069⟩"],
    ["A\u200dB", "A⟨U+200D⟩B"],
    ["\u{e0041}", "⟨U+E0041⟩"],
    ["\u3164", "⟨U+3164⟩"],
  ])("shows %j", (text, expected) => expect(visible(text)).toBe(expected));

  it.each(["שלום עולם", "مرحبا", "می\u200cخواهم", "क्\u200dष", "👩\u200d👩\u200d👧", "🏳️\u200d🌈", "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}", "tab\tand\nline", "naïve 日本語"])(
    "leaves %j alone",
    (text) => expect(visible(text)).toBe(text),
  );

  it("gives a name to those without a visible one", () => {
    expect(visibleName(" \n ")).toBe("Somebody");
    expect(visibleName("Ana\n\n Maria")).toBe("Ana Maria");
  });
});
