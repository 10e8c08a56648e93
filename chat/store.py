"""The log's SQL. Every function runs on the connection it is given; who may see what is decided in ``service.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import asyncpg
import msgspec

from tertulia.catalogue import Event, Message, MessageBody, Position

Connection: TypeAlias = asyncpg.Connection

_EVENT = "seq, id, kind, sender_id, sender_name, client_id, body::text AS body, created_at, no"
_LIVE = "(expires_at IS NULL OR expires_at > now())"


@dataclass(frozen=True)
class Head:
    """Where a conversation stands. ``tag`` belongs to the event at ``seq``; ``floor`` is purged and all before it."""

    seq: int
    no: int
    floor: int
    tag: str | None

    def position(self, conversation: str) -> Position:
        return Position(conversation, self.seq, self.tag)


@dataclass(frozen=True)
class NewEvent:
    """A row of ``event``, ``sent`` and ``message`` that is about to be."""

    seq: int
    no: int
    id: str
    sender: str
    sender_name: str
    client_id: str
    body: str
    hash: bytes


@dataclass(frozen=True)
class Known:
    """What became of a client id that was used before."""

    seq: int
    hash: bytes


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
    for table in ("message", "sent", "event", "outbox"):
        await db.execute(f"DELETE FROM chat.{table} WHERE conversation_id = $1", found)
    await db.execute("DELETE FROM chat.conversation WHERE id = $1", found)
    return str(found)


async def room_of(db: Connection, conversation: str) -> str | None:
    """The room a conversation belongs to."""
    found: str | None = await db.fetchval("SELECT room_id FROM chat.conversation WHERE id = $1", conversation)
    return found


async def lock_head(db: Connection, conversation: str) -> tuple[int, int, datetime] | None:
    """Take the conversation's write lock: last seq, last message number and the time under the lock."""
    row = await db.fetchrow(
        "SELECT last_seq, last_no, clock_timestamp() AS at FROM chat.head WHERE conversation_id = $1 FOR UPDATE",
        conversation,
    )
    return (row["last_seq"], row["last_no"], row["at"]) if row else None


async def known_ids(
    db: Connection, conversation: str, keys: Sequence[tuple[str, str]]
) -> Mapping[tuple[str, str], Known]:
    """Which of these (sender, client id) were used before, and for what. To be read under the head's lock."""
    rows = await db.fetch(
        "SELECT s.sender_id, s.client_id, s.seq, s.body_hash FROM chat.sent s"
        " JOIN unnest($2::text[], $3::uuid[]) AS k(sender_id, client_id) USING (sender_id, client_id)"
        " WHERE s.conversation_id = $1",
        conversation,
        [sender for sender, _ in keys],
        [client_id for _, client_id in keys],
    )
    return {(row["sender_id"], str(row["client_id"])): Known(row["seq"], bytes(row["body_hash"])) for row in rows}


async def append(db: Connection, conversation: str, events: Sequence[NewEvent], at: datetime) -> None:
    """Write new messages in one statement: events, keys, folded messages, head and outbox."""
    await db.execute(
        """
        WITH new AS (
            SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::text[], $7::uuid[],
                                 $8::text[], $9::bytea[])
                AS n(seq, no, id, sender_id, sender_name, client_id, body, hash)
        ), events AS (
            INSERT INTO chat.event (conversation_id, seq, no, id, kind, sender_id, sender_name, client_id, body,
                                    created_at)
            SELECT $1, seq, no, id, 'message', sender_id, sender_name, client_id, body::jsonb, $10 FROM new
        ), keys AS (
            INSERT INTO chat.sent (conversation_id, sender_id, client_id, seq, body_hash, at)
            SELECT $1, sender_id, client_id, seq, hash, $10 FROM new
        ), messages AS (
            INSERT INTO chat.message (conversation_id, seq, no, version, revision, sender_id, body)
            SELECT $1, seq, no, seq, seq, sender_id, body::jsonb FROM new
        ), moved AS (
            UPDATE chat.head SET last_seq = $11, last_no = $12 WHERE conversation_id = $1
        )
        INSERT INTO chat.outbox (conversation_id, seq_lo, seq_hi) VALUES ($1, ($2::bigint[])[1], $11)
        """,
        conversation,
        [event.seq for event in events],
        [event.no for event in events],
        [event.id for event in events],
        [event.sender for event in events],
        [event.sender_name for event in events],
        [event.client_id for event in events],
        [event.body for event in events],
        [event.hash for event in events],
        at,
        events[-1].seq,
        events[-1].no,
    )


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
        f"SELECT {_EVENT}, {_LIVE} AS live FROM chat.event"
        " WHERE conversation_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        conversation,
        after,
        limit,
    )
    return [event_of(conversation, row) for row in rows]


async def event_at(db: Connection, conversation: str, seqs: Sequence[int]) -> dict[int, Event]:
    """The events of these numbers."""
    rows = await db.fetch(
        f"SELECT {_EVENT}, {_LIVE} AS live FROM chat.event WHERE conversation_id = $1 AND seq = ANY($2::bigint[])",
        conversation,
        seqs,
    )
    return {row["seq"]: event_of(conversation, row) for row in rows}


async def page(db: Connection, conversation: str, before: int | None, limit: int) -> list[Message]:
    """The newest ``limit`` messages below ``before``, as they are now, newest first."""
    rows = await db.fetch(
        "SELECT e.seq, e.id, e.kind, e.sender_id, e.sender_name, e.client_id, m.body::text AS body, e.created_at,"
        " (m.expires_at IS NULL OR m.expires_at > now()) AS live, m.no, m.version, m.revision"
        " FROM chat.message m JOIN chat.event e USING (conversation_id, seq)"
        " WHERE m.conversation_id = $1 AND m.seq < $2 ORDER BY m.seq DESC LIMIT $3",
        conversation,
        before if before is not None else 2**62,
        limit,
    )
    return [message_of(conversation, row) for row in rows]


def message_of(conversation: str, row: Mapping[str, Any]) -> Message:
    """A row of the folded view as a frame."""
    event = event_of(conversation, row)
    return Message(
        **{name: getattr(event, name) for name in Event.__struct_fields__},
        version=row["version"],
        revision=row["revision"],
    )


def event_of(conversation: str, row: Mapping[str, Any]) -> Event:
    """A row as the frame everybody gets; what is purged or expired leaves a stub, so that ``seq`` stays dense."""
    at = round(row["created_at"].timestamp() * 1000)
    if row["body"] is None or not row["live"]:
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
        body=msgspec.json.decode(row["body"], type=MessageBody),
        no=row["no"],
    )


def tag_of(event_id: object) -> str | None:
    """The tag of an event: the first 8 hex digits of its id."""
    return str(event_id)[:8] if event_id is not None else None
