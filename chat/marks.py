"""Read marks: who has got and read how far, what is unread, and telling the others of small conversations.

Marks are state, not events: one message in a channel of 100,000 would make 100,000 of them. They move forward only, on
whatever device and in whatever order; "mark unread" is a mark of its own, which reading takes away.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from chat import refusals
from chat.access import Access, Connection, access_conversation, check_workspace
from chat.core import Core
from chat.messages import reader_of
from chat.personal import PersonalDesk
from chat.presence import is_invisible
from chat.store import visible_messages
from tertulia.catalogue import (
    UNREAD_MAX,
    Change,
    Frame,
    GetUnread,
    MarkRead,
    Marks,
    MarkUnread,
    ReaderList,
    Readers,
    Receipt,
    UnreadList,
)
from tertulia.frames import Notice
from tertulia.tokens import Principal

RECEIPT_MEMBERS_MAX = 100

Tell = Callable[[str, Notice], None]
"""Tells whoever has a conversation open something that passes."""

_MARKS = """
    SELECT m.conversation_id, m.delivered_no, m.read_no, m.unread_from,
        chat.unread_count($1, m.conversation_id, m.visible_from, chat.read_base(m.read_no, m.unread_from)) AS unread,
        chat.mention_count($1, m.conversation_id, m.visible_from, chat.read_base(m.read_no, m.unread_from)) AS mentions
    FROM chat.member m
"""


class MarkDesk:
    """Where everybody stands."""

    def __init__(self, core: Core, personal: PersonalDesk, tell: Tell) -> None:
        self._core = core
        self._personal = personal
        self._tell = tell

    async def mark_read(self, principal: Principal, asked: MarkRead) -> Marks:
        """Everything up to a message is read, or has arrived. Where the asker stands then."""
        moved: list[Receipt] = []

        async def effect(db: Connection) -> Change | None:
            moved.clear()
            access = await access_conversation(db, principal, asked.conversation)
            number = await _number(db, access, asked.seq)
            row = await _move(db, principal, access, number, asked.delivered)
            if row is None:
                return None
            if await few_members(db, access.conversation) and not await is_invisible(db, principal):
                moved.append(Receipt(access.conversation, access.user, row["delivered_no"], row["read_no"]))
            return _change(access.conversation, row)

        return await self._mark(principal, asked.conversation, asked, effect, moved)

    async def mark_unread(self, principal: Principal, asked: MarkUnread) -> Marks:
        """Count from a message on as unread. Raises NotFound ``message-not-found``."""

        async def effect(db: Connection) -> Change | None:
            access = await access_conversation(db, principal, asked.conversation)
            found = await visible_messages(db, access.conversation, reader_of(access), [asked.seq])
            if not found or found[0].no is None:
                raise refusals.no_message()
            await _ensure(db, principal, access)
            row = await db.fetchrow(
                "UPDATE chat.member SET unread_from = $3 WHERE conversation_id = $1 AND user_id = $2"
                " AND unread_from IS DISTINCT FROM $3 RETURNING delivered_no, read_no, unread_from",
                access.conversation,
                access.user,
                found[0].no,
            )
            return _change(access.conversation, row) if row is not None else None

        return await self._mark(principal, asked.conversation, asked, effect, [])

    async def _mark(
        self, principal: Principal, conversation: str, asked: Frame, effect: Any, moved: list[Receipt]
    ) -> Marks:
        # Doing it twice changes nothing, so the id need not be the client's.
        await self._personal.keep(principal, str(uuid.uuid4()), asked, effect)
        for receipt in moved:
            self._tell(conversation, Notice("receipt", receipt))

        async def work(db: Connection, access: Access) -> Marks:
            row = await db.fetchrow(
                f"{_MARKS} WHERE m.user_id = $1 AND m.conversation_id = $2", access.user, access.conversation
            )
            return _marks(row) if row is not None else Marks(access.conversation, 0, 0, 0, 0, 0)

        return await self._core.read_as(principal, conversation, work)

    async def unread(self, principal: Principal, asked: GetUnread) -> UnreadList:
        """The asker's conversations with something unread."""
        me = check_workspace(principal)

        async def work(db: Connection) -> UnreadList:
            rows = await db.fetch(
                f"SELECT * FROM ({_MARKS} WHERE m.user_id = $1 AND m.visible_to IS NULL AND m.role <> 'guest') counted"
                " WHERE unread > 0 OR mentions > 0 ORDER BY conversation_id LIMIT 1000",
                me,
            )
            found = [_marks(row) for row in rows]
            unread = min(UNREAD_MAX, sum(marks.unread for marks in found))
            return UnreadList(found, unread, min(UNREAD_MAX, sum(marks.mentions for marks in found)))

        return await self._core.read(work)

    async def readers(self, principal: Principal, asked: Readers) -> ReaderList:
        """Who has read a message, and who has only got it. Raises Conflict ``conversation-too-large``, NotFound."""

        async def work(db: Connection, access: Access) -> ReaderList:
            found = await visible_messages(db, access.conversation, reader_of(access), [asked.seq])
            if not found:
                raise refusals.no_message()
            if not await few_members(db, access.conversation):
                raise refusals.too_large_for_that()
            number = await _number(db, access, asked.seq)
            rows = await db.fetch(
                "SELECT user_id, read_no >= $3 AS read FROM chat.member m WHERE conversation_id = $1"
                " AND visible_to IS NULL AND visible_from < $2 AND delivered_no >= $3 AND user_id <> $4"
                " AND (role = 'guest' OR user_id = $5 OR NOT EXISTS (SELECT 1 FROM chat.status s"
                "  WHERE s.user_id = m.user_id AND s.status = 'invisible'))"
                " ORDER BY user_id",
                access.conversation,
                asked.seq,
                number,
                found[0].sender or "",
                access.user,
            )
            return ReaderList(
                [row["user_id"] for row in rows if row["read"]], [row["user_id"] for row in rows if not row["read"]]
            )

        return await self._core.read_as(principal, asked.conversation, work)


async def _number(db: Connection, access: Access, seq: int) -> int:
    """The number of the newest message up to ``seq``: a thread's replies stand at the message before them."""
    found: int | None = await db.fetchval(
        "SELECT no FROM chat.message WHERE conversation_id = $1 AND seq <= $2 AND no IS NOT NULL"
        " AND thread_seq IS NULL ORDER BY seq DESC LIMIT 1",
        access.conversation,
        seq,
    )
    return found or 0


async def _ensure(db: Connection, principal: Principal, access: Access) -> None:
    """A row for the marks of somebody who is in by a room's token only."""
    await db.execute(
        "INSERT INTO chat.member (conversation_id, user_id, name, role) VALUES ($1, $2, $3, 'guest')"
        " ON CONFLICT DO NOTHING",
        access.conversation,
        access.user,
        principal.name,
    )


async def _move(db: Connection, principal: Principal, access: Access, number: int, delivered: bool) -> Any:
    """Move the marks forward; the row if that changed it."""
    if access.kind == "room":
        await _ensure(db, principal, access)
    read = 0 if delivered else number
    return await db.fetchrow(
        "UPDATE chat.member SET delivered_no = greatest(delivered_no, $3), read_no = greatest(read_no, $4),"
        " unread_from = CASE WHEN $4 >= unread_from THEN NULL ELSE unread_from END"
        " WHERE conversation_id = $1 AND user_id = $2"
        " AND (delivered_no < $3 OR read_no < $4 OR $4 >= unread_from)"
        " RETURNING delivered_no, read_no, unread_from",
        access.conversation,
        access.user,
        number,
        read,
    )


async def few_members(db: Connection, conversation: str) -> bool:
    """Whether a conversation is small enough for everybody to be told of everybody."""
    count: int = await db.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM chat.member WHERE conversation_id = $1 AND visible_to IS NULL LIMIT $2) m",
        conversation,
        RECEIPT_MEMBERS_MAX + 1,
    )
    return count <= RECEIPT_MEMBERS_MAX


def _change(conversation: str, row: Any) -> Change:
    return Change(
        action="marks",
        conversation=conversation,
        delivered_no=row["delivered_no"],
        read_no=row["read_no"],
        unread_from=row["unread_from"] or 0,
    )


def _marks(row: Any) -> Marks:
    return Marks(
        conversation=str(row["conversation_id"]),
        delivered_no=row["delivered_no"],
        read_no=row["read_no"],
        unread_from=row["unread_from"] or 0,
        unread=row["unread"],
        mentions=row["mentions"],
    )
