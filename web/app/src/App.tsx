import { lazy, Suspense, type ReactNode } from "react";

import { RoomPage } from "./pages/RoomPage";
import { StartPage } from "./pages/StartPage";
import { routeOf, usePath } from "./router";
import { Announcements } from "./ui/announce";

/** Whoever comes for a call does not wait for it. */
const WorkspacePage = lazy(async () => ({ default: (await import("./workspace/WorkspacePage")).WorkspacePage }));

const AccountPage = lazy(async () => ({ default: (await import("./account/AccountPage")).AccountPage }));

export function App(): ReactNode {
  const route = routeOf(usePath());
  return (
    <Announcements>
      {route.page === "start" && <StartPage />}
      {route.page === "room" && <RoomPage key={route.room} id={route.room} />}
      {route.page === "account" && (
        <Suspense fallback={<p className="page-loading">Loading…</p>}>
          <AccountPage name={route.name} />
        </Suspense>
      )}
      {route.page === "workspace" && (
        <Suspense fallback={<p className="page-loading">Loading…</p>}>
          <WorkspacePage route={route} />
        </Suspense>
      )}
    </Announcements>
  );
}
