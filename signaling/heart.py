"""The heart beat of all sockets with one timer: who is to be pinged now, and who has not answered.

A ring of as many slots as the interval has seconds; every second one slot's sockets get their ping. One that has not
answered the last ping by the time of the next is gone. Time is what :meth:`beat` is called by.
"""

from __future__ import annotations

from typing import Protocol


class Beating(Protocol):
    """A socket with a heart."""

    def ping(self) -> None:
        """Ask for a sign of life, or end what gave none since the last time."""


class Heart:
    """Whose turn it is."""

    def __init__(self, interval_s: int) -> None:
        self._slots: list[set[Beating]] = [set() for _ in range(interval_s)]
        self._next = 0

    def add(self, beating: Beating) -> int:
        """Ping this one whole interval from now; the slot to give back to :meth:`remove`."""
        slot = (self._next - 1) % len(self._slots)
        self._slots[slot].add(beating)
        return slot

    def remove(self, beating: Beating, slot: int) -> None:
        self._slots[slot].discard(beating)

    def beat(self) -> None:
        """A second has passed."""
        slot = self._slots[self._next]
        self._next = (self._next + 1) % len(self._slots)
        for beating in tuple(slot):
            beating.ping()
