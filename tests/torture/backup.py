"""A database server that programs share, its backup, and putting that back, by the program's own commands."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Cluster:
    """The server that somebody keeps running in ``directory``."""

    dsn: str
    directory: Path

    def signal(self, number: int) -> None:
        """To its postmaster, unless it is between two lives."""
        with suppress(ValueError, OSError):
            [pid_file] = list(self.directory.rglob("postmaster.pid"))
            os.kill(int(pid_file.read_text().split()[0]), number)


async def dump(cluster: Cluster, path: Path) -> None:
    """``tertulia backup``, while everything goes on."""
    await _tertulia(cluster, "backup", str(path))


async def restore(cluster: Cluster, path: Path) -> None:
    """``tertulia restore``: the backup takes the place of what is there."""
    await _tertulia(cluster, "restore", "--yes", str(path))


async def _tertulia(cluster: Cluster, *command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tertulia", *command),
        env={**os.environ, "TERTULIA_DATABASE_DSN": cluster.dsn, "TERTULIA_DATA_DIR": str(cluster.directory.parent)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"tertulia {command[0]}: {said.decode()[-2000:]}")
