"""The order of one client's requests: one after the other, whichever door they came through, and a bounded number.

Two messages sent in one breath must be stored in that order, so a request begins when the one before is answered. A
lane's task lives only while there is something to do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

from tertulia.errors import RateLimited

WAITING_MAX = 64

Work = Callable[[], Awaitable[None]]
"""Does a request and sends its answer, a refusal included: it raises nothing."""


class Lane:
    """A bounded first-in, first-out of work."""

    __slots__ = ("_task", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[Work] | None = None
        self._task: asyncio.Task[None] | None = None

    def put(self, work: Work) -> None:
        """Do ``work`` when its turn comes. Raises RateLimited when too much waits already."""
        if self._waiting is None:
            self._waiting = deque((work,))
            self._task = asyncio.create_task(self._go(self._waiting), name="lane")
        elif len(self._waiting) >= WAITING_MAX:
            raise RateLimited("rate-limited", "Too many requests are waiting; wait for their answers.")
        else:
            self._waiting.append(work)

    async def _go(self, waiting: deque[Work]) -> None:
        try:
            while waiting:
                await waiting.popleft()()
        finally:
            self._waiting = self._task = None
