"""Readers of the outbox: each transaction that writes events leaves a row there, and nothing committed goes unread.

A consumer has its own place in the outbox (``chat.outbox_reader``) and moves it in the transaction in which it handled
what was before it. Of two processes one reads at a time; the row of the place is their lock. It takes only rows below
the oldest running transaction, because an id is given before its commit is visible. Rows that every one of ``READERS``
has had are deleted (:func:`trim`); one that has no place yet, as after a restored backup, has had none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from chat.access import Connection
from chat.loss import LOST
from tertulia.database import Database
from tertulia.errors import Unavailable

log = structlog.get_logger("chat.consumers")

READERS = ("fan-out", "own-logs", "search")
"""Everybody who reads the outbox."""
COALESCE_S = 0.2
POLL_S = 30.0
RETRY_S = 1.0
RANGES_MAX = 500


@dataclass(frozen=True)
class Range:
    """Events ``lo`` to ``hi`` of a conversation are committed. An empty one: the conversation itself was made."""

    conversation: str
    lo: int
    hi: int


Handle = Callable[[Connection, list[Range]], Awaitable[None]]
"""Called inside the transaction that moves the place, also when there was nothing to read."""


class Consumer:
    """Reads the outbox under a name when woken, and now and then without; ``delay_s`` after, to read more at once."""

    def __init__(self, database: Database, name: str, handle: Handle, delay_s: float = COALESCE_S) -> None:
        assert name in READERS, "what nobody knows of is deleted before it is read"
        self._delay_s = delay_s
        self._database = database
        self._name = name
        self._handle = handle
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name=f"chat-{self._name}")

    def wake(self) -> None:
        self._wake.set()

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(POLL_S):  # wait_for may swallow a cancellation that comes with the event
                    await self._wake.wait()
            except TimeoutError:
                pass  # another process may have written
            await asyncio.sleep(self._delay_s)
            self._wake.clear()
            try:
                while await self.read():
                    pass
                if await self.behind():
                    # A transaction that began earlier still runs; what follows it is read when it is over.
                    self._wake.set()
            except (*LOST, Unavailable) as error:
                log.warning("the outbox cannot be read now", reader=self._name, error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
                self._wake.set()
            except Exception as error:
                log.error("the outbox could not be read", reader=self._name, exc_info=error)
                await asyncio.sleep(RETRY_S)

    async def behind(self) -> bool:
        """Whether rows of the outbox are not handled yet."""
        async with self._database.acquire() as db:
            found: bool = await db.fetchval(
                "SELECT EXISTS (SELECT FROM chat.outbox WHERE xid >="
                " coalesce((SELECT upto FROM chat.outbox_reader WHERE name = $1), '0'))",
                self._name,
            )
        return found

    async def read(self) -> bool:
        """Handle what was committed since the last time; whether there may be more."""
        async with self._database.transaction() as db:
            await db.execute(
                "INSERT INTO chat.outbox_reader (name, upto) VALUES ($1, '0') ON CONFLICT DO NOTHING", self._name
            )
            row = await db.fetchrow(
                "SELECT upto, pg_snapshot_xmin(pg_current_snapshot()) AS xmin FROM chat.outbox_reader"
                " WHERE name = $1 FOR UPDATE",
                self._name,
            )
            since = min(row["upto"], row["xmin"])
            rows = await db.fetch(
                "SELECT xid, conversation_id, seq_lo, seq_hi FROM chat.outbox"
                " WHERE xid >= $1::bigint::text::xid8 AND xid < $2::bigint::text::xid8 ORDER BY xid, id LIMIT $3",
                since,
                row["xmin"],
                RANGES_MAX,
            )
            more = len(rows) == RANGES_MAX
            if more and rows[0]["xid"] != rows[-1]["xid"]:
                # The last transaction may not be here whole: it is left for the next time.
                rows = [each for each in rows if each["xid"] != rows[-1]["xid"]]
            elif more:
                rows = await db.fetch(
                    "SELECT xid, conversation_id, seq_lo, seq_hi FROM chat.outbox WHERE xid = $1::bigint::text::xid8",
                    rows[0]["xid"],
                )
            ranges = joined([Range(str(each["conversation_id"]), each["seq_lo"], each["seq_hi"]) for each in rows])
            await self._handle(db, ranges)
            upto = rows[-1]["xid"] + 1 if more else row["xmin"]
            await db.execute(
                "UPDATE chat.outbox_reader SET upto = $2::bigint::text::xid8 WHERE name = $1", self._name, upto
            )
        return more


async def trim(db: Connection) -> None:
    """Delete what every reader has had."""
    # A dump restored into another server brings transaction numbers that this one has not reached yet.
    await db.execute("DELETE FROM chat.outbox WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())")
    await db.execute(
        "DELETE FROM chat.outbox WHERE $2 = (SELECT count(*) FROM chat.outbox_reader WHERE name = ANY($1))"
        " AND xid < (SELECT upto FROM chat.outbox_reader WHERE name = ANY($1) ORDER BY upto LIMIT 1)",
        READERS,
        len(READERS),
    )


def joined(ranges: list[Range]) -> list[Range]:
    """The same events in fewer ranges: what follows without a gap becomes one."""
    found: list[Range] = []
    for each in sorted(ranges, key=lambda one: (one.conversation, one.lo)):
        last = found[-1] if found else None
        if (
            last is not None
            and last.conversation == each.conversation
            and last.lo <= last.hi
            and each.lo == last.hi + 1
        ):
            found[-1] = Range(each.conversation, last.lo, each.hi)
        else:
            found.append(each)
    return found
