/** Says briefly what happened, to eyes and to screen readers. */

import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from "react";

interface Note {
  readonly id: number;
  readonly text: string;
  readonly isProblem: boolean;
}

export interface Announcer {
  say(text: string): void;
  /** For what went wrong: stays longer. */
  warn(text: string): void;
}

const SHOWN_MS = 4_000;
const WARNING_MS = 9_000;
const NOTES_MAX = 4;

const Context = createContext<Announcer>({ say: () => undefined, warn: () => undefined });

export function useAnnouncer(): Announcer {
  return useContext(Context);
}

export function Announcements({ children }: { readonly children: ReactNode }): ReactNode {
  const [notes, setNotes] = useState<readonly Note[]>([]);
  const next = useRef(0);
  const add = useCallback((text: string, isProblem: boolean) => {
    const id = next.current++;
    setNotes((before) => [...before.slice(1 - NOTES_MAX), { id, text, isProblem }]);
    setTimeout(
      () => setNotes((before) => before.filter((note) => note.id !== id)),
      isProblem ? WARNING_MS : SHOWN_MS,
    );
  }, []);
  const announcer = useMemo<Announcer>(
    () => ({ say: (text) => add(text, false), warn: (text) => add(text, true) }),
    [add],
  );
  return (
    <Context value={announcer}>
      {children}
      <div className="notes" role="log" aria-live="polite" aria-label="What happened" data-testid="notes">
        {notes.map(({ id, text, isProblem }) => (
          <p key={id} className="note" data-problem={isProblem}>
            {text}
          </p>
        ))}
      </div>
    </Context>
  );
}
