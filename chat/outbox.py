"""The outbox: every transaction that writes events leaves a row, so that nothing committed goes untold.

Normally the writer tells the others itself right after its commit. What it could not tell (the connection broke while
committing, the process was killed, another process wrote) is found here and published as a hint; readers drop what
they have had. Whichever process reads a row publishes it on the bus that all of them share. Rows are read below the
oldest running transaction, for an id is given before its commit is visible.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from chat.loss import LOST
from tertulia.database import Database
from tertulia.errors import Unavailable

log = structlog.get_logger("chat.outbox")

READER = "fan-out"
COALESCE_S = 0.5
POLL_S = 30.0
RETRY_S = 1.0

Publish = Callable[[str, int, int], None]
"""Tell that events ``lo`` to ``hi`` of a conversation are committed."""


class Outbox:
    """Reads the outbox when woken, and now and then without."""

    def __init__(self, database: Database, publish: Publish) -> None:
        self._database = database
        self._publish = publish
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._wake.set()
        self._task = asyncio.create_task(self._run(), name="chat-outbox")

    def wake(self) -> None:
        """Something may have been written."""
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
            await asyncio.sleep(COALESCE_S)
            self._wake.clear()
            try:
                await self.read()
            except (*LOST, Unavailable) as error:
                log.warning("the outbox cannot be read now", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
                self._wake.set()
            except Exception as error:
                log.error("the outbox could not be read", exc_info=error)

    async def read(self) -> None:
        """Publish what was committed since the last time, and delete what every reader has had."""
        async with self._database.transaction() as db:
            # The reader's row is the lock that keeps two processes from reading at once.
            await db.execute(
                "INSERT INTO chat.outbox_reader (name, upto) VALUES ($1, '0') ON CONFLICT DO NOTHING", READER
            )
            row = await db.fetchrow(
                "SELECT upto, pg_snapshot_xmin(pg_current_snapshot()) AS xmin FROM chat.outbox_reader"
                " WHERE name = $1 FOR UPDATE",
                READER,
            )
            # A dump restored into another server brings transaction numbers that this one has not reached yet.
            await db.execute("DELETE FROM chat.outbox WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())")
            since = min(row["upto"], row["xmin"])
            rows = await db.fetch(
                "SELECT conversation_id, min(seq_lo) AS lo, max(seq_hi) AS hi FROM chat.outbox"
                " WHERE xid >= $1::bigint::text::xid8 AND xid < $2::bigint::text::xid8 GROUP BY conversation_id",
                since,
                row["xmin"],
            )
            await db.execute(
                "UPDATE chat.outbox_reader SET upto = $2::bigint::text::xid8 WHERE name = $1", READER, row["xmin"]
            )
            await db.execute(
                "DELETE FROM chat.outbox WHERE xid < (SELECT upto FROM chat.outbox_reader ORDER BY upto LIMIT 1)"
            )
        for found in rows:
            self._publish(str(found["conversation_id"]), found["lo"], found["hi"])
