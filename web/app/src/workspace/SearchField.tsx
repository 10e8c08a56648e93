/** The search field: words, and filters that complete while they are typed. */

import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { visible } from "../text/visible";
import { optionsOf, tokenAt, without, type Filters, type Option, type Token } from "./query";

interface SearchFieldProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onFilter: (set: Partial<Filters>) => void;
  readonly known: Omit<Parameters<typeof optionsOf>[2], "now">;
  /** A name is being typed after `from:`; null when none is. */
  readonly onPerson: (name: string | null) => void;
  readonly onClose: () => void;
}

export function SearchField({ text, onText, onFilter, known, onPerson, onClose }: SearchFieldProps): ReactNode {
  const [caret, setCaret] = useState(text.length);
  const [at, setAt] = useState(0);
  const [isOpen, setOpen] = useState(true);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const token = tokenAt(text, caret);
  // Days are counted from when the field appeared.
  const [now] = useState(() => Date.now());
  const options = isOpen ? optionsOf(text, token, { ...known, now }) : [];
  const asked = token?.kind === "from" ? token.value : null;
  useEffect(() => onPerson(asked), [onPerson, asked]);
  useEffect(() => field.current?.focus(), []);
  const change = (next: string, position: number | null): void => {
    onText(next);
    setCaret(position ?? next.length);
    setAt(0);
    setOpen(true);
  };
  const choose = ({ set, type }: Option, where: Token | null): void => {
    if (set !== null) onFilter(set);
    change(type ?? (where === null ? text : without(text, where)), null);
    field.current?.focus();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const offered = options[at];
    if (options.length > 0 && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length);
    } else if (offered !== undefined && token !== null && (event.key === "Enter" || event.key === "Tab")) {
      event.preventDefault();
      choose(offered, token);
    } else if (token !== null && event.key === " " && options.some(({ label }) => label === token.value)) {
      event.preventDefault();
      const exact = options.find(({ label }) => label === token.value);
      if (exact !== undefined) choose(exact, token);
    } else if (event.key === "Escape") {
      if (options.length > 0 && text !== "") setOpen(false);
      else onClose();
    }
  };
  return (
    <div className="search-field">
      <input
        ref={field}
        className="input"
        type="search"
        role="combobox"
        aria-expanded={options.length > 0}
        aria-controls={`${id}-list`}
        aria-autocomplete="list"
        aria-activedescendant={options.length > 0 ? `${id}-${at}` : undefined}
        value={text}
        maxLength={200}
        dir="auto"
        autoComplete="off"
        onChange={(event) => change(event.target.value, event.target.selectionStart)}
        onSelect={(event) => setCaret(event.currentTarget.selectionStart ?? text.length)}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onKeyDown={pressed}
        placeholder="Search messages"
        aria-label="Search messages"
        data-testid="search-input"
      />
      <div id={`${id}-list`} className="picker-list search-options" role="listbox" aria-label="Filters" hidden={options.length === 0}>
        {options.map((one, index) => (
          // The field keeps the focus and the keyboard; the list is for the pointer.
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
          <div
            key={one.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            className="completion"
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => choose(one, token)}
            data-testid="search-option"
          >
            <bdi>{visible(one.label)}</bdi> {one.about !== "" && <small>{one.about}</small>}
          </div>
        ))}
      </div>
    </div>
  );
}
