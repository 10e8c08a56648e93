"""The bus of several processes: delivered at once in this one, and told to the others by a carrier.

What happens within a few milliseconds is joined (``Crossing.joined``) and told in one go: a carrier's message costs the
same for one event as for a hundred. A carrier that is down takes nothing: what it would have told is dropped, and when
it is back, everybody looks into the database (``on_loss``). Nothing waits for it meanwhile.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import structlog
from prometheus_client import Counter

from tertulia.bus import Crossing, Handler, LocalBus

log = structlog.get_logger("tertulia.bus")

COALESCE_S = 0.003
TOPICS_MAX = 5000
"""What waits for a slow carrier; beyond it, hints are dropped and found by the readers' own heart beat."""
RETRY_S = (0.05, 2.0)

TOLD = Counter("tertulia_bus_told", "Hints told to other processes, after joining.")
HEARD = Counter("tertulia_bus_heard", "Hints of other processes.")
CONNECTED = Counter("tertulia_bus_connected", "Times the bus was connected; before each, hints may have been lost.")

Told = Sequence[tuple[str, bytes]]
"""Topics and messages."""


class Carrier(Protocol):
    """Takes messages to the other processes and brings theirs."""

    async def run(self, topics: Callable[[], list[str]], ready: Callable[[], None], heard: Heard) -> None:
        """Connect, follow ``topics`` and those added later, call ``ready``, then ``heard`` for what comes, until the
        connection is lost. Returns or raises then."""

    async def follow(self, topic: str) -> None:
        """Bring this topic's messages from now on."""

    def leave(self, topic: str) -> None:
        """They are no longer wanted."""

    async def tell(self, sender: str, messages: Told) -> None:
        """Take messages to the others. Raises when it cannot."""

    async def close(self) -> None: ...


Heard = Callable[[str, str, bytes], None]
"""Sender, topic and message."""


class SharedBus:
    """Implements ``tertulia.bus.Bus`` over a carrier.

    :param readers: makes a message from bytes, by the kind of its topic (what is before the colon)
    """

    def __init__(self, carrier: Carrier, readers: Mapping[str, Callable[[bytes], Any]]) -> None:
        self.on_loss: list[Callable[[], None]] = []
        self._carrier = carrier
        self._readers = readers
        self._local = LocalBus()
        self._sender = secrets.token_hex(6)
        self._waiting: dict[str, list[Crossing]] = {}
        self._wake = asyncio.Event()
        self._up = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Connect. One that cannot be reached now is tried again; the program works without it, only later."""
        self._tasks = [
            asyncio.create_task(self._hear(), name="bus-hear"),
            asyncio.create_task(self._tell(), name="bus-tell"),
        ]
        try:
            await asyncio.wait_for(self._up.wait(), 5)
        except TimeoutError:
            log.warning("the bus is not there; other processes are heard with delay until it is")

    async def close(self) -> None:
        """Tell what is left, then stop."""
        if self._up.is_set() and self._waiting:
            try:
                await asyncio.wait_for(self._carrier.tell(self._sender, self._take()), 2)
            except Exception as error:
                log.warning("the last hints were not told", error=type(error).__name__)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._carrier.close()

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        if self._local.add(topic, handler):
            await self._carrier.follow(topic)

        def unsubscribe() -> None:
            if self._local.remove(topic, handler):
                self._carrier.leave(topic)

        return unsubscribe

    def publish(self, topic: str, message: Any) -> None:
        self._local.publish(topic, message)
        if not isinstance(message, Crossing):
            return
        waiting = self._waiting.get(topic)
        if waiting is None:
            if len(self._waiting) >= TOPICS_MAX:
                return
            self._waiting[topic] = [message]
        else:
            one = waiting[-1].joined(message)
            if one is not None:
                waiting[-1] = one
            elif len(waiting) < TOPICS_MAX:
                waiting.append(message)
        self._wake.set()

    def _take(self) -> Told:
        waiting, self._waiting = self._waiting, {}
        return [(topic, message.to_bus()) for topic, messages in waiting.items() for message in messages]

    async def _tell(self) -> None:
        while True:
            await self._wake.wait()
            await self._up.wait()
            await asyncio.sleep(COALESCE_S)
            self._wake.clear()
            told = self._take()
            try:
                await self._carrier.tell(self._sender, told)
                TOLD.inc(len(told))
            except Exception as error:
                # Readers elsewhere find it in the database at their next heart beat.
                log.warning("other processes were not told", error=type(error).__name__)

    async def _hear(self) -> None:
        delay = RETRY_S[0]
        while True:
            try:
                await self._carrier.run(self._local.topics, self._ready, self._heard)
            except Exception as error:
                log.warning("the bus is away", error=type(error).__name__)
            if self._up.is_set():
                delay = RETRY_S[0]
            self._up.clear()
            await asyncio.sleep(delay)
            delay = min(delay * 2, RETRY_S[1])

    def _ready(self) -> None:
        """The carrier brings messages from now on; what came before is to be looked for."""
        self._up.set()
        CONNECTED.inc()
        for handler in self.on_loss:
            try:
                handler()
            except Exception as error:
                log.error("a reader failed to look for itself", exc_info=error)

    def _heard(self, sender: str, topic: str, message: bytes) -> None:
        if sender == self._sender:
            return
        reader = self._readers.get(topic.partition(":")[0])
        if reader is None:
            return
        try:
            read = reader(message)
        except ValueError:
            log.warning("a message of another process cannot be read", topic_kind=topic.partition(":")[0])
            return
        HEARD.inc()
        self._local.publish(topic, read)
