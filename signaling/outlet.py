"""What goes out to one client: every notice over the right door, once, in order, and never before the answer to join.

Notices that a data channel carries go there while it is open, everything else over the socket; in a crowded room all
of them go over the socket, where a notice to everybody is encoded once and no association has to keep it. Held notices
wait until the acknowledgement that a client must have first is on its way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

from tertulia.catalogue import CHANNEL_NOTICES, Slots
from tertulia.frames import Notice

HELD_MAX = 2000

Channel = Literal["control", "chat"]
CHANNELS: dict[str, Channel] = {
    notice: channel  # type: ignore[misc] # the table's keys are the channels' names
    for channel, notices in CHANNEL_NOTICES.items()
    for notice in notices
}


class Socket(Protocol):
    """A client's Socket.IO connection."""

    def send(self, notice: Notice, must: bool) -> bool:
        """Queue a notice. False: too much is queued. One that ``must`` arrive is queued all the same, or the
        connection is ended, so that the client comes back and reads anew."""

    def end(self, notice: Notice | None) -> None:
        """Close the connection after a last notice."""


class Media(Protocol):
    """A client's media session."""

    def is_open(self, channel: Channel) -> bool: ...

    def send(self, channel: Channel, frame: bytes) -> bool: ...

    def whole_map(self) -> Slots | None: ...


class Outlet:
    """One client's doors, as the others see them."""

    def __init__(self, crowded: Callable[[], bool]) -> None:
        self.socket: Socket | None = None
        self.media: Media | None = None
        self._crowded = crowded
        self._holds = 0
        self._held: list[Notice] = []
        self._map_door: object = None

    def hold(self) -> None:
        """Keep notices back until as many releases."""
        self._holds += 1

    def release(self) -> None:
        self._holds -= 1
        if self._holds == 0:
            held, self._held = self._held, []
            for notice in held:
                self.deliver(notice)

    def forget_map(self) -> None:
        """The client begins with a whole slot map over the socket."""
        self._map_door = None

    def deliver(self, notice: Notice) -> bool:
        """Send a notice; False when the client is too slow, or nowhere."""
        if self._holds:
            if len(self._held) < HELD_MAX:
                self._held.append(notice)
            return len(self._held) < HELD_MAX
        channel = CHANNELS.get(notice.event)
        if notice.event == "slots":
            return self._deliver_map(notice)
        media = None if channel is None else self._over(channel)
        if channel is not None and media is not None:
            return media.send(channel, notice.envelope)
        return self.socket is not None and self.socket.send(notice, must=channel is None)

    def _over(self, channel: Channel) -> Media | None:
        """The session whose data channel takes notices now, if any does."""
        if self.media is None or (self.socket is not None and self._crowded()) or not self.media.is_open(channel):
            return None
        return self.media

    def _deliver_map(self, notice: Notice) -> bool:
        """A change of the slot map. The first one over another door than before is replaced by the whole map."""
        media, door = self.media, self.socket
        over_channel = self._over("control") is not None
        via: object = ("control", media) if over_channel else door
        if via != self._map_door and media is not None and self._map_door is not None:
            whole = media.whole_map()
            notice = Notice("slots", whole) if whole is not None else notice
        if over_channel and media is not None:
            if media.send("control", notice.envelope):
                self._map_door = via
                return True
            whole = media.whole_map()
            notice = Notice("slots", whole) if whole is not None else notice
        self._map_door = door
        return door is not None and door.send(notice, must=True)
