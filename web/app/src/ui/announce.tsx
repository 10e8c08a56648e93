/** Says briefly what happened, to eyes and to screen readers. */

import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from "react";

interface Note {
  readonly id: number;
  readonly text: string;
  readonly isProblem: boolean;
  readonly action: { readonly label: string; readonly run: () => void } | null;
}

export interface Announcer {
  say(text: string): void;
  /** For what went wrong: stays longer. */
  warn(text: string): void;
  /** Says what was done, with a way back while it is shown. */
  offer(text: string, label: string, run: () => void): void;
}

const SHOWN_MS = 4_000;
const WARNING_MS = 9_000;
/** Not longer than what it offers can be done. */
const OFFER_MS = 5_500;
const NOTES_MAX = 4;

const Context = createContext<Announcer>({
  say: () => undefined,
  warn: () => undefined,
  offer: () => undefined,
});

export function useAnnouncer(): Announcer {
  return useContext(Context);
}

export function Announcements({ children }: { readonly children: ReactNode }): ReactNode {
  const [notes, setNotes] = useState<readonly Note[]>([]);
  const next = useRef(0);
  const remove = useCallback((id: number) => setNotes((before) => before.filter((note) => note.id !== id)), []);
  const add = useCallback(
    (note: Omit<Note, "id">, shownMs: number) => {
      const id = next.current++;
      setNotes((before) => [...before.slice(1 - NOTES_MAX), { ...note, id }]);
      setTimeout(() => remove(id), shownMs);
    },
    [remove],
  );
  const announcer = useMemo<Announcer>(
    () => ({
      say: (text) => add({ text, isProblem: false, action: null }, SHOWN_MS),
      warn: (text) => add({ text, isProblem: true, action: null }, WARNING_MS),
      offer: (text, label, run) => add({ text, isProblem: false, action: { label, run } }, OFFER_MS),
    }),
    [add],
  );
  return (
    <Context value={announcer}>
      {children}
      <div className="notes" role="log" aria-live="polite" aria-label="What happened" data-testid="notes">
        {notes.map(({ id, text, isProblem, action }) => (
          <p key={id} className="note" data-problem={isProblem}>
            {text}
            {action !== null && (
              <button
                type="button"
                className="note-action"
                onClick={() => {
                  remove(id);
                  action.run();
                }}
                data-testid="note-action"
              >
                {action.label}
              </button>
            )}
          </p>
        ))}
      </div>
    </Context>
  );
}
