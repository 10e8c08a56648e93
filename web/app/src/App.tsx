import type { ReactNode } from "react";

import { RoomPage } from "./pages/RoomPage";
import { StartPage } from "./pages/StartPage";
import { routeOf, usePath } from "./router";
import { Announcements } from "./ui/announce";

export function App(): ReactNode {
  const route = routeOf(usePath());
  return (
    <Announcements>
      {route.page === "start" ? <StartPage /> : <RoomPage key={route.room} id={route.room} />}
    </Announcements>
  );
}
