"""The rooms that somebody is in, as this process holds them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from weakref import WeakValueDictionary

from signaling.presence import Presence
from tertulia.catalogue import RoomInfo
from tertulia.errors import Unavailable
from tertulia.frames import Notice


class LiveRoom:
    """Who is in a room. It exists while somebody is in it or on the way in."""

    def __init__(self, info: RoomInfo, capacity: int, channel_max: int) -> None:
        self.info = info
        self.presences: dict[str, Presence] = {}
        self.ended = False
        self._capacity = capacity
        self._channel_max = channel_max
        self._coming: dict[str, int] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def lock(self, identity: str) -> asyncio.Lock:
        """One joins after the other where they are the same."""
        lock = self._locks.get(identity)
        if lock is None:
            lock = self._locks[identity] = asyncio.Lock()
        return lock

    def reserve(self, identity: str) -> None:
        """Keep a place for somebody who is joining. Raises Unavailable ``room-full``."""
        places = len(self.presences.keys() | self._coming.keys())
        if identity not in self.presences and identity not in self._coming and places >= self._capacity:
            raise Unavailable("room-full", "The room is full.")
        self._coming[identity] = self._coming.get(identity, 0) + 1

    def unreserve(self, identity: str) -> None:
        left = self._coming[identity] - 1
        if left:
            self._coming[identity] = left
        else:
            del self._coming[identity]

    def is_crowded(self) -> bool:
        """So many are here that what all of them are told goes over their sockets."""
        return len(self.presences) > self._channel_max

    @property
    def unused(self) -> bool:
        return not self.presences and not self._coming

    @property
    def people(self) -> int:
        return sum(presence.kind == "person" for presence in self.presences.values())

    def participants(self) -> list[Presence]:
        """In the order they joined."""
        return sorted(self.presences.values(), key=lambda presence: (presence.joined_at, presence.id))

    def tell(self, notice: Notice, but: Iterable[Presence] = ()) -> None:
        """A notice to everybody in the room."""
        left_out = set(but)
        for presence in tuple(self.presences.values()):
            if presence not in left_out:
                presence.outlet.deliver(notice)
