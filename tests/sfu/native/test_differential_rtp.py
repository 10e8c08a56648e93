"""Our RTP and RTCP against aiortc on random packets: what one writes, the other must read the same.

Nobody else here speaks transport-wide feedback, so that one is read by a second reader, written from the draft alone.
"""

from __future__ import annotations

import random
import struct

from aiortc.rtp import (
    HeaderExtensionsMap,
    RtcpByePacket,
    RtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_header_extensions,
    pack_remb_fci,
    unpack_header_extensions,
    unpack_remb_fci,
)

from sfu import _wire_test as wire
from tests.sfu.native.samples import ROUNDS, random_report, random_rtp

# --- RTP


def test_rtp_that_aiortc_writes_is_read_the_same(rng: random.Random) -> None:
    for _ in range(ROUNDS):
        packet = RtpPacket(
            payload_type=rng.randrange(128),
            marker=rng.randrange(2),
            sequence_number=rng.getrandbits(16),
            timestamp=rng.getrandbits(32),
            ssrc=rng.getrandbits(32),
            payload=rng.randbytes(rng.randint(0, 200)),
        )
        packet.csrc = [rng.getrandbits(32) for _ in range(rng.randint(0, 15))]
        packet.padding_size = rng.choice((0, 0, 1, 4, 255))
        fields = wire.parse_rtp(packet.serialize())
        assert fields is not None
        assert fields == {
            "marker": bool(packet.marker),
            "payload_type": packet.payload_type,
            "sequence": packet.sequence_number,
            "timestamp": packet.timestamp,
            "ssrc": packet.ssrc,
            "csrc": packet.csrc,
            "extensions": [],
            "payload": packet.payload,
            "padding": packet.padding_size,
        }


def test_header_extensions_agree_with_aiortc(rng: random.Random) -> None:
    """The same bytes for the same elements, in the short form and in the long one."""
    for _ in range(ROUNDS):
        longest = rng.choice((16, 40))
        elements = [
            (
                rng.randint(1, 14 if longest == 16 else 255),
                rng.randbytes(rng.randint(1 if longest == 16 else 0, longest)),
            )
            for _ in range(rng.randint(1, 6))
        ]
        packet = wire.build_rtp(False, 96, 1, 2, 3, [4], elements, b"payload")
        profile, value = pack_header_extensions(elements)
        assert packet[16:-7] == struct.pack(">HH", profile, len(value) // 4) + value
        fields = wire.parse_rtp(packet)
        assert fields is not None
        assert fields["extensions"] == elements == unpack_header_extensions(profile, value)


def test_rtp_that_we_write_is_read_by_aiortc(rng: random.Random) -> None:
    for _ in range(ROUNDS):
        packet = random_rtp(rng, rng.getrandbits(16), rng.getrandbits(32))
        fields = wire.parse_rtp(packet)
        theirs = RtpPacket.parse(packet, HeaderExtensionsMap())
        assert fields is not None
        assert (theirs.marker, theirs.payload_type, theirs.sequence_number, theirs.timestamp, theirs.ssrc) == (
            fields["marker"],
            fields["payload_type"],
            fields["sequence"],
            fields["timestamp"],
            fields["ssrc"],
        )
        assert (theirs.csrc, theirs.payload) == (fields["csrc"], fields["payload"])


def test_neither_reads_rtp_that_the_other_finds_malformed(rng: random.Random) -> None:
    """Headers cut anywhere and changed at random. aiortc alone refuses elements that overrun their block."""
    for _ in range(20 * ROUNDS):
        packet = bytearray(random_rtp(rng, 1, 2)[: rng.randint(0, 60)])
        if packet and rng.random() < 0.7:
            packet[rng.randrange(min(len(packet), 20))] = rng.getrandbits(8)
        ours = wire.parse_rtp(bytes(packet))
        try:
            RtpPacket.parse(bytes(packet), HeaderExtensionsMap())
        except ValueError as error:
            assert ours is None or "header extension" in str(error)
        else:
            assert ours is not None


# --- RTCP


def report_tuple(report: RtcpReceiverInfo) -> tuple[int, ...]:
    return (
        report.ssrc,
        report.fraction_lost,
        report.packets_lost,
        report.highest_sequence,
        report.jitter,
        report.lsr,
        report.dlsr,
    )


def random_lost(rng: random.Random) -> list[int]:
    return sorted(rng.sample(range(rng.choice((40, 60_000))), rng.randint(1, 30)))


def test_rtcp_that_aiortc_writes_is_read_the_same(rng: random.Random) -> None:
    for _ in range(ROUNDS):
        ssrc, media = rng.getrandbits(32), rng.getrandbits(32)
        reports = [random_report(rng) for _ in range(rng.randint(0, 31))]
        info = RtcpSenderInfo(rng.getrandbits(64), rng.getrandbits(32), rng.getrandbits(32), rng.getrandbits(32))
        cname = rng.randbytes(rng.randint(1, 40)).hex().encode()
        lost = random_lost(rng)
        bitrate = rng.getrandbits(rng.randint(1, 40))
        remb = pack_remb_fci(bitrate, [media])
        compound = b"".join(
            bytes(packet)
            for packet in (
                RtcpSrPacket(ssrc=ssrc, sender_info=info, reports=reports),
                RtcpRrPacket(ssrc=ssrc, reports=reports),
                RtcpSdesPacket(chunks=[RtcpSourceInfo(ssrc=ssrc, items=[(1, cname)])]),
                RtcpPsfbPacket(fmt=1, ssrc=ssrc, media_ssrc=media),
                RtcpRtpfbPacket(fmt=1, ssrc=ssrc, media_ssrc=media, lost=lost),
                RtcpPsfbPacket(fmt=15, ssrc=ssrc, media_ssrc=0, fci=remb),
                RtcpByePacket(sources=[ssrc, media]),
            )
        )
        blocks = [report_tuple(report) for report in reports]
        assert wire.parse_rtcp(compound) == [
            ("sr", ssrc, info.ntp_timestamp, info.rtp_timestamp, info.packet_count, info.octet_count, blocks),
            ("rr", ssrc, blocks),
            ("cname", ssrc, cname),
            ("pli", ssrc, media),
            ("nack", ssrc, media, lost),
            ("remb", ssrc, unpack_remb_fci(remb)[0], [media]),
            ("bye", [ssrc, media]),
        ]


def test_rtcp_that_we_write_is_read_by_aiortc(rng: random.Random) -> None:
    for _ in range(ROUNDS):
        ssrc, media = rng.getrandbits(32), rng.getrandbits(32)
        reports = [random_report(rng) for _ in range(rng.randint(0, 31))]
        lost, bitrate, ntp = random_lost(rng), rng.getrandbits(rng.randint(1, 40)), rng.getrandbits(64)
        blocks = [report_tuple(report) for report in reports]
        cname = "c" * rng.randint(1, 200)
        sr, sdes, pli, nack, remb, bye = RtcpPacket.parse(
            wire.build_rtcp(ssrc, ntp, 1, 2, 3, blocks, cname, lost, bitrate, media)
        )
        assert sr == RtcpSrPacket(ssrc=ssrc, sender_info=RtcpSenderInfo(ntp, 1, 2, 3), reports=reports)
        assert isinstance(sdes, RtcpSdesPacket)
        assert sdes.chunks == [RtcpSourceInfo(ssrc=ssrc, items=[(1, cname.encode())])]
        assert pli == RtcpPsfbPacket(fmt=1, ssrc=ssrc, media_ssrc=media)
        assert nack == RtcpRtpfbPacket(fmt=1, ssrc=ssrc, media_ssrc=media, lost=lost)
        assert isinstance(remb, RtcpPsfbPacket)
        assert unpack_remb_fci(remb.fci) == unpack_remb_fci(pack_remb_fci(bitrate, [media]))
        assert bye == RtcpByePacket(sources=[ssrc])


# --- transport-wide feedback


def read_feedback(packet: bytes) -> list[tuple[int, int]]:
    """(sequence, arrival in µs), by section 3.1 of draft-holmer-rmcat-transport-wide-cc-extensions-01."""
    first, kind, length = struct.unpack_from(">BBH", packet)
    assert (first, kind, 4 * (length + 1)) == (0x8F, 205, len(packet))
    base, count, reference_and_number = struct.unpack_from(">HHI", packet, 12)
    symbols: list[int] = []
    at = 20
    while len(symbols) < count:
        (chunk,) = struct.unpack_from(">H", packet, at)
        at += 2
        bits = f"{chunk:016b}"
        if bits[0] == "0":
            symbols += [int(bits[1:3], 2)] * int(bits[3:], 2)
        elif bits[1] == "0":
            symbols += [int(bit) for bit in bits[2:]]
        else:
            symbols += [int(bits[i : i + 2], 2) for i in range(2, 16, 2)]
    time = (reference_and_number >> 8) * 64_000
    statuses = []
    for offset, symbol in enumerate(symbols[:count]):
        if symbol == 1:
            time += packet[at] * 250
        elif symbol == 2:
            time += struct.unpack_from(">h", packet, at)[0] * 250
        at += symbol
        statuses.append(((base + offset) & 0xFFFF, time if symbol else -1))
    assert len(packet) - at < 4
    assert not any(packet[at:])
    return statuses


def test_feedback_is_read_the_same_by_a_second_reader(rng: random.Random) -> None:
    for _ in range(ROUNDS):
        now, loss, step = rng.randrange(1 << 36), rng.random(), rng.choice((10, 1_000, 60_000, 200_000))
        arrivals = []
        for _ in range(rng.randint(1, 400)):
            now += rng.randrange(step)
            arrivals.append(-1 if rng.random() < loss else now - rng.randrange(5_000) if now > 5_000 else now)
        base = rng.getrandbits(16)
        packet, covered = wire.build_twcc(9, base, arrivals, rng.choice((40, 200, 1_200)))
        if not covered:
            assert packet == b""
            continue
        statuses = read_feedback(packet)
        assert statuses == wire.parse_twcc(packet)
        assert statuses == [
            ((base + i) & 0xFFFF, -1 if arrival < 0 else arrival // 250 * 250)
            for i, arrival in enumerate(arrivals[:covered])
        ]
