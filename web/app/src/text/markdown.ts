/**
 * Reads the part of Markdown that messages may use: bold, italic, code, code blocks, quotes, lists and links.
 *
 * The answer is a tree of plain values, from which React makes elements: there is no HTML on the way, so nothing that
 * is written can become any. What does not parse stays the text that it is.
 */

import { linkify, safeAddress } from "./linkify";

export type Inline =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "mention"; readonly name: string }
  | { readonly kind: "bold" | "italic"; readonly children: readonly Inline[] }
  | Link;

export interface Link {
  readonly kind: "link";
  readonly href: string;
  readonly children: readonly Inline[];
  /** Shown beside a label that could be taken for another address. */
  readonly host: string | null;
}

export type Block =
  | { readonly kind: "paragraph"; readonly children: readonly Inline[] }
  | { readonly kind: "code"; readonly text: string }
  | { readonly kind: "quote"; readonly children: readonly Block[] }
  | { readonly kind: "list"; readonly start: number | null; readonly items: readonly (readonly Inline[])[] };

/** Deeper quotes and emphasis stay text: nesting is bounded, whatever is sent. */
const DEPTH_MAX = 4;
const FENCE = /^\s{0,3}```[\w+#.-]{0,20}\s*$/;
const QUOTE = /^\s{0,3}>\s?/;
const BULLET = /^\s{0,3}[-*+]\s+/;
const NUMBER = /^\s{0,3}(\d{1,4})[.)]\s+/;

/** @param names what stands for somebody when written after an @ */
export function parseMarkdown(text: string, names: readonly string[] = []): Block[] {
  const blocks = blocksOf(text.replace(/\r\n?/g, "\n").split("\n"), 0);
  return names.length === 0 ? blocks : blocks.map((block) => inBlock(block, names));
}

function blocksOf(lines: readonly string[], depth: number): Block[] {
  const blocks: Block[] = [];
  let paragraph: string[] = [];
  const flush = (): void => {
    const text = paragraph.join("\n").replace(/^\n+|\s+$/g, "");
    if (text !== "") blocks.push({ kind: "paragraph", children: inlinesOf(text, 0) });
    paragraph = [];
  };
  for (let at = 0; at < lines.length; ) {
    const line = lines[at] ?? "";
    const run = (pattern: RegExp): readonly string[] => {
      let end = at;
      while (end < lines.length && pattern.test(lines[end] ?? "")) end += 1;
      return lines.slice(at, end);
    };
    const fence = FENCE.test(line) ? lines.findIndex((other, index) => index > at && /^\s{0,3}```\s*$/.test(other)) : -1;
    if (fence > at) {
      flush();
      blocks.push({ kind: "code", text: lines.slice(at + 1, fence).join("\n") });
      at = fence + 1;
    } else if (QUOTE.test(line) && depth < DEPTH_MAX) {
      flush();
      const quoted = run(QUOTE);
      blocks.push({ kind: "quote", children: blocksOf(quoted.map((one) => one.replace(QUOTE, "")), depth + 1) });
      at += quoted.length;
    } else if (BULLET.test(line) || NUMBER.test(line)) {
      flush();
      const pattern = BULLET.test(line) ? BULLET : NUMBER;
      const items = run(pattern);
      const first = NUMBER.exec(line)?.[1];
      blocks.push({
        kind: "list",
        start: first === undefined ? null : Number(first),
        items: items.map((item) => inlinesOf(item.replace(pattern, ""), 0)),
      });
      at += items.length;
    } else if (line.trim() === "") {
      flush();
      at += 1;
    } else {
      paragraph.push(line);
      at += 1;
    }
  }
  flush();
  return blocks;
}

/**
 * The next thing with a meaning of its own. Emphasis begins at a word's edge and ends at one, so that `2 * 3 * 4` and
 * `snake_case_name` stay what they are.
 */
const SPECIAL =
  /(?<code>`+)|(?<escape>\\[\\`*_[\]()>~#+\-.!])|\[(?<label>[^[\]\n]{1,300})\]\((?<address>[^\s()<>]{1,2000}(?:\([^\s()<>]*\)[^\s()<>]*)*)\)|(?<bare>\bhttps?:\/\/[^\s<>"']+)|(?<bold>\*\*|(?<![\p{L}\p{N}])__)(?=\S)|(?<italic>\*|(?<![\p{L}\p{N}_])_)(?=[^\s*_])/giu;

function inlinesOf(text: string, depth: number): Inline[] {
  const found: Inline[] = [];
  let plain = "";
  const flush = (): void => {
    if (plain !== "") found.push({ kind: "text", text: plain });
    plain = "";
  };
  const add = (inline: Inline): void => {
    flush();
    found.push(inline);
  };
  const special = new RegExp(SPECIAL);
  let at = 0;
  for (let match = special.exec(text); match !== null; match = special.exec(text)) {
    const { code, escape, label, address, bare, bold, italic } = match.groups ?? {};
    plain += text.slice(at, match.index);
    at = match.index + match[0].length;
    const href = address === undefined ? null : safeAddress(address);
    if (escape !== undefined) plain += escape.slice(1);
    else if (code !== undefined) {
      const end = closingTicks(text, at, code.length);
      if (end === null) plain += code;
      else {
        add({ kind: "code", text: trimTicks(text.slice(at, end)) });
        at = end + code.length;
      }
    } else if (bare !== undefined) {
      for (const piece of linkify(bare)) {
        if (!("href" in piece)) plain += piece.text;
        else add({ kind: "link", href: piece.href, children: [{ kind: "text", text: piece.text }], host: null });
      }
    } else if (label !== undefined && href !== null) {
      add({ kind: "link", href, children: labelOf(label), host: doubtfulHost(label, href) });
    } else {
      const mark = bold ?? italic;
      const end = mark === undefined || depth >= DEPTH_MAX ? null : closingMark(text, at, mark);
      if (mark === undefined || end === null) plain += match[0];
      else {
        const kind = bold === undefined ? "italic" : "bold";
        add({ kind, children: inlinesOf(text.slice(at, end), depth + 1) });
        at = end + mark.length;
      }
    }
    special.lastIndex = at;
  }
  plain += text.slice(at);
  flush();
  return found;
}

/** A link's label has no links in it. */
function labelOf(label: string): Inline[] {
  return [{ kind: "text", text: label }];
}

function closingTicks(text: string, from: number, length: number): number | null {
  for (const match of text.slice(from).matchAll(/`+/g)) if (match[0].length === length) return from + match.index;
  return null;
}

function trimTicks(code: string): string {
  return code.length > 2 && code.startsWith(" ") && code.endsWith(" ") ? code.slice(1, -1) : code;
}

/** Where a mark that was opened before `from` is closed: at the end of a word, not inside code, within the paragraph. */
function closingMark(text: string, from: number, mark: string): number | null {
  const inWord = mark.startsWith("_") ? "(?![\\p{L}\\p{N}_])" : mark === "*" ? "(?!\\*)" : "";
  const before = mark === "*" ? "(?<=[^\\s*])" : "(?<=\\S)";
  const closing = new RegExp(`(\`+)[^\`]*\\1|\\n\\n|${before}(?<end>${mark.replaceAll("*", "\\*")})${inWord}`, "gu");
  closing.lastIndex = from;
  for (let match = closing.exec(text); match !== null; match = closing.exec(text)) {
    if (match[0] === "\n\n") return null;
    if (match.groups?.["end"] !== undefined && match.index > from) return match.index;
  }
  return null;
}

/** `[bank.example](https://elsewhere.example)`: whoever reads the label must see where it leads. */
function doubtfulHost(label: string, href: string): string | null {
  const { protocol, host, pathname } = new URL(href);
  const target = protocol === "mailto:" ? pathname : host;
  const claims = /[\p{L}\p{N}-]+\.[\p{L}]{2,}|:\/\/|@/u.test(label);
  return claims && !label.toLowerCase().includes(target.toLowerCase()) ? target : null;
}

function inBlock(block: Block, names: readonly string[]): Block {
  switch (block.kind) {
    case "code":
      return block;
    case "paragraph":
      return { ...block, children: withMentions(block.children, names) };
    case "quote":
      return { ...block, children: block.children.map((child) => inBlock(child, names)) };
    case "list":
      return { ...block, items: block.items.map((item) => withMentions(item, names)) };
  }
}

/** Marks names after an @; the longest one that fits, as the text has them. */
function withMentions(inlines: readonly Inline[], names: readonly string[]): Inline[] {
  const longest = [...names].sort((a, b) => b.length - a.length);
  return inlines.flatMap((inline): Inline[] => {
    if (inline.kind === "bold" || inline.kind === "italic") {
      return [{ ...inline, children: withMentions(inline.children, names) }];
    }
    if (inline.kind !== "text") return [inline];
    const pieces = inline.text.split("@");
    const found: Inline[] = [];
    pieces.forEach((piece, index) => {
      const name = index === 0 ? undefined : longest.find((one) => piece.startsWith(one));
      if (name !== undefined) found.push({ kind: "mention", name });
      const rest = name !== undefined ? piece.slice(name.length) : index === 0 ? piece : `@${piece}`;
      if (rest !== "") found.push({ kind: "text", text: rest });
    });
    return found;
  });
}
