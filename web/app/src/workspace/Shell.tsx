/** The workspace: conversations on one side, the chosen one in the middle, and what belongs to it beside it. */

import type { Workspace } from "@tertulia/client/workspace";
import { useCallback, useEffect, useState, type ReactNode } from "react";

import { conversationPath, navigate } from "../router";
import { failureText } from "../text/errors";
import { useAnnouncer } from "../ui/announce";
import { useMedia, useObserved, useTitle } from "../ui/hooks";
import { Mark } from "../ui/icons";
import { PresenceOf } from "../ui/presence";
import { BlockedDialog } from "./BlockedDialog";
import { BrowseDialog } from "./BrowseDialog";
import { ConversationPage } from "./ConversationPage";
import type { DialogName } from "./dialogs";
import { NewDialog } from "./NewDialog";
import { titleOf } from "./names";
import { SearchPanel } from "./SearchPanel";
import { ShortcutsDialog, useWorkspaceShortcuts } from "./shortcuts";
import { Sidebar } from "./Sidebar";
import { StatusDialog } from "./StatusDialog";
import type { WorkspaceRoute } from "./WorkspacePage";

interface ShellProps {
  readonly workspace: Workspace;
  readonly route: WorkspaceRoute;
  readonly onLeave: () => void;
}

export function Shell({ workspace, route, onLeave }: ShellProps): ReactNode {
  const { list } = workspace;
  const [dialog, setDialog] = useState<DialogName | null>(null);
  const [isSearching, setSearching] = useState(false);
  const isNarrow = useMedia("(max-width: 760px)");
  const { conversations, isLoaded } = useObserved(list, "change", () => list.snapshot);
  const chosen = route.conversation === null ? null : (conversations.find(({ id }) => id === route.conversation) ?? null);
  const unread = conversations.filter((one) => one.unread > 0 && !list.isMuted(one) && !one.archived).length;
  useTitle(`${unread > 0 ? `(${unread}) ` : ""}${chosen === null ? "Conversations" : titleOf(chosen)} · Tertulia`);
  useProblems(workspace);
  useInvitation(workspace, route.invite);
  useEffect(() => workspace.setOpen(route.conversation), [workspace, route.conversation]);
  const search = useCallback(() => setSearching(true), []);
  const closeDialog = useCallback(() => setDialog(null), []);
  useWorkspaceShortcuts({ onSearch: search, onNew: () => setDialog("new"), conversations, chosen: route.conversation });

  return (
    <PresenceOf value={workspace.people}>
      <div className="workspace" data-view={route.conversation === null && !isSearching ? "list" : "conversation"} data-testid="workspace">
        {(!isNarrow || (route.conversation === null && !isSearching)) && (
          <Sidebar
            workspace={workspace}
            chosen={route.conversation}
            onDialog={setDialog}
            onSearch={search}
            onLeave={onLeave}
          />
        )}
        {isSearching && (
          <SearchPanel workspace={workspace} within={chosen} onClose={() => setSearching(false)} />
        )}
        {!isSearching && chosen !== null && (
          <ConversationPage key={chosen.id} workspace={workspace} conversation={chosen} seq={route.seq} isNarrow={isNarrow} />
        )}
        {!isSearching && chosen === null && !isNarrow && (
          <main className="workspace-empty">
            <Mark />
            <h1>{route.conversation !== null && isLoaded ? "This conversation is not yours to see" : "Choose a conversation"}</h1>
            <p>
              {route.conversation !== null && isLoaded
                ? "It may have been closed, or you were taken out of it. Ask whoever sent you the link."
                : "Or start a new one with the plus above the list."}
            </p>
          </main>
        )}
        {!isSearching && chosen === null && isNarrow && route.conversation !== null && (
          <main className="workspace-empty">
            <p>{isLoaded ? "This conversation is not yours to see." : "Loading…"}</p>
            <a href="/c">All conversations</a>
          </main>
        )}
        {dialog === "new" && <NewDialog workspace={workspace} onClose={closeDialog} />}
        {dialog === "browse" && <BrowseDialog workspace={workspace} onClose={closeDialog} />}
        {dialog === "shortcuts" && <ShortcutsDialog onClose={closeDialog} />}
        {dialog === "blocked" && <BlockedDialog workspace={workspace} onClose={closeDialog} />}
        {dialog === "status" && <StatusDialog workspace={workspace} onClose={closeDialog} />}
      </div>
    </PresenceOf>
  );
}

/** Says why a change of one's own was not taken. */
function useProblems(workspace: Workspace): void {
  const announcer = useAnnouncer();
  useEffect(() => workspace.on("problem", (error) => announcer.warn(failureText(error))), [workspace, announcer]);
}

/** Whoever comes with an invitation goes in, once connected. */
function useInvitation(workspace: Workspace, token: string | null): void {
  const announcer = useAnnouncer();
  const { me } = useObserved(workspace, "change", () => workspace.snapshot);
  const isReady = me !== null;
  useEffect(() => {
    if (token === null || !isReady) return;
    let isCurrent = true;
    void workspace.request("accept-invite", { token, client_id: workspace.makeId() }).then((entered) => {
      if (!isCurrent) return;
      if (!entered.ok) {
        announcer.warn(failureText(entered.error));
        return navigate("/c");
      }
      workspace.handleConversation(entered.value);
      navigate(conversationPath(entered.value.id));
    });
    return () => {
      isCurrent = false;
    };
  }, [workspace, token, isReady, announcer]);
}
