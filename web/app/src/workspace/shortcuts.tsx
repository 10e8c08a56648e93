/** Keyboard shortcuts of the workspace, and the list of all of them. */

import type { Conversation } from "@tertulia/client";
import { useEffect, type ReactNode } from "react";

import { conversationPath, navigate } from "../router";
import { Window } from "./Window";

const LISTED: readonly (readonly [keys: string, what: string])[] = [
  ["Ctrl+K", "Search"],
  ["Alt+N", "New conversation"],
  ["Alt+↑ / Alt+↓", "Conversation above or below"],
  ["Enter", "Send; Shift+Enter begins a new line"],
  ["↑ in an empty field", "Edit your last message"],
  ["@", "Mention somebody"],
  ["Escape", "Stop answering or editing; from the messages back to the field"],
  ["↑ / ↓ in the messages", "Message above or below"],
  ["R, T", "On a message: reply, reply in a thread"],
  ["E, P, C, L, U", "On a message: edit, pin, copy text, copy link, mark unread"],
  ["Delete", "On a message: delete for everybody, with a way back"],
];

interface Asked {
  readonly onSearch: () => void;
  readonly onNew: () => void;
  readonly conversations: readonly Conversation[];
  readonly chosen: string | null;
}

export function useWorkspaceShortcuts({ onSearch, onNew, conversations, chosen }: Asked): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent): void => {
      if (event.shiftKey || event.repeat) return;
      const isControl = event.ctrlKey || event.metaKey;
      if (isControl && !event.altKey && event.code === "KeyK") onSearch();
      else if (event.altKey && !isControl && event.code === "KeyN") onNew();
      else if (event.altKey && !isControl && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
        const shown = conversations.filter(({ archived }) => !archived);
        const at = shown.findIndex(({ id }) => id === chosen);
        const next = shown[event.key === "ArrowUp" ? Math.max(0, at - 1) : at + 1];
        if (next !== undefined) navigate(conversationPath(next.id));
      } else return;
      event.preventDefault();
    };
    addEventListener("keydown", pressed);
    return () => removeEventListener("keydown", pressed);
  }, [onSearch, onNew, conversations, chosen]);
}

export function ShortcutsDialog({ onClose }: { readonly onClose: () => void }): ReactNode {
  return (
    <Window title="Keyboard shortcuts" testId="shortcuts" onClose={onClose}>
      <dl className="shortcuts">
        {LISTED.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Window>
  );
}
