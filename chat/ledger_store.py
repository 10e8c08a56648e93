"""The ledger's SQL: what a transaction reads under the head's lock, and what it writes. See ``ledger.py``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import msgspec

from chat.access import Connection, Facts, Membership, membership_of
from tertulia.catalogue import Event, Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST = 253_402_300_799_999


def instant(millis: int | None) -> datetime | None:
    """Milliseconds since 1970 as the database takes them; what is past the year 9999 is its end."""
    return _EPOCH + timedelta(milliseconds=min(millis, _LAST)) if millis is not None else None


@dataclass(frozen=True)
class Locked:
    """A conversation under its head's lock. ``at`` is the time under the lock, in milliseconds."""

    facts: Facts
    seq: int
    no: int
    at: int
    retention_s: int
    members: int
    history_from_join: bool


@dataclass(frozen=True)
class Known:
    """What became of a client id that was used before."""

    seq: int
    hash: bytes


class NewRow(NamedTuple):
    """An event that is about to be, with what is stored of it."""

    event: Event
    json: str | None
    hash: bytes


@dataclass
class Effects:
    """What a batch does besides adding events and messages."""

    members: dict[str, tuple[str, str, int, int | None]] = field(default_factory=dict)
    """user: (name, role, visible_from, visible_to)"""
    member_count: int | None = None
    settings: dict[str, object] = field(default_factory=dict)
    reacted: dict[tuple[int, str, str], tuple[str, int] | None] = field(default_factory=dict)
    """(seq, emoji, user): (name, time), or None for one taken away"""
    mentions: list[tuple[str, int, int]] = field(default_factory=list)
    """(user, no, seq)"""
    forgotten: list[int] = field(default_factory=list)
    """Messages whose text goes, with that of their edits."""


async def lock(db: Connection, conversation: str) -> Locked | None:
    """Take the conversation's write lock."""
    row = await db.fetchrow(
        "SELECT h.last_seq, h.last_no, date_trunc('milliseconds', clock_timestamp()) AS at, c.kind, c.room_id,"
        " c.retention_s, c.member_count, c.history_from_join"
        " FROM chat.head h JOIN chat.conversation c ON c.id = h.conversation_id"
        " WHERE h.conversation_id = $1 FOR UPDATE OF h",
        conversation,
    )
    if row is None:
        return None
    return Locked(
        facts=Facts(conversation, row["kind"], row["room_id"]),
        seq=row["last_seq"],
        no=row["last_no"],
        at=round(row["at"].timestamp() * 1000),
        retention_s=row["retention_s"] or 0,
        members=row["member_count"],
        history_from_join=row["history_from_join"],
    )


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


async def memberships(db: Connection, conversation: str, users: Sequence[str]) -> dict[str, Membership]:
    rows = await db.fetch(
        "SELECT user_id, role, visible_from, visible_to FROM chat.member"
        " WHERE conversation_id = $1 AND user_id = ANY($2::text[])",
        conversation,
        users,
    )
    found = {row["user_id"]: membership_of(row) for row in rows}
    return {user: membership for user, membership in found.items() if membership is not None}


async def owners(db: Connection, conversation: str) -> int:
    count: int = await db.fetchval(
        "SELECT count(*) FROM chat.member WHERE conversation_id = $1 AND role = 'owner' AND visible_to IS NULL",
        conversation,
    )
    return count


async def names(db: Connection, users: Sequence[str]) -> dict[str, str]:
    """The names of people who are known here."""
    rows = await db.fetch("SELECT user_id, name FROM chat.person WHERE user_id = ANY($1::text[])", users)
    return {row["user_id"]: row["name"] for row in rows}


async def reacted(db: Connection, conversation: str, keys: Sequence[tuple[int, str, str]]) -> set[tuple[int, str, str]]:
    """Which of these (seq, emoji, user) there are."""
    rows = await db.fetch(
        "SELECT r.seq, r.emoji, r.user_id FROM chat.reaction r"
        " JOIN unnest($2::bigint[], $3::text[], $4::text[]) AS k(seq, emoji, user_id) USING (seq, emoji, user_id)"
        " WHERE r.conversation_id = $1",
        conversation,
        [key[0] for key in keys],
        [key[1] for key in keys],
        [key[2] for key in keys],
    )
    return {(row["seq"], row["emoji"], row["user_id"]) for row in rows}


async def pinned(db: Connection, conversation: str) -> int:
    count: int = await db.fetchval(
        "SELECT count(*) FROM chat.message WHERE conversation_id = $1 AND pinned_at IS NOT NULL", conversation
    )
    return count


async def blocks(db: Connection, conversation: str, somebody: str) -> bool:
    """Whether another member of the conversation takes no messages from somebody."""
    found: bool = await db.fetchval(
        "SELECT EXISTS (SELECT 1 FROM chat.member m JOIN chat.block b ON b.user_id = m.user_id AND b.blocked_id = $2"
        " WHERE m.conversation_id = $1 AND m.user_id <> $2)",
        conversation,
        somebody,
    )
    return found


async def append(
    db: Connection, conversation: str, rows: Sequence[NewRow], messages: Sequence[Message], no: int
) -> None:
    """Write events, keys, the messages they begin, head and outbox, in one statement.

    :param messages: new ones as they are after the whole batch
    :param no: the last number given
    """
    events = [row.event for row in rows]
    bodies = {row.event.seq: row.json for row in rows}
    await db.execute(
        """
        WITH new AS (
            SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::uuid[], $5::text[], $6::bigint[], $7::text[],
                                 $8::text[], $9::uuid[], $10::text[], $11::bytea[], $12::timestamptz[])
                AS n(seq, no, id, kind, target_seq, sender_id, sender_name, client_id, body, hash, expires_at)
        ), events AS (
            INSERT INTO chat.event (conversation_id, seq, no, id, kind, target_seq, sender_id, sender_name, client_id,
                                    body, created_at, expires_at)
            SELECT $1, seq, no, id, kind, target_seq, sender_id, sender_name, client_id, body::jsonb, $13, expires_at
            FROM new
        ), keys AS (
            INSERT INTO chat.sent (conversation_id, sender_id, client_id, seq, body_hash, at)
            SELECT $1, sender_id, client_id, seq, hash, $13 FROM new
        ), messages AS (
            INSERT INTO chat.message (conversation_id, seq, no, kind, version, revision, thread_seq, sender_id, body,
                                      reactions, reply_count, last_reply_at, pinned_at, edited_at, deleted_at,
                                      expires_at)
            SELECT $1, seq, no, kind, version, revision, thread_seq, sender_id, body::jsonb, reactions::jsonb,
                   reply_count, last_reply_at, pinned_at, edited_at, deleted_at, expires_at
            FROM unnest($14::bigint[], $15::bigint[], $16::text[], $17::bigint[], $18::bigint[], $19::bigint[],
                        $20::text[], $21::text[], $22::text[], $23::integer[], $24::timestamptz[], $25::timestamptz[],
                        $26::timestamptz[], $27::timestamptz[], $28::timestamptz[])
                AS m(seq, no, kind, version, revision, thread_seq, sender_id, body, reactions, reply_count,
                     last_reply_at, pinned_at, edited_at, deleted_at, expires_at)
        ), moved AS (
            UPDATE chat.head SET last_seq = $29, last_no = $30 WHERE conversation_id = $1
        )
        INSERT INTO chat.outbox (conversation_id, seq_lo, seq_hi) VALUES ($1, ($2::bigint[])[1], $29)
        """,
        conversation,
        [event.seq for event in events],
        [event.no for event in events],
        [event.id for event in events],
        [event.kind for event in events],
        [event.target for event in events],
        [event.sender for event in events],
        [event.sender_name for event in events],
        [event.client_id for event in events],
        [row.json for row in rows],
        [row.hash for row in rows],
        [instant(event.expires_at) for event in events],
        instant(events[0].at),
        [message.seq for message in messages],
        [message.no for message in messages],
        [message.kind for message in messages],
        [message.version for message in messages],
        [message.revision for message in messages],
        [message.thread for message in messages],
        [message.sender or "" for message in messages],
        # Most messages are still what their events were; encoding them again would cost as much as all else.
        [bodies[message.seq] if message.version == message.seq else body_json(message) for message in messages],
        [reactions_json(message) for message in messages],
        [message.reply_count for message in messages],
        [instant(message.last_reply_at) for message in messages],
        [instant(message.pinned_at) for message in messages],
        [instant(message.edited_at) for message in messages],
        [instant(message.deleted_at) for message in messages],
        [instant(message.expires_at) for message in messages],
        events[-1].seq,
        no,
    )


async def update_messages(db: Connection, conversation: str, messages: Sequence[Message]) -> None:
    """Write older messages as they are after the batch."""
    await db.execute(
        """
        UPDATE chat.message m
        SET version = n.version, revision = n.revision, body = n.body::jsonb, reactions = n.reactions::jsonb,
            reply_count = n.reply_count, last_reply_at = n.last_reply_at, pinned_at = n.pinned_at,
            edited_at = n.edited_at, deleted_at = n.deleted_at
        FROM unnest($2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::integer[],
                    $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[])
            AS n(seq, version, revision, body, reactions, reply_count, last_reply_at, pinned_at, edited_at, deleted_at)
        WHERE m.conversation_id = $1 AND m.seq = n.seq
        """,
        conversation,
        [message.seq for message in messages],
        [message.version for message in messages],
        [message.revision for message in messages],
        [body_json(message) for message in messages],
        [reactions_json(message) for message in messages],
        [message.reply_count for message in messages],
        [instant(message.last_reply_at) for message in messages],
        [instant(message.pinned_at) for message in messages],
        [instant(message.edited_at) for message in messages],
        [instant(message.deleted_at) for message in messages],
    )


async def write_effects(db: Connection, conversation: str, effects: Effects) -> None:
    """Write everything else, each kind in one statement and only where there is any."""
    if effects.members:
        await _write_members(db, conversation, effects)
    if effects.settings or effects.member_count is not None:
        await _write_settings(db, conversation, effects)
    if effects.reacted:
        await _write_reactions(db, conversation, effects)
    if effects.mentions:
        await db.execute(
            "INSERT INTO chat.mention (conversation_id, user_id, no, seq)"
            " SELECT $1, * FROM unnest($2::text[], $3::bigint[], $4::bigint[]) ON CONFLICT DO NOTHING",
            conversation,
            [user for user, _, _ in effects.mentions],
            [no for _, no, _ in effects.mentions],
            [seq for _, _, seq in effects.mentions],
        )
    if effects.forgotten:
        await forget(db, conversation, effects.forgotten)


async def forget(db: Connection, conversation: str, seqs: Sequence[int]) -> None:
    """Remove the text of messages from events, edits, search, mentions and reactions. The rows stay, so that numbers
    and tags do."""
    await db.execute(
        "UPDATE chat.event SET body = NULL WHERE conversation_id = $1 AND seq = ANY($2::bigint[]) AND kind = 'message'",
        conversation,
        seqs,
    )
    await db.execute(
        "UPDATE chat.event SET body = NULL WHERE conversation_id = $1 AND target_seq = ANY($2::bigint[])"
        " AND kind = 'edit'",
        conversation,
        seqs,
    )
    for table in ("search_doc", "mention", "reaction"):
        await db.execute(
            f"DELETE FROM chat.{table} WHERE conversation_id = $1 AND seq = ANY($2::bigint[])", conversation, seqs
        )


async def _write_members(db: Connection, conversation: str, effects: Effects) -> None:
    await db.execute(
        "INSERT INTO chat.member (conversation_id, user_id, name, role, visible_from, visible_to, read_no,"
        " delivered_no)"
        " SELECT $1, n.*, h.last_no, h.last_no"
        " FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])"
        " AS n(user_id, name, role, visible_from, visible_to)"
        " CROSS JOIN (SELECT last_no FROM chat.head WHERE conversation_id = $1) h"
        " ON CONFLICT (conversation_id, user_id) DO UPDATE SET name = excluded.name, role = excluded.role,"
        " visible_from = excluded.visible_from, visible_to = excluded.visible_to,"
        " joined_at = CASE WHEN member.visible_to IS NULL THEN member.joined_at ELSE now() END",
        conversation,
        list(effects.members),
        [name for name, _, _, _ in effects.members.values()],
        [role for _, role, _, _ in effects.members.values()],
        [visible_from for _, _, visible_from, _ in effects.members.values()],
        [visible_to for _, _, _, visible_to in effects.members.values()],
    )


async def _write_settings(db: Connection, conversation: str, effects: Effects) -> None:
    values = effects.settings
    await db.execute(
        "UPDATE chat.conversation SET title = coalesce($2, title), about = coalesce($3, about),"
        " retention_s = CASE WHEN $4::integer IS NULL THEN retention_s ELSE nullif($4, 0) END,"
        " history_from_join = coalesce($5, history_from_join), member_count = coalesce($6, member_count)"
        " WHERE id = $1",
        conversation,
        values.get("title"),
        values.get("about"),
        values.get("retention_s"),
        values.get("history_from_join"),
        effects.member_count,
    )


async def _write_reactions(db: Connection, conversation: str, effects: Effects) -> None:
    gone = [key for key, value in effects.reacted.items() if value is None]
    there = [(key, value) for key, value in effects.reacted.items() if value is not None]
    if gone:
        await db.execute(
            "DELETE FROM chat.reaction r USING unnest($2::bigint[], $3::text[], $4::text[]) AS k(seq, emoji, user_id)"
            " WHERE r.conversation_id = $1 AND r.seq = k.seq AND r.emoji = k.emoji AND r.user_id = k.user_id",
            conversation,
            [seq for seq, _, _ in gone],
            [emoji for _, emoji, _ in gone],
            [user for _, _, user in gone],
        )
    if there:
        await db.execute(
            "INSERT INTO chat.reaction (conversation_id, seq, emoji, user_id, name, at)"
            " SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[])"
            " ON CONFLICT DO NOTHING",
            conversation,
            [key[0] for key, _ in there],
            [key[1] for key, _ in there],
            [key[2] for key, _ in there],
            [name for _, (name, _) in there],
            [instant(at) for _, (_, at) in there],
        )


def body_json(message: Message) -> str | None:
    content = message.body if message.kind == "message" else message.change
    return msgspec.json.encode(content).decode() if content is not None else None


def reactions_json(message: Message) -> str | None:
    if not message.reactions:
        return None
    return msgspec.json.encode({reaction.emoji: reaction.count for reaction in message.reactions}).decode()
