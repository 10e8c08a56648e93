"""When what was written to the sockets goes to the kernel: at once when there is little, joined when there is much.

One send costs the same whether it carries one frame or ten, and it is most of what a delivery costs. So sockets collect
what is written to them, and all that have something are flushed together. The next flush comes at the end of the loop's
turn, but not before as much time has passed as the last one took: with a handful of sockets that is nothing, with
thousands it is some milliseconds, in which more arrives for each of them, and half of the processor is left for
other work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

DELAY_MAX_S = 0.01
SLICE = 64
SLICE_S = 0.008
"""However many sockets have something, the loop is not held for longer than this."""


class Buffered(Protocol):
    """Something that holds what was written to it."""

    def flush(self) -> None: ...


class Flusher:
    """Flushes what is dirty.

    :param clock: seconds that only rise
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._dirty: list[Buffered] = []
        self._scheduled = False
        self._not_before = 0.0

    def add(self, buffered: Buffered) -> None:
        """Flush this soon. To be called when something is written to what was empty."""
        self._dirty.append(buffered)
        if not self._scheduled:
            self._schedule()

    def _schedule(self) -> None:
        self._scheduled = True
        loop = asyncio.get_running_loop()
        wait = self._not_before - self._clock()
        if wait <= 0:
            loop.call_soon(self._flush)
        else:
            loop.call_later(wait, self._flush)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        started = self._clock()
        for done, buffered in enumerate(dirty):
            buffered.flush()
            if done % SLICE == SLICE - 1 and self._clock() - started > SLICE_S:
                # Others get a turn; who has been waiting goes first afterwards.
                self._dirty = dirty[done + 1 :] + self._dirty
                break
        now = self._clock()
        self._not_before = now + min(now - started, DELAY_MAX_S)
        self._scheduled = False
        if self._dirty:
            self._schedule()
