"""Who may do what in the installation: one table of roles and rights, and the order that roles stand in.

What somebody may do in a conversation is in ``chat/access.py``, in a room in the grants of their token.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tertulia.catalogue import AccountRole
from tertulia.errors import Forbidden

AccountRight = Literal[
    "profile",  # one's own name, status, sessions, password, second factor
    "people",  # look others up
    "invite",  # make links by which people register
    "accounts",  # list accounts, ban and unban, make links that set a new password
    "roles",  # make somebody admin, member or guest
    "owners",  # make somebody owner, or no longer
    "audit",  # read what administrators did
]

RIGHTS: Mapping[AccountRole, frozenset[AccountRight]] = {
    "guest": frozenset({"profile"}),
    "member": frozenset({"profile", "people"}),
    "admin": frozenset({"profile", "people", "invite", "accounts", "roles", "audit"}),
    "owner": frozenset({"profile", "people", "invite", "accounts", "roles", "owners", "audit"}),
}

RANK: Mapping[AccountRole, int] = {"guest": 0, "member": 1, "admin": 2, "owner": 3}


def may(role: AccountRole, right: AccountRight) -> bool:
    return right in RIGHTS[role]


def check_right(role: AccountRole, right: AccountRight) -> None:
    """Raises Forbidden ``right-missing``."""
    if not may(role, right):
        raise Forbidden("right-missing", "Your role in this installation does not allow that.")


def check_above(actor: AccountRole, subject: AccountRole) -> None:
    """Nobody has power over those who stand as high: owners over all, admins over members and guests.

    Raises Forbidden ``right-missing``.
    """
    if actor != "owner" and RANK[actor] <= RANK[subject]:
        raise Forbidden("right-missing", "Your role in this installation does not allow that for this account.")


def check_gives(actor: AccountRole, role: AccountRole) -> None:
    """Nobody gives what they do not have: only owners make owners and admins. Raises Forbidden ``right-missing``."""
    check_right(actor, "owners" if role == "owner" else "roles")
    if actor != "owner" and RANK[role] >= RANK[actor]:
        raise Forbidden("right-missing", "Your role in this installation does not allow giving that one.")
