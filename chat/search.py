"""Search: fills the index from the outbox, and asks it for what somebody may see.

What is found is judged by the messages as they are now: an index row counts only while its revision is the message's,
and the message is neither deleted, expired nor hidden. So nothing is found after it is gone, whenever the index is
brought up to date; its text leaves the index with the deletion or the sweep itself.
"""

from __future__ import annotations

from typing import Any

import msgspec

from chat import refusals, store
from chat.access import RIGHTS, Access, Connection, access_conversation, check_workspace
from chat.consumers import Range
from chat.core import Core
from chat.cursor import Cursor, is_uuid, read_cursor, write_cursor
from chat.ledger_store import instant
from chat.messages import fitting
from chat.store import millis
from chat.words import has_link, query, words
from tertulia.catalogue import Found, MessageBody, Search
from tertulia.tokens import Principal

PAGE = 500
"""Events that are indexed at a time."""


class FoundCursor(Cursor, frozen=True, array_like=True):
    at: int
    conversation: str
    seq: int


class Index:
    """Handles ranges of the outbox; see :class:`chat.consumers.Consumer`."""

    async def handle(self, db: Connection, ranges: list[Range]) -> None:
        for each in ranges:
            for low in range(each.lo, each.hi + 1, PAGE):
                high = min(each.hi, low + PAGE - 1)
                await self._index(db, each.conversation, low, high)
                await self._forget(db, each.conversation, low, high)

    async def _index(self, db: Connection, conversation: str, low: int, high: int) -> None:
        rows = await db.fetch(
            "SELECT m.seq, m.revision, m.sender_id, m.body::text AS body, m.thread_seq, e.created_at"
            " FROM chat.message m JOIN chat.event e USING (conversation_id, seq)"
            " WHERE m.conversation_id = $1 AND m.kind = 'message' AND m.body IS NOT NULL AND m.deleted_at IS NULL"
            " AND (m.seq BETWEEN $2 AND $3 OR m.seq IN (SELECT target_seq FROM chat.event"
            "   WHERE conversation_id = $1 AND seq BETWEEN $2 AND $3 AND kind = 'edit'))",
            conversation,
            low,
            high,
        )
        docs = [(row, msgspec.json.decode(row["body"], type=MessageBody)) for row in rows]
        if not docs:
            return
        # array_to_tsvector takes words as they are; the columns of unnest cannot hold arrays, so they come as JSON.
        await db.execute(
            "INSERT INTO chat.search_doc (conversation_id, seq, revision, sender_id, at, has, tsv)"
            " SELECT $1, seq, revision, sender_id, at,"
            "  ARRAY(SELECT jsonb_array_elements_text(has::jsonb)),"
            "  array_to_tsvector(ARRAY(SELECT jsonb_array_elements_text(words::jsonb)))"
            " FROM unnest($2::bigint[], $3::bigint[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])"
            "  AS n(seq, revision, sender_id, at, has, words)"
            " ON CONFLICT (conversation_id, seq) DO UPDATE SET revision = excluded.revision, has = excluded.has,"
            "  tsv = excluded.tsv WHERE search_doc.revision < excluded.revision",
            conversation,
            [row["seq"] for row, _ in docs],
            [row["revision"] for row, _ in docs],
            [row["sender_id"] for row, _ in docs],
            [row["created_at"] for row, _ in docs],
            [_json(_has(body)) for _, body in docs],
            [_json(words(body.text)) for _, body in docs],
        )

    async def _forget(self, db: Connection, conversation: str, low: int, high: int) -> None:
        """Remove what was indexed while it was being deleted: the deletion looked when the row was not there yet.

        A deletion is read here only after it was committed, and after the message it names.
        """
        await db.execute(
            "DELETE FROM chat.search_doc d USING chat.event e"
            " WHERE e.conversation_id = $1 AND e.seq BETWEEN $2 AND $3 AND e.kind = 'delete'"
            " AND d.conversation_id = $1 AND d.seq = e.target_seq",
            conversation,
            low,
            high,
        )


class SearchDesk:
    """Finds messages."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def search(self, principal: Principal, asked: Search, bytes_max: int) -> Found:
        """Messages that hold every word and pass every filter, newest first.

        Raises BadRequest ``search-empty`` or ``cursor-invalid``; NotFound or Forbidden for a ``conversation`` that is
        not for the asker. Without one it needs somebody who is logged in.
        """
        wanted = query(asked.query)
        narrowed = asked.sender is not None or asked.conversation is not None or asked.has
        if not wanted and not (narrowed and not asked.query.strip()):
            raise refusals.nothing_to_search()
        cursor_then = _place(asked.cursor)
        if asked.conversation is None:
            check_workspace(principal)

        async def work(db: Connection) -> Found:
            access = None
            if asked.conversation is not None:
                access = await access_conversation(db, principal, asked.conversation)
            rows = await _found(db, principal.identity, asked, wanted, cursor_then, access)
            page = rows[: asked.limit]
            places = [(str(row["conversation_id"]), row["seq"]) for row in page]
            found = await store.messages_of_many(db, principal.identity, places)
            messages = [found[place] for place in places]
            fit = fitting(messages, bytes_max)
            last = page[len(fit) - 1] if fit else None
            more = len(rows) > len(fit)
            cursor = FoundCursor(millis(last["at"]), str(last["conversation_id"]), last["seq"]) if last else None
            return Found(fit, write_cursor(cursor) if more and cursor is not None else None)

        return await self._core.read(work)


async def _found(
    db: Connection,
    me: str,
    asked: Search,
    wanted: list[tuple[str, bool]],
    place: FoundCursor | None,
    access: Access | None,
) -> list[Any]:
    text = " & ".join(_lexeme(word) + (":*" if prefix else "") for word, prefix in wanted)
    indexed = [has for has in asked.has if has in ("link", "mention")]
    # Where the asker stands in each conversation decides what may be found; a room's token stands in one.
    if access is not None:
        scope = "SELECT $2::uuid AS conversation_id, $3::bigint AS visible_from"
    else:
        readable = [kind for kind, roles in RIGHTS.items() if "read" in roles["member"]]
        scope = (
            "SELECT b.conversation_id, b.visible_from FROM chat.member b JOIN chat.conversation c"
            " ON c.id = b.conversation_id WHERE b.user_id = $1 AND b.visible_to IS NULL AND b.role <> 'guest'"
            f" AND c.kind IN ({', '.join(repr(kind) for kind in readable)})"
            " AND $2::uuid IS NULL AND $3::bigint IS NULL"
        )
    rows: list[Any] = await db.fetch(
        f"""
        WITH scope AS ({scope})
        SELECT d.conversation_id, d.seq, d.at FROM scope s
        JOIN chat.search_doc d ON d.conversation_id = s.conversation_id
        JOIN chat.message m ON m.conversation_id = d.conversation_id AND m.seq = d.seq AND m.revision = d.revision
        WHERE d.seq > s.visible_from AND m.deleted_at IS NULL AND m.body IS NOT NULL
            AND (m.expires_at IS NULL OR m.expires_at > now())
            AND ($4::text = '' OR d.tsv @@ $4::text::tsquery)
            AND ($5::text IS NULL OR d.sender_id = $5)
            AND d.has @> $6::text[]
            AND ($7::timestamptz IS NULL OR d.at < $7) AND ($8::timestamptz IS NULL OR d.at > $8)
            AND (NOT $9::boolean OR m.reactions IS NOT NULL) AND (NOT $10::boolean OR m.pinned_at IS NOT NULL)
            AND (NOT $11::boolean OR m.reply_count > 0 OR m.thread_seq IS NOT NULL)
            AND ($12::timestamptz IS NULL
                 OR (date_trunc('milliseconds', d.at), d.conversation_id, d.seq) < ($12, $13::uuid, $14::bigint))
            AND NOT EXISTS (SELECT 1 FROM chat.hidden h
                            WHERE h.conversation_id = d.conversation_id AND h.user_id = $1 AND h.seq = d.seq)
        ORDER BY date_trunc('milliseconds', d.at) DESC, d.conversation_id DESC, d.seq DESC LIMIT $15
        """,
        me,
        access.conversation if access is not None else None,
        access.visible_from if access is not None else None,
        text,
        asked.sender,
        indexed,
        instant(asked.before),
        instant(asked.after),
        "reaction" in asked.has,
        "pin" in asked.has,
        "thread" in asked.has,
        instant(place.at) if place is not None else None,
        place.conversation if place is not None else None,
        place.seq if place is not None else None,
        asked.limit + 1,
    )
    return rows


def _place(text: str | None) -> FoundCursor | None:
    cursor = read_cursor(text, FoundCursor)
    if cursor is not None and not (
        0 <= cursor.at <= 2**53 and 0 <= cursor.seq <= 2**53 and is_uuid(cursor.conversation)
    ):
        raise refusals.bad_cursor()
    return cursor


def _has(body: MessageBody) -> list[str]:
    found = ["link"] if has_link(body.text) else []
    return [*found, "mention"] if body.mentions or body.everybody else found


def _lexeme(word: str) -> str:
    """A word in a tsquery, where nothing in it means anything."""
    escaped = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"


def _json(texts: list[str]) -> str:
    return msgspec.json.encode(texts).decode()
