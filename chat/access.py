"""The one gate to a conversation: who somebody is in it, and what that allows.

Everybody who reads or writes comes through :func:`access_conversation`, or through :func:`judge` where the rows are at
hand already (the ledger, under the conversation's lock). A room token opens its room's conversation and nothing else,
whatever its identity is called: an identity means the same everywhere only for people who are logged in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import asyncpg

from chat import refusals
from tertulia.catalogue import ConversationKind, Role
from tertulia.tokens import Principal

Connection: TypeAlias = asyncpg.Connection

Right = Literal["read", "write", "react", "pin", "everybody", "invite", "moderate", "manage", "roles", "leave"]

_WORDS: Mapping[Right, str] = {
    "read": "reading",
    "write": "writing",
    "react": "reacting",
    "pin": "pinning",
    "everybody": "mentioning everybody",
    "invite": "inviting",
    "moderate": "moderating",
    "manage": "changing the settings",
    "roles": "giving roles",
    "leave": "leaving",
}


def _rights(member: str, moderator: str, owner: str = "") -> Mapping[Role, frozenset[str]]:
    members = frozenset(member.split())
    moderators = members | frozenset(moderator.split())
    return {
        "guest": members - {"leave"},
        "member": members,
        "moderator": moderators,
        "owner": moderators | frozenset(owner.split()),
    }


RIGHTS: Mapping[ConversationKind, Mapping[Role, frozenset[str]]] = {
    "room": _rights("read write react pin leave", "everybody moderate manage"),
    "direct": _rights("read write react pin manage", ""),
    "group": _rights("read write react pin everybody invite leave", "moderate manage", "roles"),
    "private": _rights("read write react pin everybody leave", "invite moderate manage", "roles"),
    "public": _rights("read write react invite leave", "pin everybody moderate manage", "roles"),
    "announcement": _rights("read react leave", "write pin everybody invite moderate manage", "roles"),
    "self": _rights("", "", "read"),
}
"""What each role may do in each kind of conversation."""

OPEN: frozenset[ConversationKind] = frozenset({"public", "announcement"})
"""Kinds that everybody who is logged in may find and join."""


@dataclass(frozen=True)
class Facts:
    """What a conversation is for good."""

    id: str
    kind: ConversationKind
    room: str | None


@dataclass(frozen=True)
class Membership:
    """Somebody's row in a conversation. ``left`` is somebody who was a member once."""

    role: Role
    visible_from: int
    left: bool


@dataclass(frozen=True)
class Access:
    """The proof that somebody was let in. Events up to ``visible_from`` are not for them."""

    conversation: str
    kind: ConversationKind
    user: str
    role: Role
    visible_from: int


def role_of(facts: Facts, membership: Membership | None, principal: Principal) -> Role | None:
    """Somebody's role in a conversation; None for those who do not belong."""
    if facts.room is not None and facts.room == principal.room:
        if principal.grants.moderate:
            return "moderator"
        return "member" if principal.workspace else "guest"
    if not principal.workspace or membership is None or membership.left or membership.role == "guest":
        return None
    return membership.role


def judge(facts: Facts | None, membership: Membership | None, principal: Principal, right: Right) -> Access:
    """Let somebody in, or not.

    Raises Forbidden ``chat-not-granted``, ``not-a-member`` (it may be joined) or ``role-insufficient``, NotFound
    ``conversation-not-found`` (also where it exists, but is not for them to know of).
    """
    if not principal.grants.chat:
        raise refusals.chat_not_granted()
    if facts is None:
        raise refusals.no_conversation()
    role = role_of(facts, membership, principal)
    if role is None:
        if facts.kind in OPEN and principal.workspace:
            raise refusals.not_a_member()
        raise refusals.no_conversation()
    if right not in RIGHTS[facts.kind][role]:
        raise refusals.not_allowed(_WORDS[right])
    visible_from = membership.visible_from if membership is not None and not membership.left else 0
    return Access(facts.id, facts.kind, principal.identity, role, visible_from)


async def access_conversation(db: Connection, principal: Principal, conversation: str, right: Right = "read") -> Access:
    """Let somebody in by what the database says now. Raises what :func:`judge` raises."""
    row = await db.fetchrow(
        "SELECT c.kind, c.room_id, m.role, m.visible_from, m.visible_to FROM chat.conversation c"
        " LEFT JOIN chat.member m ON m.conversation_id = c.id AND m.user_id = $2 WHERE c.id = $1",
        conversation,
        principal.identity,
    )
    if row is None:
        return judge(None, None, principal, right)
    facts = Facts(conversation, row["kind"], row["room_id"])
    return judge(facts, membership_of(row), principal, right)


async def access_many(db: Connection, principal: Principal, conversations: list[str]) -> dict[str, Access]:
    """Those of the conversations that somebody may read."""
    if not principal.grants.chat:
        return {}
    rows = await db.fetch(
        "SELECT c.id, c.kind, c.room_id, m.role, m.visible_from, m.visible_to FROM chat.conversation c"
        " LEFT JOIN chat.member m ON m.conversation_id = c.id AND m.user_id = $2 WHERE c.id = ANY($1::uuid[])",
        conversations,
        principal.identity,
    )
    found = {}
    for row in rows:
        facts = Facts(str(row["id"]), row["kind"], row["room_id"])
        membership = membership_of(row)
        role = role_of(facts, membership, principal)
        if role is not None and "read" in RIGHTS[facts.kind][role]:
            found[facts.id] = judge(facts, membership, principal, "read")
    return found


def membership_of(row: asyncpg.Record) -> Membership | None:
    """The columns ``role``, ``visible_from`` and ``visible_to`` of a row, of which there may be none."""
    if row["role"] is None:
        return None
    return Membership(row["role"], row["visible_from"], row["visible_to"] is not None)


async def blocked(db: Connection, somebody: str, by: str) -> bool:
    """Whether ``by`` takes no messages from ``somebody``."""
    found: bool = await db.fetchval(
        "SELECT EXISTS (SELECT 1 FROM chat.block WHERE user_id = $1 AND blocked_id = $2)", by, somebody
    )
    return found


async def acquainted(db: Connection, user: str, people: Sequence[str]) -> set[str]:
    """Those of ``people`` who share a conversation with ``user`` and have not blocked them; oneself is one."""
    rows = await db.fetch(
        "SELECT u.id FROM unnest($2::text[]) AS u(id)"
        " WHERE u.id = $1 OR (EXISTS (SELECT 1 FROM chat.member mine JOIN chat.member theirs"
        "   ON theirs.conversation_id = mine.conversation_id AND theirs.user_id = u.id"
        "   AND theirs.visible_to IS NULL AND theirs.role <> 'guest'"
        "  WHERE mine.user_id = $1 AND mine.visible_to IS NULL AND mine.role <> 'guest')"
        " AND NOT EXISTS (SELECT 1 FROM chat.block b WHERE b.user_id = u.id AND b.blocked_id = $1))",
        user,
        list(set(people)),
    )
    return {row["id"] for row in rows}


def check_workspace(principal: Principal) -> str:
    """The identity of somebody who is logged in. Raises Forbidden ``workspace-needed``, ``chat-not-granted``."""
    if not principal.grants.chat:
        raise refusals.chat_not_granted()
    if not principal.workspace:
        raise refusals.workspace_needed()
    return principal.identity
