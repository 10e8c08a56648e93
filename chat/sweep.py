"""The sweep: what has expired loses its text, and one's own log its old entries.

Every read leaves out what has expired from the moment on; the sweep follows within ``EVERY_S`` and removes text, edits,
reactions, mentions and search text from the tables. Rows stay as tombstones: numbers stay dense and tags stay true.
"Gone" does not cover what PostgreSQL keeps for its own sake: dead rows until the next vacuum, the write-ahead log until
it is recycled, and backups, which forget when they are deleted.
"""

from __future__ import annotations

import asyncio

import structlog

from chat.access import Connection
from chat.ledger_store import forget
from chat.loss import LOST
from tertulia.database import Database
from tertulia.errors import Unavailable

log = structlog.get_logger("chat.sweep")

EVERY_S = 15.0
OLD_EVERY_S = 6 * 3600.0
BATCH = 500
KEYS_DAYS = 400
"""How long a client id is remembered: the promise that a retry is never doubled."""
OWN_LOG_DAYS = 60
"""How long entries of somebody's own log are kept; a device that was away for longer begins anew."""


class Sweeper:
    """Sweeps now and then; several processes do not get in each other's way."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="chat-sweep")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        waited = 0.0
        while True:
            await asyncio.sleep(EVERY_S)
            waited += EVERY_S
            try:
                while await self.sweep():
                    pass
                if waited >= OLD_EVERY_S:
                    waited = 0.0
                    await self.forget_old()
            except (*LOST, Unavailable) as error:
                log.warning("no sweep: the database is away", error=type(error).__name__)
            except Exception as error:
                log.error("the sweep failed", exc_info=error)

    async def sweep(self) -> int:
        """Remove the text of some expired messages; how many there were."""
        async with self._database.transaction() as db:
            rows = await db.fetch(
                "SELECT conversation_id, seq FROM chat.message"
                " WHERE expires_at <= now() AND body IS NOT NULL AND kind = 'message'"
                " ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED",
                BATCH,
            )
            by_conversation: dict[str, list[int]] = {}
            for row in rows:
                by_conversation.setdefault(str(row["conversation_id"]), []).append(row["seq"])
            for conversation, seqs in by_conversation.items():
                await _expire(db, conversation, seqs)
        return len(rows)

    async def forget_old(self) -> None:
        """Let go of client ids and own logs past their time."""
        async with self._database.transaction() as db:
            await db.execute(
                "DELETE FROM chat.sent WHERE ctid = ANY(ARRAY(SELECT ctid FROM chat.sent"
                " WHERE at < now() - make_interval(days => $1) LIMIT 5000))",
                KEYS_DAYS,
            )
            # A prefix goes, and the floor says so: who stands below it is told to begin anew.
            rows = await db.fetch(
                "SELECT h.conversation_id, max(e.seq) AS floor FROM chat.head h"
                " JOIN chat.conversation c ON c.id = h.conversation_id AND c.kind = 'self'"
                " JOIN LATERAL (SELECT seq, created_at FROM chat.event e WHERE e.conversation_id = h.conversation_id"
                "  AND e.seq < h.last_seq ORDER BY e.seq LIMIT 1000) e"
                "  ON e.created_at < now() - make_interval(days => $1)"
                " GROUP BY h.conversation_id LIMIT 100",
                OWN_LOG_DAYS,
            )
            for row in rows:
                place = (row["conversation_id"], row["floor"])
                await db.execute(
                    "UPDATE chat.head SET floor_seq = greatest(floor_seq, $2) WHERE conversation_id = $1", *place
                )
                await db.execute("DELETE FROM chat.event WHERE conversation_id = $1 AND seq <= $2", *place)


async def _expire(db: Connection, conversation: str, seqs: list[int]) -> None:
    await db.execute(
        "UPDATE chat.message SET body = NULL, reactions = NULL, pinned_at = NULL"
        " WHERE conversation_id = $1 AND seq = ANY($2::bigint[])",
        conversation,
        seqs,
    )
    await forget(db, conversation, seqs)
