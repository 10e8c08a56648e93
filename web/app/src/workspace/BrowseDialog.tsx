/** Channels that anybody may join. */

import type { Conversation, Failure } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useEffect, useState, type ReactNode } from "react";

import { conversationPath, navigate } from "../router";
import { failureText } from "../text/errors";
import { visible } from "../text/visible";
import { Button } from "../ui/controls";
import { titleOf } from "./names";
import { KindIcon } from "./Sidebar";
import { Window } from "./Window";

const WAIT_MS = 200;

interface Page {
  readonly conversations: readonly Conversation[];
  readonly next: string | null;
}

export function BrowseDialog({ workspace, onClose }: { readonly workspace: Workspace; readonly onClose: () => void }): ReactNode {
  const [query, setQuery] = useState("");
  const [page, setPage] = useState<Page | null>(null);
  const [error, setError] = useState<Failure | null>(null);
  useEffect(() => {
    let isCurrent = true;
    const timer = setTimeout(() => {
      void workspace.request("browse", { query: query.trim() }).then((found) => {
        if (!isCurrent) return;
        setError(found.ok ? null : found.error);
        if (found.ok) setPage(found.value);
      });
    }, WAIT_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [workspace, query]);
  const more = async (): Promise<void> => {
    const found = await workspace.request("browse", { query: query.trim(), cursor: page?.next ?? null });
    if (found.ok && page !== null) setPage({ conversations: [...page.conversations, ...found.value.conversations], next: found.value.next });
  };
  const enter = async (conversation: Conversation): Promise<void> => {
    if (conversation.role === null) {
      const joined = await workspace.request("join-conversation", { conversation: conversation.id, client_id: workspace.makeId() });
      if (!joined.ok) { setError(joined.error); return; }
      const found = await workspace.request("conversation", { conversation: conversation.id });
      if (found.ok) workspace.handleConversation(found.value);
    }
    onClose();
    navigate(conversationPath(conversation.id));
  };
  return (
    <Window title="Channels" testId="browse-dialog" onClose={onClose}>
      <input
        className="input"
        type="search"
        value={query}
        maxLength={80}
        onChange={(event) => setQuery(event.target.value)}
        placeholder="Find by name"
        aria-label="Find by name"
        data-testid="browse-query"
      />
      {error !== null && (
        <p className="problem" role="alert">
          {failureText(error)}
        </p>
      )}
      {page === null && error === null && <p className="chat-note">Loading…</p>}
      {page?.conversations.length === 0 && <p className="chat-note">There is no such channel. Make one with the plus above the list.</p>}
      <ul className="browse-list">
        {page?.conversations.map((conversation) => (
          <li key={conversation.id} className="browse-item">
            <KindIcon conversation={conversation} />
            <span className="item-words">
              <span className="item-title">
                <bdi>{titleOf(conversation)}</bdi>
              </span>
              <span className="item-last">
                {conversation.members === 1 ? "1 member" : `${conversation.members} members`}
                {conversation.about !== "" && <bdi> · {visible(conversation.about)}</bdi>}
              </span>
            </span>
            <Button look={conversation.role === null ? "primary" : "quiet"} onPress={() => void enter(conversation)} testId="browse-join">
              {conversation.role === null ? "Join" : "Open"}
            </Button>
          </li>
        ))}
      </ul>
      {page?.next != null && <Button onPress={() => void more()}>More</Button>}
    </Window>
  );
}
