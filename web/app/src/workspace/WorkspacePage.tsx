/** One's conversations: first who one is, then the list and what is in it. */

import { SteadyReconnect, makeUuid, socketIo, systemTimers, type LoggedIn } from "@tertulia/client";
import { Workspace, browserStore } from "@tertulia/client/workspace";
import { useEffect, useState, type ReactNode, type SubmitEvent } from "react";
import { Input, Label, TextField } from "react-aria-components";

import { remember, remembered } from "../memory";
import type { Route } from "../router";
import { failureText } from "../text/errors";
import { Button } from "../ui/controls";
import { useTitle } from "../ui/hooks";
import { Mark } from "../ui/icons";
import { freshToken, kept, logIn, logOut } from "./login";
import { Shell } from "./Shell";

import "../theme/workspace.css";

export type WorkspaceRoute = Extract<Route, { page: "workspace" }>;

export function WorkspacePage({ route }: { readonly route: WorkspaceRoute }): ReactNode {
  const [login, setLogin] = useState(kept);
  if (login === null) return <LogIn onDone={setLogin} />;
  const leave = (): void => {
    logOut();
    setLogin(null);
  };
  return <Open key={login.identity} login={login} route={route} onLeave={leave} />;
}

function Open({ login, route, onLeave }: { readonly login: LoggedIn; readonly route: WorkspaceRoute; readonly onLeave: () => void }): ReactNode {
  const [workspace] = useState(() => makeWorkspace(login));
  useEffect(() => {
    void workspace.open();
    const online = (): void => workspace.connection.handleOnline();
    addEventListener("online", online);
    return () => {
      removeEventListener("online", online);
      workspace.close();
    };
  }, [workspace]);
  useEffect(() => workspace.on("refused", onLeave), [workspace, onLeave]);
  return <Shell workspace={workspace} route={route} onLeave={onLeave} />;
}

function makeWorkspace(login: LoggedIn): Workspace {
  return new Workspace({
    token: (fresh) => freshToken(login, fresh),
    socket: socketIo(""),
    timers: systemTimers,
    policy: new SteadyReconnect(),
    makeId: makeUuid,
    wallClock: () => Date.now(),
    store: browserStore(login.identity),
  });
}

function LogIn({ onDone }: { readonly onDone: (login: LoggedIn) => void }): ReactNode {
  const [name, setName] = useState(remembered("name"));
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useTitle("Log in · Tertulia");
  const submit = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const login = await logIn(name.trim());
    setBusy(false);
    if (!login.ok) { setProblem(failureText(login.error)); return; }
    remember("name", name.trim());
    onDone(login.value);
  };
  return (
    <main className="start">
      <header className="brand">
        <Mark />
        <span>Tertulia</span>
      </header>
      <div className="start-words">
        <h1>Your conversations</h1>
        <p>This is a development server: whoever gives a name is that person. The same name brings the same conversations back.</p>
      </div>
      <form className="card" onSubmit={(event) => void submit(event)}>
        <TextField className="field" value={name} onChange={setName} maxLength={64} isRequired>
          <Label>Your name</Label>
          <Input className="input" autoComplete="nickname" data-testid="login-name" />
        </TextField>
        <Button look="primary" type="submit" isDisabled={isBusy || name.trim() === ""} testId="login">
          Log in
        </Button>
        {problem !== null && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
      </form>
    </main>
  );
}
