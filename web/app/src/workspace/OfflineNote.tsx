/** Says that there is no connection, and what becomes of what one writes meanwhile. */

import type { Workspace } from "@tertulia/client/workspace";
import { useSyncExternalStore, type ReactNode } from "react";

import { useObserved } from "../ui/hooks";

export function OfflineNote({ workspace }: { readonly workspace: Workspace }): ReactNode {
  const connection = useObserved(workspace, "change", () => workspace.snapshot.connection);
  const isOnline = useSyncExternalStore(subscribe, () => navigator.onLine);
  return (
    <div role="status">
      {(connection === "reconnecting" || !isOnline) && (
        <p className="offline-note" data-testid="offline">
          {isOnline ? "Reconnecting…" : "You are offline."} What you write is kept, and sent when the connection is back.
        </p>
      )}
    </div>
  );
}

function subscribe(changed: () => void): () => void {
  addEventListener("online", changed);
  addEventListener("offline", changed);
  return () => {
    removeEventListener("online", changed);
    removeEventListener("offline", changed);
  };
}
