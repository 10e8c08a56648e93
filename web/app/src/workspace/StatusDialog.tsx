/** A line that others see beside one's name, for as long as one wants. */

import type { ChosenStatus } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useState, type ReactNode, type SubmitEvent } from "react";

import { failureText } from "../text/errors";
import { Button } from "../ui/controls";
import { usePresence } from "../ui/presence";
import { Window } from "./Window";

const TEXT_MAX = 100;

export function StatusDialog({ workspace, onClose }: { readonly workspace: Workspace; readonly onClose: () => void }): ReactNode {
  const presence = usePresence(workspace.snapshot.me?.id ?? null);
  const [text, setText] = useState(presence?.text ?? "");
  const [problem, setProblem] = useState<string | null>(null);
  const save = async (next: string): Promise<void> => {
    const done = await workspace.people.choose(chosen(presence?.status), next.trim());
    if (done.ok) onClose();
    else setProblem(failureText(done.error));
  };
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    void save(text);
  };
  return (
    <Window title="Your status" testId="status-dialog" onClose={onClose}>
      <form className="dialog-form" onSubmit={submit}>
        <label className="field">
          <span className="field-label">What you are doing</span>
          <input
            className="input"
            value={text}
            maxLength={TEXT_MAX}
            dir="auto"
            onChange={(event) => setText(event.target.value)}
            placeholder="Reading until noon"
            data-testid="status-input"
          />
        </label>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <div className="dialog-ways">
          <Button look="primary" type="submit" testId="status-save">
            Save
          </Button>
          <Button isDisabled={text === ""} onPress={() => void save("")}>
            Clear
          </Button>
        </div>
      </form>
    </Window>
  );
}

function chosen(status: string | undefined): ChosenStatus {
  return status === "away" || status === "dnd" || status === "invisible" ? status : "online";
}
