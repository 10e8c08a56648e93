"""A server to be measured: ``tertulia serve`` in its own process, on one core, with what it costs.

CPU is user and system time of the whole process, all threads, as the kernel's scheduler accounts it. The worker thread
is reported apart: it is the busiest thread that is not the first one.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import aiohttp

_START_LIMIT_S = 60.0
_STOP_LIMIT_S = 30.0


class BenchError(Exception):
    """The measurement cannot be made; the text is one sentence that says why and what to do."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """CPU seconds used so far, by thread."""

    threads: dict[int, float]
    main: int

    def since(self, earlier: Cpu) -> float:
        """Seconds of all threads between two readings; threads that ended in between are not missed."""
        return sum(seconds - earlier.threads.get(thread, 0.0) for thread, seconds in self.threads.items())

    def worker_since(self, earlier: Cpu, workers: int = 1) -> float:
        """The same of the busiest threads other than the first, as many as there are workers."""
        others = [
            seconds - earlier.threads.get(thread, 0.0)
            for thread, seconds in self.threads.items()
            if thread != self.main
        ]
        return sum(sorted(others, reverse=True)[:workers])


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports(count: int) -> int:
    """The first of so many UDP ports in a row that nobody uses now."""
    while True:
        first = free_port(socket.SOCK_DGRAM)
        with ExitStack() as held:
            try:
                for port in range(first, first + count):
                    held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)).bind(("127.0.0.1", port))
            except (OSError, OverflowError):
                continue
        return first


@dataclass(slots=True)
class BenchServer:
    """Use as an asynchronous context manager.

    :param directory: an empty directory for its data and its log
    :param capacity: how many participants a room must hold
    :param core: the core it is pinned to; None: any
    :param per_worker: how many sessions of the room a worker takes before others get some
    """

    directory: Path
    capacity: int
    core: int | None = None
    workers: int = 1
    per_worker: int = 4096
    url: str = ""
    key: str = ""
    """Bearer of the API key: ``id:secret``."""
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    async def __aenter__(self) -> BenchServer:
        port = free_port(socket.SOCK_STREAM)
        secret = secrets.token_hex(24)
        self.url = f"http://127.0.0.1:{port}"
        self.key = f"bench:{secret}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
        environment |= {
            "TERTULIA_HTTP_PORT": str(port),
            "TERTULIA_MEDIA_PORT": str(free_ports(self.workers)),
            "TERTULIA_MEDIA_WORKERS": str(self.workers),
            "TERTULIA_MEDIA_WORKER_SESSIONS": str(max(1, self.per_worker)),
            "TERTULIA_MEDIA_ADDRESSES": "127.0.0.1",
            "TERTULIA_DATA_DIR": str(self.directory / "data"),
            "TERTULIA_API_KEYS": f"bench={secret}",
            "TERTULIA_ROOM_CAPACITY": str(self.capacity),
            "TERTULIA_LOG_LEVEL": "warning",
        }
        log = self.directory / "server.log"
        with log.open("wb") as output, on_core(self.core):
            self._process = await asyncio.create_subprocess_exec(
                *_serve(), env=environment, stdout=output, stderr=output
            )
        try:
            await self._wait_until_ready(log)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def cpu(self) -> Cpu:
        """Time used so far. Nanoseconds from ``schedstat`` where the kernel has it, else clock ticks from ``stat``."""
        threads: dict[int, float] = {}
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            try:
                threads[int(task.name)] = thread_seconds(task)
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
        return Cpu(threads, self.pid)

    def memory(self) -> int:
        """Resident bytes of the process."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        return 0

    async def _wait_until_ready(self, log: Path) -> None:
        assert self._process is not None
        deadline = asyncio.get_running_loop().time() + _START_LIMIT_S
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{self.url}/readyz") as answer:
                        if answer.status == 200:
                            return
                except aiohttp.ClientError:
                    pass  # not listening yet
                if self._process.returncode is not None or asyncio.get_running_loop().time() > deadline:
                    raise BenchError(f"The server did not start. Its last words:\n{_tail(log)}")
                await asyncio.sleep(0.05)

    async def _stop(self) -> None:
        if self._process is None or self._process.returncode is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), _STOP_LIMIT_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


def _serve() -> tuple[str, ...]:
    return sys.executable, "-m", "tertulia", "serve"


@contextmanager
def on_core(core: int | None) -> Iterator[None]:
    """Whatever is started inside runs on this core only."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _tail(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


def thread_seconds(task: Path) -> float:
    schedstat = task / "schedstat"
    if schedstat.exists():
        return int(schedstat.read_text().split()[0]) / 1e9
    # proc(5): fields 14 and 15 of stat; the second field, in parentheses, may hold spaces.
    fields = (task / "stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
