"""Lost packets through the core, sealed and opened by libsrtp at both ends: asked for, and sent again."""

from __future__ import annotations

import struct

from sfu.core import Core, PayloadType
from tests.sfu.core.conftest import OpenPeer
from tests.sfu.core.peers import is_rtcp
from tests.sfu.core.test_media import CSRC, PUBLISHER_SSRC, SLOT_SSRC, VP8, Client, connect, ignore, parse, rtp

RTX_SSRC, PUBLISHER_RTX_SSRC = 0x51072222, 0x9B1C0DE6
MEDIA_PT, RTX_PT = 97, 98

# A VP8 key frame of 320 x 240: RFC 7741, sections 4.2 and 4.3.
KEY_FRAME = b"\x10" + b"\x10\x02\x00\x9d\x01\x2a\x40\x01\xf0\x00"


def nack(ssrc: int, *sequences: int) -> bytes:
    """A receiver report and a generic NACK (RFC 4585, section 6.2.1)."""
    items = b"".join(struct.pack("!HH", seq & 0xFFFF, 0) for seq in sequences)
    report = struct.pack("!BBHI", 0x80, 201, 1, 7)
    return report + struct.pack("!BBHII", 0x81, 205, 2 + len(sequences), 7, ssrc) + items


def asked(compound: bytes) -> list[int]:
    """The sequence numbers that a compound's NACKs ask for."""
    found: list[int] = []
    while compound:
        first, kind, words = struct.unpack_from("!BBH", compound)
        body, compound = compound[4 : 4 + 4 * words], compound[4 + 4 * words :]
        if kind == 205 and first & 31 == 1:
            for pid, mask in struct.iter_unpack("!HH", body[8:]):
                found += [pid, *((pid + 1 + bit) & 0xFFFF for bit in range(16) if mask >> bit & 1)]
    return found


def add_video(core: Core, publisher: Client, viewer: Client) -> None:
    source = core.add_source(
        publisher.session,
        csrc=CSRC,
        mid="0",
        kind="video",
        payloads=[PayloadType(96, "vp8", VP8, 90000), PayloadType(99, "rtx", 0, 90000, 96)],
        ssrcs=[PUBLISHER_SSRC],
        rtx_ssrcs=[(PUBLISHER_SSRC, PUBLISHER_RTX_SSRC)],
        nack=True,
    )
    slot = core.add_slot(
        viewer.session,
        mid="7",
        kind="video",
        ssrc=SLOT_SSRC,
        rtx_ssrc=RTX_SSRC,
        cname="c",
        payloads=[(VP8, MEDIA_PT)],
        rtx_payloads=[(MEDIA_PT, RTX_PT)],
    )
    core.set_slot(slot, source)


async def test_a_viewer_is_sent_again_what_it_asks_for(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    viewer = await connect(core, room, open_peer, 7)
    add_video(core, publisher, viewer)
    await core.stats()
    payloads = [(b"\x00" if i else KEY_FRAME) + bytes([i]) * 1000 for i in range(6)]
    for i, payload in enumerate(payloads):
        publisher.send(rtp(65533 + i, 90000, payload, pt=96, marker=i == len(payloads) - 1))
    sent = [parse(await viewer.receive()) for _ in payloads]

    # At once is too soon: a request cannot be an answer to what has only just been sent.
    wanted = nack(SLOT_SSRC, sent[2].seq, sent[5].seq)
    resent = 0
    while resent < 2:
        viewer.peer.send(viewer.srtp.protect_rtcp(wanted))
        [resent] = [item["resent"] for item in (await core.stats())["slots"].values()]
    again = [parse(await viewer.receive()) for _ in range(2)]
    assert {(p.ssrc, p.pt, p.timestamp, tuple(p.csrc)) for p in again} == {
        (RTX_SSRC, RTX_PT, sent[0].timestamp, (CSRC,))
    }
    # RFC 4588, section 4: the original sequence number, then the original payload.
    assert [p.payload for p in again] == [struct.pack("!H", sent[i].seq) + payloads[i] for i in (2, 5)]
    assert again[1].seq == (again[0].seq + 1) & 0xFFFF
    assert b"\x107" in again[0].extensions  # the slot's MID


async def test_a_publisher_is_asked_again_and_its_answer_takes_its_place(core: Core, open_peer: OpenPeer) -> None:
    room = core.create_room(ignore)
    publisher = await connect(core, room, open_peer, 7)
    viewer = await connect(core, room, open_peer, 7)
    add_video(core, publisher, viewer)
    await core.stats()
    packets = [rtp(100 + i, 90000, (KEY_FRAME if i == 0 else b"\x00") + bytes([i]) * 800, pt=96) for i in range(5)]
    for i in (0, 1, 4):
        publisher.send(packets[i])
    out = [parse(await viewer.receive()) for _ in range(3)]
    wanted: list[int] = []
    while not wanted:
        wanted = asked(publisher.srtp.unprotect_rtcp(await publisher.peer.next(is_rtcp)))
    assert wanted == [102, 103]

    for number, seq in enumerate(wanted):
        payload = parse(packets[seq - 100]).payload
        header = struct.pack("!BBHII", 0x80, 99, 500 + number, 90000, PUBLISHER_RTX_SSRC)
        publisher.send(header + struct.pack("!H", seq) + payload)
    late = [parse(await viewer.receive()) for _ in range(2)]
    assert [(p.ssrc, p.pt) for p in late] == [(SLOT_SSRC, MEDIA_PT)] * 2
    assert [p.payload for p in late] == [parse(packets[i]).payload for i in (2, 3)]
    # Their places were kept for them.
    assert [p.seq for p in late] == [(out[1].seq + 1) & 0xFFFF, (out[1].seq + 2) & 0xFFFF]
    assert out[2].seq == (out[1].seq + 3) & 0xFFFF
    [source] = (await core.stats())["sources"].values()
    assert source["repaired"] == 2
    assert source["nacked"] >= 2
