"""Robots that this server runs: one small process each, so that drawing and encoding cannot slow the server down.

Their number is bounded, they end with the server whatever happens to it (their standard input closes), and their token
reaches them by standard input, where no list of processes shows it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from dataclasses import dataclass
from typing import Final

import structlog

from tertulia.errors import Unavailable

log = structlog.get_logger(__name__)

ROBOTS_MAX: Final = 8
STOP_LIMIT_S: Final = 5.0


@dataclass(slots=True)
class _Robot:
    process: asyncio.subprocess.Process
    watcher: asyncio.Task[None]


class RobotHost:
    """Starts and ends robots by (room, identity)."""

    def __init__(self, limit: int = ROBOTS_MAX) -> None:
        self._limit = limit
        self._robots: dict[tuple[str, str], _Robot] = {}
        self._starting = 0

    def __len__(self) -> int:
        return len(self._robots)

    async def start(self, room: str, identity: str, token: str, base_url: str) -> None:
        """Start one robot. Raises Unavailable ``robots-full``."""
        if len(self._robots) + self._starting >= self._limit:
            raise Unavailable("robots-full", f"This server runs at most {self._limit} robots.")
        self._starting += 1
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "sfu.robot",
                base_url,
                room,
                stdin=asyncio.subprocess.PIPE,
                # A robot is a guest on this machine: people's pictures go first.
                preexec_fn=_be_nice,
            )
        finally:
            self._starting -= 1
        assert process.stdin is not None
        process.stdin.write(token.encode() + b"\n")
        key = (room, identity)
        watcher = asyncio.get_running_loop().create_task(self._watch(key, process), name="robot-watcher")
        self._robots[key] = _Robot(process, watcher)
        log.info("robot started", room=room, identity=identity)

    async def _watch(self, key: tuple[str, str], process: asyncio.subprocess.Process) -> None:
        status = await process.wait()
        self._robots.pop(key, None)
        log.info("robot ended", room=key[0], identity=key[1], status=status)

    async def stop(self, room: str, identity: str | None = None) -> None:
        """End one robot of a room, or all of them, and wait until they have gone."""
        keys = [key for key in self._robots if key[0] == room and identity in (None, key[1])]
        await asyncio.gather(*(self._end(self._robots[key]) for key in keys))

    async def close(self) -> None:
        """End all robots."""
        await asyncio.gather(*(self._end(robot) for robot in list(self._robots.values())))

    async def _end(self, robot: _Robot) -> None:
        if robot.process.stdin is not None:
            robot.process.stdin.close()  # the robot leaves its room and ends
        done, _ = await asyncio.wait([robot.watcher], timeout=STOP_LIMIT_S)
        if not done:
            with contextlib.suppress(ProcessLookupError):
                robot.process.kill()
            await asyncio.wait([robot.watcher])


def _be_nice() -> None:
    os.nice(5)
