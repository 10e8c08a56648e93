"""What the media doors need to know of presence, without importing who keeps it."""

from __future__ import annotations

from typing import Literal, Protocol

from tertulia.catalogue import Layers, ParticipantKind, Quality, Slots, Speakers, Track
from tertulia.tokens import Principal

Channel = Literal["control", "chat"]
MediaStateName = Literal["connecting", "connected", "disconnected", "closed"]


class SessionListener(Protocol):
    """Hears of one media session. Called on the event loop; must not block and should not raise."""

    def on_frame(self, channel: Channel, data: bytes) -> None:
        """A raw frame from the client's data channel (an ``Envelope``, if the client behaves)."""

    def on_channel(self, channel: Channel, is_open: bool, /) -> None:
        """A data channel opened or closed."""

    def on_state(self, state: MediaStateName, reason: str | None) -> None:
        """The transport's state. ``closed`` comes exactly once and last."""

    def on_slots(self, slots: Slots) -> None:
        """A revision of the slot map, to be sent to the client in order."""

    def on_layers(self, layers: Layers) -> None:
        """How much of a track of the client somebody wants now."""

    def on_speakers(self, speakers: Speakers) -> None:
        """Who speaks in the room now."""

    def on_quality(self, quality: Quality) -> None:
        """How good the client's connection is now."""

    def on_tracks(self, tracks: list[Track]) -> None:
        """What this participant sends now."""


class Attendance(Protocol):
    """Presence in rooms, as WHIP and WHEP see it."""

    async def enter(self, principal: Principal, kind: ParticipantKind, room: str) -> SessionListener:
        """Put the principal into the room. Raises NotFound ``room-not-found``, Unavailable ``room-full``, ..."""

    async def exit(self, room: str, participant: str, reason: str) -> None:
        """The participant's media ended. Does nothing for somebody who is not there."""
