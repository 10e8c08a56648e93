"""The embedded PostgreSQL on the real binaries: private, durable, and back after every kind of death."""

from __future__ import annotations

import functools
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from tertulia import postgres
from tertulia.database import Database
from tertulia.postgres import EmbeddedPostgres, PostgresError
from tests.waiting import until


def embedded(database: Database) -> EmbeddedPostgres:
    assert database.embedded is not None
    return database.embedded


def runs(pid: int) -> bool:
    """Whether the process runs; one that ended but was not collected by its parent has no command line."""
    path = Path(f"/proc/{pid}/cmdline")
    return path.exists() and path.read_bytes() != b""


async def test_its_directories_are_its_owners_alone(database: Database) -> None:
    server = embedded(database)
    for path in (server.cluster, server.socket_dir):
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o700
        assert status.st_uid != 0  # as root it runs as a user without privileges, else as the caller
    assert stat.S_IMODE(server.directory.stat().st_mode) & 0o066 == 0


async def test_it_runs_without_privileges_and_without_network(database: Database) -> None:
    server = embedded(database)
    status = Path(f"/proc/{server.pid}/status").read_text()
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert fields["Uid"].split()[0] != "0"
    assert int(fields["CapEff"], 16) in (0, 1 << 2)  # at most CAP_DAC_READ_SEARCH, where the path asks for it
    async with database.acquire() as connection:
        assert await connection.fetchval("show listen_addresses") == ""


async def test_it_lets_in_nobody_but_its_own_role(database: Database) -> None:
    server = embedded(database)
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await asyncpg.connect(host=str(server.socket_dir), user="postgres", database="postgres")


async def test_commits_are_durable_and_texts_sort_alike_everywhere(database: Database) -> None:
    async with database.acquire() as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit", "data_checksums"):
            assert await connection.fetchval("select current_setting($1)", name) == "on", name
        row = await connection.fetchrow("select * from pg_database where datname = current_database()")
        assert (row["datlocprovider"], row["datlocale"]) == (b"b", "C.UTF-8")
        assert await connection.fetchval("select upper('é') < 'ê' collate \"default\"")


async def test_a_statement_that_fails_leaves_no_text_in_its_log(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("create table t (v text unique)")
        await connection.execute("insert into t values ('a private word')")
        with pytest.raises(asyncpg.UniqueViolationError):
            await connection.execute("insert into t values ('a private word')")
    assert "a private word" not in embedded(database).log_path.read_text()


async def test_data_is_there_after_a_restart(tmp_path: Path) -> None:
    for round_number in (1, 2):
        database = Database("", tmp_path / "postgres")
        await database.start()
        async with database.acquire() as connection:
            await connection.execute("create table if not exists t (v int)")
            await connection.execute("insert into t values ($1)", round_number)
            assert await connection.fetchval("select count(*) from t") == round_number
        await database.close()
        assert not (embedded(database).cluster / "postmaster.pid").exists()


async def test_a_killed_server_comes_back_and_so_does_the_pool(database: Database) -> None:
    server = embedded(database)
    async with database.acquire() as connection:
        await connection.execute("create table t (v int)")
        await connection.execute("insert into t values (1)")
    for expected in (1, 2, 3):
        killed = server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        await until(functools.partial(lambda before: server.pid != before, killed))
        async with database.acquire() as connection:
            assert await connection.fetchval("select count(*) from t") == expected
            await connection.execute("insert into t values (0)")


async def test_a_killed_backend_costs_one_connection_only(database: Database) -> None:
    async with database.acquire() as connection:
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await connection.execute("select pg_terminate_backend(pg_backend_pid())")
    async with database.acquire() as connection:
        assert await connection.fetchval("select 1") == 1


CHILD = """
import asyncio, sys
from tertulia import logs
logs.configure()  # to standard error
from pathlib import Path
from tertulia.database import Database
async def main():
    database = Database("", Path(sys.argv[1]))
    await database.start()
    async with database.acquire() as connection:
        await connection.execute("create table if not exists t (v int)")
        await connection.execute("insert into t values (1)")
    print(database.embedded.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@pytest.mark.parametrize("both", [False, True], ids=["the program", "the program and the database"])
async def test_after_kill_9_of(tmp_path: Path, both: bool) -> None:
    directory = tmp_path / "postgres"
    with subprocess.Popen([sys.executable, "-c", CHILD, str(directory)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        left_over = int(child.stdout.readline())
        child.kill()
        if both:
            os.kill(left_over, signal.SIGKILL)
    database = Database("", directory)
    await database.start()
    assert embedded(database).pid != left_over
    assert not runs(left_over)
    async with database.acquire() as connection:
        assert await connection.fetchval("select count(*) from t") == 1
    await database.close()


async def test_a_process_id_used_again_by_another_program_is_left_alone(tmp_path: Path) -> None:
    database = Database("", tmp_path / "postgres")
    await database.start()
    await database.close()
    with subprocess.Popen(["sleep", "60"]) as bystander:
        server = EmbeddedPostgres(tmp_path / "postgres")
        pid_file = server.cluster / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{server.cluster}\n0\n5432\n{server.socket_dir}\n\n\nready\n")
        status = server.cluster.stat()
        os.chown(pid_file, status.st_uid, status.st_gid)
        await server.start()
        assert bystander.poll() is None
        await server.close()
        bystander.kill()


async def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    (directory / "cluster.new" / "base").mkdir(parents=True)
    (directory / "cluster.new" / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(directory)
    await server.start()
    await server.close()


async def test_a_long_path_gets_a_short_socket_directory(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / ("x" * 100) / "postgres")
    assert len(str(server.socket_dir / ".s.PGSQL.5432.lock")) <= postgres.SOCKET_PATH_MAX
    server.directory.parent.mkdir()
    await server.start()
    assert stat.S_IMODE(server.socket_dir.stat().st_mode) == 0o700
    await server.close()
    server.socket_dir.rmdir()


async def test_another_major_version_is_named(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    (directory / "cluster").mkdir(parents=True)
    (directory / "cluster" / "PG_VERSION").write_text("17\n")
    with pytest.raises(PostgresError, match="made by PostgreSQL 17"):
        await EmbeddedPostgres(directory).start()


async def test_a_broken_cluster_is_told_with_the_servers_own_reason(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "postgres")
    await server.start()
    await server.close()
    (server.cluster / "global" / "pg_control").unlink()
    with pytest.raises(PostgresError, match="does not start"):
        await server.start()
    await server.close()
