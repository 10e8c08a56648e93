/** Oneself, above the list: how one is seen, and what concerns no single conversation. */

import type { ChosenStatus } from "@tertulia/client";
import type { Workspace } from "@tertulia/client/workspace";
import type { ReactNode } from "react";
import { Button as AriaButton, Header, Menu, MenuItem, MenuSection, MenuTrigger, Popover, Separator } from "react-aria-components";

import { navigate } from "../router";
import { failureText } from "../text/errors";
import { visible, visibleName } from "../text/visible";
import { useAnnouncer } from "../ui/announce";
import { useObserved } from "../ui/hooks";
import { ChevronIcon } from "../ui/icons";
import { PersonAvatar, usePresence } from "../ui/presence";
import type { DialogName } from "./dialogs";

const STATUSES: readonly { readonly id: ChosenStatus; readonly label: string; readonly about: string }[] = [
  { id: "online", label: "Online", about: "" },
  { id: "away", label: "Away", about: "" },
  { id: "dnd", label: "Do not disturb", about: "No notifications" },
  { id: "invisible", label: "Invisible", about: "Seen as offline" },
];

interface MeMenuProps {
  readonly workspace: Workspace;
  readonly onDialog: (name: DialogName) => void;
  readonly onLeave: () => void;
}

export function MeMenu({ workspace, onDialog, onLeave }: MeMenuProps): ReactNode {
  const { me } = useObserved(workspace, "change", () => workspace.snapshot);
  const announcer = useAnnouncer();
  const presence = usePresence(me?.id ?? null);
  const choose = async (status: ChosenStatus, label: string): Promise<void> => {
    const done = await workspace.people.choose(status, presence?.text ?? "");
    if (done.ok) announcer.say(`You are seen as: ${label.toLowerCase()}.`);
    else announcer.warn(failureText(done.error));
  };
  const act = (key: string): void => {
    const status = STATUSES.find(({ id }) => id === key);
    if (status !== undefined) void choose(status.id, status.label);
    else if (key === "leave") onLeave();
    else if (key === "home") navigate("/");
    else onDialog(key as DialogName);
  };
  const name = visibleName(me?.name);
  return (
    <MenuTrigger>
      <AriaButton className="sidebar-me" data-testid="me">
        <PersonAvatar name={name} id={me?.id ?? ""} />
        <span className="sidebar-me-words">
          <bdi>{name}</bdi>
          {presence !== null && presence.text !== "" && <bdi className="status-text">{visible(presence.text)}</bdi>}
        </span>
        <ChevronIcon />
      </AriaButton>
      <Popover className="popover" placement="bottom start">
        <Menu className="menu" aria-label="You" onAction={(key) => act(String(key))}>
          <MenuSection selectionMode="single" selectedKeys={presence === null ? [] : [presence.status]}>
            <Header className="menu-header">How others see you</Header>
            {STATUSES.map(({ id, label, about }) => (
              <MenuItem key={id} id={id} className="menu-item status-item" textValue={label} data-testid={`status-${id}`}>
                <span className="presence" data-status={id} aria-hidden="true" />
                <span className="status-label">{label}</span>
                {about !== "" && <small>{about}</small>}
              </MenuItem>
            ))}
          </MenuSection>
          <MenuItem id="status" className="menu-item" data-testid="status-text">
            {presence === null || presence.text === "" ? "Say what you are doing…" : "Change your status text…"}
          </MenuItem>
          <Separator className="menu-line" />
          <MenuItem id="blocked" className="menu-item" data-testid="open-blocked">
            Blocked people
          </MenuItem>
          <MenuItem id="shortcuts" className="menu-item">
            Keyboard shortcuts
          </MenuItem>
          <MenuItem id="home" className="menu-item">
            Rooms and calls
          </MenuItem>
          <MenuItem id="leave" className="menu-item" data-testid="log-out">
            Log out
          </MenuItem>
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
