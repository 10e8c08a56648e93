"""WebSocket framing: whole, in pieces, fragmented, and everything RFC 6455 forbids. No sockets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.frame_protocol import FrameProtocol
from wsproto.frame_protocol import Opcode as Theirs

from signaling.websocket import CloseCode, Opcode, Receiver, Violation, accept, close_frame, control_frame, unmask
from tertulia.errors import BadRequest
from tertulia.frames import text_frame

LIMIT = 70_000


def masked(
    opcode: int, payload: bytes, *, final: bool = True, reserved: int = 0, key: bytes = b"\x12\x34\x56\x78"
) -> bytes:
    """A client's frame, by hand, so that it can be wrong."""
    length = len(payload)
    head = bytes(((0x80 if final else 0) | reserved | opcode,))
    if length < 126:
        head += bytes((0x80 | length,))
    elif length < 1 << 16:
        head += b"\xfe" + length.to_bytes(2, "big")
    else:
        head += b"\xff" + length.to_bytes(8, "big")
    return head + key + unmask(payload, key)


def received(*chunks: bytes, limit: int = LIMIT) -> list[tuple[Opcode, bytes]]:
    receiver = Receiver(limit)
    return [message for chunk in chunks for message in receiver.feed(chunk)]


@given(st.lists(st.text(max_size=300), max_size=6), st.integers(1, 40))
def test_text_of_another_implementation_arrives_however_it_is_cut(texts: list[str], step: int) -> None:
    theirs = FrameProtocol(client=True, extensions=[])
    stream = b"".join(theirs.send_data(text, fin=True) for text in texts)
    chunks = [stream[at : at + step] for at in range(0, len(stream), step)]
    assert received(*chunks) == [(Opcode.TEXT, text.encode()) for text in texts]


@given(st.binary(max_size=200), st.binary(min_size=4, max_size=4))
def test_unmasking_twice_gives_the_same(data: bytes, key: bytes) -> None:
    assert unmask(unmask(data, key), key) == data
    assert unmask(data, key) == bytes(byte ^ key[at % 4] for at, byte in enumerate(data))


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536])
def test_every_form_of_length_is_read_and_written(length: int) -> None:
    payload = b"x" * length
    assert received(masked(1, payload)) == [(Opcode.TEXT, payload)]
    theirs = FrameProtocol(client=True, extensions=[])
    theirs.receive_bytes(text_frame(payload))
    parts = list(theirs.received_frames())
    assert "".join(str(part.payload) for part in parts).encode() == payload
    assert {part.opcode for part in parts} <= {Theirs.TEXT, Theirs.CONTINUATION}


def test_fragments_are_joined_and_control_frames_come_between() -> None:
    stream = masked(1, b"one ", final=False) + masked(9, b"?") + masked(0, b"two ", final=False) + masked(0, b"three")
    assert received(stream) == [(Opcode.PING, b"?"), (Opcode.TEXT, b"one two three")]


WRONG: list[tuple[str, bytes, CloseCode]] = [
    ("a frame without a mask", b"\x81\x01x", CloseCode.PROTOCOL_ERROR),
    ("a reserved bit, as of an extension", masked(1, b"x", reserved=0x40), CloseCode.PROTOCOL_ERROR),
    ("an unknown opcode", masked(3, b"x"), CloseCode.PROTOCOL_ERROR),
    ("an unknown control opcode", masked(11, b"x"), CloseCode.PROTOCOL_ERROR),
    ("a fragmented ping", masked(9, b"x", final=False), CloseCode.PROTOCOL_ERROR),
    ("a ping that is too long", masked(9, b"x" * 126), CloseCode.PROTOCOL_ERROR),
    ("a continuation of nothing", masked(0, b"x"), CloseCode.PROTOCOL_ERROR),
    ("a text within a text", masked(1, b"x", final=False) + masked(1, b"y"), CloseCode.PROTOCOL_ERROR),
    ("a frame too big", masked(1, b"x" * (LIMIT + 1)), CloseCode.TOO_BIG),
    ("a length too big, before its bytes", b"\x81\xff" + (2**63).to_bytes(8, "big"), CloseCode.TOO_BIG),
    (
        "fragments too big together",
        masked(1, b"x" * 40_000, final=False) + masked(0, b"x" * 40_000),
        CloseCode.TOO_BIG,
    ),
    ("endless fragments", masked(1, b"", final=False) + masked(0, b"", final=False) * 2000, CloseCode.POLICY_VIOLATION),
]


@pytest.mark.parametrize(("what", "stream", "code"), WRONG, ids=[what for what, _, _ in WRONG])
def test_wrong_frames_are_refused_with_their_code(what: str, stream: bytes, code: CloseCode) -> None:
    with pytest.raises(Violation) as caught:
        received(stream)
    assert caught.value.code is code


@given(st.lists(st.binary(max_size=40), max_size=8))
def test_any_bytes_give_messages_or_a_violation(chunks: list[bytes]) -> None:
    try:
        assert all(len(payload) <= 100 for _, payload in received(*chunks, limit=100) if payload)
    except Violation:
        pass


def test_control_frames_are_understood_by_another_implementation() -> None:
    theirs = FrameProtocol(client=True, extensions=[])
    theirs.receive_bytes(control_frame(Opcode.PONG, b"here") + close_frame(CloseCode.TOO_BIG))
    pong, close = theirs.received_frames()
    assert (pong.opcode, pong.payload) == (Theirs.PONG, b"here")
    assert (close.opcode, close.payload[0]) == (Theirs.CLOSE, 1009)


HANDSHAKE = {
    "Upgrade": "websocket",
    "Connection": "keep-alive, Upgrade",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


def test_handshake_of_the_rfc_is_answered_as_there_and_without_extensions() -> None:
    answer = accept({**HANDSHAKE, "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"})
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n" in answer  # RFC 6455, section 1.3
    assert b"Extensions" not in answer


@pytest.mark.parametrize(
    "header",
    [
        {"Upgrade": "h2c"},
        {"Connection": "close"},
        {"Sec-WebSocket-Version": "8"},
        {"Sec-WebSocket-Key": "short"},
        {"Sec-WebSocket-Key": ""},
        {"Sec-WebSocket-Key": "²" * 24},
    ],
)
def test_handshake_of_another_kind_is_refused(header: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        accept({**HANDSHAKE, **header})
