"""Who is connected to this process, told to all by a lease in the database.

Somebody is here from their first socket to some seconds after their last: a lost connection that comes back is no news.
All leases of a process are renewed in one statement; those of a process that dies run out by themselves.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from chat import presence_store
from chat.core import Core

log = structlog.get_logger("chat.leases")

RETRY_S = 1.0


@dataclass(frozen=True)
class Timing:
    """Seconds. A lease outlives two renewals that fail."""

    lease_s: float = 45.0
    renew_s: float = 15.0
    grace_s: float = 5.0
    pause_s: float = 1.0
    """Between two notices to the same watcher."""


class Leases:
    """The people of this process.

    :param changed: called with those who came or went, once the database says so
    """

    def __init__(self, core: Core, changed: Callable[[Iterable[str]], None], timing: Timing) -> None:
        self._core = core
        self._told = changed
        self._timing = timing
        self._node = secrets.token_hex(8)
        self._sockets: Counter[str] = Counter()
        self._leaving: dict[str, asyncio.TimerHandle] = {}
        self._changed: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="presence-leases")

    async def close(self) -> None:
        """Everybody has the grace to come back, here after a restart or elsewhere."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for timer in self._leaving.values():
            timer.cancel()
        try:
            await self._core.change(lambda db: presence_store.shorten(db, self._node, self._timing.grace_s))
        except Exception as error:
            log.warning("leases were not shortened; they run out later", error=type(error).__name__)

    def came(self, identity: str) -> None:
        """Somebody has one socket more."""
        self._sockets[identity] += 1
        timer = self._leaving.pop(identity, None)
        if timer is not None:
            timer.cancel()
        elif self._sockets[identity] == 1:
            self._save(identity)

    def went(self, identity: str) -> None:
        """Somebody has one socket less."""
        self._sockets[identity] -= 1
        if self._sockets[identity] > 0:
            return
        loop = asyncio.get_running_loop()
        self._leaving[identity] = loop.call_later(self._timing.grace_s, self._gone, identity)

    def _gone(self, identity: str) -> None:
        del self._leaving[identity], self._sockets[identity]
        self._save(identity)

    def _save(self, identity: str) -> None:
        self._changed.add(identity)
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.save()
            except Exception as error:
                log.warning("who came and went could not be told yet", error=type(error).__name__)
                await asyncio.sleep(RETRY_S)
                self._wake.set()

    async def save(self) -> None:
        """Have the database say who came and went, then everybody."""
        changed, self._changed = self._changed, set()
        here = [identity for identity in changed if identity in self._sockets]
        gone = [identity for identity in changed if identity not in self._sockets]
        try:
            await self._core.change(lambda db: presence_store.hold(db, self._node, here, self._timing.lease_s))
            await self._core.change(lambda db: presence_store.release(db, self._node, gone))
        except BaseException:
            self._changed |= changed
            raise
        self._told(changed)

    async def renew(self) -> None:
        """Say again who is here, and clear away what others have not said again."""
        here = [identity for identity in self._sockets if identity not in self._changed]
        await self._core.change(lambda db: presence_store.hold(db, self._node, here, self._timing.lease_s))
        await self._core.change(presence_store.sweep)
