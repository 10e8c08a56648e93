"""Waiting on a condition, the one place where a test sleeps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], bool], limit_s: float = 30.0) -> None:
    """Return once ``condition()`` is true; a condition that never comes fails the test with TimeoutError."""
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110 - what is waited for lives in other processes and sets no event
            await asyncio.sleep(0.01)


async def until_answered(ask: Callable[[], Awaitable[object]], limit_s: float = 30.0) -> None:
    """Ask again until there is something in the answer; asking costs a request, so not as often as :func:`until`."""
    async with asyncio.timeout(limit_s):
        while not await ask():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.1)
