/** A message on one line, without the marks of Markdown: for previews, where there is room for words only. */

import { parseMarkdown, type Block, type Inline } from "./markdown";

/** Previews are short: what is far behind need not be read. */
const PREVIEW_MAX = 500;

/** @param max characters that are read */
export function plainText(text: string, max = PREVIEW_MAX): string {
  return parseMarkdown(text.slice(0, max)).map(ofBlock).join(" ").replace(/\s+/g, " ").trim();
}

function ofBlock(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return ofInlines(block.children);
    case "code":
      return block.text;
    case "quote":
      return block.children.map(ofBlock).join(" ");
    case "list":
      return block.items.map(ofInlines).join(" ");
  }
}

function ofInlines(inlines: readonly Inline[]): string {
  return inlines.map(ofInline).join("");
}

function ofInline(inline: Inline): string {
  switch (inline.kind) {
    case "text":
    case "code":
      return inline.text;
    case "mention":
      return `@${inline.name}`;
    case "bold":
    case "italic":
    case "link":
      return ofInlines(inline.children);
  }
}
