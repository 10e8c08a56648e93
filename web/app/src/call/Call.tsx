/** The call: stage, panel, controls. */

import { lazy, Suspense, useCallback, useEffect, useState, type ReactNode } from "react";

import { problemText } from "../text/errors";
import { visibleName } from "../text/visible";
import { useAnnouncer } from "../ui/announce";
import { useMedia } from "../ui/hooks";
import type { Visit } from "../visit";
import { Controls } from "./Controls";
import { useNetwork, useWakefulness } from "./device";
import { Header } from "./Header";
import { PanelFrame } from "../ui/PanelFrame";
import { PeoplePanel } from "./PeoplePanel";
import { useShortcuts } from "./shortcuts";
import { Sounds } from "./Sounds";
import { Stage } from "./Stage";
import { useUnread } from "./unread";

/** Not needed before somebody is in a call; asked for at once then, so that it is there when it is opened. */
const loading = (): Promise<typeof import("./ChatPanel")> => import("./ChatPanel");
const ChatPanel = lazy(async () => ({ default: (await loading()).ChatPanel }));

export type Panel = "chat" | "people";

export function Call({ visit, name }: { readonly visit: Visit; readonly name: string }): ReactNode {
  const { room } = visit;
  const isWide = useMedia("(min-width: 900px)");
  const [panel, setPanel] = useState<Panel | null>(isWide ? "chat" : null);
  const unread = useUnread(room.chat, panel === "chat");
  const toggle = useCallback((which: Panel) => setPanel((open) => (open === which ? null : which)), []);
  const close = useCallback(() => setPanel(null), []);
  useShortcuts(visit, toggle);
  useNews(visit);
  useNetwork(visit);
  useWakefulness();
  useEffect(() => void loading(), []);

  return (
    <div className="call" data-panel={panel ?? "none"} data-testid="room">
      <Header visit={visit} name={name} />
      <main className="call-main" aria-label="People and screens">
        <Stage visit={visit} />
      </main>
      {panel === "chat" && (
        <Suspense fallback={<PanelFrame title="Chat" testId="chat-loading" isSheet={!isWide} onClose={close} />}>
          <ChatPanel room={room} onClose={close} isSheet={!isWide} />
        </Suspense>
      )}
      {panel === "people" && <PeoplePanel visit={visit} onClose={close} isSheet={!isWide} />}
      <Controls visit={visit} panel={panel} unread={unread} onPanel={toggle} />
      <Sounds seats={room.seats} />
    </div>
  );
}

/** Says who comes and goes, and what went wrong with a device. */
function useNews({ room, capture }: Visit): void {
  const announcer = useAnnouncer();
  useEffect(() => {
    const stops = [
      room.roster.on("joined", (one) => announcer.say(`${visibleName(one.name)} joined`)),
      room.roster.on("left", (one) => announcer.say(`${visibleName(one.name)} left`)),
      capture.on("problem", (kind, problem) => announcer.warn(problemText(kind, problem))),
    ];
    return () => stops.forEach((stop) => stop());
  }, [room, capture, announcer]);
}
