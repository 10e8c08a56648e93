"""The ICE transport that aiortc's DTLS sees: a bounded queue of datagrams from the core, and a way back.

The core is the real ICE-lite agent. It answers checks, keeps consent and demultiplexes (RFC 7983); only DTLS records
come up here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

QUEUE_MAX: Final = 256
"""Datagrams waiting for DTLS. A flight of a handshake has about five; what exceeds this is dropped, as UDP would."""


class CoreIce:
    """Duck-typed ``RTCIceTransport``: ``role``, ``state``, ``_recv`` and ``_send``."""

    role = "controlled"  # an ICE-lite agent is always the controlled one (RFC 8445, section 6.1.1)

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self.state = "new"
        self.dropped = 0
        self._emit = send
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def deliver(self, datagram: bytes) -> None:
        """A DTLS datagram arrived."""
        if self._closed:
            return
        if len(self._queue) >= QUEUE_MAX:
            self.dropped += 1
            return
        self._queue.append(datagram)
        self._wake()

    def close(self) -> None:
        """End of the path: whoever waits for a datagram gets a ConnectionError."""
        self._closed = True
        self.state = "closed"
        self._queue.clear()
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _recv(self) -> bytes:
        while not self._queue:
            if self._closed:
                raise ConnectionError("the transport is closed")
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._queue.popleft()

    async def _send(self, data: bytes) -> None:
        if self._closed:
            raise ConnectionError("the transport is closed")
        self._emit(data)
