"""``tertulia backup`` and ``tertulia restore``: everything in the database as one file, and back.

A backup is PostgreSQL's own (``pg_dump``, custom format): one snapshot, taken while everything goes on. What can be
made again (the search index) or means nothing elsewhere (the outbox) is left out. A restore puts a backup in the place
of what is there, in one transaction, and may be done under a running program: that finds its connections ended and the
history's id changed, lets go of what it holds, and sends its clients to ask again; their positions carry tags of
events which the restored log does not have, so that they are told to reload.

Whoever holds a backup can read everything that was written; the file is made readable by its owner only.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from tertulia.database import PACKAGES, Database, DatabaseError, find_migrations
from tertulia.datadir import DataDir, DataDirError
from tertulia.postgres import PostgresError, binaries
from tertulia.settings import Settings

LEFT_OUT = ("chat.search_doc", "chat.outbox", "chat.outbox_reader", "chat.presence")

AFTERWARDS = """
UPDATE tertulia.history SET id = gen_random_uuid();
-- Transaction numbers of another server mean nothing here; everything is put into the outbox anew, for the index.
INSERT INTO chat.outbox (conversation_id, seq_lo, seq_hi)
    SELECT conversation_id, floor_seq + 1, last_seq FROM chat.head WHERE last_seq > floor_seq;
"""


class BackupError(Exception):
    """The text is one sentence that says what to do."""


async def backup(settings: Settings, path: Path) -> int:
    """Write a backup to ``path``; its bytes. Raises BackupError, DatabaseError, DataDirError."""
    async with _database(settings) as environment:
        return await asyncio.to_thread(_dump, path, environment)


async def restore(settings: Settings, path: Path) -> list[str]:
    """Put the backup in ``path`` in the place of what is there; migrations that were applied to it then.

    Raises BackupError, DatabaseError, DataDirError. Nothing has changed when it does, unless in a migration.
    """
    async with _database(settings) as environment:
        await asyncio.to_thread(_put_back, path, environment)
        await _end_others(environment)
        return await _migrate(Database.from_settings(settings), environment)


def _dump(path: Path, environment: dict[str, str]) -> int:
    if path.exists():
        raise BackupError(f"{path} is there already; name a file that is not.")
    aside = path.with_name(path.name + ".part")
    command = ["pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file", str(aside)]
    command += [f"--schema={package}" for package in PACKAGES]
    command += [f"--exclude-table-data={table}" for table in LEFT_OUT]
    try:
        os.close(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
        _run(command, environment)
        with aside.open("rb") as file:
            os.fsync(file.fileno())
        aside.rename(path)
    except OSError as error:
        raise BackupError(f"Cannot write {path} ({error.strerror}); choose another place.") from error
    finally:
        aside.unlink(missing_ok=True)
    return path.stat().st_size


def _put_back(path: Path, environment: dict[str, str]) -> None:
    if not path.is_file():
        raise BackupError(f"There is no file {path}.")
    with tempfile.TemporaryDirectory(prefix="tertulia-restore-") as directory:
        script, before, after = (Path(directory) / name for name in ("restore.sql", "before.sql", "after.sql"))
        _run(["pg_restore", "--no-owner", "--no-privileges", "--file", str(script), str(path)], environment)
        before.write_text(_before(), encoding="utf-8")
        after.write_text(_refuse_newer() + AFTERWARDS, encoding="utf-8")
        command = ["psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"]
        _run([*command, *(f"--file={each}" for each in (before, script, after))], environment)


def _before() -> str:
    drops = "".join(f'DROP SCHEMA IF EXISTS "{package}" CASCADE;\n' for package in PACKAGES)
    # An extension is no schema's own and so not in the backup.
    return f"SET client_min_messages = error;\n{drops}CREATE EXTENSION IF NOT EXISTS btree_gin WITH SCHEMA public;\n"


def _refuse_newer() -> str:
    known = ", ".join(
        f"('{migration.package}', {migration.number})" for package in PACKAGES for migration in find_migrations(package)
    )
    return (
        "SET search_path = pg_catalog;\n"
        f"DO $$ BEGIN IF EXISTS (SELECT 1 FROM tertulia.migration WHERE (package, number) NOT IN ({known}))"
        " THEN RAISE EXCEPTION 'the backup was made by a newer version of this program'; END IF; END $$;\n"
    )


async def _migrate(database: Database, environment: dict[str, str]) -> list[str]:
    connection = await _connect(environment)
    try:
        return await database.migrate_on(connection)
    finally:
        await connection.close()


async def _end_others(environment: dict[str, str]) -> None:
    """End everybody's connections: plans and numbers they hold are of what was before."""
    connection = await _connect(environment)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()


async def _connect(environment: dict[str, str]) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(
            host=environment.get("PGHOST"),
            port=int(environment.get("PGPORT", "5432")),
            user=environment.get("PGUSER"),
            password=environment.get("PGPASSWORD"),
            database=environment.get("PGDATABASE"),
        )
    except (OSError, asyncpg.PostgresError) as error:
        raise DatabaseError("Cannot connect to the database.") from error


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[dict[str, str]]:
    """How PostgreSQL's programs reach the database: a running one, or the embedded one started for the while."""
    base = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "PGAPPNAME": "tertulia-backup"}
    if settings.database_dsn:
        yield {**base, **of_dsn(settings.database_dsn)}
        return
    database = Database.from_settings(settings)
    assert database.embedded is not None
    parameters = database.parameters
    base |= {"PGHOST": parameters["host"], "PGUSER": parameters["user"], "PGDATABASE": parameters["database"]}
    with _alone(settings) as alone:
        if not alone:
            yield base  # a program runs, and its database with it
            return
        try:
            await database.embedded.start()
        except PostgresError as error:
            raise DatabaseError(str(error)) from error
        try:
            yield base
        finally:
            await database.embedded.close()


@contextmanager
def _alone(settings: Settings) -> Iterator[bool]:
    """Whether no program uses the data directory; then none may while this lasts."""
    directory = DataDir(settings.data_dir)
    try:
        directory.lock()
    except DataDirError:
        yield False
        return
    try:
        yield True
    finally:
        directory.unlock()


def of_dsn(dsn: str) -> dict[str, str]:
    """A DSN as libpq's variables, so that no password stands in a list of processes."""
    parts = urlsplit(dsn)
    found = {
        "PGHOST": unquote(parts.hostname or ""),
        "PGPORT": str(parts.port or ""),
        "PGUSER": unquote(parts.username or ""),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": unquote(parts.path.lstrip("/")),
    }
    names = {"host": "PGHOST", "port": "PGPORT", "user": "PGUSER", "password": "PGPASSWORD", "sslmode": "PGSSLMODE"}
    found |= {names[name]: value for name, value in parse_qsl(parts.query) if name in names}
    return {name: value for name, value in found.items() if value}


def _run(command: list[str], environment: dict[str, str]) -> None:
    try:
        program = binaries() / command[0]
    except PostgresError as error:
        raise BackupError(str(error)) from error
    done = subprocess.run(
        [program, *command[1:]], env=environment, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        reason = next((line for line in done.stderr.splitlines() if "ERROR" in line or "error" in line), "no reason")
        raise BackupError(f"{command[0]} did not succeed ({reason.strip()[:300]}); nothing was changed.")
