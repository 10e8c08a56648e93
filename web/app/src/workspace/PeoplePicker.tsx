/** Chooses people by name: what is typed is looked for, and who is chosen stands in front of it. */

import type { Person } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useEffect, useId, useRef, useState, type KeyboardEvent, type ReactNode } from "react";

import { Name } from "../text/Prose";
import { visibleName } from "../text/visible";
import { CloseIcon } from "../ui/icons";
import { PersonAvatar, useShown } from "../ui/presence";

const WAIT_MS = 150;
const SHOWN_MAX = 8;

interface PeoplePickerProps {
  readonly workspace: Workspace;
  readonly label: string;
  readonly chosen: readonly Person[];
  readonly onChange: (people: readonly Person[]) => void;
  /** One is enough. */
  readonly isSingle?: boolean;
  /** Not to be offered: they are there already. */
  readonly without?: readonly string[];
  readonly testId: string;
}

export function PeoplePicker(props: PeoplePickerProps): ReactNode {
  const { workspace, label, chosen, onChange, isSingle = false, without = [], testId } = props;
  const [query, setQuery] = useState("");
  const [isOpen, setOpen] = useState(false);
  const [at, setAt] = useState(0);
  const field = useRef<HTMLInputElement>(null);
  const id = useId();
  const found = useFoundPeople(workspace, query);
  const me = workspace.snapshot.me?.id;
  const isOffered = (one: Person): boolean =>
    one.id !== me && !without.includes(one.id) && !chosen.some((other) => other.id === one.id);
  const shown = (found ?? []).filter(isOffered).slice(0, SHOWN_MAX);
  useShown(shown.map((one) => one.id));
  const takesMore = !isSingle || chosen.length === 0;
  const isListed = isOpen && takesMore && found !== null;
  const add = (person: Person): void => {
    onChange([...chosen, person]);
    setQuery("");
    setAt(0);
    field.current?.focus();
  };
  const remove = (person: Person): void => {
    onChange(chosen.filter((one) => one.id !== person.id));
    field.current?.focus();
  };
  const pressed = (event: KeyboardEvent): void => {
    if (event.nativeEvent.isComposing) return;
    const last = chosen.at(-1);
    const offered = shown[at];
    if (event.key === "Backspace" && query === "" && last !== undefined) remove(last);
    else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && isListed && shown.length > 0) {
      event.preventDefault();
      setAt((at + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % shown.length);
    } else if (event.key === "Enter" && isListed && offered !== undefined) {
      event.preventDefault();
      add(offered);
    } else if (event.key === "Escape" && isListed) {
      event.stopPropagation();
      setOpen(false);
    }
  };
  return (
    <div className="field picker">
      <label className="field-label" htmlFor={`${id}-field`}>
        {label}
      </label>
      <div className="input picker-box">
        {chosen.map((person) => (
          <span key={person.id} className="chip" data-testid="picked">
            <Name name={person.name} />
            <button type="button" aria-label={`Take out ${visibleName(person.name)}`} onClick={() => remove(person)}>
              <CloseIcon />
            </button>
          </span>
        ))}
        {takesMore && (
          <input
            ref={field}
            id={`${id}-field`}
            role="combobox"
            aria-expanded={isListed}
            aria-controls={`${id}-list`}
            aria-autocomplete="list"
            aria-activedescendant={isListed && shown.length > 0 ? `${id}-${at}` : undefined}
            value={query}
            maxLength={64}
            autoComplete="off"
            placeholder={chosen.length === 0 ? "Type a name" : ""}
            onChange={(event) => {
              setQuery(event.target.value);
              setOpen(true);
              setAt(0);
            }}
            onFocus={() => setOpen(true)}
            onBlur={() => setOpen(false)}
            onKeyDown={pressed}
            data-testid={testId}
          />
        )}
      </div>
      {/* The field keeps the focus and the keyboard; the list is for the pointer. */}
      <div id={`${id}-list`} className="picker-list" role="listbox" aria-label={label} hidden={!isListed || shown.length === 0}>
        {shown.map((person, index) => (
          // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
          <div
            key={person.id}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === at}
            className="completion"
            onPointerDown={(event) => event.preventDefault()}
            onClick={() => add(person)}
            data-testid="person-option"
          >
            <PersonAvatar name={visibleName(person.name)} id={person.id} />
            <span>
              <Name name={person.name} /> <small>{person.id}</small>
            </span>
          </div>
        ))}
      </div>
      {isListed && found.length === 0 && <p className="picker-none">There is nobody of that name.</p>}
    </div>
  );
}

/** Null until there is an answer. */
export function useFoundPeople(workspace: Workspace, query: string | null): readonly Person[] | null {
  const [found, setFound] = useState<readonly Person[] | null>(null);
  useEffect(() => {
    if (query === null) return;
    let isCurrent = true;
    const timer = setTimeout(() => {
      void workspace.request("people", { query: query.trim(), limit: 20 }).then((list) => {
        if (isCurrent && list.ok) setFound(list.value.people);
      });
    }, WAIT_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [workspace, query]);
  return found;
}
