"""What every part of the chat works with: snapshots to read from, writers to write through, and telling the others."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from chat import refusals
from chat.access import Access, Connection, Right, access_conversation
from chat.draft import Draft
from chat.loss import LOST
from chat.metrics import REFUSED
from chat.writer import ConversationWriter
from tertulia.catalogue import Event
from tertulia.database import Database
from tertulia.errors import TertuliaError
from tertulia.tokens import Principal

T = TypeVar("T")

Door = Literal["channel", "socket", "http"]
Committed = Callable[[str, list[Event]], None]

_NAMESPACE = uuid.UUID("6f1f4a5e-52cb-4d0c-9d8a-0d1c6d1f3b7e")
WRITERS_MAX = 256


def derived(*parts: str) -> str:
    """An id that is the same whenever it is made from the same: of one's own log, of a pair's conversation, of an
    event that follows from another."""
    return str(uuid.uuid5(_NAMESPACE, "\x00".join(parts)))


class Core:
    """The database behind the chat, as its parts see it."""

    def __init__(self, database: Database, committed: Committed, unsure: Callable[[], None]) -> None:
        self.database = database
        self._committed = committed
        self._unsure = unsure
        self._writers: dict[str, ConversationWriter] = {}

    async def close(self) -> None:
        """Answer what is queued."""
        await asyncio.gather(*(writer.close() for writer in self._writers.values()))

    async def put(self, conversation: str, draft: Draft) -> Event | None:
        """Write one change; answered once it is durable. None: it changed nothing.

        Raises what the ledger refuses it with, Unavailable ``database-unavailable`` (nothing was written) or
        ``outcome-unknown`` (ask again with the same id).
        """
        try:
            return await self._writer(conversation).put(draft)
        except TertuliaError as error:
            REFUSED.labels(error.code).inc()
            if error.code == "outcome-unknown":
                self._unsure()
            raise

    async def write(self, conversation: str, draft: Draft) -> Event:
        """Like :meth:`put`, for changes that always leave an event."""
        event = await self.put(conversation, draft)
        assert event is not None, "only effects may change nothing"
        return event

    async def read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run ``work`` on a snapshot: all it reads is of one moment. A connection that breaks is replaced once.

        Raises Unavailable ``database-unavailable``.
        """
        try:
            return await self._read_once(work)
        except LOST:
            try:
                return await self._read_once(work)
            except LOST as error:
                raise refusals.database_away() from error

    async def change(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run ``work`` in a transaction that may write, for what is no event and may be done twice."""
        try:
            async with self.database.transaction() as db:
                return await work(db)
        except LOST:
            try:
                async with self.database.transaction() as db:
                    return await work(db)
            except LOST as error:
                raise refusals.outcome_unknown() from error

    def made(self, conversation: str) -> None:
        """A conversation was made without an event: the outbox is to be read for it."""
        self._committed(conversation, [])

    async def read_as(
        self,
        principal: Principal,
        conversation: str,
        work: Callable[[Connection, Access], Awaitable[T]],
        right: Right = "read",
    ) -> T:
        """Run ``work`` on a snapshot in which somebody was let in. Raises what ``judge`` raises."""

        async def let_in(db: Connection) -> T:
            return await work(db, await access_conversation(db, principal, conversation, right))

        return await self.read(let_in)

    def _writer(self, conversation: str) -> ConversationWriter:
        writer = self._writers.get(conversation)
        if writer is None:
            if len(self._writers) >= WRITERS_MAX:
                for known, idle in list(self._writers.items()):
                    if idle.idle:
                        del self._writers[known]
            writer = self._writers[conversation] = ConversationWriter(self.database, conversation, self._committed)
        return writer

    async def _read_once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self.database.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
            return await work(db)
