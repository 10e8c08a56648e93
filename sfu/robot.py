"""A test participant: publishes a moving picture and a tone by WHIP, like any program could.

It uses the public door only, stays until it is told to go, and comes back by itself when the server restarts.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import Final
from urllib.parse import urljoin

import aiohttp
import jwt
import structlog
from aiortc import RTCPeerConnection, RTCSessionDescription

from sfu.robot_picture import Picture, Tone

log = structlog.get_logger(__name__)

RETRY_FIRST_S: Final = 0.5
RETRY_MAX_S: Final = 10.0
BITRATE: Final = 300_000
GIVE_UP: Final = frozenset({400, 401, 403, 404, 410, 415})
"""Statuses that trying again does not change."""


class Refused(Exception):
    """The server does not want this robot; trying again would not help."""


async def run(url: str, room: str, token: str, *, stop: asyncio.Event | None = None) -> None:
    """Stay in ``room`` of the server at ``url`` until ``stop`` is set, or for good.

    Raises :class:`Refused` when the token or the room is not (or no longer) good.
    """
    stop = stop or asyncio.Event()
    try:
        name = str(jwt.decode(token, options={"verify_signature": False}).get("name", "Robot"))
    except jwt.InvalidTokenError as error:
        raise Refused("The token is malformed.") from error
    delay = RETRY_FIRST_S
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as http:
        while not stop.is_set():
            try:
                if await _visit(http, url, room, name, stop):
                    delay = RETRY_FIRST_S
            except (aiohttp.ClientError, ConnectionError, TimeoutError) as error:
                log.info("robot is not connected, tries again", error=type(error).__name__, seconds=delay)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), delay)
            delay = min(delay * 2, RETRY_MAX_S)


async def _visit(http: aiohttp.ClientSession, url: str, room: str, name: str, stop: asyncio.Event) -> bool:
    """One session from offer to end. Returns whether it ever was connected."""
    peer = RTCPeerConnection()
    changed = asyncio.Event()
    peer.on("connectionstatechange", changed.set)
    peer.addTransceiver(Tone(name), direction="sendonly")
    peer.addTransceiver(Picture(name), direction="sendonly")
    location: str | None = None
    connected = False
    try:
        await peer.setLocalDescription(await peer.createOffer())
        address = urljoin(url.rstrip("/") + "/", f"whip/{room}")
        offer = peer.localDescription.sdp
        headers = {"Content-Type": "application/sdp"}
        async with http.post(address, data=offer, headers=headers, timeout=aiohttp.ClientTimeout(15)) as answer:
            if answer.status in GIVE_UP:
                raise Refused(await answer.text())
            answer.raise_for_status()
            location = urljoin(address, answer.headers["Location"])
            await peer.setRemoteDescription(RTCSessionDescription(await answer.text(), "answer"))
        waiting = asyncio.ensure_future(stop.wait())
        try:
            while not stop.is_set() and peer.connectionState not in ("failed", "closed"):
                connected = connected or peer.connectionState == "connected"
                changed.clear()
                news = asyncio.ensure_future(changed.wait())
                await asyncio.wait([waiting, news], return_when=asyncio.FIRST_COMPLETED)
                news.cancel()
        finally:
            waiting.cancel()
        return connected
    finally:
        if location is not None and stop.is_set():
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with http.delete(location, timeout=aiohttp.ClientTimeout(3)):
                    pass
        await peer.close()


async def _main(url: str, room: str) -> int:
    """As a process of a server: the token on the first line of standard input, and the end when that closes."""
    loop = asyncio.get_running_loop()
    token = (await loop.run_in_executor(None, sys.stdin.readline)).strip()
    stop = asyncio.Event()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)

    async def watch() -> None:
        while await reader.read(1024):
            pass
        stop.set()

    watcher = loop.create_task(watch())
    try:
        await run(url, room, token, stop=stop)
    except Refused:
        log.warning("robot was refused")
        return 1
    finally:
        watcher.cancel()
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(sys.argv[1], sys.argv[2])))
