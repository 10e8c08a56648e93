"""The log writer: one a conversation and process, which writes everything that waits in one transaction.

Senders that arrive while a transaction runs wait for the next one, so a batch is as large as the load makes it and a
lone message waits for nobody. Within the transaction: lock the head, find the client ids that were used before,
number only the new ones, insert, commit, and only then answer and tell the others.

What can go wrong, and what the sender is told:

- The connection breaks: the batch is written again, which is safe, because what the first try did is found by its ids.
- The database stays away: ``database-unavailable`` if COMMIT was never asked for; else nobody knows, and
  ``outcome-unknown`` tells the sender to repeat with its id until it gets the truth.
- The database refuses a row (which validation should have caught): the batch is halved until the culprit is alone.

The last number is never kept between transactions: the head says it, and another process may have moved it.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from chat import ledger, metrics, refusals
from chat.draft import Draft
from chat.ledger import Result
from chat.loss import is_lost
from tertulia.catalogue import Event
from tertulia.database import Database
from tertulia.errors import TertuliaError, Unavailable

log = structlog.get_logger("chat.writer")

BATCH_MAX = 100
BATCH_CHARACTERS_MAX = 64 * 1024
"""What a batch holds reaches every reader at once; it must stay well below what a reader's queue takes."""
QUEUE_MAX = 2000
LIMIT_S = 20.0
"""How long a transaction may take before its senders are told that nobody knows."""


Committed = Callable[[str, list[Event]], None]
"""Told of every batch of new events, in their order, right after the commit; of none when more may be committed
than is known (the outbox says)."""


class ConversationWriter:
    """Writes one conversation. Its task lives only while something waits."""

    def __init__(self, database: Database, conversation: str, committed: Committed) -> None:
        self._database = database
        self._conversation = conversation
        self._committed = committed
        self._waiting: deque[Draft] = deque()
        self._task: asyncio.Task[None] | None = None

    @property
    def idle(self) -> bool:
        return self._task is None

    def put(self, draft: Draft) -> Awaitable[Event | None]:
        """Queue a draft; the event that it becomes (none if it changed nothing), or why not, comes with the future."""
        if len(self._waiting) >= QUEUE_MAX:
            raise Unavailable("database-unavailable", "Too many messages wait to be stored; try again in a moment.")
        self._waiting.append(draft)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="chat-writer")
        return asyncio.shield(draft.done)

    async def close(self) -> None:
        """Wait until everything that was queued is answered."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while self._waiting:
                await self._write_or_halve(self._take())
        finally:
            self._task = None

    def _take(self) -> list[Draft]:
        batch = [self._waiting.popleft()]
        size = len(batch[0].json)
        while self._waiting and len(batch) < BATCH_MAX and size < BATCH_CHARACTERS_MAX:
            batch.append(self._waiting.popleft())
            size += len(batch[-1].json)
        return batch

    async def _write_or_halve(self, batch: list[Draft]) -> None:
        try:
            await self._write(batch)
        except TertuliaError as error:
            for draft in batch:
                draft.refuse(error)
        except asyncio.CancelledError:
            for draft in batch:
                draft.refuse(refusals.outcome_unknown())
            raise
        except Exception as error:
            if len(batch) == 1:
                # Its kind only: the database's own text quotes what it refused.
                log.error("a message could not be stored", error=type(error).__name__)
                batch[0].refuse(TertuliaError("internal", "The message could not be stored."))
                return
            metrics.HALVED.inc()
            middle = len(batch) // 2
            await self._write_or_halve(batch[:middle])
            await self._write_or_halve(batch[middle:])

    async def _write(self, batch: list[Draft]) -> None:
        """Write the batch, again if the connection broke: the second time finds what the first one wrote.

        Raises NotFound when there is no such conversation, Unavailable when the database stays away.
        """
        unknown = False
        attempt = _Attempt()
        for last in (False, True):
            attempt = _Attempt()
            try:
                await self._transact(batch, attempt)
                break
            except Unavailable as error:
                raise refusals.outcome_unknown() if unknown else error from error
            except Exception as error:
                # Whatever goes wrong in COMMIT leaves the outcome open; writing again finds it out.
                if not is_lost(error) and not attempt.committing:
                    raise
                unknown = unknown or attempt.committing
                log.warning("the connection broke", committing=attempt.committing, error=type(error).__name__)
                if last:
                    raise refusals.outcome_unknown() if unknown else refusals.database_away() from error
        # The others are told before the sender's answer leaves: with the answer in hand it has read its own write.
        if attempt.result.new or unknown:
            self._committed(self._conversation, attempt.result.new)
        for draft, outcome in attempt.result.outcomes:
            if isinstance(outcome, TertuliaError):
                draft.refuse(outcome)
            else:
                draft.answer(outcome)

    async def _transact(self, batch: list[Draft], attempt: _Attempt) -> None:
        started = time.perf_counter()
        async with asyncio.timeout(LIMIT_S), self._database.acquire() as db:
            transaction = db.transaction()
            await transaction.start()
            try:
                await ledger.write(db, self._conversation, batch, attempt.result)
            except BaseException:
                if not db.is_closed():
                    await transaction.rollback()
                raise
            attempt.committing = True
            await transaction.commit()
        metrics.COMMIT_SECONDS.observe(time.perf_counter() - started)
        metrics.BATCH.observe(len(batch))


@dataclass
class _Attempt:
    """One try to write a batch: how far it came and what would become of each draft."""

    committing: bool = False
    result: Result = field(default_factory=Result)
