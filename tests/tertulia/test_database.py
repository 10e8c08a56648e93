"""The database: migrations once and in order, checks at the start, and sentences instead of tracebacks."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tertulia import database as module
from tertulia.database import Database, DatabaseError, Migration, find_migrations
from tertulia.errors import Unavailable

FIRST = Migration("example", 1, "first", "create table thing (id int primary key); insert into thing values (1);")
SECOND = Migration("example", 2, "second", "alter table thing add column name text; insert into thing values (2, 'x');")


def use(monkeypatch: pytest.MonkeyPatch, *migrations: Migration) -> None:
    monkeypatch.setattr(module, "PACKAGES", ("example",))
    monkeypatch.setattr(module, "find_migrations", lambda package: list(migrations))


async def test_migrations_run_once_in_order_in_the_packages_schema(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, FIRST)
    assert await database.migrate() == ["example/0001_first"]
    use(monkeypatch, FIRST, SECOND)
    assert await database.migrate() == ["example/0002_second"]
    assert await database.migrate() == []
    async with database.acquire() as connection:
        assert await connection.fetchval("select count(*) from example.thing") == 2


async def test_programs_that_start_together_migrate_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FIRST, SECOND)
    results = await asyncio.gather(*(database.migrate() for _ in range(8)))
    assert sorted(map(len, results)) == [0] * 7 + [2]


async def test_a_migration_that_fails_changes_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Migration("example", 2, "broken", "create table other (id int); select 1 / 0;")
    use(monkeypatch, FIRST, broken)
    with pytest.raises(Exception, match="division by zero"):
        await database.migrate()
    async with database.acquire() as connection:
        assert await connection.fetchval("select to_regclass('example.thing') is not null")
        assert await connection.fetchval("select to_regclass('example.other') is null")


async def test_a_changed_or_unknown_migration_is_refused(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, FIRST, SECOND)
    await database.migrate()
    use(monkeypatch, FIRST)
    with pytest.raises(DatabaseError, match="newer version"):
        await database.migrate()
    use(monkeypatch, FIRST, Migration("example", 2, "second", "select 1"))
    with pytest.raises(DatabaseError, match="not the one"):
        await database.migrate()


async def test_the_packages_own_migrations_apply(database: Database) -> None:
    expected = [migration for package in module.PACKAGES for migration in find_migrations(package)]
    assert expected
    assert len(await database.migrate()) == len(expected)


async def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("create table t (v int)")
    with pytest.raises(RuntimeError):
        async with database.transaction() as connection:
            await connection.execute("insert into t values (1)")
            raise RuntimeError
    async with database.acquire() as connection:
        assert await connection.fetchval("select count(*) from t") == 0


async def test_a_configured_server_is_used_and_nothing_is_embedded(database: Database, tmp_path: Path) -> None:
    host = database.parameters["host"]
    other = Database(f"postgresql://tertulia@/tertulia?host={host}", tmp_path / "unused")
    await other.start()
    assert other.embedded is None and not (tmp_path / "unused").exists()
    assert await other.ready()
    await other.close()


@pytest.mark.parametrize(
    "dsn", ["postgresql://nobody:secret@127.0.0.1:1/none", "postgresql://u:secret@/x?host=/nonexistent", "nonsense"]
)
async def test_a_server_that_is_not_there_is_told_without_the_password(dsn: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match="TERTULIA_DATABASE_DSN") as caught:
        await Database(dsn, tmp_path).start()
    assert "secret" not in str(caught.value)
    assert re.fullmatch(r"[^\n]+\.", str(caught.value))


async def test_a_server_that_may_lose_commits_is_refused(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("alter role tertulia set synchronous_commit = off")
    host = database.parameters["host"]
    with pytest.raises(DatabaseError, match="synchronous_commit = off"):
        await Database(f"postgresql://tertulia@/tertulia?host={host}", Path("/unused")).start()


async def test_the_embedded_server_cannot_be_talked_into_losing_commits(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("alter system set fsync = off")
        await connection.execute("select pg_reload_conf()")
        # What stands on the command line wins over the file.
        assert await connection.fetchval("show fsync") == "on"


async def test_acquire_tells_when_the_database_stays_away(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ACQUIRE_LIMIT_S", 0.1)
    assert database.embedded is not None
    await database.embedded.close()
    with pytest.raises(Unavailable) as caught:
        async with database.acquire():
            pass
    assert caught.value.code == "database-unavailable"
    assert not await database.ready()
