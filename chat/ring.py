"""The newest events of a conversation that somebody here follows, from which most of those who come back are served.

What has happened to an event since must not be undone by serving it from memory: one that expires is never kept, and a
deletion empties the ring, for everything before it may be gone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tertulia.catalogue import Event

EVENTS_MAX = 256
CHARACTERS_MAX = 256 * 1024
FORGETTING = frozenset({"delete", "settings", "x"})
"""Events that may take the content of earlier ones away."""


class Ring:
    """Dense: each event follows the one before."""

    __slots__ = ("_characters", "_events")

    def __init__(self) -> None:
        self._events: deque[Event] = deque()
        self._characters = 0

    def add(self, events: Sequence[Event]) -> None:
        """What follows what is there; after a gap the ring begins anew."""
        for event in events:
            if event.kind in FORGETTING or (self._events and event.seq != self._events[-1].seq + 1):
                self.clear()
            if event.expires_at is not None or event.kind in FORGETTING:
                self.clear()
                continue
            self._events.append(event)
            self._characters += _size(event)
            while len(self._events) > EVENTS_MAX or self._characters > CHARACTERS_MAX:
                self._characters -= _size(self._events.popleft())

    def clear(self) -> None:
        self._events.clear()
        self._characters = 0

    def after(self, seq: int, tag: str | None, head: int) -> list[Event] | None:
        """What follows the event of this number and tag up to ``head``; None where only the database knows."""
        events = self._events
        if not events or events[-1].seq != head or not events[0].seq <= seq <= head:
            return None
        at = seq - events[0].seq
        if events[at].id[:8] != tag:
            return None
        return list(events)[at + 1 :]


def _size(event: Event) -> int:
    return 300 + (len(event.body.text) if event.body is not None else 0)
