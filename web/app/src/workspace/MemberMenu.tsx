/** What can be done with somebody in a conversation; how much depends on both roles. */

import type { Member, Role } from "@tertulia/client";
import type { ReactNode } from "react";
import { Button, Menu, MenuItem, MenuTrigger, Popover } from "react-aria-components";

import { visibleName } from "../text/visible";
import { MoreIcon } from "../ui/icons";

const ROLES: readonly { readonly id: Exclude<Role, "guest">; readonly label: string }[] = [
  { id: "member", label: "Make a member" },
  { id: "moderator", label: "Make a moderator" },
  { id: "owner", label: "Make an owner" },
];

interface MemberMenuProps {
  readonly member: Member;
  readonly isBlocked: boolean;
  readonly canModerate: boolean;
  readonly canGiveRoles: boolean;
  readonly onMessage: (() => void) | null;
  readonly onBlock: () => void;
  readonly onRole: (role: Exclude<Role, "guest">) => void;
  readonly onRemove: () => void;
}

export function MemberMenu(props: MemberMenuProps): ReactNode {
  const { member, isBlocked, canModerate, canGiveRoles, onMessage, onBlock, onRole, onRemove } = props;
  const act = (key: string): void => {
    const role = ROLES.find(({ id }) => id === key);
    if (role !== undefined) onRole(role.id);
    else if (key === "message") onMessage?.();
    else if (key === "block") onBlock();
    else if (key === "remove") onRemove();
  };
  return (
    <MenuTrigger>
      <Button className="icon-button plain" aria-label={`What to do with ${visibleName(member.name)}`} data-testid="member-menu">
        <MoreIcon />
      </Button>
      <Popover className="popover" placement="bottom end">
        <Menu className="menu" aria-label={visibleName(member.name)} onAction={(key) => act(String(key))}>
          {onMessage !== null && (
            <MenuItem id="message" className="menu-item" data-testid="member-message">
              Message
            </MenuItem>
          )}
          {canGiveRoles &&
            ROLES.filter(({ id }) => id !== member.role).map(({ id, label }) => (
              <MenuItem key={id} id={id} className="menu-item" data-testid={`role-${id}`}>
                {label}
              </MenuItem>
            ))}
          <MenuItem id="block" className="menu-item" data-danger={!isBlocked} data-testid="member-block">
            {isBlocked ? "Unblock" : "Block"}
          </MenuItem>
          {canModerate && (
            <MenuItem id="remove" className="menu-item" data-danger data-testid="member-remove">
              Remove from here
            </MenuItem>
          )}
        </Menu>
      </Popover>
    </MenuTrigger>
  );
}
