"""DTLS and SCTP of a session against aiortc's own, over a path inside the test, and against hostile peers."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiortc import RTCCertificate, RTCDtlsTransport, RTCSctpTransport
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import (
    WEBRTC_DCEP,
    WEBRTC_STRING,
    DataChunk,
    ForwardTsnChunk,
    RTCSctpCapabilities,
    SackChunk,
    serialize_packet,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.sdp.types import Fingerprint
from sfu.transport.dtls import DATAGRAM_MAX, Certificate, DtlsTransport, pack
from sfu.transport.ice import QUEUE_MAX, CoreIce
from sfu.transport.sctp import SctpTransport
from tests.sfu.peers import until


@dataclass
class Pair:
    """A server transport of ours and a stock client, connected back to back."""

    server: DtlsTransport
    client: RTCDtlsTransport
    sctp: SctpTransport
    remote: RTCSctpTransport
    channel: RTCDataChannel
    to_client: list[bytes] = field(default_factory=list)
    keys: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    opened: list[tuple[int, bool]] = field(default_factory=list)

    async def send_chunk(self, chunk: object) -> None:
        """Whatever chunk, from the client."""
        tag = self.remote._remote_verification_tag
        await self.client._send_data(serialize_packet(5000, 5000, tag, chunk))  # type: ignore[arg-type]  # hostile

    def data(
        self, tsn: int, text: bytes = b"x", stream: int = 0, flags: int = 3, ppid: int = WEBRTC_STRING
    ) -> DataChunk:
        chunk = DataChunk(flags=flags)
        chunk.tsn, chunk.stream_id, chunk.protocol, chunk.user_data = tsn % 2**32, stream, ppid, text
        return chunk


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    loop = asyncio.get_running_loop()
    ends: dict[str, CoreIce] = {}
    sent: list[bytes] = []

    def to_client(data: bytes) -> None:
        sent.append(data)
        loop.call_soon(ends["client"].deliver, data)

    def to_server(data: bytes) -> None:
        loop.call_soon(ends["server"].deliver, data)

    ends["server"], ends["client"] = CoreIce(to_client), CoreIce(to_server)

    certificate = RTCCertificate.generateCertificate()
    keys: list[tuple[int, bytes, bytes]] = []
    server = DtlsTransport(ends["server"], Certificate.generateCertificate(), lambda *found: keys.append(found))
    client = RTCDtlsTransport(ends["client"], [certificate])  # type: ignore[arg-type]  # duck-typed
    fingerprints = tuple(Fingerprint(item.algorithm, item.value) for item in certificate.getFingerprints())
    accepted, _ = await asyncio.gather(server.accept(fingerprints), client.start(server.getLocalParameters()))
    assert accepted
    messages: list[tuple[int, bytes]] = []
    opened: list[tuple[int, bool]] = []
    association = SctpTransport(
        server, {0: "control", 1: "chat"}, lambda *got: messages.append(got), lambda *got: opened.append(got)
    )
    remote = RTCSctpTransport(client)
    channel = RTCDataChannel(remote, RTCDataChannelParameters(label="control", negotiated=True, id=0))
    await asyncio.gather(association.connect(5000, 262_144), remote.start(RTCSctpCapabilities(16_384), 5000))
    await until(lambda: association.is_open(0) and channel.readyState == "open")
    yield Pair(server, client, association, remote, channel, sent, keys, messages, opened)
    await remote.stop()
    await client.stop()
    await association.stop()
    await server.stop()
    for end in ends.values():
        end.close()


async def test_keys_are_exported_for_the_preferred_profile(pair: Pair) -> None:
    ((profile, send, receive),) = pair.keys
    assert profile == 7  # SRTP_AEAD_AES_128_GCM
    assert len(send) == len(receive) == 16 + 12
    assert send != receive


async def test_another_certificate_is_refused() -> None:
    loop = asyncio.get_running_loop()
    ends: dict[str, CoreIce] = {}

    def towards(end: str) -> Callable[[bytes], None]:
        def send(data: bytes) -> None:
            loop.call_soon(ends[end].deliver, data)

        return send

    ends["server"], ends["client"] = CoreIce(towards("client")), CoreIce(towards("server"))
    keys: list[object] = []
    server = DtlsTransport(ends["server"], Certificate.generateCertificate(), lambda *found: keys.append(found))
    client = RTCDtlsTransport(ends["client"], [RTCCertificate.generateCertificate()])  # type: ignore[arg-type]
    wrong = Fingerprint("sha-256", ":".join(["00"] * 32))
    accepted, _ = await asyncio.gather(server.accept((wrong,)), client.start(server.getLocalParameters()))
    assert not accepted
    assert not keys
    await client.stop()


async def test_messages_of_the_largest_size_pass_both_ways(pair: Pair) -> None:
    got: list[str] = []
    pair.channel.on("message", got.append)
    largest = "z" * 16_384
    pair.channel.send(largest)
    assert pair.sctp.send_message(0, largest.encode())
    await until(lambda: got == [largest] and pair.messages == [(0, largest.encode())])
    assert not pair.sctp.send_message(0, largest.encode() + b"z")


async def test_datagrams_hold_whole_records(pair: Pair) -> None:
    for datagram in pair.to_client:
        position = 0
        while position < len(datagram):
            position += 13 + int.from_bytes(datagram[position + 11 : position + 13], "big")
        assert position == len(datagram)
        # One record may be a little larger (a full SCTP packet), several together may not.
        assert len(datagram) <= 1_232


async def test_several_records_in_a_datagram_are_all_read(pair: Pair) -> None:
    await until(lambda: not pair.remote._outbound_queue and not pair.remote._sent_queue)
    held: list[bytes] = []
    ice = pair.client.transport
    send = ice._emit  # type: ignore[attr-defined]  # our own stand-in
    ice._emit = held.append  # type: ignore[attr-defined]
    for text in ("one", "two", "three"):
        pair.channel.send(text)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await until(lambda: len(held) >= 3)
    ice._emit = send  # type: ignore[attr-defined]
    send(b"".join(held))
    await until(lambda: [text for _, text in pair.messages] == [b"one", b"two", b"three"])


Attack = Callable[[Pair], object]


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(lambda p: p.data(p.remote._local_tsn, stream=7), id="a stream that was not negotiated"),
        pytest.param(lambda p: p.data(p.remote._local_tsn + 100_000), id="a sequence number far ahead"),
        pytest.param(lambda p: ForwardTsnChunk(body=struct.pack("!L", p.remote._local_tsn + 9)), id="skipping data"),
        pytest.param(
            lambda p: SackChunk(body=struct.pack("!LLHHHH", p.sctp._local_tsn - 1, 9999, 1, 0, 1, 65535)),
            id="gaps that were never sent",
        ),
        pytest.param(
            lambda p: SackChunk(body=struct.pack("!LLHH", (p.sctp._local_tsn + 5) % 2**32, 9999, 0, 0)),
            id="acknowledging the future",
        ),
    ],
)
async def test_hostile_chunks_end_the_session(pair: Pair, attack: Attack) -> None:
    await pair.send_chunk(attack(pair))
    await until(lambda: pair.server.state == "closed")


@pytest.mark.parametrize(
    "body", [b"", b"\x03", b"\x03\x00\x00\x05ab", b"\x06\x00\x00\x04", b"\x82\x00\x00\x0c\x00\x0d\x00\x08abcd"]
)
async def test_truncated_chunks_hurt_nobody_else(pair: Pair, body: bytes) -> None:
    class Raw:
        def __bytes__(self) -> bytes:
            return body + bytes(-len(body) % 4)

    await pair.send_chunk(Raw())
    pair.channel.send("still here?") if pair.channel.readyState == "open" else None
    await until(lambda: pair.server.state == "closed" or bool(pair.messages) or not pair.sctp.is_open(0))


async def test_text_that_is_not_text_is_passed_on_as_bytes(pair: Pair) -> None:
    await pair.send_chunk(pair.data(pair.remote._local_tsn, b"\xff\xfe"))
    await until(lambda: pair.messages == [(0, b"\xff\xfe")])


async def test_channels_opened_in_band_are_ignored(pair: Pair) -> None:
    opening = struct.pack("!BBHLHH", 3, 0, 0, 0, 1, 0) + b"x"
    await pair.send_chunk(pair.data(pair.remote._local_tsn, opening, ppid=WEBRTC_DCEP))
    await pair.send_chunk(pair.data(pair.remote._local_tsn + 1, b"after"))
    await until(lambda: pair.messages == [(0, b"after")])
    assert set(pair.sctp._data_channels) == {0, 1}


async def test_unfinished_messages_are_bounded(pair: Pair) -> None:
    tsn = pair.remote._local_tsn
    for number in range(400):
        if pair.server.state != "connected":
            break
        await pair.send_chunk(pair.data(tsn + number, b"q" * 1_000, flags=2 if number == 0 else 0))
        await asyncio.sleep(0)
    await until(lambda: pair.server.state == "closed")


async def test_datagrams_beyond_the_queue_are_dropped() -> None:
    ice = CoreIce(lambda data: None)
    for _ in range(QUEUE_MAX + 5):
        ice.deliver(b"\x16")
    assert ice.dropped == 5
    ice.close()
    with pytest.raises(ConnectionError):
        await ice._recv()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 1_180), max_size=12))
def test_packing_keeps_records_whole_and_in_order(sizes: list[int]) -> None:
    records = [bytes([23, 254, 253]) + bytes(8) + size.to_bytes(2, "big") + bytes(size) for size in sizes]
    datagrams = list(pack(b"".join(records)))
    assert b"".join(datagrams) == b"".join(records)
    assert all(len(datagram) <= DATAGRAM_MAX for datagram in datagrams)
