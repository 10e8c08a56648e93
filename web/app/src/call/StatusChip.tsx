/** How the connection really is. */

import type { Room } from "@tertulia/client";
import type { ReactNode } from "react";

import { useObserved } from "../ui/hooks";

interface Status {
  readonly text: string;
  readonly look: "good" | "waiting" | "bad";
}

export function StatusChip({ room }: { readonly room: Room }): ReactNode {
  const socket = useObserved(room.connection, "state", () => room.connection.state);
  const media = useObserved(room, "media", () => room.session.media?.state ?? "new");
  const { text, look } = statusOf(socket, media);
  return (
    <p className="status" data-look={look} role="status" data-testid="connection-state">
      <span className="status-dot" aria-hidden="true" />
      <span className="status-text">{text}</span>
    </p>
  );
}

function statusOf(socket: Room["connection"]["state"], media: string): Status {
  const isMediaLost = media === "disconnected" || media === "failed" || media === "dead";
  if (socket !== "connected") {
    return { text: isMediaLost ? "Connection lost. Reconnecting…" : "Reconnecting…", look: isMediaLost ? "bad" : "waiting" };
  }
  if (isMediaLost) return { text: "Reconnecting sound and picture…", look: "waiting" };
  return media === "connected" ? { text: "Connected", look: "good" } : { text: "Connecting…", look: "waiting" };
}
