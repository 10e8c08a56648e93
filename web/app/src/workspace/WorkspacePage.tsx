/** One's conversations: first who one is, then the list and what is in it. */

import { SteadyReconnect, failed, makeUuid, socketIo, systemTimers, type LoggedIn, type Refused } from "@tertulia/client";
import { Workspace, browserStore, type WorkspaceOptions } from "@tertulia/client/workspace";
import { useEffect, useState, type ReactNode } from "react";

import { LogIn } from "../account/LogIn";
import { accounts, session, useSession } from "../account/session";
import type { Route } from "../router";
import { freshToken, kept, logOut } from "./login";
import { Shell } from "./Shell";

import "../theme/account.css";
import "../theme/workspace.css";

export type WorkspaceRoute = Extract<Route, { page: "workspace" }>;

export function WorkspacePage({ route }: { readonly route: WorkspaceRoute }): ReactNode {
  const known = useSession();
  const [login, setLogin] = useState(kept);
  if (known !== null) return <Open key={known.session} who={ofAccount(known.account)} route={route} />;
  if (login === null) return <LogIn onDevelopment={setLogin} />;
  const leave = (): void => {
    logOut();
    setLogin(null);
  };
  return <Open key={login.identity} who={byName(login, leave)} route={route} />;
}

/** Somebody who is logged in, however that was. */
interface Who {
  readonly identity: string;
  readonly token: WorkspaceOptions["token"];
  readonly prepare?: WorkspaceOptions["prepare"];
  /** They want to go. */
  readonly leave: () => void;
  /** The server does not know them any more. */
  readonly refused: () => void;
}

function ofAccount(identity: string): Who {
  return {
    identity,
    token: () => Promise.resolve(""),
    prepare: async (fresh) => {
      const known = await session.fresh(fresh);
      return known.ok && known.value === null ? failed(LOGGED_OUT) : known;
    },
    leave: () => void accounts.logOut(),
    refused: () => session.forget(),
  };
}

const LOGGED_OUT: Refused = { kind: "refused", code: "session-ended", message: "You were logged out.", field: null };

function byName(login: LoggedIn, leave: () => void): Who {
  return { identity: login.identity, token: (fresh) => freshToken(login, fresh), leave, refused: leave };
}

function Open({ who, route }: { readonly who: Who; readonly route: WorkspaceRoute }): ReactNode {
  const [workspace] = useState(() => makeWorkspace(who));
  useEffect(() => {
    void workspace.open();
    const online = (): void => workspace.connection.handleOnline();
    addEventListener("online", online);
    return () => {
      removeEventListener("online", online);
      workspace.close();
    };
  }, [workspace]);
  useEffect(() => workspace.on("refused", who.refused), [workspace, who]);
  return <Shell workspace={workspace} route={route} onLeave={who.leave} />;
}

function makeWorkspace({ identity, token, prepare }: Who): Workspace {
  return new Workspace({
    token,
    ...(prepare === undefined ? {} : { prepare }),
    socket: socketIo(""),
    timers: systemTimers,
    policy: new SteadyReconnect(),
    makeId: makeUuid,
    wallClock: () => Date.now(),
    store: browserStore(identity),
  });
}
