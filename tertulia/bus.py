"""The bus: how parts of the program, and the processes of one installation, tell each other that something happened.

A message is a hint: it may be lost, doubled or late, so whoever receives one compares it with what the database says
and never trusts it alone. Within one process it is delivered at once, in the order of publishing; what reaches other
processes, and how, is the matter of ``bus_shared.py``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self, runtime_checkable

import structlog

log = structlog.get_logger("tertulia.bus")

Handler = Callable[[Any], None]
"""Called on the event loop; must not block. What it raises is logged and reaches nobody else."""


class Bus(Protocol):
    """Topics and handlers. A topic is a kind, a colon and a name: ``chat:0b9f…``."""

    on_loss: list[Callable[[], None]]
    """Called when messages of others may have been lost: whoever reads by them looks for itself now."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """Have ``handler`` called with every message published from now on; returns what ends that."""

    def publish(self, topic: str, message: Any) -> None:
        """Deliver ``message`` to the topic's handlers, without waiting for them."""


@runtime_checkable
class Crossing(Protocol):
    """A message that also concerns other processes."""

    def to_bus(self) -> bytes:
        """A few bytes (at most 1 KiB) that say what happened: ids, never content."""

    def joined(self, later: Self) -> Self | None:
        """One message that says what both say, if there is such; many then cost as little as one."""


class LocalBus:
    """The bus of one process."""

    def __init__(self) -> None:
        self.on_loss: list[Callable[[], None]] = []
        self._handlers: dict[str, list[Handler]] = {}

    async def start(self) -> None:
        """Nothing is taken up."""

    async def close(self) -> None:
        """Nothing is left."""

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        self.add(topic, handler)

        def unsubscribe() -> None:
            self.remove(topic, handler)

        return unsubscribe

    def add(self, topic: str, handler: Handler) -> bool:
        """Whether this is the topic's first handler."""
        handlers = self._handlers.setdefault(topic, [])
        handlers.append(handler)
        return len(handlers) == 1

    def remove(self, topic: str, handler: Handler) -> bool:
        """Whether this was the topic's last handler."""
        handlers = self._handlers.get(topic)
        if handlers is None or handler not in handlers:
            return False
        handlers.remove(handler)
        if not handlers:
            del self._handlers[topic]
        return not handlers

    def topics(self) -> list[str]:
        return list(self._handlers)

    def publish(self, topic: str, message: Any) -> None:
        for handler in tuple(self._handlers.get(topic, ())):
            try:
                handler(message)
            except Exception as error:
                log.error("a subscriber failed", topic_kind=topic.partition(":")[0], exc_info=error)
