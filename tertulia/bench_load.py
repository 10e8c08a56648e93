"""The load generator's process: builds it, drives it through its standard input, reads its JSON lines.

``sfu/native/bench/main.cpp`` describes the lines.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import msgspec

from tertulia.bench_server import BenchError

_ROOT = Path(__file__).resolve().parent.parent
_BUILD = _ROOT / "build" / "bench"
_ANSWER_LIMIT_S = 30.0


class Report(msgspec.Struct, frozen=True):
    """What all viewers together saw since the last reset. ``late_us``: how far the generator was behind at worst."""

    seconds: float
    sent: int
    slots: int
    receiving: int
    delivered: int
    bytes: int
    lost: int
    verified: int
    mismatched: int
    fewest: int
    most: int
    delay_p50_us: int
    delay_p99_us: int
    late_us: int
    key_frames: int
    flooded: int
    cpu_seconds: float


class _Line(msgspec.Struct, frozen=True):
    event: str
    peer: int = -1
    profile: int = 0
    fingerprint: str = ""


async def build() -> Path:
    """Compile what has changed of the load generator; returns the program."""
    cmake = shutil.which("cmake")
    if cmake is None or not (_ROOT / "CMakeLists.txt").exists():
        raise BenchError("The load generator is built from a checkout, with cmake. Run `make setup` first.")
    configure = [
        "-S", str(_ROOT), "-B", str(_BUILD), "-DCMAKE_BUILD_TYPE=Release",
        "-DTERTULIA_BENCH=ON", "-DTERTULIA_BINDINGS=OFF",
    ]  # fmt: skip
    for arguments in (configure, ["--build", str(_BUILD), "--target", "tertulia-load", "--parallel", "2"]):
        process = await asyncio.create_subprocess_exec(
            cmake, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        output, _ = await process.communicate()
        if process.returncode != 0:
            raise BenchError(f"The load generator cannot be built:\n{output.decode(errors='replace')[-3000:]}")
    return _BUILD / "tertulia-load"


class Load:
    """Use as an asynchronous context manager.

    :param program: from :func:`build`
    :param core: the core it is pinned to; None: any
    """

    def __init__(self, program: Path, core: int | None = None) -> None:
        self._program = program
        self._core = core
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._answers: asyncio.Queue[bytes] = asyncio.Queue()
        self._outcome = asyncio.Condition()
        self._connected: dict[int, int] = {}
        self._failed: set[int] = set()
        self._ended = False

    async def __aenter__(self) -> Load:
        self._process = await asyncio.create_subprocess_exec(
            str(self._program), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        if self._core is not None:
            os.sched_setaffinity(self._process.pid, {self._core})
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None and self._process.stdin is not None and self._reader is not None
        self._process.stdin.close()  # the end of its input ends it
        await self._process.wait()
        await self._reader

    def tell(self, line: str) -> None:
        """Send a command that is not answered."""
        assert self._process is not None and self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())

    async def add_peer(self, peer: int, ufrag: str, pwd: str) -> str:
        """Returns the fingerprint of the peer's certificate."""
        return msgspec.json.decode(await self._ask(f"peer {peer} {ufrag} {pwd}"), type=_Line).fingerprint

    async def reset(self) -> None:
        """Begin a measuring window."""
        await self._ask("reset")

    async def report(self) -> Report:
        return msgspec.json.decode(await self._ask("report"), type=Report)

    async def close(self) -> None:
        """All peers say goodbye."""
        await self._ask("close")

    async def wait_connected(self, peers: Iterable[int], limit_s: float = _ANSWER_LIMIT_S) -> None:
        """Until DTLS is done for all of them. Raises BenchError if one fails."""
        wanted = set(peers)
        try:
            async with asyncio.timeout(limit_s), self._outcome:
                await self._outcome.wait_for(
                    lambda: wanted <= self._connected.keys() or self._failed & wanted or self._ended
                )
        except TimeoutError:
            pass  # the sentence below says who is missing
        missing = wanted - self._connected.keys()
        if missing:
            raise BenchError(f"{len(missing)} of {len(wanted)} peers did not connect (ICE or DTLS).")

    @property
    def profiles(self) -> set[int]:
        """The DTLS-SRTP profiles that were agreed on."""
        return set(self._connected.values())

    async def _ask(self, line: str) -> bytes:
        self.tell(line)
        try:
            answer = await asyncio.wait_for(self._answers.get(), _ANSWER_LIMIT_S)
        except TimeoutError:
            answer = b""
        if not answer:
            raise BenchError("The load generator does not answer.")
        return answer

    async def _read(self) -> None:
        assert self._process is not None and self._process.stdout is not None
        async for text in self._process.stdout:
            line = msgspec.json.decode(text, type=_Line)
            if line.event not in ("connected", "failed"):
                self._answers.put_nowait(text)
                continue
            async with self._outcome:
                if line.event == "connected":
                    self._connected[line.peer] = line.profile
                else:
                    self._failed.add(line.peer)
                self._outcome.notify_all()
        async with self._outcome:
            self._ended = True
            self._outcome.notify_all()
        self._answers.put_nowait(b"")
