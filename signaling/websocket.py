"""The server's side of the WebSocket protocol (RFC 6455) without extensions: bytes in, messages out.

A general library negotiates compression, keeps a queue and a task for every socket and builds each frame anew; with
thousands of sockets that get the same frame, this is what the time and the memory go to. What a server needs that
compresses nothing and takes only text is small. Nothing here does I/O.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Iterator, Mapping
from enum import IntEnum

from tertulia.errors import BadRequest

_ACCEPT = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
FRAGMENTS_MAX = 1024
CONTROL_BYTES_MAX = 125


class Opcode(IntEnum):
    """RFC 6455, section 11.8."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class CloseCode(IntEnum):
    """RFC 6455, section 7.4.1."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    INVALID_DATA = 1007
    POLICY_VIOLATION = 1008
    TOO_BIG = 1009


class Violation(Exception):
    """The peer broke the protocol, or a bound; the connection is to be closed with ``code``."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code.name)
        self.code = code


def accept(headers: Mapping[str, str]) -> bytes:
    """The answer to an opening handshake (section 4.2). Raises BadRequest ``bad-request``.

    Extensions are offered by browsers and accepted by none of ours: RFC 6455 leaves that to the server, and
    permessage-deflate costs more processor and memory than it saves in network here.
    """
    tokens = {token.strip().lower() for token in headers.get("Connection", "").split(",")}
    if headers.get("Upgrade", "").strip().lower() != "websocket" or "upgrade" not in tokens:
        raise BadRequest("bad-request", "This address takes WebSocket connections only (transport=websocket).")
    if headers.get("Sec-WebSocket-Version", "").strip() != "13":
        raise BadRequest("bad-request", "The WebSocket version must be 13.")
    key = headers.get("Sec-WebSocket-Key", "").strip()
    try:
        good = len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        good = False
    if not good:
        raise BadRequest("bad-request", "The WebSocket key must be 16 bytes in base64.")
    digest = base64.b64encode(hashlib.sha1(key.encode() + _ACCEPT).digest())
    return (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % digest
    )


def control_frame(opcode: Opcode, payload: bytes = b"") -> bytes:
    """A PING, PONG or CLOSE frame (section 5.5)."""
    assert len(payload) <= CONTROL_BYTES_MAX
    return bytes((0x80 | opcode, len(payload))) + payload


def close_frame(code: CloseCode) -> bytes:
    return control_frame(Opcode.CLOSE, int(code).to_bytes(2, "big"))


class Receiver:
    """Takes a client's bytes apart. Its state is what has arrived of a message that is not whole yet."""

    __slots__ = ("_buffer", "_fragments", "_limit", "_missing", "_opcode", "_parts")

    def __init__(self, message_bytes_max: int) -> None:
        self._limit = message_bytes_max
        self._buffer: bytearray | None = None
        self._missing = 0
        self._opcode: Opcode | None = None
        self._parts: bytearray | None = None
        self._fragments = 0

    def feed(self, data: bytes) -> Iterator[tuple[Opcode, bytes]]:
        """Whole messages (TEXT, BINARY) and control frames, in order. Raises Violation where the bytes go wrong."""
        if self._buffer is not None:
            self._buffer += data
            if len(self._buffer) < self._missing:
                return  # else every byte of a frame that comes in small pieces would be looked at again and again
            data = bytes(self._buffer)
            self._buffer = None
        start, end = 0, len(data)
        while start < end:
            frame = self._frame(data, start, end)
            if frame is None:
                self._buffer = bytearray(data[start:])
                return
            self._missing = 0
            final, opcode, payload, start = frame
            if opcode >= Opcode.CLOSE:
                yield opcode, payload
            elif final and self._opcode is None and opcode is not Opcode.CONTINUATION:
                yield opcode, payload
            else:
                whole = self._fragment(final, opcode, payload)
                if whole is not None:
                    yield whole

    def _frame(self, data: bytes, start: int, end: int) -> tuple[bool, Opcode, bytes, int] | None:
        """Section 5.2: FIN, opcode, payload and where the next frame begins; None while bytes are missing."""
        if end - start < 2:
            return None
        first, second = data[start], data[start + 1]
        # "MUST be 0 unless an extension is negotiated"; "a server MUST close the connection upon receiving a frame
        # that is not masked" (section 5.1).
        if first & 0x70 or not second & 0x80:
            raise Violation(CloseCode.PROTOCOL_ERROR)
        try:
            opcode = Opcode(first & 0x0F)
        except ValueError:
            raise Violation(CloseCode.PROTOCOL_ERROR) from None
        final = bool(first & 0x80)
        length = second & 0x7F
        at = start + 2
        if opcode >= Opcode.CLOSE and (length > CONTROL_BYTES_MAX or not final):
            raise Violation(CloseCode.PROTOCOL_ERROR)
        if length >= 126:
            width = 2 if length == 126 else 8
            if end - at < width:
                return None
            length = int.from_bytes(data[at : at + width], "big")
            at += width
        # Known before the first byte of it is here: nothing is kept of what will be refused.
        if length + (len(self._parts) if self._parts is not None else 0) > self._limit:
            raise Violation(CloseCode.TOO_BIG)
        if end - at < 4 + length:
            self._missing = at + 4 + length - start
            return None
        payload = unmask(data[at + 4 : at + 4 + length], data[at : at + 4])
        return final, opcode, payload, at + 4 + length

    def _fragment(self, final: bool, opcode: Opcode, payload: bytes) -> tuple[Opcode, bytes] | None:
        """Section 5.4: a first fragment names the type, the others continue it."""
        if (opcode is Opcode.CONTINUATION) != (self._opcode is not None):
            raise Violation(CloseCode.PROTOCOL_ERROR)
        if self._opcode is None or self._parts is None:
            self._opcode, self._parts, self._fragments = opcode, bytearray(), 0
        self._fragments += 1
        if self._fragments > FRAGMENTS_MAX:
            raise Violation(CloseCode.POLICY_VIOLATION)
        self._parts += payload
        if not final:
            return None
        whole = self._opcode, bytes(self._parts)
        self._opcode = self._parts = None
        return whole


def unmask(data: bytes, key: bytes) -> bytes:
    """Section 5.3: every byte XOR its byte of the key; as one large number, which is quick without a loop."""
    length = len(data)
    mask = int.from_bytes((key * (length // 4 + 1))[:length], "big")
    return (int.from_bytes(data, "big") ^ mask).to_bytes(length, "big")
