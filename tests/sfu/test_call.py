"""Calls between real aiortc peers through the real core: contents checked, not only counted."""

from __future__ import annotations

from sfu.sdp.parse import parse
from sfu.sdp.plan import infer_tracks
from sfu.service import MediaJoin, SfuService
from tertulia.catalogue import Grants, TrackIntent, View
from tests.sfu.peers import Heard, Peer, until


class Caller:
    """A participant: a peer, its listener and its session."""

    def __init__(self, sfu: SfuService, name: str, room: str = "room") -> None:
        self.sfu = sfu
        self.name = name
        self.room = room
        self.peer = Peer()
        self.heard = Heard()
        self.joined: MediaJoin | None = None
        self.grants = Grants()

    async def exchange(self, offer: str) -> str:
        tracks = [TrackIntent(mid=mid, kind=kind) for mid, kind in infer_tracks(parse(offer)).items()]
        self.joined = await self.sfu.join(self.room, self.name, self.grants, offer, tracks, View(), self.heard)
        return self.joined.answer

    async def call(self, colour: str | None, tone: float | None, seats: int = 2, extras: int = 0) -> None:
        self.peer.publish(colour, tone)
        self.peer.receive(*("audio", "video") * seats, *("audio",) * extras)
        self.peer.open_channels()
        await self.peer.connect(self.exchange)

    @property
    def session(self) -> str:
        assert self.joined is not None
        return self.joined.session

    def shows(self, participant: str, track: str = "camera") -> str | None:
        """The MID in which the participant is shown now, once the core has switched."""
        assert self.joined is not None
        state = {slot.mid: slot for slot in self.joined.slots.slots}
        for frame in self.heard.slots:
            state.update((slot.mid, slot) for slot in frame.slots)
        for slot in state.values():
            if slot.participant == participant and slot.track == track and slot.from_ts is not None:
                return slot.mid
        return None

    def sees(self, participant: str, colour: str) -> bool:
        mid = self.shows(participant)
        return mid is not None and mid in self.peer.watchers and self.peer.watchers[mid].colour == colour

    def hears(self, participant: str, tone: float) -> bool:
        mid = self.shows(participant, "microphone")
        return mid is not None and mid in self.peer.watchers and self.peer.watchers[mid].hums(tone)


async def test_two_see_and_hear_each_other(sfu: SfuService, peers: list[Peer]) -> None:
    ann, bob = Caller(sfu, "ann"), Caller(sfu, "bob")
    peers += [ann.peer, bob.peer]
    await ann.call("red", 440)
    await bob.call("green", 660)
    await until(lambda: bob.sees("ann", "red") and ann.sees("bob", "green"))
    await until(lambda: bob.hears("ann", 440) and ann.hears("bob", 660))
    assert ann.shows("ann") is None
    assert {track.kind for track in ann.heard.tracks[-1]} == {"microphone", "camera"}
    assert ann.heard.states == [("connected", None)]
