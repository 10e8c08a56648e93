"""The order of one client's requests: one after the other, whichever door they came through, and a bounded number.

python-socketio runs every event as a task of its own; two messages sent in one breath could then be stored in the
other order. A lane runs what it is given strictly in turn. Its task lives only while there is something to do.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tertulia.errors import RateLimited

WAITING_MAX = 64

T = TypeVar("T")
Work = Callable[[], Awaitable[object]]


class Lane:
    """A bounded first-in, first-out of work."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Work, asyncio.Future[object]]] = deque()
        self._task: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do ``work`` when its turn comes; its result. Raises RateLimited when too much waits already."""
        if len(self._waiting) >= WAITING_MAX:
            raise RateLimited("rate-limited", "Too many requests are waiting; wait for their answers.")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, done))  # type: ignore[arg-type] # each future gets its own work's result
        if self._task is None:
            self._task = asyncio.create_task(self._go(), name="lane")
        return await done

    async def _go(self) -> None:
        try:
            while self._waiting:
                work, done = self._waiting.popleft()
                if done.cancelled():
                    continue
                try:
                    result = await work()
                except asyncio.CancelledError:
                    done.cancel()
                    raise
                except BaseException as error:
                    if not done.cancelled():
                        done.set_exception(error)
                else:
                    if not done.cancelled():
                        done.set_result(result)
        finally:
            self._task = None
