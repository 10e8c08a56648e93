"""The database: a pool over the embedded PostgreSQL or a configured one, and its migrations.

Both are checked the same way at the start (version, encoding, durability), so that what one promises the other keeps.
A migration is a plain SQL file ``<package>/migrations/NNNN_name.sql``, run once, in order, in one transaction, with
``search_path`` set to the package's own schema. An advisory lock lets one of several programs do it.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import structlog

from tertulia.errors import Unavailable
from tertulia.postgres import EmbeddedPostgres, PostgresError
from tertulia.settings import Settings

log = structlog.get_logger("tertulia.database")

PACKAGES = ("tertulia", "accounts", "signaling", "chat", "media", "notifications", "analytics")
VERSION_MIN = 16
POOL_SIZE_MAX = 20
ACQUIRE_LIMIT_S = 10.0
MIGRATION_LOCK = 0x74657274  # any number that all programs agree on; this one spells "tert"

# What a connection that is gone, or a server that is not there yet, looks like.
LOST = (
    OSError,
    asyncpg.CannotConnectNowError,
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.ConnectionFailureError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
)

_FILE = re.compile(r"^(\d{4})_([a-z0-9_]+)\.sql$")


class DatabaseError(Exception):
    """The database cannot be used; the text is one sentence that says what to do."""


@dataclass(frozen=True)
class Migration:
    """One file, and what identifies its content."""

    package: str
    number: int
    name: str
    sql: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


class Database:
    """Connections for the services; started once, passed to each.

    :param dsn: a PostgreSQL server, or empty for the embedded one
    :param directory: where the embedded one lives
    """

    def __init__(self, dsn: str, directory: Path) -> None:
        self._dsn = dsn
        self.embedded = None if dsn else EmbeddedPostgres(directory)
        self._pool: asyncpg.Pool | None = None

    @classmethod
    def from_settings(cls, settings: Settings) -> Database:
        """The database that the settings name."""
        return cls(settings.database_dsn, Path(settings.data_dir).expanduser().resolve() / "postgres")

    @property
    def parameters(self) -> dict[str, Any]:
        """Keyword arguments of ``asyncpg.connect`` (a listening connection is made outside the pool)."""
        return dict(self.embedded.parameters) if self.embedded is not None else {"dsn": self._dsn}

    @property
    def pool(self) -> asyncpg.Pool:
        """The pool itself; :meth:`acquire` waits for a server that is restarting, this does not."""
        assert self._pool is not None, "the database is not started"
        return self._pool

    async def start(self) -> None:
        """Start the embedded server if it is ours to start, connect, and check. Raises DatabaseError."""
        if self.embedded is not None:
            try:
                await self.embedded.start()
            except PostgresError as error:
                raise DatabaseError(str(error)) from error
        try:
            self._pool = await asyncpg.create_pool(
                **self.parameters, min_size=0, max_size=POOL_SIZE_MAX, timeout=10, command_timeout=60
            )
            if self.embedded is not None:
                # Connections to a server that died may not have noticed yet; none of them is handed out again.
                self.embedded.on_ended = self._pool.expire_connections
            await self._check()
        except DatabaseError:
            await self.close()
            raise
        except (OSError, TimeoutError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            await self.close()
            raise DatabaseError(
                f"Cannot connect to the database in TERTULIA_DATABASE_DSN ({_reason(error)}); start that server or "
                "correct the setting, or leave it empty for the embedded database."
            ) from error

    async def close(self) -> None:
        """Close the connections, then the embedded server."""
        if self._pool is not None:
            pool, self._pool = self._pool, None
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except TimeoutError:
                pool.terminate()
        if self.embedded is not None:
            await self.embedded.close()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        """A working connection; a server that restarts is waited for. Raises Unavailable ``database-unavailable``.

        A connection lost while in use raises to the caller, who alone knows whether to do the work again.
        """
        connection = await self._acquire()
        try:
            yield connection
        finally:
            await self.pool.release(connection)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection inside one transaction, committed at the end and rolled back on an exception."""
        async with self.acquire() as connection, connection.transaction():
            yield connection

    async def ready(self) -> bool:
        """Whether a query is answered now."""
        try:
            async with asyncio.timeout(2), self.pool.acquire() as connection:
                return bool(await connection.fetchval("select true"))
        except (*LOST, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False

    async def _acquire(self) -> asyncpg.Connection:
        deadline = time.monotonic() + ACQUIRE_LIMIT_S
        delay = 0.02
        while True:
            try:
                return await self.pool.acquire(timeout=max(0.1, deadline - time.monotonic()))
            except (*LOST, TimeoutError) as error:
                if time.monotonic() + delay > deadline:
                    log.warning("database does not answer", error=type(error).__name__)
                    raise Unavailable(
                        "database-unavailable", "The database does not answer; try again soon."
                    ) from error
            await asyncio.sleep(delay)
            delay = min(0.5, delay * 2)

    async def _check(self) -> None:
        """What the promises rest on: version, encoding, and that a commit is on disk when it is acknowledged."""
        async with self.pool.acquire() as connection:
            version = connection.get_server_version()
            if version.major < VERSION_MIN:
                raise DatabaseError(
                    f"The database is PostgreSQL {version.major}; version {VERSION_MIN} or newer is needed."
                )
            row = await connection.fetchrow(
                "select current_setting('fsync') fsync, current_setting('full_page_writes') full_page_writes,"
                " current_setting('synchronous_commit') synchronous_commit, current_setting('server_encoding') encoding"
                ", lower('ÄΣЖ') = 'äσж' folds"
            )
        if row["encoding"] != "UTF8":
            raise DatabaseError(f"The database's encoding is {row['encoding']}; make one with encoding UTF8.")
        if not row["folds"]:
            raise DatabaseError(
                "The database's locale knows only ASCII letters, so that names would not be found; make one with "
                "LOCALE_PROVIDER builtin BUILTIN_LOCALE 'C.UTF-8' (PostgreSQL 17 or newer), or any UTF-8 locale."
            )
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            if row[name] == "off":
                raise DatabaseError(
                    f"PostgreSQL runs with {name} = off, so that acknowledged messages could be lost; switch it on."
                )

    # -- migrations

    async def migrate(self) -> list[str]:
        """Apply what is missing; the names of what was applied. Raises DatabaseError."""
        async with self.acquire() as connection:
            return await self.migrate_on(connection)

    async def migrate_on(self, connection: asyncpg.Connection) -> list[str]:
        """Apply what is missing over a connection that is there already. Raises DatabaseError."""
        known = [migration for package in PACKAGES for migration in find_migrations(package)]
        await connection.execute("select pg_advisory_lock($1)", MIGRATION_LOCK)
        try:
            return await _apply(connection, known)
        finally:
            await connection.execute("select pg_advisory_unlock($1)", MIGRATION_LOCK)


def find_migrations(package: str) -> list[Migration]:
    """The package's files in order. A gap or a doubled number is a mistake of ours."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return []
    found = []
    for path in sorted((Path(spec.submodule_search_locations[0]) / "migrations").glob("*.sql")):
        match = _FILE.match(path.name)
        assert match is not None, f"{path} is not named NNNN_name.sql"
        found.append(Migration(package, int(match[1]), match[2], path.read_text(encoding="utf-8")))
    numbers = [migration.number for migration in found]
    assert numbers == list(range(1, len(found) + 1)), f"migrations of {package} are numbered {numbers}"
    return found


async def _apply(connection: asyncpg.Connection, known: list[Migration]) -> list[str]:
    await connection.execute(
        """
        create schema if not exists tertulia;
        create table if not exists tertulia.migration (
            package text not null,
            number integer not null,
            name text not null,
            digest text not null,
            applied_at timestamptz not null default now(),
            primary key (package, number)
        )
        """
    )
    rows = await connection.fetch("select package, number, name, digest from tertulia.migration")
    applied = {(row["package"], row["number"]): row for row in rows}
    unknown = applied.keys() - {(migration.package, migration.number) for migration in known}
    if unknown:
        package, number = min(unknown)
        raise DatabaseError(
            f"The database was made by a newer version of this program (migration {package} {number:04}); start that "
            "version, or restore a backup from before."
        )
    names = []
    for migration in known:
        label = f"{migration.package}/{migration.number:04}_{migration.name}"
        done = applied.get((migration.package, migration.number))
        if done is not None:
            if done["digest"] != migration.digest:
                raise DatabaseError(
                    f"Migration {label} is not the one this database was made with; start the version that made it, or "
                    "in development remove the data directory."
                )
            continue
        async with connection.transaction():
            await connection.execute(f'create schema if not exists "{migration.package}"')
            await connection.execute(f'set local search_path to "{migration.package}"')
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into tertulia.migration (package, number, name, digest) values ($1, $2, $3, $4)",
                migration.package, migration.number, migration.name, migration.digest,
            )  # fmt: skip
        log.info("migrated", migration=label)
        names.append(label)
    return names


def _reason(error: BaseException) -> str:
    """The reason without what a DSN may hold."""
    if isinstance(error, TimeoutError):
        return "no answer"
    if isinstance(error, OSError):
        return os.strerror(error.errno).lower() if error.errno else "no such host"
    if isinstance(error, asyncpg.PostgresError):
        return str(error)
    return "the address is not understood"
