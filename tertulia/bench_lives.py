"""What thousands of joins and leaves leave behind: memory of the server after lives that ended in every way there is.

Every life is a real one: offer and answer over HTTP, ICE, DTLS with a certificate of its own, media received. Of ten
lives one is given up before its first check, one is killed while it connects, one falls silent without a word, two say
goodbye over DTLS, the rest end their session over HTTP.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import aiohttp

from tertulia.bench_load import Load, build
from tertulia.bench_run import cores
from tertulia.bench_scene import Scene
from tertulia.bench_server import BenchError, BenchServer, on_core

Manner = Literal["given-up", "killed", "silent", "goodbye", "left"]

MANNERS: Final[tuple[Manner, ...]] = (
    "given-up", "left", "killed", "goodbye", "left", "silent", "left", "goodbye", "left", "left",
)  # fmt: skip
_BATCH: Final = 20
_GONE_LIMIT_S: Final = 90.0
"""Longer than the server waits for a client that does not come (30 s) or falls silent (15 s)."""
_SESSIONS = re.compile(r"^tertulia_sfu_sessions (\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Lives:
    """What was left. Bytes are resident memory of the server process."""

    joins: int
    warm_up: int
    before_bytes: int
    after_bytes: int
    cpu_ms_per_join: float
    seconds: float
    meanwhile: tuple[int, ...] = ()
    """Bytes after each tenth of the joins, with those who were being waited for: a leak goes on rising."""

    @property
    def bytes_per_join(self) -> float:
        return (self.after_bytes - self.before_bytes) / self.joins


async def run(joins: int, warm_up: int) -> Lives:
    """Let so many come and go, after some whose memory the allocator keeps anyway. Raises BenchError."""
    program = await build()
    server_core, load_core = cores()
    with tempfile.TemporaryDirectory(prefix="tertulia-bench-") as directory, on_core(load_core):
        server = BenchServer(Path(directory), 4096, server_core)
        async with server, Load(program, load_core) as load, aiohttp.ClientSession() as http:
            scene = Scene(server, load, http, "gcm128", audio=False)
            await scene.open()
            await scene.join(1, publish=True)
            scene.stream("even", 80, 1100)
            lives = _Ways(scene, first=1)
            await lives.live(warm_up)
            await _all_gone(server, http)
            before, cpu, began = server.memory(), server.cpu(), time.monotonic()
            meanwhile = []
            for tenth in range(10):
                await lives.live(joins * (tenth + 1) // 10 - joins * tenth // 10)
                meanwhile.append(server.memory())
            await _all_gone(server, http)
            seconds = time.monotonic() - began
            after, spent = server.memory(), server.cpu().since(cpu)
            await load.close()
            return Lives(joins, warm_up, before, after, spent * 1000 / joins, seconds, tuple(meanwhile))


@dataclass(slots=True)
class _Ways:
    """Peers that come and go in the scene's room, numbered from ``first``."""

    scene: Scene
    first: int

    async def live(self, count: int) -> None:
        for start in range(0, count, _BATCH):
            await self._batch(min(_BATCH, count - start))

    async def _batch(self, count: int) -> None:
        peers = range(self.first, self.first + count)
        self.first += count
        commands = {}
        for peer in peers:
            own = await self.scene.prepare(peer)
            commands[peer] = await self.scene.describe(peer, await self.scene.token(peer), own, publish=False)
        ways = {peer: MANNERS[peer % len(MANNERS)] for peer in peers}
        load = self.scene.load
        for peer in peers:
            if ways[peer] != "given-up":
                load.tell(commands[peer])
            if ways[peer] == "killed":
                load.tell(f"drop {peer} silent")
        whole = [peer for peer in peers if ways[peer] not in ("given-up", "killed")]
        await load.wait_connected(whole)
        for peer in peers:
            if ways[peer] == "left":
                await self.scene.leave(peer)
            load.tell(f"drop {peer} {'goodbye' if ways[peer] == 'goodbye' else 'silent'}")


async def _all_gone(server: BenchServer, http: aiohttp.ClientSession) -> None:
    """Until only the publisher is left."""
    deadline = time.monotonic() + _GONE_LIMIT_S
    while True:
        async with http.get(f"{server.url}/metrics") as answer:
            found = _SESSIONS.search(await answer.text())
        if found is not None and float(found[1]) <= 1:
            return
        if time.monotonic() > deadline:
            raise BenchError(f"{found[1] if found else '?'} sessions are left that nobody holds any more.")
        await asyncio.sleep(0.5)
