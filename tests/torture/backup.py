"""A database server that programs share, its backup, and putting that back, by PostgreSQL's own programs."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from tertulia.postgres import binaries


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
    """Back up while everything goes on."""
    await _run(binaries() / "pg_dump", "-Fc", "-d", cluster.dsn, "-f", path)


async def restore(cluster: Cluster, path: Path) -> None:
    """Put the backup in place of what is there; nothing else may use the database meanwhile."""
    db = await asyncpg.connect(cluster.dsn)
    try:
        for schema in ("chat", "signaling", "tertulia"):
            await db.execute(f"DROP SCHEMA {schema} CASCADE")
    finally:
        await db.close()
    await _run(binaries() / "pg_restore", "-1", "-d", cluster.dsn, path)


async def _run(*command: str | Path) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, errors = await process.communicate()
    if process.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name}: {errors.decode()[-2000:]}")
    sys.stderr.write(errors.decode())
