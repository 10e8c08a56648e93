"""Sockets over real TCP that behave badly below Socket.IO, and the shared timers behind all of them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from signaling.flusher import DELAY_MAX_S, Flusher
from signaling.heart import Heart
from signaling.socket import ODDITIES_MAX
from tests.signaling.conftest import Stack
from tests.signaling.test_hostile import raw, still_well
from tests.signaling.test_websocket import masked
from tests.waiting import until

HANDSHAKE = (
    b"GET /ws/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %b\r\n"
    b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n" % base64.b64encode(b"k" * 16)
)


@asynccontextmanager
async def wire(stack: Stack) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A TCP connection after its handshake."""
    at = urlsplit(stack.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        writer.write(HANDSHAKE)
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"Extensions" not in head, "nothing is compressed"
        yield reader, writer
    finally:
        writer.close()


async def close_code(reader: asyncio.StreamReader) -> int | None:
    """The code of the CLOSE frame before the connection ends."""
    data = await asyncio.wait_for(reader.read(), 10)
    at = data.rfind(b"\x88\x02")
    return int.from_bytes(data[at + 2 : at + 4], "big") if at >= 0 else None


@pytest.mark.parametrize(
    ("stream", "code"),
    [
        (b"\x81\x03abc", 1002),
        (masked(1, b"x", reserved=0x40), 1002),
        (masked(1, b"\xff\xfe"), 1007),
        (b"\x81\xff" + (1 << 40).to_bytes(8, "big"), 1009),
        (masked(9, b"") * (ODDITIES_MAX + 1), 1008),
        (masked(1, b"3") * (ODDITIES_MAX + 1), 1008),
        (masked(1, b"40{}") * (ODDITIES_MAX + 1), 1008),
    ],
    ids=["unmasked", "compressed", "not UTF-8", "too big", "pings", "pongs", "tokens"],
)
async def test_socket_that_breaks_the_protocol_is_closed_with_its_code(stack: Stack, stream: bytes, code: int) -> None:
    async with wire(stack) as (reader, writer):
        writer.write(stream)
        writer.write(masked(8, b"\x03\xe8"))
        assert await close_code(reader) == code


async def test_message_in_single_bytes_is_one_message(stack: Stack) -> None:
    room = (await stack.room())["id"]
    async with wire(stack) as (reader, writer):
        for byte in masked(1, b"40" + json.dumps({"token": stack.token(room, "slow")}).encode()):
            writer.write(bytes((byte,)))
            await writer.drain()
        await asyncio.wait_for(reader.readuntil(b'40{"sid"'), 10)


async def test_ping_is_answered_and_close_is_closed(stack: Stack) -> None:
    async with wire(stack) as (reader, writer):
        writer.write(masked(9, b"hello?"))
        await asyncio.wait_for(reader.readuntil(b"\x8a\x06hello?"), 10)
        writer.write(masked(8, b"\x03\xe8"))
        assert await close_code(reader) == 1000


async def test_socket_that_shows_no_token_or_answers_no_ping_is_ended(stack: Stack) -> None:
    room = (await stack.room())["id"]
    quiet = await stack.client(room, "quiet")
    async with wire(stack) as (reader, _), raw(stack, stack.token(room, "dead")) as dead:
        for _ in range(10):
            stack.door.heart.beat()
        await asyncio.wait_for(reader.read(), 10)
        # Its pings were answered by the library, or not read at all.
        await still_well(dead)
        for _ in range(10):
            stack.door.heart.beat()
        assert (await dead.packet()).startswith("closed")
    assert (await quiet.call("leave"))["error"]["code"] == "not-joined"


async def test_other_namespace_is_refused_and_the_only_one_stays(stack: Stack) -> None:
    room = (await stack.room())["id"]
    async with raw(stack, stack.token(room, "ada")) as client:
        await client.ws.send_str("40/admin,{}")
        assert (await client.packet()).startswith("44/admin,{")
        await still_well(client)


async def test_flush_comes_soon_and_no_oftener_than_it_costs() -> None:
    now = 0.0
    flushed: list[float] = []

    class Slow:
        def flush(self) -> None:
            nonlocal now
            now += 0.004
            flushed.append(now)

    flusher = Flusher(lambda: now)
    flusher.add(Slow())
    flusher.add(Slow())
    await asyncio.sleep(0)
    assert flushed == [0.004, 0.008]
    flusher.add(Slow())
    await asyncio.sleep(0)
    assert len(flushed) == 2, "as long as the last flush took, or the most it may wait"
    now += DELAY_MAX_S
    await until(lambda: len(flushed) == 3)


def test_heart_asks_each_socket_once_an_interval() -> None:
    class Socket:
        pings = 0

        def ping(self) -> None:
            self.pings += 1

    heart = Heart(3)
    first, second = Socket(), Socket()
    slot = heart.add(first)
    heart.beat()
    heart.add(second)
    assert (first.pings, second.pings) == (0, 0)
    for _ in range(6):
        heart.beat()
    assert (first.pings, second.pings) == (2, 2)
    heart.remove(first, slot)
    for _ in range(3):
        heart.beat()
    assert (first.pings, second.pings) == (2, 3)


async def test_handshake_that_trickles_in_is_cut_off() -> None:
    """The HTTP server's idle limit counts from the first byte on, whatever else arrives."""
    runner = web.AppRunner(web.Application(), keepalive_timeout=0.3)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(HANDSHAKE[:60])

        def trickles() -> bool:
            if not writer.is_closing():
                writer.write(b"x")
            return reader.at_eof() or reader.exception() is not None

        await until(trickles)
        writer.close()
    finally:
        await runner.cleanup()
