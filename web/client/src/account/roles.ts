/** Which roles somebody may give whom: what the server decides (accounts/permissions.py), so that pages offer no more. */

import type { AccountRole } from "../catalogue.js";

export const ROLES: readonly AccountRole[] = ["owner", "admin", "member", "guest"];
const RANK: Readonly<Record<AccountRole, number>> = { guest: 0, member: 1, admin: 2, owner: 3 };

export function isAdministrator(role: AccountRole): boolean {
  return RANK[role] >= RANK.admin;
}

/** Owners have power over all, admins over those below them. */
export function isAbove(actor: AccountRole, subject: AccountRole): boolean {
  return isAdministrator(actor) && (actor === "owner" || RANK[actor] > RANK[subject]);
}

/** The roles that `actor` may give. */
export function givenBy(actor: AccountRole): AccountRole[] {
  if (!isAdministrator(actor)) return [];
  return ROLES.filter((role) => actor === "owner" || RANK[role] < RANK[actor]);
}
