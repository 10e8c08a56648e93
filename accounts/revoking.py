"""Makes the end of a session felt at once and everywhere: its tokens are void, and what is open by them is closed.

The process that ends a session says so at once (:meth:`Revoking.ended`) and tells the others by a hint that names the
account; each then reads what the database says of it. A lost hint is made good by the bus's own notice of a loss and by
a look at what changed lately, every ``EVERY_S``. What is known is kept in ``tertulia/revocations.py``, which every
request asks without waiting.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import structlog

from accounts import session_store
from accounts.hint import TOPIC, AccountsHint
from tertulia.bus import Bus
from tertulia.database import Database
from tertulia.revocations import LIFE_S, Revocations

log = structlog.get_logger("accounts.revoking")

EVERY_S = 15.0
LATELY_S = 120.0
SWEEP_S = 3600.0


class Revoking:
    """Keeps the revocations of this process current.

    :param closes: called with an account of which something became void, to close what is open by it
    """

    def __init__(self, database: Database, bus: Bus, revocations: Revocations, closes: Callable[[str], None]) -> None:
        self._database = database
        self._bus = bus
        self._revocations = revocations
        self._closes = closes
        self._named: set[str] = set()
        self._all_s: float = LIFE_S
        """How far back the next look at everybody goes; 0: none is due."""
        self._wake = asyncio.Event()
        self._leave: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._swept_at = 0.0

    async def start(self) -> None:
        """Know what has ended before anybody is let in."""
        self._leave = await self._bus.subscribe(TOPIC, self._heard)
        self._bus.on_loss.append(self._look_at_all)
        await self._look()
        self._task = asyncio.create_task(self._run(), name="accounts-revoking")

    async def close(self) -> None:
        if self._leave is not None:
            self._leave()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def ended(self, account: str, sessions: Sequence[str], generation: int | None = None) -> None:
        """It is committed that these sessions ended, or that the account has a new generation."""
        now = time.time()
        for session in sessions:
            self._revocations.end_session(session, now)
        if generation is not None:
            self._revocations.raise_generation(account, generation, now)
        self._closes(account)
        self._bus.publish(TOPIC, AccountsHint.of([account]))

    def _heard(self, hint: AccountsHint) -> None:
        if hint.accounts is None:
            self._look_at_all()
        else:
            self._named |= hint.accounts
            self._wake.set()

    def _look_at_all(self) -> None:
        self._all_s = LIFE_S
        self._wake.set()

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                self._all_s = max(self._all_s, LATELY_S)
            self._wake.clear()
            try:
                await self._look()
                await self._sweep()
            except Exception as error:
                log.warning("ended sessions were not read; tried again", error=type(error).__name__)

    async def _look(self) -> None:
        named, self._named = self._named, set()
        back_s, self._all_s = self._all_s, 0
        try:
            async with self._database.acquire() as db:
                sessions, generations = await session_store.voided(
                    db, sorted(named) if not back_s else None, back_s or LIFE_S
                )
        except BaseException:
            self._named |= named
            self._all_s = max(self._all_s, back_s)
            raise
        now = time.time()
        touched = {account for account, session in sessions if self._revocations.end_session(session, now)}
        touched |= {one for one, least in generations if self._revocations.raise_generation(one, least, now)}
        for account in touched:
            self._closes(account)

    async def _sweep(self) -> None:
        now = time.time()
        if now - self._swept_at < SWEEP_S:
            return
        self._swept_at = now
        self._revocations.forget_before(now - LIFE_S)
        async with self._database.acquire() as db:
            await session_store.sweep(db)
