/** Whom one has blocked, and the way back. */

import type { Workspace } from "@tertulia/client/workspace";
import { useRef, useState, type ReactNode } from "react";

import { failureText } from "../text/errors";
import { Name } from "../text/Prose";
import { Avatar } from "../ui/Avatar";
import { Button } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import { nameOfPerson } from "./names";
import { Window } from "./Window";

export function BlockedDialog({ workspace, onClose }: { readonly workspace: Workspace; readonly onClose: () => void }): ReactNode {
  const blocked = useObserved(workspace, "change", () => workspace.snapshot.me?.blocked ?? NOBODY);
  const { conversations } = useObserved(workspace.list, "change", () => workspace.list.snapshot);
  const list = useRef<HTMLUListElement>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const unblock = async (user: string): Promise<void> => {
    const done = await workspace.block(user, false);
    setProblem(done.ok ? null : failureText(done.error));
    // The button that was pressed is gone, and the keyboard must not be lost with it.
    if (done.ok) list.current?.focus();
  };
  return (
    <Window title="Blocked people" testId="blocked-dialog" onClose={onClose}>
      <p className="dialog-note">
        Nobody whom you have blocked can write to you directly. What they write in groups is folded away and not counted.
      </p>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {blocked.length === 0 && <p className="chat-note">You have blocked nobody. You find it in the menu beside a member of a conversation.</p>}
      <ul className="members" aria-label="Blocked people" ref={list} tabIndex={-1}>
        {blocked.map((user) => {
          const name = nameOfPerson(conversations, user);
          return (
            <li key={user} className="person" data-testid="blocked">
              <Avatar name={name} id={user} />
              <span className="person-name">
                <Name name={name} />
                <small>{user}</small>
              </span>
              <Button onPress={() => void unblock(user)} testId="unblock">
                Unblock
              </Button>
            </li>
          );
        })}
      </ul>
    </Window>
  );
}

const NOBODY: readonly string[] = [];
