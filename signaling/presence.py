"""One participant in one room: who it is, its doors, its media session, its place in the chat.

A presence outlives its socket for a while (the grace of a lost network) and its media session for as long as it has a
socket. It keeps state and tells its room what changed; what that means is decided in ``service.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import structlog

from chat.subscription import Subscription
from signaling.lane import Lane
from signaling.outlet import Channel, Outlet
from tertulia.catalogue import Layers, MediaState, Participant, ParticipantKind, Quality, Slots, Speakers, Track
from tertulia.frames import Notice
from tertulia.limits import Limiter
from tertulia.tokens import Principal

if TYPE_CHECKING:
    from sfu.attendance import MediaStateName
    from sfu.service import SfuService
    from signaling.sessions import Connection

log = structlog.get_logger("signaling.presence")


class Owner(Protocol):
    """Who is told when a presence's media changes."""

    def on_changed(self, presence: Presence) -> None: ...

    def on_media_closed(self, presence: Presence, reason: str | None) -> None: ...

    def on_channel_frame(self, presence: Presence, link: MediaLink, channel: Channel, data: bytes) -> None: ...


class Presence:
    """A participant."""

    def __init__(
        self,
        room: str,
        principal: Principal,
        kind: ParticipantKind,
        joined_at: int,
        owner: Owner,
        crowded: Callable[[], bool],
    ) -> None:
        self.room = room
        self.principal = principal
        self.kind = kind
        self.joined_at = joined_at
        self.owner = owner
        self.tracks: list[Track] = []
        self.outlet = Outlet(crowded)
        self.lane = Lane()
        self.limiter = Limiter()
        """Of the data channels; each socket has its own."""
        self.connection: Connection | None = None
        self.link: MediaLink | None = None
        self.subscription: Subscription | None = None
        self.lost_media = False
        """Whether a media session was lost for good and none came in its place."""
        self._grace: asyncio.TimerHandle | None = None

    @property
    def id(self) -> str:
        return self.principal.identity

    @property
    def connected(self) -> bool:
        """Streams and viewers have no socket of ours: they are here as long as their media is."""
        return self.connection is not None or self.kind in ("stream", "viewer", "robot")

    def participant(self) -> Participant:
        """What the others see."""
        return Participant(
            id=self.id,
            name=self.principal.name,
            kind=self.kind,
            joined_at=self.joined_at,
            connected=self.connected,
            tracks=list(self.tracks),
        )

    def attach(self, connection: Connection) -> Connection | None:
        """Give the presence this socket; the one it had before, if that was another."""
        before = self.connection
        self.stop_grace()
        self.connection = connection
        self.lane = connection.lane
        self.outlet.socket = connection.socket
        self.outlet.forget_map()
        connection.presence = self
        if before is None or before is connection:
            return None
        before.presence = None
        return before

    def detach(self) -> None:
        """The socket is gone."""
        if self.connection is not None:
            self.connection.presence = None
        self.connection = None
        self.outlet.socket = None

    def use(self, link: MediaLink | None) -> MediaLink | None:
        """Make ``link`` the media session that counts; the one it takes the place of."""
        before, self.link = self.link, link
        self.outlet.media = link
        self.outlet.forget_map()
        self.tracks = list(link.tracks) if link is not None else []
        if link is not None:
            self.lost_media = False
        return before if before is not link else None

    def follow(self, subscription: Subscription | None) -> None:
        """Read the chat through ``subscription`` from now on."""
        if self.subscription is not None:
            self.subscription.close()
        self.subscription = subscription

    def welcome(self, connection: Connection, seq: int) -> None:
        """Hold everything back until ``connection`` has the answer to its join, which covers the chat up to ``seq``."""
        self.outlet.hold()
        subscription = self.subscription

        def welcomed() -> None:
            self.outlet.release()
            if subscription is not None:
                subscription.start(seq)

        connection.after_answer.append(welcomed)

    def start_grace(self, seconds: float, over: Callable[[], None]) -> None:
        self.stop_grace()
        self._grace = asyncio.get_running_loop().call_later(seconds, over)

    def stop_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None


class MediaLink:
    """Hears one media session (``sfu.attendance.SessionListener``) on behalf of a presence, as long as it counts."""

    def __init__(self, presence: Presence, sfu: SfuService) -> None:
        self._presence = presence
        self._sfu = sfu
        self._open: set[Channel] = set()
        self.session: str | None = None
        self.tracks: list[Track] = []
        self.closed = False

    @property
    def current(self) -> bool:
        return self._presence.link is self

    def known_session(self) -> str | None:
        """The session's id; of one that came by WHIP or WHEP only the media server knows it."""
        return self.session or self._sfu.session_of(self._presence.room, self._presence.id)

    # --- what the outlet needs

    def is_open(self, channel: Channel) -> bool:
        return channel in self._open

    def send(self, channel: Channel, frame: bytes) -> bool:
        return self.session is not None and self._sfu.send(self.session, channel, frame)

    def whole_map(self) -> Slots | None:
        if self.session is None or self.closed:
            return None
        return self._sfu.slots(self.session)

    # --- what the media server calls

    def on_frame(self, channel: Channel, data: bytes) -> None:
        if self.current:
            self._presence.owner.on_channel_frame(self._presence, self, channel, data)

    def on_channel(self, channel: Channel, is_open: bool, /) -> None:
        if is_open:
            self._open.add(channel)
        else:
            self._open.discard(channel)

    def on_state(self, state: MediaStateName, reason: str | None) -> None:
        if state == "closed":
            self.closed = True
            self._open.clear()
        # One that is replaced is so by a join under way, which says itself what follows.
        if not self.current or reason == "replaced":
            return
        self._presence.outlet.deliver(Notice("media-state", MediaState(state, reason)))
        if state == "closed":
            self._presence.use(None)
            self._presence.owner.on_media_closed(self._presence, reason)

    def on_slots(self, slots: Slots) -> None:
        if self.current:
            self._presence.outlet.deliver(Notice("slots", slots))

    def on_speakers(self, speakers: Speakers) -> None:
        if self.current:
            self._presence.outlet.deliver(_speakers_notice(speakers))

    def on_layers(self, layers: Layers) -> None:
        if self.current:
            self._presence.outlet.deliver(Notice("layers", layers))

    def on_quality(self, quality: Quality) -> None:
        if self.current:
            self._presence.outlet.deliver(Notice("quality", quality))

    def on_tracks(self, tracks: list[Track]) -> None:
        self.tracks = list(tracks)
        if self.current:
            self._presence.tracks = self.tracks
            self._presence.owner.on_changed(self._presence)


def _speakers_notice(speakers: Speakers) -> Notice:
    """One notice for everybody who is told of the same speakers, so that it is encoded once."""
    if _spoken[0].payload is not speakers:
        _spoken[0] = Notice("speakers", speakers)
    return _spoken[0]


_spoken = [Notice("speakers", Speakers())]
