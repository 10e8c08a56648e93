/** A message's text as elements: what `markdown` found in it, each part isolated in its own direction. */

import { memo, type ReactNode } from "react";

import { parseMarkdown, type Block, type Inline } from "./markdown";
import { visible, visibleName } from "./visible";

interface ProseProps {
  readonly text: string;
  /** Names that stand for somebody when written after an @, one a line. */
  readonly mentions: string;
}

export const Prose = memo(function Prose({ text, mentions }: ProseProps): ReactNode {
  const names = mentions === "" ? [] : mentions.split("\n").map(visibleName);
  return (
    <div className="prose" data-testid="chat-text">
      {parseMarkdown(visible(text), names).map((block, index) => (
        <BlockItem key={index} block={block} />
      ))}
    </div>
  );
});

/** Somebody's name: isolated, so that its direction cannot reorder what stands around it. */
export function Name({ name }: { readonly name: string | null | undefined }): ReactNode {
  return <bdi>{visibleName(name)}</bdi>;
}

function BlockItem({ block }: { readonly block: Block }): ReactNode {
  switch (block.kind) {
    case "paragraph":
      return (
        <p dir="auto">
          <Inlines inlines={block.children} />
        </p>
      );
    case "code":
      return (
        // A box that scrolls must be reachable by keyboard.
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        <pre dir="ltr" tabIndex={0} role="group" aria-label="Code">
          <code>{block.text}</code>
        </pre>
      );
    case "quote":
      return (
        <blockquote>
          {block.children.map((child, index) => (
            <BlockItem key={index} block={child} />
          ))}
        </blockquote>
      );
    case "list": {
      const items = block.items.map((item, index) => (
        <li key={index} dir="auto">
          <Inlines inlines={item} />
        </li>
      ));
      return block.start === null ? <ul>{items}</ul> : <ol start={block.start}>{items}</ol>;
    }
  }
}

function Inlines({ inlines }: { readonly inlines: readonly Inline[] }): ReactNode {
  return inlines.map((inline, index) => <InlineItem key={index} inline={inline} />);
}

function InlineItem({ inline }: { readonly inline: Inline }): ReactNode {
  switch (inline.kind) {
    case "text":
      return inline.text;
    case "code":
      return <code>{inline.text}</code>;
    case "mention":
      return <bdi className="mention">@{inline.name}</bdi>;
    case "bold":
      return (
        <strong>
          <Inlines inlines={inline.children} />
        </strong>
      );
    case "italic":
      return (
        <em>
          <Inlines inlines={inline.children} />
        </em>
      );
    case "link":
      return (
        <a href={inline.href} target="_blank" rel="noopener noreferrer nofollow" title={inline.href}>
          <Inlines inlines={inline.children} />
          {inline.host !== null && <> ({inline.host})</>}
        </a>
      );
  }
}
