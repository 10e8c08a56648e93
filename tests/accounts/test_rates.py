"""Buckets in one process and in Redis: the same rates, by the same test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import structlog

from accounts.rates import Gate, LocalGate
from accounts.rates_redis import RedisGate
from tertulia.errors import RateLimited
from tertulia.limits import Rate
from tests.accounts.conftest import open_house
from tests.valkey import Valkey

RATES = {"slow": Rate(1 / 1000, 3), "fast": Rate(1000, 3)}


@pytest.fixture(params=["local", "redis"])
async def gate(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Gate]:
    with ExitStack() as stack:
        made: Gate = (
            LocalGate(RATES)
            if request.param == "local"
            else RedisGate(stack.enter_context(Valkey(tmp_path)).url, RATES)
        )
        yield made
        await made.close()


async def refused(gate: Gate, kind: str, *key: str) -> float:
    """How long to wait; 0 for what is counted."""
    try:
        await gate.check(kind, *key)
    except RateLimited as error:
        return error.retry_after_s
    return 0.0


async def test_bucket_holds_its_burst_and_says_when_there_is_more(gate: Gate) -> None:
    assert [await refused(gate, "slow", "ada") for _ in range(3)] == [0, 0, 0]
    assert 900 < await refused(gate, "slow", "ada") <= 1000
    assert await refused(gate, "slow", "bob") == 0, "everybody has their own"
    assert await refused(gate, "fast", "ada") == 0, "and for each kind another"


async def test_bucket_fills_again(gate: Gate) -> None:
    counted = 0
    while counted < 20:  # far more than its burst: it fills while this runs
        counted += await refused(gate, "fast", "ada") == 0


async def test_processes_count_together_and_alone_while_redis_is_away(tmp_path: Path) -> None:
    with Valkey(tmp_path) as valkey:
        one, two = RedisGate(valkey.url, RATES), RedisGate(valkey.url, RATES)
        assert [await refused(gate, "slow", "ada") for gate in (one, two, one)] == [0, 0, 0]
        assert await refused(two, "slow", "ada") > 0
        assert b"ada" not in valkey.command("KEYS", "*"), "no name is kept there"
        valkey.kill()
        with structlog.testing.capture_logs() as entries:
            assert [await refused(one, "slow", "ada") for _ in range(3)] == [0, 0, 0]
            assert await refused(one, "slow", "ada") > 0
        assert entries and "ada" not in str(entries)
        await one.close()
        await two.close()


async def test_program_uses_redis_where_it_is_configured(dsn: str, tmp_path: Path) -> None:
    with Valkey(tmp_path) as valkey:
        async with open_house(dsn, tmp_path / "house", redis_url=valkey.url) as house:
            assert (await house.ask("POST", "/auth/refresh", {"refresh_token": "x" * 40})).status == 401
            assert b"tertulia:rate:" in valkey.command("KEYS", "*")
