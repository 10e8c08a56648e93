/** Logging in by way of a provider: the ways there, and the way back. */

import { useEffect, useState, type ReactNode } from "react";

import { accounts } from "./session";
import { wayBackOf, type WayBack } from "./wayBack";

const NAMES: Readonly<Record<string, string>> = { google: "Google", github: "GitHub", facebook: "Facebook" };

/** What the address says, once: a reload begins anew. */
export function useWayBack(): WayBack {
  const [back] = useState(() => wayBackOf(location.hash));
  useEffect(() => {
    if (back.ticket !== null || back.failure !== null) history.replaceState(null, "", location.pathname);
  }, [back]);
  return back;
}

export function Providers(): ReactNode {
  const [names, setNames] = useState<readonly string[]>([]);
  useEffect(() => {
    let isCurrent = true;
    void accounts.providers().then((answer) => {
      if (isCurrent && answer.ok) setNames(answer.value.providers);
    });
    return () => {
      isCurrent = false;
    };
  }, []);
  if (names.length === 0) return null;
  return (
    <nav className="card account-providers" aria-label="Other ways to log in">
      {names.map((name) => (
        <a key={name} className="button quiet" href={`/auth/oauth/${name}?path=${encodeURIComponent(location.pathname)}`} data-testid={`provider-${name}`}>
          Go on with {NAMES[name] ?? name}
        </a>
      ))}
    </nav>
  );
}
