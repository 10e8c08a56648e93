/** Before the call: see oneself, choose devices, say one's name. */

import { useEffect, useState, type ReactNode, type SubmitEvent } from "react";
import { Input, Label, TextField } from "react-aria-components";

import { remember, remembered } from "../memory";
import { failureText } from "../text/errors";
import { Button } from "../ui/controls";
import { Mark } from "../ui/icons";
import type { Visit } from "../visit";
import { DeviceChoice } from "./DeviceChoice";
import { Preview } from "./Preview";

/** Longer than the pause between two keys. */
const HEAD_START_MS = 700;

interface LobbyProps {
  readonly visit: Visit;
  /** The room's; empty until known. */
  readonly name: string;
  readonly onJoined: () => void;
}

export function Lobby({ visit, name, onJoined }: LobbyProps): ReactNode {
  const [person, setPerson] = useState(() => remembered("name"));
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useOpenDevices(visit);
  useHeadStart(visit, person.trim());

  const join = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const chosen = person.trim();
    if (chosen === "") {
      setProblem("Say who you are, so that the others know whom they talk to.");
      return;
    }
    setBusy(true);
    setProblem(null);
    remember("name", chosen);
    for (const kind of ["microphone", "camera"] as const) {
      // What could not be opened was not a choice.
      if (visit.capture.problem(kind) === null) remember(`${kind}-on`, visit.capture.isOn(kind) ? "yes" : "no");
    }
    const joined = await visit.join(chosen);
    setBusy(false);
    if (joined.ok) onJoined();
    else setProblem(failureText(joined.error));
  };

  return (
    <main className="lobby" data-testid="lobby">
      <header className="brand">
        <Mark />
        <span>Tertulia</span>
      </header>
      <Preview visit={visit} name={person} />
      <form className="lobby-form" onSubmit={(event) => void join(event)}>
        <div>
          <p className="eyebrow">You are about to join</p>
          <h1 className="lobby-room">{name === "" ? "…" : name}</h1>
        </div>
        <TextField className="field" value={person} onChange={setPerson} maxLength={64} autoComplete="nickname">
          <Label>Your name</Label>
          <Input className="input" placeholder="As the others will see it" data-testid="lobby-name" />
        </TextField>
        <DeviceChoice visit={visit} />
        {problem !== null && (
          <p className="problem" role="alert" data-testid="lobby-problem">
            {problem}
          </p>
        )}
        <Button look="primary" type="submit" isDisabled={isBusy} testId="lobby-join">
          {isBusy ? "Joining…" : "Join"}
        </Button>
      </form>
    </main>
  );
}

/** Once the name stands, what a join needs is made in the background. */
function useHeadStart(visit: Visit, name: string): void {
  useEffect(() => {
    if (name === "") return;
    const timer = setTimeout(() => void visit.prepare(name), HEAD_START_MS);
    return () => clearTimeout(timer);
  }, [visit, name]);
}

/** Opens what was on last time; at first both. */
function useOpenDevices({ capture, devices, room }: Visit): void {
  useEffect(() => {
    if (room.state.kind !== "idle") return;
    const wants = (kind: string): boolean => remembered(`${kind}-on`) !== "no";
    void devices.refresh();
    if (wants("microphone") && wants("camera")) void capture.turnOnBoth();
    else if (wants("microphone")) void capture.turnOn("microphone");
    else if (wants("camera")) void capture.turnOn("camera");
  }, [capture, devices, room]);
}
