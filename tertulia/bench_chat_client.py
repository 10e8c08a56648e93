"""A Socket.IO client that costs a load generator next to nothing: it counts what arrives without taking it apart.

Frames are masked with a key of zeros, which RFC 6455 allows and which leaves the payload as it is. Only where a server
compresses (permessage-deflate, as browsers offer it) are frames read and inflated.
"""

from __future__ import annotations

import asyncio
import re
import time
import zlib
from collections.abc import Callable
from typing import cast

MARK = b"@@T"
"""Begins every text that is counted; the time it was sent follows."""
_SENT = re.compile(rb"@@T([0-9]+)@@")
_HANDSHAKE = (
    "GET {path}?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: a2tra2tra2tra2tra2traw==\r\n"
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n"
    "Accept-Encoding: gzip, deflate, br\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n\r\n"
)
PING = b"\x81\x012"


def frame(text: str) -> bytes:
    """A client's frame of text."""
    payload = text.encode()
    length = len(payload)
    if length < 126:
        return bytes((0x81, 0x80 | length)) + b"\0\0\0\0" + payload
    if length < 1 << 16:
        return b"\x81\xfe" + length.to_bytes(2, "big") + b"\0\0\0\0" + payload
    return b"\x81\xff" + length.to_bytes(8, "big") + b"\0\0\0\0" + payload


class Client(asyncio.Protocol):
    """One socket.

    :param timed: whether the time each message took is noted, not only its number
    """

    def __init__(self, timed: bool = False) -> None:
        self.delivered = 0
        self.reads = 0
        self.closed = False
        self.delays: list[float] = []
        self.on_text: Callable[[bytes], None] | None = None
        """Set while packets matter one by one; a server's frames are then taken apart."""
        self._timed = timed
        self._upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._buffer = b""
        self._inflate: zlib._Decompress | None = None
        self.transport: asyncio.Transport | None = None

    async def open(self, port: int, path: str) -> None:
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        assert self.transport is not None
        self.transport.write(_HANDSHAKE.format(path=path, port=port).encode())
        await self._upgraded

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed = True
        if not self._upgraded.done():
            self._upgraded.set_exception(ConnectionResetError())

    def send(self, text: str) -> None:
        if self.transport is not None and not self.closed:
            self.transport.write(frame(text))

    def data_received(self, data: bytes) -> None:
        if not self._upgraded.done():
            self._buffer += data
            head, end, rest = self._buffer.partition(b"\r\n\r\n")
            if not end:
                return
            self._buffer = b""
            if not head.startswith(b"HTTP/1.1 101"):
                self._upgraded.set_exception(ConnectionError(head[:40].decode()))
                return
            if b"permessage-deflate" in head:
                self._inflate = zlib.decompressobj(-15)
            self._upgraded.set_result(None)
            data = rest
        self.reads += 1
        if self.on_text is None and self._inflate is None:
            self._count(data)
            if PING in data:
                self.send("3")
            return
        self._take_apart(data)

    def _count(self, data: bytes) -> None:
        self.delivered += data.count(MARK)
        if self._timed:
            now = time.monotonic_ns()
            self.delays += [(now - int(sent)) / 1e6 for sent in _SENT.findall(data)]

    def _take_apart(self, data: bytes) -> None:
        data = self._buffer + data
        at = 0
        while len(data) - at >= 2:
            length, head = data[at + 1] & 0x7F, 2
            if length >= 126:
                head = 4 if length == 126 else 10
                if len(data) - at < head:
                    break
                length = int.from_bytes(data[at + 2 : at + head], "big")
            if len(data) - at < head + length:
                break
            payload = data[at + head : at + head + length]
            if data[at] & 0x40 and self._inflate is not None:
                payload = self._inflate.decompress(payload + b"\0\0\xff\xff")
            at += head + length
            if payload == b"2":
                self.send("3")
            elif self.on_text is not None:
                self.on_text(payload)
            else:
                self._count(payload)
        self._buffer = data[at:]
