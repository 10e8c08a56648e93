/** A room's address: first the lobby, then the call, then the way back. */

import type { Failure } from "@tertulia/client";
import { useEffect, useState, type ReactNode } from "react";

import { Call } from "../call/Call";
import { Lobby } from "../lobby/Lobby";
import { endedText, failureText } from "../text/errors";
import { visible } from "../text/visible";
import { useObserved, useTitle } from "../ui/hooks";
import { api, startVisit } from "../visit";
import { EndPage } from "./EndPage";

export function RoomPage({ id }: { readonly id: string }): ReactNode {
  const [round, setRound] = useState(0);
  return <VisitPage key={round} id={id} onAgain={() => setRound(round + 1)} />;
}

function isGone(error: Failure): boolean {
  return error.kind === "refused" && (error.code === "room-not-found" || error.code === "room-ended");
}

function VisitPage({ id, onAgain }: { readonly id: string; readonly onAgain: () => void }): ReactNode {
  const [visit] = useState(() => startVisit(id));
  const { room } = visit;
  const state = useObserved(room, "state", () => room.state);
  const [name, setName] = useState("");
  const [hasEntered, setEntered] = useState(false);
  const [missing, setMissing] = useState<string | null>(null);
  useTitle(name === "" ? "Tertulia" : `${name} · Tertulia`);
  useEffect(() => {
    const abandon = (): void => room.abandon();
    // The others should see at once that a closed window is gone.
    addEventListener("pagehide", abandon);
    return () => {
      removeEventListener("pagehide", abandon);
      abandon();
    };
  }, [room]);
  useEffect(() => {
    let isCurrent = true;
    void api.room(visit.id).then((found) => {
      if (!isCurrent) return;
      if (found.ok) setName(visible(found.value.name) || found.value.id);
      else if (isGone(found.error)) setMissing(failureText(found.error));
      else setName(visit.id);
    });
    return () => {
      isCurrent = false;
    };
  }, [visit]);

  if (missing !== null) return <EndPage title="No such room" text={missing} />;
  if (state.kind === "ended") return <EndPage title="The call has ended" text={endedText(state.code)} onAgain={onAgain} />;
  if (state.kind === "left") return <EndPage title="You left" text={`See you again in ${name}.`} onAgain={onAgain} />;
  if (state.kind === "failed" && hasEntered) {
    return <EndPage title="The call was lost" text={failureText(state.error)} onAgain={onAgain} />;
  }
  if (state.kind === "joined") return <Call visit={visit} name={name} />;
  return <Lobby visit={visit} name={name} onJoined={() => setEntered(true)} />;
}
