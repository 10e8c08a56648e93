/** The list of conversations, with what is unread in each. */

import type { Conversation } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import { useState, type ReactNode } from "react";
import { Button as AriaButton, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";

import { conversationPath, navigate } from "../router";
import { failureText } from "../text/errors";
import { shortText } from "../text/time";
import { visible } from "../text/visible";
import { useAnnouncer } from "../ui/announce";
import { Button, IconButton } from "../ui/controls";
import { useObserved } from "../ui/hooks";
import { ChevronIcon, HashIcon, HornIcon, LockIcon, MutedIcon, PeopleIcon, PinIcon, PlusIcon, SearchIcon } from "../ui/icons";
import { PersonAvatar, useShown } from "../ui/presence";
import type { DialogName } from "./dialogs";
import { MeMenu } from "./MeMenu";
import { countText, lineOf, titleOf } from "./names";
import { OfflineNote } from "./OfflineNote";

interface SidebarProps {
  readonly workspace: Workspace;
  readonly chosen: string | null;
  readonly onDialog: (name: DialogName) => void;
  readonly onSearch: () => void;
  readonly onLeave: () => void;
}

export function Sidebar({ workspace, chosen, onDialog, onSearch, onLeave }: SidebarProps): ReactNode {
  const { list } = workspace;
  const { conversations, isLoaded } = useObserved(list, "change", () => list.snapshot);
  const { me, error, connection } = useObserved(workspace, "change", () => workspace.snapshot);
  const [showsArchive, setArchive] = useState(false);
  const shown = conversations.filter(({ archived }) => archived === showsArchive);
  const archived = conversations.filter((one) => one.archived).length;
  useShown(shown.flatMap(({ other }) => (other === null ? [] : [other])));
  return (
    <nav className="sidebar" aria-label="Conversations">
      <header className="sidebar-header">
        <MeMenu workspace={workspace} onDialog={onDialog} onLeave={onLeave} />
        <IconButton label="Search" shortcut="Ctrl+K" icon={<SearchIcon />} onPress={onSearch} testId="open-search" />
        <IconButton label="New conversation" icon={<PlusIcon />} onPress={() => onDialog("new")} testId="new-conversation" />
      </header>
      <OfflineNote workspace={workspace} />
      {error !== null && connection === "connected" && (
        <div className="sidebar-note" role="alert">
          {failureText(error)} <Button onPress={() => workspace.connection.reopen()}>Try again</Button>
        </div>
      )}
      {!isLoaded && error === null && <p className="sidebar-note">Loading…</p>}
      {isLoaded && shown.length === 0 && (
        <div className="sidebar-note">
          {showsArchive ? "Nothing is archived." : "No conversations yet. Start one, or look at what others have opened."}
        </div>
      )}
      <ul className="sidebar-list" data-testid="conversations">
        {shown.map((conversation) => (
          <Item
            key={conversation.id}
            workspace={workspace}
            conversation={conversation}
            me={me?.id ?? null}
            blocked={me?.blocked ?? NOBODY}
            isChosen={conversation.id === chosen}
          />
        ))}
      </ul>
      <footer className="sidebar-ways">
        <Button onPress={() => onDialog("browse")} testId="browse">
          <HashIcon /> Browse channels
        </Button>
        {(archived > 0 || showsArchive) && (
          <Button onPress={() => setArchive(!showsArchive)} testId="archive">
            {showsArchive ? "Back" : `Archive (${archived})`}
          </Button>
        )}
      </footer>
    </nav>
  );
}

const NOBODY: readonly string[] = [];

interface ItemProps {
  readonly workspace: Workspace;
  readonly conversation: Conversation;
  readonly me: string | null;
  readonly blocked: readonly string[];
  readonly isChosen: boolean;
}

function Item({ workspace, conversation, me, blocked, isChosen }: ItemProps): ReactNode {
  const { id, unread, mentions, unread_from, pinned, last, last_at, draft } = conversation;
  const isMuted = workspace.list.isMuted(conversation);
  const title = titleOf(conversation);
  const isUnread = unread > 0 || unread_from > 0;
  const state = [
    isUnread ? `${countText(Math.max(unread, 1))} unread` : "",
    mentions > 0 ? `${countText(mentions)} mentions` : "",
    isMuted ? "muted" : "",
    pinned ? "pinned" : "",
  ].filter((text) => text !== "");
  return (
    <li className="item" data-chosen={isChosen} data-unread={isUnread && !isMuted}>
      <a
        href={conversationPath(id)}
        className="item-link"
        aria-current={isChosen ? "page" : undefined}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey) return;
          event.preventDefault();
          navigate(conversationPath(id));
        }}
        data-testid="conversation"
      >
        <KindIcon conversation={conversation} />
        <span className="item-words">
          <span className="item-title">
            <bdi>{title}</bdi>
            {pinned && <PinIcon />}
            {isMuted && <MutedIcon />}
          </span>
          <span className="item-last">
            {draft !== null && !isChosen ? <em>
                Draft: <bdi>{visible(draft.text.slice(0, 80))}</bdi>
              </em> : <bdi>{lineOf(last, { kind: conversation.kind, me, blocked })}</bdi>}
          </span>
        </span>
        <span className="item-side">
          {last_at > 0 && <span className="item-time">{shortText(last_at)}</span>}
          <span className="visually-hidden">{state.join(", ")}</span>
          {mentions > 0 ? (
            <span className="count mention-count" aria-hidden="true" data-testid="mentions">
              @{countText(mentions)}
            </span>
          ) : (
            isUnread && (
              <span className="count" data-muted={isMuted} aria-hidden="true" data-testid="unread">
                {countText(Math.max(unread, 1))}
              </span>
            )
          )}
        </span>
      </a>
      <ItemMenu workspace={workspace} conversation={conversation} />
    </li>
  );
}

/** Far enough that nobody waits for it. */
const FOR_EVER_MS = 10 * 365 * 86_400_000;

function ItemMenu({ workspace, conversation }: { readonly workspace: Workspace; readonly conversation: Conversation }): ReactNode {
  const announcer = useAnnouncer();
  const { id, pinned, archived } = conversation;
  const isMuted = workspace.list.isMuted(conversation);
  const arrange = async (change: Parameters<Workspace["arrange"]>[1]): Promise<void> => {
    const done = await workspace.arrange(id, change);
    if (!done.ok) announcer.warn(failureText(done.error));
  };
  const act = (action: string): void => {
    if (action === "pin") void arrange({ pinned: !pinned });
    else if (action === "archive") void arrange({ archived: !archived });
    else if (action === "mute") void arrange({ muted_until: isMuted ? 0 : Date.now() + FOR_EVER_MS });
    else if (conversation.head !== null) {
      workspace.marker.forget(id);
      workspace.marker.read(id, conversation.head.seq);
    }
  };
  return (
    <MenuTrigger>
      <AriaButton className="item-more" aria-label={`Arrange ${titleOf(conversation)}`} data-testid="conversation-menu">
        <ChevronIcon />
      </AriaButton>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label="Arrange" onAction={(key) => act(String(key))}>
          <MenuItem id="read" className="menu-item">
            Mark read
          </MenuItem>
          <MenuItem id="pin" className="menu-item" data-testid="arrange-pin">
            {pinned ? "Unpin" : "Pin to the top"}
          </MenuItem>
          <MenuItem id="mute" className="menu-item" data-testid="arrange-mute">
            {isMuted ? "Unmute" : "Mute"}
          </MenuItem>
          <MenuItem id="archive" className="menu-item" data-testid="arrange-archive">
            {archived ? "Take out of the archive" : "Archive"}
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}

export function KindIcon({ conversation }: { readonly conversation: Conversation }): ReactNode {
  const { kind, id, other } = conversation;
  if (kind === "direct") return <PersonAvatar name={titleOf(conversation)} id={other ?? id} />;
  const icons = { public: HashIcon, private: LockIcon, announcement: HornIcon } as const;
  const Icon = kind === "public" || kind === "private" || kind === "announcement" ? icons[kind] : PeopleIcon;
  return (
    <span className="kind-icon" aria-hidden="true">
      <Icon />
    </span>
  );
}
