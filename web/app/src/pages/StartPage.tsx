/** The front door: make a room, or go into one. */

import { useState, type ReactNode, type SubmitEvent } from "react";
import { Input, Label, TextField } from "react-aria-components";

import { navigate, pathOf, roomIn } from "../router";
import { failureText } from "../text/errors";
import { Button } from "../ui/controls";
import { useTitle } from "../ui/hooks";
import { Mark } from "../ui/icons";
import { api } from "../visit";

export function StartPage(): ReactNode {
  useTitle("Tertulia");
  return (
    <main className="start">
      <header className="brand">
        <Mark />
        <span>Tertulia</span>
      </header>
      <div className="start-words">
        <h1>A place to talk.</h1>
        <p>See and hear each other, share a screen, and write. It all stays on this server, and so does the conversation.</p>
      </div>
      <NewRoom />
      <ExistingRoom />
      <p className="start-conversations">
        Or go to{" "}
        <a
          href="/c"
          onClick={(event) => {
            event.preventDefault();
            navigate("/c");
          }}
          data-testid="start-conversations"
        >
          your conversations
        </a>
        .
      </p>
    </main>
  );
}

function NewRoom(): ReactNode {
  const [name, setName] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const create = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const created = await api.createRoom(name.trim());
    setBusy(false);
    if (created.ok) navigate(pathOf(created.value.id));
    else setProblem(failureText(created.error));
  };
  return (
    <form className="card start-new" onSubmit={(event) => void create(event)}>
      <TextField className="field" value={name} onChange={setName} maxLength={80}>
        <Label>Name your room, if you like</Label>
        <Input className="input" placeholder="Thursday reading circle" autoComplete="off" data-testid="start-name" />
      </TextField>
      <Button look="primary" type="submit" isDisabled={isBusy} testId="start-new">
        New room
      </Button>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

function ExistingRoom(): ReactNode {
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const enter = (event: SubmitEvent): void => {
    event.preventDefault();
    const room = roomIn(text);
    if (room === null) setProblem("That does not look like an invitation. Paste the whole link you were sent.");
    else navigate(pathOf(room));
  };
  return (
    <form className="start-existing" onSubmit={enter}>
      <TextField className="field" value={text} onChange={setText}>
        <Label>Have an invitation?</Label>
        <Input className="input" placeholder="Paste its link" autoComplete="off" data-testid="start-link" />
      </TextField>
      <Button type="submit" isDisabled={text.trim() === ""} testId="start-enter">
        Go to the room
      </Button>
      {problem !== null && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}
