"""The bus: how parts of the program, and one day nodes, tell each other that something happened.

A message is a hint: it may be lost, doubled or late, so whoever receives one compares it with what the database says
and never trusts it alone. Within one process it is delivered at once, in the order of publishing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import structlog

log = structlog.get_logger("tertulia.bus")

Handler = Callable[[Any], None]
"""Called on the event loop; must not block. What it raises is logged and reaches nobody else."""


class Bus(Protocol):
    """Topics and handlers."""

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        """Have ``handler`` called with every message published from now on; returns what ends that."""

    def publish(self, topic: str, message: Any) -> None:
        """Deliver ``message`` to the topic's handlers, without waiting for them."""


class LocalBus:
    """The bus of one process."""

    def __init__(self) -> None:
        self._handlers: dict[str, list[Handler]] = {}

    async def subscribe(self, topic: str, handler: Handler) -> Callable[[], None]:
        self._handlers.setdefault(topic, []).append(handler)

        def unsubscribe() -> None:
            handlers = self._handlers.get(topic, [])
            if handler in handlers:
                handlers.remove(handler)
            if not handlers:
                self._handlers.pop(topic, None)

        return unsubscribe

    def publish(self, topic: str, message: Any) -> None:
        for handler in tuple(self._handlers.get(topic, ())):
            try:
                handler(message)
            except Exception as error:
                log.error("a subscriber failed", topic_kind=topic.partition(":")[0], exc_info=error)
