"""The servers of the chat's benchmark and the load on them, each a process whose cost the kernel knows."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from tertulia.bench_chat_load import Plan, Report
from tertulia.bench_server import BenchError, free_port, on_core, thread_seconds

NODE_SERVER = Path(__file__).resolve().parent.parent / "web" / "bench" / "socketio.mjs"
SERVER_CORE = 0
LOAD_CORE = 1


@dataclass(frozen=True, slots=True)
class Target:
    """A server that is measured."""

    name: str
    pid: int
    port: int
    path: str


def cpu_seconds(pid: int) -> float:
    """CPU time a process has used, all threads."""
    total = 0.0
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            total += thread_seconds(task)
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended while we looked
    return total


def descendants(pid: int) -> list[int]:
    """Processes that were started by this one, and by those: its database."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(text.rpartition(")")[2].split()[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [pid]
    while waiting:
        for child in parents.get(waiting.pop(), []):
            found.append(child)
            waiting.append(child)
    return found


def database_seconds(pid: int) -> float:
    """CPU time of the database that a server has started."""
    total = 0.0
    for child in descendants(pid):
        try:
            total += cpu_seconds(child)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


@asynccontextmanager
async def stock(name: str) -> AsyncIterator[Target]:
    """``python`` or ``node``: Socket.IO as it comes. Raises BenchError."""
    port = free_port()
    if name == "node":
        command = ["node", str(NODE_SERVER), str(port)]
    else:
        command = [sys.executable, "-m", "tertulia.bench_chat_stock", str(port)]
    with on_core(SERVER_CORE):
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.DEVNULL)
    try:
        for _ in range(400):
            if process.returncode is not None:
                raise BenchError(
                    f"The {name} server to compare with did not start: install what it needs with `make setup`."
                )
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            break
        yield Target(name, process.pid, port, "/socket.io/")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


class Load:
    """One plan under way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def go(self) -> Report:
        """Do the work; what was seen. Raises BenchError."""
        self._tell()
        return Report(**json.loads(await self._line()))

    async def ready(self) -> None:
        await self._line()

    def done(self) -> None:
        """End, whether there was work to do or not."""
        self._tell()
        self._tell()

    def _tell(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(b"go\n")

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            raise BenchError("The load generator ended before its time.")
        return line


@asynccontextmanager
async def load(plan: Plan, pinned: bool = True) -> AsyncIterator[Load]:
    """A load generator that has connected and waits to be told to go."""
    with on_core(LOAD_CORE if pinned and (os.cpu_count() or 1) > 1 else None):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tertulia.bench_chat_load",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=64 * 1024 * 1024,
        )
    try:
        assert process.stdin is not None
        process.stdin.write(msgspec.json.encode(plan) + b"\n")
        made = Load(process)
        await made.ready()
        yield made
        made.done()
        await asyncio.wait_for(process.wait(), 20)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
