"""The bus between processes, over real PostgreSQL and Valkey: told, heard, joined, and what an outage leaves behind."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chat.hint import Hint, read_hint
from tertulia.bus_postgres import PAYLOAD_BYTES_MAX, PostgresCarrier, read, write
from tertulia.bus_redis import RedisCarrier
from tertulia.bus_shared import Carrier, SharedBus
from tertulia.database import Database
from tests.databases import shared_server
from tests.valkey import Valkey
from tests.waiting import until

READERS: dict[str, Callable[[bytes], Any]] = {"chat": read_hint}


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shared_server(tmp_path_factory.mktemp("bus-postgres")) as dsn:
        yield dsn


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    with Valkey(tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture(params=["postgres", "redis"])
def carrier(request: pytest.FixtureRequest) -> Callable[[], Carrier]:
    if request.param == "redis":
        server: Valkey = request.getfixturevalue("valkey")
        return lambda: RedisCarrier(server.url)
    dsn: str = request.getfixturevalue("dsn")
    return lambda: PostgresCarrier(Database(dsn, Path("unused")))


@asynccontextmanager
async def buses(carrier: Callable[[], Carrier], count: int = 2) -> AsyncIterator[list[SharedBus]]:
    made = [SharedBus(carrier(), READERS) for _ in range(count)]
    for bus in made:
        await bus.start()
    try:
        yield made
    finally:
        for bus in made:
            await bus.close()


async def test_hint_reaches_the_other_process_and_its_own_at_once(carrier: Callable[[], Carrier]) -> None:
    async with buses(carrier, 3) as (one, two, three):
        here: list[Hint] = []
        there: list[Hint] = []
        elsewhere: list[Hint] = []
        await one.subscribe("chat:a", here.append)
        await two.subscribe("chat:a", there.append)
        await three.subscribe("chat:b", elsewhere.append)
        one.publish("chat:a", Hint(1, 2))
        assert here == [Hint(1, 2)]
        await until(lambda: there == [Hint(1, 2)])
        one.publish("chat:b", Hint(1, 1))
        await until(lambda: elsewhere == [Hint(1, 1)])
        assert here == there == [Hint(1, 2)], "once, and only what was asked for"


async def test_burst_is_joined(carrier: Callable[[], Carrier]) -> None:
    async with buses(carrier) as (one, two):
        there: list[Hint] = []
        await two.subscribe("chat:a", there.append)
        for seq in range(1, 501):
            one.publish("chat:a", Hint(seq, seq))
        await until(lambda: bool(there) and there[-1].hi == 500)
        assert there[0].lo == 1
        assert len(there) < 20


async def test_topic_left_and_followed_again_is_heard_again(carrier: Callable[[], Carrier]) -> None:
    async with buses(carrier) as (one, two):
        there: list[Hint] = []
        for _ in range(20):
            leave = await two.subscribe("chat:a", there.append)
            leave()
        await two.subscribe("chat:a", there.append)
        one.publish("chat:a", Hint(7, 7))
        await until(lambda: there == [Hint(7, 7)])


async def test_server_that_comes_back_makes_readers_look_and_carries_on(valkey: Valkey) -> None:
    async with buses(lambda: RedisCarrier(valkey.url)) as (one, two):
        there: list[Hint] = []
        looked = 0

        def look() -> None:
            nonlocal looked
            looked += 1

        two.on_loss.append(look)
        await two.subscribe("chat:a", there.append)
        valkey.kill()
        one.publish("chat:a", Hint(1, 1))
        valkey.start()
        await until(lambda: looked >= 1, limit_s=20)
        one.publish("chat:a", Hint(2, 2))
        await until(lambda: bool(there) and there[-1].hi == 2, limit_s=20)
        assert valkey.command("FLUSHALL").startswith(b"+OK")
        one.publish("chat:a", Hint(3, 3))
        await until(lambda: there[-1].hi == 3)


async def test_listener_that_is_cut_off_listens_again(dsn: str) -> None:
    database = Database(dsn, Path("unused"))
    await database.start()
    async with buses(lambda: PostgresCarrier(database)) as (one, two):
        there: list[Hint] = []
        looked = asyncio.Event()
        two.on_loss.append(looked.set)
        await two.subscribe("chat:a", there.append)
        async with database.acquire() as db:
            await db.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND query LIKE 'LISTEN%'"
            )
        async with asyncio.timeout(20):
            await looked.wait()
        for seq in range(1, 1000):
            one.publish("chat:a", Hint(seq, seq))
            await asyncio.sleep(0)
            if there:
                break
        one.publish("chat:a", Hint(1000, 1000))
        await until(lambda: bool(there) and there[-1].hi == 1000)
    await database.close()


def test_notifications_fit_and_say_the_same() -> None:
    told = [(f"chat:{number:036}", b"%d %d" % (number, number + 1)) for number in range(2000)]
    payloads = write("me", told)
    assert max(len(payload) for payload in payloads) <= PAYLOAD_BYTES_MAX
    assert [(topic, message) for payload in payloads for _, topic, message in read(payload)] == told
    assert read("not ours") == []
    assert read('["me", [["chat:a"]]]') == []


@pytest.mark.parametrize("message", [b"", b"1", b"1 2 3", b"x y"])
def test_hint_that_cannot_be_read_is_refused(message: bytes) -> None:
    with pytest.raises(ValueError):
        Hint.from_bus(message)
