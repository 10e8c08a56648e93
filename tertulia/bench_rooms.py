"""What one event costs in rooms of different sizes: a join, a leave, a mute, a new speaker.

The media service with its worker runs in this process, with real offers and answers; everybody publishes sound and
picture and has twelve seats and three audio-only slots, as the page offers. Everybody is told through a listener that
makes the frame each client would get. Kernel time of sockets is not in it: ``bench chat`` has that.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import structlog

from sfu.attendance import Channel, MediaStateName
from sfu.sdp.plan import TrackKind
from sfu.service import SfuService, read_offer
from tertulia.bench_offers import Credentials, make_call_offer
from tertulia.catalogue import Grants, Layers, Participant, Quality, Slots, Speakers, Track, View
from tertulia.frames import Notice
from tertulia.settings import Settings

What = Literal["join", "leave", "mute", "speaker"]

SEATS: Final = 12
EXTRAS: Final = 3
_FINGERPRINT: Final = ":".join(["AB"] * 32)
_TRACKS: Final[dict[str, TrackKind]] = {"0": "microphone", "1": "camera"}
_BUSY_S: Final = 0.0003
_QUIET_S: Final = 0.02
"""When no turn of the loop has taken longer than that for so long, all that an event led to is done."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians of one kind of event. Milliseconds of CPU, of all threads of the process."""

    what: What
    people: int
    cpu_ms: float
    longest_ms: float
    """For how long the event loop was held at a stretch, by the loop's own CPU time."""
    told: float
    """Frames that others got."""


async def run(people: int, times: int) -> list[Cost]:
    """Fill a room and let everything happen so many times."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger("warning"))
    service = SfuService(Settings(media_port=0, media_addresses=("127.0.0.1",), media_worker_sessions=4096))
    await service.start()
    try:
        room = _Room(service)
        for number in range(people):
            room.join(f"p{number}")
        meter = _Meter(room)
        found: dict[What, list[_Spent]] = {"join": [], "leave": [], "mute": [], "speaker": []}
        for number in range(2 * times):
            muted = f"p{number % people}"
            found["join"].append(await meter.measure("join", lambda: room.join("new")))
            found["speaker"].append(await meter.measure("speaker", room.next_speaks))
            found["mute"].append(await meter.measure("mute", partial(room.mute, muted, number % 4 < 2)))
            found["leave"].append(await meter.measure("leave", lambda: room.leave("new")))
        return [
            Cost(
                what,
                people,
                statistics.median(one.cpu_s for one in spent if one.cpu_s is not None) * 1000,
                statistics.median(one.longest_s for one in spent if one.longest_s is not None) * 1000,
                statistics.median(one.told for one in spent),
            )
            for what, spent in found.items()
        ]
    finally:
        await service.close()


class _Guest:
    """One client: counts the frames it is given, and makes each into bytes."""

    def __init__(self, room: _Room, name: str) -> None:
        self._room = room
        self._name = name
        self.buffer: list[bytes] = []

    def deliver(self, notice: Notice) -> None:
        self._room.frames += 1
        self.buffer.append(notice.packet)

    def on_slots(self, slots: Slots) -> None:
        self.deliver(Notice("slots", slots))

    def on_speakers(self, speakers: Speakers) -> None:
        self.deliver(self._room.speakers(speakers))

    def on_tracks(self, tracks: list[Track]) -> None:
        """As the signaling does: everybody is told, with one frame."""
        notice = Notice("participant-updated", Participant(self._name, self._name, tracks=tracks))
        for guest in list(self._room.guests.values()):
            guest.deliver(notice)

    def on_layers(self, layers: Layers) -> None:
        self.deliver(Notice("layers", layers))

    def on_quality(self, quality: Quality) -> None:
        self.deliver(Notice("quality", quality))

    def on_frame(self, channel: Channel, data: bytes) -> None: ...

    def on_channel(self, channel: Channel, is_open: bool, /) -> None: ...

    def on_state(self, state: MediaStateName, reason: str | None) -> None: ...


class _Room:
    """The people and what can happen to them."""

    def __init__(self, service: SfuService) -> None:
        self._service = service
        self._sessions: dict[str, str] = {}
        self._speaker = 0
        self._spoken = Notice("speakers", Speakers())
        self.guests: dict[str, _Guest] = {}
        self.frames = 0

    def speakers(self, speakers: Speakers) -> Notice:
        if self._spoken.payload is not speakers:
            self._spoken = Notice("speakers", speakers)
        return self._spoken

    def sent(self) -> int:
        """How many frames since the last time. They leave, as through a socket."""
        for guest in self.guests.values():
            guest.buffer.clear()
        frames, self.frames = self.frames, 0
        return frames

    def join(self, name: str) -> None:
        guest = self.guests[name] = _Guest(self, name)
        offer = make_call_offer(Credentials.make(), _FINGERPRINT, seats=SEATS, extras=EXTRAS)
        joined = self._service.admit("room", name, Grants(), read_offer(offer.text), _TRACKS, guest, view=View())
        self._sessions[name] = joined.session
        stage = self._service.stage("room")
        assert stage is not None
        for source in stage.room.members[name].sources.values():
            stage.source_active(source.handle, True)

    async def leave(self, name: str) -> None:
        self.guests.pop(name)
        await self._service.leave(self._sessions.pop(name), "left")

    def mute(self, name: str, muted: bool) -> None:
        self._service.set_track(self._sessions[name], "camera", muted)

    def next_speaks(self) -> None:
        """Somebody speaks who has not for long, and so has no seat in a large room."""
        names = list(self._sessions)
        self._speaker = (self._speaker + SEATS + EXTRAS + 2) % len(names)
        stage = self._service.stage("room")
        assert stage is not None
        microphone = stage.room.members[names[self._speaker]].sources["microphone"]
        stage.hear(next(iter(stage.halls.cores)), [(microphone.handle, secrets.randbelow(40))])


@dataclass(frozen=True, slots=True)
class _Spent:
    """``cpu_s`` or ``longest_s``, whichever was measured."""

    told: int
    cpu_s: float | None = None
    longest_s: float | None = None


class _Meter:
    """Runs something and all that it leads to, and says what that took: turn and turn about the CPU of the process,
    and the longest turn of the loop, for which the loop is kept turning."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._spinning: dict[What, bool] = {}

    async def measure(self, what: What, act: Callable[[], Awaitable[None] | None]) -> _Spent:
        spinning = self._spinning[what] = not self._spinning.get(what, True)
        self._room.sent()
        began, mark = time.process_time(), time.thread_time()
        result = act()
        longest = time.thread_time() - mark
        if result is not None:
            await result
        quiet_until = time.monotonic() + _QUIET_S
        while time.monotonic() < quiet_until:
            mark = time.thread_time()
            await asyncio.sleep(0 if spinning else _QUIET_S / 4)
            turn = time.thread_time() - mark
            if turn > _BUSY_S:
                quiet_until = time.monotonic() + _QUIET_S
            longest = max(longest, turn)
        told = self._room.sent()
        return _Spent(told, longest_s=longest) if spinning else _Spent(told, time.process_time() - began)
