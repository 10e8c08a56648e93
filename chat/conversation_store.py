"""SQL of conversations, their members, invitations and people. See ``conversations.py``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from chat.access import Connection
from chat.ledger_store import instant
from chat.store import maybe_millis, messages_of_many, millis, tag_of
from tertulia.catalogue import Conversation, Member, MessageBody, Person, Position

_COLUMNS = """
    c.id, c.kind, c.title, c.about, c.room_id, c.retention_s, c.history_from_join, c.created_at, c.member_count,
    m.role, m.visible_from, m.delivered_no, m.read_no, m.unread_from, m.muted_until, m.archived, m.pinned,
    h.last_seq, h.last_no, e.id AS head_id, coalesce(e.created_at, c.created_at) AS last_at,
    d.body::text AS draft, other.user_id AS other, other.name AS other_name,
    CASE WHEN m.role IS NOT NULL THEN
        chat.unread_count($1, c.id, m.visible_from, chat.read_base(m.read_no, m.unread_from)) END AS unread,
    CASE WHEN m.role IS NOT NULL THEN
        chat.mention_count($1, c.id, m.visible_from, chat.read_base(m.read_no, m.unread_from)) END AS mentions,
    CASE WHEN m.role IS NOT NULL THEN chat.last_message($1, c.id, m.visible_from) END AS last_message
"""
_REST = """
    JOIN chat.head h ON h.conversation_id = c.id
    LEFT JOIN chat.event e ON e.conversation_id = c.id AND e.seq = h.last_seq
    LEFT JOIN chat.draft d ON d.user_id = $1 AND d.conversation_id = c.id
    LEFT JOIN LATERAL (
        SELECT o.user_id, o.name FROM chat.member o
        WHERE c.kind = 'direct' AND o.conversation_id = c.id AND o.user_id <> $1 LIMIT 1
    ) other ON true
"""


async def listed(
    db: Connection, me: str, archived: bool | None, after: tuple[int, str] | None, limit: int
) -> list[Conversation]:
    """One's own conversations, the one with the newest event first."""
    # Counts are made only of the rows of the page, so these are chosen first.
    rows = await db.fetch(
        f"""
        WITH page AS (
            SELECT m.conversation_id, coalesce(e.created_at, c.created_at) AS last_at
            FROM chat.member m
            JOIN chat.conversation c ON c.id = m.conversation_id
            JOIN chat.head h ON h.conversation_id = c.id
            LEFT JOIN chat.event e ON e.conversation_id = c.id AND e.seq = h.last_seq
            WHERE m.user_id = $1 AND m.visible_to IS NULL AND m.role <> 'guest' AND c.kind <> 'self'
                AND ($2::boolean IS NULL OR m.archived = $2)
                AND ($3::timestamptz IS NULL
                     OR (date_trunc('milliseconds', coalesce(e.created_at, c.created_at)), c.id) < ($3, $4::uuid))
            ORDER BY date_trunc('milliseconds', coalesce(e.created_at, c.created_at)) DESC, c.id DESC LIMIT $5
        )
        SELECT {_COLUMNS} FROM page
        JOIN chat.conversation c ON c.id = page.conversation_id
        JOIN chat.member m ON m.conversation_id = c.id AND m.user_id = $1
        {_REST}
        ORDER BY date_trunc('milliseconds', page.last_at) DESC, c.id DESC
        """,
        me,
        archived,
        instant(after[0]) if after else None,
        after[1] if after else None,
        limit,
    )
    return await _conversations(db, me, rows)


async def one(db: Connection, me: str, conversation: str) -> Conversation | None:
    """A conversation as somebody sees it; who may is decided before."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM chat.conversation c"
        " LEFT JOIN chat.member m ON m.conversation_id = c.id AND m.user_id = $1 AND m.visible_to IS NULL"
        f" {_REST} WHERE c.id = $2",
        me,
        conversation,
    )
    found = await _conversations(db, me, rows)
    return found[0] if found else None


async def browsed(
    db: Connection, me: str, query: str, after: tuple[str, str] | None, limit: int
) -> list[tuple[str, Conversation]]:
    """Channels that anybody may join, by title, each with the key it is sorted by."""
    rows = await db.fetch(
        f"""
        SELECT {_COLUMNS}, lower(c.title) AS key FROM chat.conversation c
        LEFT JOIN chat.member m ON m.conversation_id = c.id AND m.user_id = $1 AND m.visible_to IS NULL
        {_REST}
        WHERE c.kind IN ('public', 'announcement') AND position(lower($2) IN lower(c.title)) > 0
            AND ($3::text IS NULL OR (lower(c.title), c.id) > ($3, $4::uuid))
        ORDER BY lower(c.title), c.id LIMIT $5
        """,
        me,
        query,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    found = await _conversations(db, me, rows)
    return [(row["key"], each) for row, each in zip(rows, found, strict=True)]


async def _conversations(db: Connection, me: str, rows: Sequence[Any]) -> list[Conversation]:
    places = [(str(row["id"]), row["last_message"]) for row in rows if row["last_message"] is not None]
    last = await messages_of_many(db, me, places)
    return [_conversation(row, last.get((str(row["id"]), row["last_message"]))) for row in rows]


def _conversation(row: Any, last: Any) -> Conversation:
    conversation = str(row["id"])
    member = row["role"] is not None
    return Conversation(
        id=conversation,
        kind=row["kind"],
        title=row["title"],
        about=row["about"],
        room=row["room_id"],
        other=row["other"],
        other_name=row["other_name"],
        role=row["role"],
        members=row["member_count"],
        retention_s=row["retention_s"] or 0,
        history_from_join=row["history_from_join"],
        created_at=millis(row["created_at"]),
        head=Position(conversation, row["last_seq"], tag_of(row["head_id"])) if member else None,
        last=last,
        last_at=millis(row["last_at"]),
        last_no=row["last_no"],
        unread=row["unread"] or 0,
        mentions=row["mentions"] or 0,
        delivered_no=row["delivered_no"] or 0,
        read_no=row["read_no"] or 0,
        unread_from=row["unread_from"] or 0,
        muted_until=maybe_millis(row["muted_until"]) or 0,
        archived=bool(row["archived"]),
        pinned=bool(row["pinned"]),
        draft=msgspec.json.decode(row["draft"], type=MessageBody) if row["draft"] else None,
    )


@dataclass(frozen=True)
class Making:
    """A conversation that is about to be."""

    id: str
    kind: str
    title: str = ""
    about: str = ""
    retention_s: int = 0
    history_from_join: bool = False
    created_by: str | None = None
    hash: bytes | None = None


async def make(db: Connection, making: Making) -> bytes | None:
    """Make a conversation unless it is there; the hash of the request that made it, whichever that was."""
    made = await db.fetchval(
        "INSERT INTO chat.conversation (id, kind, title, about, retention_s, history_from_join, created_by, made_hash)"
        " VALUES ($1, $2, $3, $4, nullif($5, 0), $6, $7, $8) ON CONFLICT (id) DO NOTHING RETURNING true",
        making.id,
        making.kind,
        making.title,
        making.about,
        making.retention_s,
        making.history_from_join,
        making.created_by,
        making.hash,
    )
    await db.execute("INSERT INTO chat.head (conversation_id) VALUES ($1) ON CONFLICT DO NOTHING", making.id)
    if made:
        # An empty range: readers of the outbox learn that there is a new conversation.
        await db.execute("INSERT INTO chat.outbox (conversation_id, seq_lo, seq_hi) VALUES ($1, 1, 0)", making.id)
    found: bytes | None = await db.fetchval("SELECT made_hash FROM chat.conversation WHERE id = $1", making.id)
    return found


async def seat(db: Connection, conversation: str, user: str, name: str, role: str) -> None:
    """Make somebody a member without a word in the log (one's own log, a direct conversation)."""
    await db.execute(
        "INSERT INTO chat.member (conversation_id, user_id, name, role) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (conversation_id, user_id) DO NOTHING",
        conversation,
        user,
        name,
        role,
    )
    await db.execute(
        "UPDATE chat.conversation SET member_count ="
        " (SELECT count(*) FROM chat.member WHERE conversation_id = $1 AND visible_to IS NULL) WHERE id = $1",
        conversation,
    )


async def members(
    db: Connection, conversation: str, after: tuple[str, str] | None, limit: int
) -> list[tuple[str, Member]]:
    """Members by name, each with the key it is sorted by."""
    rows = await db.fetch(
        "SELECT m.user_id, m.name, m.role, m.joined_at, lower(m.name) AS key FROM chat.member m"
        " WHERE m.conversation_id = $1 AND m.visible_to IS NULL AND m.role <> 'guest'"
        " AND ($2::text IS NULL OR (lower(m.name), m.user_id) > ($2, $3))"
        " ORDER BY lower(m.name), m.user_id LIMIT $4",
        conversation,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    return [(row["key"], Member(row["user_id"], row["name"], row["role"], millis(row["joined_at"]))) for row in rows]


async def member_names(db: Connection, conversation: str, limit: int) -> dict[str, str] | None:
    """All members' names; None when there are more than ``limit``."""
    rows = await db.fetch(
        "SELECT user_id, name FROM chat.member WHERE conversation_id = $1 AND visible_to IS NULL LIMIT $2",
        conversation,
        limit + 1,
    )
    return {row["user_id"]: row["name"] for row in rows} if len(rows) <= limit else None


# --- invitations


async def add_invite(
    db: Connection, token_hash: bytes, conversation: str, created_by: str, expires_at: datetime, uses: int
) -> None:
    await db.execute(
        "DELETE FROM chat.invite WHERE conversation_id = $1 AND (expires_at < now() OR uses_left <= 0)", conversation
    )
    await db.execute(
        "INSERT INTO chat.invite (token_hash, conversation_id, created_by, expires_at, uses_left)"
        " VALUES ($1, $2, $3, $4, $5)",
        token_hash,
        conversation,
        created_by,
        expires_at,
        uses,
    )


async def use_invite(db: Connection, token_hash: bytes, user: str) -> str | None:
    """The conversation that an invitation opens, of which one use is taken unless the person is in already."""
    row = await db.fetchrow(
        "SELECT i.conversation_id, EXISTS (SELECT 1 FROM chat.member m WHERE m.conversation_id = i.conversation_id"
        " AND m.user_id = $2 AND m.visible_to IS NULL AND m.role <> 'guest') AS here"
        " FROM chat.invite i WHERE i.token_hash = $1 AND i.expires_at > now() AND i.uses_left > 0 FOR UPDATE",
        token_hash,
        user,
    )
    if row is None:
        return None
    if not row["here"]:
        await db.execute("UPDATE chat.invite SET uses_left = uses_left - 1 WHERE token_hash = $1", token_hash)
    return str(row["conversation_id"])


async def revoke_invites(db: Connection, conversation: str) -> None:
    await db.execute("DELETE FROM chat.invite WHERE conversation_id = $1", conversation)


# --- people


async def know_person(db: Connection, user: str, name: str) -> None:
    """Somebody is here; their name as it is now."""
    await db.execute(
        "INSERT INTO chat.person (user_id, name) VALUES ($1, $2)"
        " ON CONFLICT (user_id) DO UPDATE SET name = excluded.name, seen_at = now()",
        user,
        name,
    )


async def person_name(db: Connection, user: str) -> str | None:
    found: str | None = await db.fetchval("SELECT name FROM chat.person WHERE user_id = $1", user)
    return found


async def people(db: Connection, query: str, after: tuple[str, str] | None, limit: int) -> list[tuple[str, Person]]:
    """People by name, each with the key it is sorted by."""
    rows = await db.fetch(
        "SELECT user_id, name, lower(name) AS key FROM chat.person WHERE position(lower($1) IN lower(name)) > 0"
        " AND ($2::text IS NULL OR (lower(name), user_id) > ($2, $3)) ORDER BY lower(name), user_id LIMIT $4",
        query,
        after[0] if after else None,
        after[1] if after else None,
        limit,
    )
    return [(row["key"], Person(row["user_id"], row["name"])) for row in rows]
