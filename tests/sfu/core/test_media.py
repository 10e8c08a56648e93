"""Media through the core, sealed and opened by libsrtp at both ends: who gets what, under which numbers."""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass, field

import pytest

from sfu.core import Core, IceCredentials, PayloadType, RoomEvent, SessionEvent, SourceActive, Switched
from tests.sfu.core.conftest import OpenPeer
from tests.sfu.core.peers import (
    SRTP_PROFILES,
    Socket,
    Srtp,
    answer,
    check,
    is_rtcp,
    is_rtp,
    is_stun,
    make_credentials,
)
from tests.waiting import until

OPUS, VP8 = 1, 2
"""Formats: numbers that the Python side gives to codecs."""
CSRC, SLOT_SSRC, PUBLISHER_SSRC = 0x00C0FFEE, 0x51071111, 0x9B1C0DE5


@dataclass
class Client:
    """One end of a session: its socket, keys, and what the core told about it."""

    session: int
    ice: IceCredentials
    peer: Socket
    srtp: Srtp
    events: list[SessionEvent] = field(default_factory=list)

    def send(self, packet: bytes) -> None:
        self.peer.send(self.srtp.protect(packet))

    async def receive(self) -> bytes:
        return self.srtp.unprotect(await self.peer.next(is_rtp))


def ignore(event: RoomEvent) -> None:
    """Nothing to be told."""


async def connect(core: Core, room: int, open_peer: OpenPeer, profile: int) -> Client:
    events: list[SessionEvent] = []
    ice = make_credentials()
    session = core.create_session(room, ice, events.append)
    core.configure_media(
        session, {"mid": 1, "audio-level": 2, "transport-cc": 3}, two_byte=True, transport_cc=True, remb=False
    )
    client = Client(session, ice, await open_peer(core), Srtp(profile), events)
    client.peer.send(bytes(check(ice)))
    await client.peer.next(is_stun)
    core.set_srtp_keys(session, profile, client.srtp.send_key, client.srtp.receive_key)
    return client


def rtp(seq: int, timestamp: int, payload: bytes, *, pt: int = 111, marker: bool = False) -> bytes:
    """A packet of a browser's first section: MID "0" in a one-byte extension (RFC 8285)."""
    header = struct.pack("!BBHII", 0x90, pt | marker << 7, seq & 0xFFFF, timestamp & 0xFFFFFFFF, PUBLISHER_SSRC)
    return header + struct.pack("!HHBBBB", 0xBEDE, 1, 0x10, ord("0"), 0, 0) + payload


@dataclass
class Parsed:
    seq: int
    timestamp: int
    ssrc: int
    pt: int
    csrc: list[int]
    extensions: bytes
    payload: bytes


def parse(packet: bytes) -> Parsed:
    first, second, seq, timestamp, ssrc = struct.unpack_from("!BBHII", packet)
    end = 12 + 4 * (first & 15)
    csrc = list(struct.unpack_from(f"!{first & 15}I", packet, 12))
    extensions = b""
    if first & 0x10:
        words = struct.unpack_from("!H", packet, end + 2)[0]
        extensions = packet[end + 4 : end + 4 + 4 * words]
        end += 4 + 4 * words
    return Parsed(seq, timestamp, ssrc, second & 127, csrc, extensions, packet[end:])


def add_opus(core: Core, publisher: Client, viewer: Client) -> tuple[int, int]:
    source = core.add_source(
        publisher.session, csrc=CSRC, mid="0", kind="audio", payloads=[PayloadType(111, "opus", OPUS, 48000)]
    )
    slot = core.add_slot(
        viewer.session,
        mid="7",
        kind="audio",
        ssrc=SLOT_SSRC,
        rtx_ssrc=0,
        cname="tertulia",
        payloads=[(OPUS, 96)],
    )
    return source, slot


@pytest.mark.parametrize("profile", SRTP_PROFILES)
async def test_source_appears_in_the_slot_under_the_slots_numbers(
    core: Core, open_peer: OpenPeer, profile: int
) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, profile)
    viewer = await connect(core, room, open_peer, profile)
    source, slot = add_opus(core, publisher, viewer)
    core.set_slot(slot, source)
    await core.stats()

    out: list[Parsed] = []
    for i in range(20):
        publisher.send(rtp(65530 + i, 1000 + 960 * i, b"frame %d" % i))
        out.append(parse(await viewer.receive()))
    assert {(p.ssrc, p.pt, tuple(p.csrc)) for p in out} == {(SLOT_SSRC, 96, (CSRC,))}
    assert [p.payload for p in out] == [b"frame %d" % i for i in range(20)]
    assert {(b.seq - a.seq) & 0xFFFF for a, b in itertools.pairwise(out)} == {1}
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in itertools.pairwise(out)} == {960}
    assert b"\x107" in out[0].extensions  # id 1, one byte: the slot's own MID
    assert Switched(slot, source, out[0].timestamp) in viewer.events
    assert SourceActive(source, True) in publisher.events

    stats = await core.stats()
    assert stats["slots"][slot]["packets"] == 20
    assert stats["sources"][source]["packets"] == 20
    assert stats["sessions"][publisher.session]["forged"] == 0


async def test_profiles_may_differ_between_sender_and_viewer(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 1)
    viewer = await connect(core, room, open_peer, 8)
    source, slot = add_opus(core, publisher, viewer)
    core.set_slot(slot, source)
    await core.stats()
    publisher.send(rtp(1, 1, b"across"))
    assert parse(await viewer.receive()).payload == b"across"


async def test_viewer_gets_sender_reports_and_publisher_feedback(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    viewer = await connect(core, room, open_peer, 7)
    source, slot = add_opus(core, publisher, viewer)
    core.set_slot(slot, source)
    await core.stats()
    publisher.send(rtp(1, 1, b"one"))
    await viewer.receive()
    report = viewer.srtp.unprotect_rtcp(await viewer.peer.next(is_rtcp))
    assert (report[1], struct.unpack_from("!I", report, 4)[0]) == (200, SLOT_SSRC)
    publisher.send(rtp(2, 961, b"two"))
    feedback = publisher.srtp.unprotect_rtcp(await publisher.peer.next(is_rtcp))
    assert feedback[1] in (200, 201)


async def test_forged_and_replayed_packets_reach_nobody(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    viewer = await connect(core, room, open_peer, 7)
    source, slot = add_opus(core, publisher, viewer)
    core.set_slot(slot, source)
    await core.stats()
    sealed = publisher.srtp.protect(rtp(1, 1, b"one"))
    for bit in range(8 * len(sealed)):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        publisher.peer.send(bytes(broken))
    publisher.peer.send(sealed)
    publisher.peer.send(sealed)
    publisher.peer.send(sealed[:20])
    publisher.send(rtp(2, 961, b"two"))
    assert parse(await viewer.receive()).payload == b"one"
    assert parse(await viewer.receive()).payload == b"two"
    counters = (await core.stats())["sessions"][publisher.session]
    assert counters["replayed"] == 1
    assert counters["forged"] > 8 * len(sealed) // 2


async def test_media_of_a_stranger_reaches_nobody(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    viewer = await connect(core, room, open_peer, 7)
    source, slot = add_opus(core, publisher, viewer)
    core.set_slot(slot, source)
    stranger = await open_peer(core)
    stranger.send(publisher.srtp.protect(rtp(1, 1, b"stolen")))
    publisher.send(rtp(2, 961, b"own"))
    assert parse(await viewer.receive()).payload == b"own"


async def test_media_moves_only_to_an_address_that_answers(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    viewer = await connect(core, room, open_peer, 7)
    source, slot = add_opus(core, publisher, viewer)
    core.set_slot(slot, source)
    await core.stats()
    publisher.send(rtp(1, 1, b"one"))
    await viewer.receive()

    # A check with the right password from another address is a claim: it is answered, and asked in return.
    elsewhere = await open_peer(core)
    elsewhere.send(bytes(check(viewer.ice)))
    await until(lambda: len(elsewhere.received) >= 2)
    publisher.send(rtp(2, 961, b"two"))
    assert parse(await viewer.receive()).payload == b"two"
    assert not any(is_rtp(data) for data in elsewhere.received)

    question = next(data for data in elsewhere.received if data[:2] == b"\x00\x01")
    elsewhere.send(answer(question, viewer.ice, ("127.0.0.1", core.port)))
    count = (await core.stats())["worker"]["received"]
    assert count > 0
    publisher.send(rtp(3, 1921, b"three"))
    assert parse(viewer.srtp.unprotect(await elsewhere.next(is_rtp))).payload == b"three"


async def test_nothing_is_sent_before_the_keys(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    ice = make_credentials()
    session = core.create_session(room, ice, lambda event: None)
    peer = await open_peer(core)
    peer.send(bytes(check(ice)))
    await peer.next(is_stun)
    viewer = Client(session, ice, peer, Srtp(7))
    source, slot = add_opus(core, publisher, viewer)
    core.set_slot(slot, source)
    await core.stats()
    publisher.send(rtp(1, 1, b"one"))
    await until(lambda: SourceActive(source, True) in publisher.events)
    assert peer.received == []


async def test_keys_of_a_wrong_size_or_profile_are_not_taken(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    viewer = await connect(core, room, open_peer, 7)
    bad = core.create_session(room, make_credentials(), lambda event: None)
    core.set_srtp_keys(bad, 7, bytes(30), bytes(28))
    core.set_srtp_keys(bad, 99, bytes(28), bytes(28))
    # A second set would begin its packet indices anew: the first stays.
    core.set_srtp_keys(viewer.session, 7, bytes(28), bytes(28))
    source, slot = add_opus(core, publisher, viewer)
    core.set_slot(slot, source)
    await core.stats()
    publisher.send(rtp(1, 1, b"one"))
    assert parse(await viewer.receive()).payload == b"one"


async def test_frame_of_many_packets_arrives_whole_and_in_order(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    viewers = [await connect(core, room, open_peer, 7) for _ in range(5)]
    source = core.add_source(
        publisher.session, csrc=CSRC, mid="0", kind="video", payloads=[PayloadType(96, "vp8", VP8, 90000)]
    )
    for viewer in viewers:
        slot = core.add_slot(
            viewer.session, mid="7", kind="video", ssrc=SLOT_SSRC, rtx_ssrc=0, cname="c", payloads=[(VP8, 97)]
        )
        core.set_slot(slot, source)
    await core.stats()
    # A VP8 key frame: S bit and partition 0, P bit clear, start code, 320 x 240 (RFC 7741, sections 4.2 and 4.3).
    first = b"\x10" + b"\x10\x02\x00\x9d\x01\x2a\x40\x01\xf0\x00" + bytes(989)
    packets = [first] + [b"\x00" + bytes([i]) * 999 for i in range(1, 9)] + [b"\x00" + bytes([9]) * 1001]
    for i, payload in enumerate(packets):
        publisher.send(rtp(100 + i, 90000, payload, pt=96, marker=i == len(packets) - 1))
    for viewer in viewers:
        out = [parse(await viewer.receive()) for _ in packets]
        assert [p.payload for p in out] == packets
        assert {(b.seq - a.seq) & 0xFFFF for a, b in itertools.pairwise(out)} == {1}
    stats = (await core.stats())["worker"]
    assert stats["send_refused"] == stats["send_dropped"] == 0
