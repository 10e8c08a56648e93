"""Robots that people asked for: server-side participants which come to the room by the same door as any stream."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

import structlog

from signaling.names import robot_identity
from tertulia.catalogue import Grants, Participant
from tertulia.errors import Unavailable
from tertulia.settings import Settings
from tertulia.tokens import Tokens

log = structlog.get_logger("signaling.robots")

TTL_S = 24 * 3600


class RobotHost(Protocol):
    """Runs robots (``sfu.robots``)."""

    async def start(self, room: str, identity: str, token: str, base_url: str) -> None:
        """Raises Unavailable ``robots-full``."""

    async def stop(self, room: str, identity: str | None = None) -> None:
        """End one robot of a room, or all of them."""

    async def close(self) -> None: ...


class Robots:
    """Which robots are in which room."""

    def __init__(self, settings: Settings, tokens: Tokens, host: RobotHost | None) -> None:
        self._settings = settings
        self._tokens = tokens
        self._host = host
        self._rooms: dict[str, dict[str, str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def known(self, room: str, identity: str) -> bool:
        return identity in self._rooms.get(room, {})

    async def add(self, room: str) -> Participant:
        """Start a robot for the room. Raises Unavailable ``robots-full`` or ``robots-unavailable``."""
        if self._host is None:
            raise Unavailable("robots-unavailable", "This server runs no robots.")
        names = self._rooms.setdefault(room, {})
        identity = robot_identity()
        number = next(n for n in range(1, len(names) + 2) if f"Robot {n}" not in names.values())
        names[identity] = name = f"Robot {number}"
        token = self._tokens.mint(room, identity, name, Grants(subscribe=False, chat=False), TTL_S)
        try:
            await self._host.start(room, identity, token, self._base_url)
        except BaseException:
            self._forget(room, identity)
            raise
        return Participant(id=identity, name=name, kind="robot", joined_at=round(time.time() * 1000), connected=False)

    async def stop(self, room: str, identity: str) -> bool:
        """End one robot; whether there was such a one."""
        if self._host is None or not self.known(room, identity):
            return False
        self._forget(room, identity)
        await self._host.stop(room, identity)
        return True

    def stop_room(self, room: str) -> None:
        """End the room's robots: nobody is left to see them."""
        if self._rooms.pop(room, None) and self._host is not None:
            task = asyncio.create_task(self._host.stop(room), name="robots-stop")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        self._rooms.clear()
        if self._host is not None:
            await self._host.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def _base_url(self) -> str:
        # A robot is a process of this machine; it need not go through the proxy in front.
        host = self._settings.http_host
        if host in ("", "0.0.0.0", "::", "localhost"):
            host = "127.0.0.1"
        return (
            f"http://[{host}]:{self._settings.http_port}"
            if ":" in host
            else f"http://{host}:{self._settings.http_port}"
        )

    def _forget(self, room: str, identity: str) -> None:
        names = self._rooms.get(room, {})
        names.pop(identity, None)
        if not names:
            self._rooms.pop(room, None)
