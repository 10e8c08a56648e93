"""Calls between real aiortc peers through the real core: contents checked, not only counted."""

from __future__ import annotations

import json

import pytest
from aiortc import RTCRtpReceiver

from sfu.sdp.parse import parse
from sfu.sdp.plan import infer_tracks
from sfu.service import MediaJoin, SfuService
from tertulia.catalogue import Grants, TrackIntent, View, Want
from tertulia.errors import BadRequest, NotFound
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


async def test_a_third_joins_and_leaves(sfu: SfuService, peers: list[Peer]) -> None:
    ann, bob, cho = Caller(sfu, "ann"), Caller(sfu, "bob"), Caller(sfu, "cho")
    peers += [ann.peer, bob.peer, cho.peer]
    await ann.call("red", 440)
    await bob.call("green", 660)
    await cho.call("blue", 880)
    await until(lambda: ann.sees("bob", "green") and ann.sees("cho", "blue"))
    await until(lambda: cho.sees("ann", "red") and cho.sees("bob", "green"))
    await until(lambda: cho.hears("ann", 440) and cho.hears("bob", 660))
    seat = bob.shows("ann")
    await sfu.leave(cho.session, "left")
    await until(lambda: ann.shows("cho") is None and bob.shows("cho") is None)
    assert bob.shows("ann") == seat
    assert cho.heard.states[-1] == ("closed", "left")
    await until(lambda: cho.peer.pc.connectionState == "closed")
    assert ann.peer.offers == 1


async def test_slot_map_revisions_are_dense_and_end_at_the_truth(sfu: SfuService, peers: list[Peer]) -> None:
    ann = Caller(sfu, "ann")
    peers.append(ann.peer)
    await ann.call(None, 440)
    others = [Caller(sfu, name) for name in ("bob", "cho")]
    for other in others:
        peers.append(other.peer)
        await other.call("green", 500)
    await until(lambda: all(ann.shows(other.name) for other in others))
    for other in others:
        await sfu.leave(other.session, "left")
    assert ann.joined is not None
    revisions = [frame.rev for frame in ann.heard.slots]
    first = ann.joined.slots
    assert first.full
    assert revisions == list(range(first.rev + 1, first.rev + 1 + len(revisions)))
    # Assignments come without a time stamp, switches with one, and never the other way round.
    announced: set[tuple[str, int]] = set()
    for frame in ann.heard.slots:
        for slot in frame.slots:
            if slot.source is not None and slot.from_ts is None:
                announced.add((slot.mid, slot.source))
            elif slot.source is not None:
                assert (slot.mid, slot.source) in announced
    replayed = {slot.mid: slot for slot in first.slots}
    for frame in ann.heard.slots:
        replayed.update((slot.mid, slot) for slot in frame.slots)
    assert list(replayed.values()) == sfu.slots(ann.session).slots


async def test_frames_travel_on_both_channels(sfu: SfuService, peers: list[Peer]) -> None:
    ann = Caller(sfu, "ann")
    peers.append(ann.peer)
    await ann.call(None, 440)
    await until(lambda: ann.heard.channels == {"control": True, "chat": True})
    await until(lambda: all(channel.readyState == "open" for channel in ann.peer.channels.values()))
    hello = json.dumps({"t": "send-message", "d": {"text": "¡hola! " + "x" * 15_000}})
    ann.peer.channels["chat"].send(hello)
    ann.peer.channels["control"].send('{"t": "view"}')
    await until(lambda: len(ann.heard.frames) == 2)
    assert set(ann.heard.frames) == {("chat", hello.encode()), ("control", b'{"t": "view"}')}
    assert sfu.send(ann.session, "chat", hello.encode())
    assert sfu.send(ann.session, "control", b"{}")
    await until(lambda: ann.peer.messages == {"control": ["{}"], "chat": [hello]})
    assert not sfu.send(ann.session, "chat", b"x" * 16_385)
    assert not sfu.send("no-such-session", "chat", b"{}")


async def test_a_slow_reader_is_bounded(sfu: SfuService, peers: list[Peer]) -> None:
    ann = Caller(sfu, "ann")
    peers.append(ann.peer)
    await ann.call(None, 440)
    await until(lambda: ann.heard.channels.get("chat", False))
    accepted = 0
    while sfu.send(ann.session, "chat", b"y" * 16_000):
        accepted += 1
    assert accepted == 262_144 // 16_000
    await until(lambda: len(ann.peer.messages["chat"]) == accepted)
    assert sfu.send(ann.session, "chat", b"y")


async def test_the_same_identity_replaces_its_older_session(sfu: SfuService, peers: list[Peer]) -> None:
    bob, first, second = Caller(sfu, "bob"), Caller(sfu, "ann"), Caller(sfu, "ann")
    peers += [bob.peer, first.peer, second.peer]
    await bob.call(None, 300)
    await first.call("red", 440)
    await until(lambda: bob.sees("ann", "red"))
    await second.call("blue", 660)
    assert first.heard.states[-1] == ("closed", "replaced")
    await until(lambda: bob.sees("ann", "blue") and bob.hears("ann", 660))
    assert sfu.session_state(first.session) is None
    assert sfu.session_state(second.session) == "connected"
    # At no time was ann nowhere: the seat was hers throughout.
    assert bob.joined is not None
    seat = next(slot.seat for frame in bob.heard.slots for slot in frame.slots if slot.participant == "ann")
    emptied = [slot for frame in bob.heard.slots for slot in frame.slots if slot.seat == seat and not slot.participant]
    assert not emptied


async def test_mutes_are_told_and_holds_stop_media(sfu: SfuService, peers: list[Peer]) -> None:
    ann, bob = Caller(sfu, "ann"), Caller(sfu, "bob")
    peers += [ann.peer, bob.peer]
    await ann.call("red", 440)
    await bob.call(None, 300)
    await until(lambda: bob.sees("ann", "red"))
    sfu.set_track(ann.session, "microphone", True)
    assert {track.kind: track.muted for track in ann.heard.tracks[-1]} == {"microphone": True, "camera": False}
    sfu.set_track(ann.session, "microphone", False)
    assert not any(track.muted for track in ann.heard.tracks[-1])
    sfu.hold_track(ann.session, "camera", True)
    assert {track.kind: track.muted for track in ann.heard.tracks[-1]}["camera"]
    await until(lambda: bob.shows("ann") is None)
    sfu.hold_track(ann.session, "camera", False)
    await until(lambda: bob.sees("ann", "red"))


async def test_a_view_chooses_who_is_seen(sfu: SfuService, peers: list[Peer]) -> None:
    viewer, ann, bob = Caller(sfu, "viewer"), Caller(sfu, "ann"), Caller(sfu, "bob")
    peers += [viewer.peer, ann.peer, bob.peer]
    await viewer.call(None, 300, seats=1)
    await ann.call("red", None)
    await bob.call("green", None)
    for name, colour in (("bob", "green"), ("ann", "red"), ("bob", "green")):
        sfu.set_view(viewer.session, View(seats=[Want(participant=name)]))
        await until(lambda name=name, colour=colour: viewer.sees(name, colour))  # type: ignore[misc]


async def test_a_viewer_that_cannot_decode_a_picture_is_told(sfu: SfuService, peers: list[Peer]) -> None:
    ann, bob = Caller(sfu, "ann"), Caller(sfu, "bob")
    peers += [ann.peer, bob.peer]
    await ann.call("red", 440)  # the first codec of both sides is VP8
    bob.peer.receive("audio", "video")
    bob.peer.open_channels()
    known = RTCRtpReceiver.getCapabilities("video")
    assert known is not None
    h264 = [codec for codec in known.codecs if codec.mimeType == "video/H264"]
    bob.peer.pc.getTransceivers()[1].setCodecPreferences(h264)
    await bob.peer.connect(bob.exchange)
    await until(lambda: bob.hears("ann", 440))
    await until(lambda: [slot.participant for slot in sfu.slots(bob.session).slots if slot.unsupported] == ["ann"])
    told = [slot for frame in bob.heard.slots for slot in frame.slots if slot.unsupported]
    assert [(slot.kind, slot.track, slot.from_ts) for slot in told] == [("video", "camera", None)]
    await sfu.leave(ann.session, "left")
    await until(lambda: not any(slot.unsupported for slot in sfu.slots(bob.session).slots))


async def test_an_ice_restart_keeps_everything_else(sfu: SfuService, peers: list[Peer]) -> None:
    ann = Caller(sfu, "ann")
    peers.append(ann.peer)
    await ann.call("red", 440)
    offer = ann.peer.pc.localDescription.sdp
    assert ann.joined is not None
    first = parse(ann.joined.answer)
    ufrag = parse(offer).sections[0].transport.ufrag
    again = parse(await sfu.restart_ice(ann.session, offer.replace(f"a=ice-ufrag:{ufrag}", "a=ice-ufrag:fresh")))
    assert again.transport.ufrag != first.transport.ufrag
    assert again.transport.pwd != first.transport.pwd
    assert again.transport.fingerprints == first.transport.fingerprints
    assert (again.session_id, again.session_version) == (first.session_id, "2")
    assert [(item.mid, item.codecs, item.ssrcs) for item in again.sections] == [
        (item.mid, item.codecs, item.ssrcs) for item in first.sections
    ]
    with pytest.raises(BadRequest):
        await sfu.restart_ice(ann.session, "v=0")
    with pytest.raises(NotFound):
        await sfu.restart_ice("nobody", offer)


async def test_garbage_offers_change_nothing(sfu: SfuService) -> None:
    heard = Heard()
    for offer in ("", "v=0\r\n", "\0", "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", "ü" * 1000):
        with pytest.raises(BadRequest) as refused:
            await sfu.join("room", "ann", Grants(), offer, [], View(), heard)
        assert refused.value.code in ("offer-invalid", "offer-missing-section")
    assert sfu.stats()["rooms"] == 0
    assert heard == Heard()


async def test_speakers_are_told_to_everybody(sfu: SfuService, peers: list[Peer]) -> None:
    ann, bob = Caller(sfu, "ann"), Caller(sfu, "bob")
    peers += [ann.peer, bob.peer]
    await bob.call(None, None)
    await ann.call(None, 440)
    await until(lambda: any(item.participant == "ann" for told in bob.heard.speakers for item in told.speakers))


async def test_the_same_ssrcs_in_two_sessions_are_harmless(sfu: SfuService, peers: list[Peer]) -> None:
    """SSRCs are unique only within a session; a thief of somebody else's gets nothing by it."""
    ann, thief, bob = Caller(sfu, "ann"), Caller(sfu, "thief"), Caller(sfu, "bob")
    peers += [ann.peer, thief.peer, bob.peer]
    await bob.call(None, None)
    ann.peer.publish("red", 440)
    thief.peer.publish("green", 660)
    for own, other in zip(ann.peer.pc.getSenders(), thief.peer.pc.getSenders(), strict=True):
        other._ssrc = own._ssrc
    await ann.call(None, None)
    await thief.call(None, None)
    await until(lambda: bob.sees("ann", "red") and bob.sees("thief", "green"))
    await until(lambda: bob.hears("ann", 440) and bob.hears("thief", 660))
