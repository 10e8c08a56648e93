"""The log's SQL. Every function runs on the connection it is given; who may see what is decided in ``service.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
import msgspec

from chat.access import Facts
from chat.fold import counted
from chat.ledger_store import instant
from tertulia.catalogue import Change, Event, Message, MessageBody, Position, Reactor, Revision

Connection: TypeAlias = asyncpg.Connection

EVENT_COLUMNS = (
    "seq, id, kind, target_seq, sender_id, sender_name, client_id, body::text AS body, created_at, expires_at, no"
)
LIVE = "(expires_at IS NULL OR expires_at > now())"


@dataclass(frozen=True)
class Head:
    """Where a conversation stands. ``tag`` belongs to the event at ``seq``; ``floor`` is purged and all before it."""

    seq: int
    no: int
    floor: int
    tag: str | None

    def position(self, conversation: str) -> Position:
        return Position(conversation, self.seq, self.tag)


async def create_room_conversation(db: Connection, room_id: str, title: str) -> str:
    """The id of the room's conversation, made where there is none."""
    found = await db.fetchval("SELECT id FROM chat.conversation WHERE room_id = $1", room_id)
    if found is None:
        found = await db.fetchval(
            "INSERT INTO chat.conversation (kind, room_id, title) VALUES ('room', $1, $2)"
            " ON CONFLICT (room_id) DO UPDATE SET title = excluded.title RETURNING id",
            room_id,
            title,
        )
        await db.execute("INSERT INTO chat.head (conversation_id) VALUES ($1) ON CONFLICT DO NOTHING", found)
    return str(found)


async def delete_room_conversation(db: Connection, room_id: str) -> str | None:
    """Remove the room's conversation and everything in it; its id, if there was one."""
    # The head goes first, under its lock: a writer that waits for it finds no row afterwards and writes nothing.
    found = await db.fetchval(
        "DELETE FROM chat.head h USING chat.conversation c"
        " WHERE c.room_id = $1 AND h.conversation_id = c.id RETURNING c.id",
        room_id,
    )
    if found is None:
        return None
    for table in (
        "message",
        "sent",
        "event",
        "outbox",
        "member",
        "mention",
        "hidden",
        "reaction",
        "invite",
        "draft",
        "search_doc",
        "call",
    ):
        await db.execute(f"DELETE FROM chat.{table} WHERE conversation_id = $1", found)
    await db.execute("DELETE FROM chat.conversation WHERE id = $1", found)
    return str(found)


async def facts(db: Connection, conversation: str) -> Facts | None:
    """What a conversation is for good."""
    row = await db.fetchrow("SELECT kind, room_id FROM chat.conversation WHERE id = $1", conversation)
    return Facts(conversation, row["kind"], row["room_id"]) if row is not None else None


async def heads(db: Connection, conversations: Sequence[str]) -> dict[str, Head]:
    """Where these conversations stand; those that do not exist are left out."""
    rows = await db.fetch(
        "SELECT h.conversation_id, h.last_seq, h.last_no, h.floor_seq, e.id FROM chat.head h"
        " LEFT JOIN chat.event e ON e.conversation_id = h.conversation_id AND e.seq = h.last_seq"
        " WHERE h.conversation_id = ANY($1::uuid[])",
        conversations,
    )
    return {
        str(row["conversation_id"]): Head(row["last_seq"], row["last_no"], row["floor_seq"], tag_of(row["id"]))
        for row in rows
    }


async def tags(db: Connection, positions: Sequence[Position]) -> dict[tuple[str, int], str | None]:
    """The tag of each position's event as the database has it, by conversation and seq."""
    rows = await db.fetch(
        "SELECT e.conversation_id, e.seq, e.id FROM unnest($1::uuid[], $2::bigint[]) AS p(conversation_id, seq)"
        " JOIN chat.event e USING (conversation_id, seq)",
        [position.conversation for position in positions],
        [position.seq for position in positions],
    )
    return {(str(row["conversation_id"]), row["seq"]): tag_of(row["id"]) for row in rows}


async def events_after(db: Connection, conversation: str, after: int, limit: int) -> list[Event]:
    """At most ``limit`` events with ``seq`` above ``after``, rising."""
    rows = await db.fetch(
        f"SELECT {EVENT_COLUMNS}, {LIVE} AS live FROM chat.event"
        " WHERE conversation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        conversation,
        after,
        limit,
    )
    return [event_of(conversation, row) for row in rows]


async def event_at(db: Connection, conversation: str, seqs: Sequence[int]) -> dict[int, Event]:
    """The events of these numbers."""
    rows = await db.fetch(
        f"SELECT {EVENT_COLUMNS}, {LIVE} AS live FROM chat.event"
        " WHERE conversation_id = $1 AND seq = ANY($2::bigint[])",
        conversation,
        seqs,
    )
    return {row["seq"]: event_of(conversation, row) for row in rows}


@dataclass(frozen=True)
class Reader:
    """Whose eyes a page is for: nothing up to ``visible_from``, nothing they deleted for themselves."""

    user: str
    visible_from: int


_MESSAGE = """
    e.seq, e.id, m.kind, e.sender_id, e.sender_name, e.client_id, m.body::text AS body, e.created_at, m.no,
    e.target_seq, m.version, m.revision, m.thread_seq, m.edited_at, m.deleted_at, m.pinned_at, m.expires_at,
    m.reactions::text AS reactions, m.reply_count, m.last_reply_at
"""
_JOIN = "chat.message m JOIN chat.event e USING (conversation_id, seq)"
# $1 is the conversation, $2 the asker, $3 where their sight begins.
_MINE = (
    "CASE WHEN m.reactions IS NOT NULL THEN ARRAY(SELECT r.emoji FROM chat.reaction r WHERE r.conversation_id = $1"
    " AND r.seq = m.seq AND r.user_id = $2 ORDER BY r.emoji) END AS mine"
)
VISIBLE = (
    "m.conversation_id = $1 AND m.seq > $3 AND (m.expires_at IS NULL OR m.expires_at > now())"
    " AND NOT EXISTS (SELECT 1 FROM chat.hidden h WHERE h.conversation_id = $1 AND h.user_id = $2 AND h.seq = m.seq)"
)


async def page(
    db: Connection,
    conversation: str,
    reader: Reader,
    limit: int,
    *,
    before: int | None = None,
    after: int | None = None,
    thread: int | None = None,
) -> list[Message]:
    """The ``limit`` messages next below ``before`` (newest first), or next above ``after`` (oldest first)."""
    line = "m.thread_seq IS NULL" if thread is None else "m.thread_seq = $6"
    border, order = (">", "ASC") if after is not None else ("<", "DESC")
    # The messages first, and only then their events, with the border said for both: the planner would otherwise merge
    # two scans that begin at the newest event, wherever the page is.
    rows = await db.fetch(
        f"SELECT {_MESSAGE}, {_MINE} FROM ("
        f" SELECT m.* FROM chat.message m WHERE {VISIBLE} AND {line} AND m.seq {border} $4"
        f" ORDER BY m.seq {order} LIMIT $5) m"
        f" JOIN chat.event e ON e.conversation_id = $1 AND e.seq = m.seq AND e.seq {border} $4"
        f" ORDER BY m.seq {order}",
        conversation,
        reader.user,
        reader.visible_from,
        after if after is not None else before if before is not None else 2**62,
        limit,
        *([thread] if thread is not None else []),
    )
    return [message_of(conversation, row) for row in rows]


async def visible_messages(db: Connection, conversation: str, reader: Reader, seqs: Sequence[int]) -> list[Message]:
    """Those of the messages that the reader may see, in rising ``seq``."""
    rows = await db.fetch(
        f"SELECT {_MESSAGE}, {_MINE} FROM {_JOIN} WHERE {VISIBLE} AND m.seq = ANY($4::bigint[]) ORDER BY m.seq",
        conversation,
        reader.user,
        reader.visible_from,
        seqs,
    )
    return [message_of(conversation, row) for row in rows]


async def pinned_messages(db: Connection, conversation: str, reader: Reader, limit: int) -> list[Message]:
    """Pinned messages, the last pinned first."""
    rows = await db.fetch(
        f"SELECT {_MESSAGE}, {_MINE} FROM ("
        f" SELECT m.* FROM chat.message m WHERE {VISIBLE} AND m.pinned_at IS NOT NULL"
        " ORDER BY m.pinned_at DESC, m.seq DESC LIMIT $4) m"
        " JOIN chat.event e ON e.conversation_id = $1 AND e.seq = m.seq ORDER BY m.pinned_at DESC, m.seq DESC",
        conversation,
        reader.user,
        reader.visible_from,
        limit,
    )
    return [message_of(conversation, row) for row in rows]


async def messages_of_many(
    db: Connection, me: str, places: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], Message]:
    """Messages of several conversations, by conversation and ``seq``; whether they may be seen is decided before."""
    rows = await db.fetch(
        f"SELECT m.conversation_id, {_MESSAGE}, CASE WHEN m.reactions IS NOT NULL THEN ARRAY("
        " SELECT r.emoji FROM chat.reaction r WHERE r.conversation_id = m.conversation_id AND r.seq = m.seq"
        " AND r.user_id = $1 ORDER BY r.emoji) END AS mine"
        f" FROM {_JOIN} JOIN unnest($2::uuid[], $3::bigint[]) AS p(conversation_id, seq) USING (conversation_id, seq)",
        me,
        [conversation for conversation, _ in places],
        [seq for _, seq in places],
    )
    found = [message_of(str(row["conversation_id"]), row) for row in rows]
    return {(message.conversation, message.seq): message for message in found}


async def messages_at(db: Connection, conversation: str, seqs: Sequence[int]) -> dict[int, Message]:
    """Messages of these numbers as they are, for the ledger: for nobody's eyes, so without ``mine``."""
    rows = await db.fetch(
        f"SELECT {_MESSAGE}, NULL::text[] AS mine FROM {_JOIN}"
        " WHERE m.conversation_id = $1 AND m.seq = ANY($2::bigint[])",
        conversation,
        seqs,
    )
    return {row["seq"]: message_of(conversation, row) for row in rows}


async def revisions(db: Connection, conversation: str, seq: int) -> list[Revision]:
    """Every body a message has had, the oldest first."""
    rows = await db.fetch(
        "SELECT seq, created_at, body::text AS body FROM chat.event WHERE conversation_id = $1 AND body IS NOT NULL"
        " AND (seq = $2 AND kind = 'message' OR target_seq = $2 AND kind = 'edit') ORDER BY seq LIMIT 500",
        conversation,
        seq,
    )
    return [
        Revision(row["seq"], millis(row["created_at"]), msgspec.json.decode(row["body"], type=MessageBody))
        for row in rows
    ]


async def reactors(
    db: Connection, conversation: str, seq: int, emoji: str | None, after: tuple[str, int, str] | None, limit: int
) -> list[Reactor]:
    """Who reacted, by emoji, time and identity."""
    rows = await db.fetch(
        "SELECT emoji, user_id, name, at FROM chat.reaction WHERE conversation_id = $1 AND seq = $2"
        " AND ($3::text IS NULL OR emoji = $3)"
        " AND ($4::text IS NULL OR (emoji, at, user_id) > ($4, $5::timestamptz, $6))"
        " ORDER BY emoji, at, user_id LIMIT $7",
        conversation,
        seq,
        emoji,
        after[0] if after else None,
        instant(after[1]) if after else None,
        after[2] if after else None,
        limit,
    )
    return [Reactor(row["emoji"], row["user_id"], row["name"], millis(row["at"])) for row in rows]


def message_of(conversation: str, row: Mapping[str, Any]) -> Message:
    """A row of the folded view as a frame."""
    counts = msgspec.json.decode(row["reactions"], type=dict[str, int]) if row["reactions"] is not None else {}
    body, change = _content(row["kind"], row["body"])
    return Message(
        conversation=conversation,
        seq=row["seq"],
        id=str(row["id"]),
        kind=row["kind"],
        at=millis(row["created_at"]),
        sender=row["sender_id"],
        sender_name=row["sender_name"],
        client_id=str(row["client_id"]) if row["client_id"] else None,
        body=body,
        target=row["target_seq"],
        change=change,
        no=row["no"],
        expires_at=maybe_millis(row["expires_at"]),
        version=row["version"],
        revision=row["revision"],
        thread=row["thread_seq"],
        edited_at=maybe_millis(row["edited_at"]),
        deleted_at=maybe_millis(row["deleted_at"]),
        pinned_at=maybe_millis(row["pinned_at"]),
        reactions=counted(counts),
        mine=row["mine"] or [],
        reply_count=row["reply_count"],
        last_reply_at=maybe_millis(row["last_reply_at"]),
    )


def event_of(conversation: str, row: Mapping[str, Any]) -> Event:
    """A row as the frame everybody gets; what is purged or expired leaves a stub, so that ``seq`` stays dense."""
    at = millis(row["created_at"])
    body, change = _content(row["kind"], row["body"])
    if row["kind"] in ("message", "edit") and (body is None or not row["live"]):
        return Event(conversation, row["seq"], str(row["id"]), "x", at)
    return Event(
        conversation=conversation,
        seq=row["seq"],
        id=str(row["id"]),
        kind=row["kind"],
        at=at,
        sender=row["sender_id"],
        sender_name=row["sender_name"],
        client_id=str(row["client_id"]) if row["client_id"] else None,
        body=body,
        target=row["target_seq"],
        change=change,
        no=row["no"],
        expires_at=maybe_millis(row["expires_at"]),
    )


def stub(event: Event) -> Event:
    """What somebody sees of an event that is not for them: that there was one."""
    return Event(event.conversation, event.seq, event.id, "x", event.at)


def _content(kind: str, stored: str | None) -> tuple[MessageBody | None, Change | None]:
    if stored is None:
        return None, None
    if kind in ("message", "edit"):
        return msgspec.json.decode(stored, type=MessageBody), None
    return None, msgspec.json.decode(stored, type=Change)


def millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def maybe_millis(at: datetime | None) -> int | None:
    return round(at.timestamp() * 1000) if at is not None else None


def tag_of(event_id: object) -> str | None:
    """The tag of an event: the first 8 hex digits of its id."""
    return str(event_id)[:8] if event_id is not None else None
