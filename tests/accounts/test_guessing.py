"""What somebody learns or gains by guessing: nothing about addresses, and little about passwords."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import asyncpg
import pytest

from accounts import http as door
from accounts.rates import RATES, LocalGate
from tests.accounts.conftest import PASSWORD, House, open_house
from tests.accounts.test_browsers import Page

NOBODY = "nobody@example.org"
pytestmark = pytest.mark.usefixtures("still_time")


@pytest.fixture
def queries(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that is sent to the database."""
    seen: list[str] = []
    for name in ("fetch", "fetchrow", "fetchval", "execute"):
        inner = getattr(asyncpg.Connection, name)

        def spy(self: Any, query: str, *args: Any, inner: Any = inner, **more: Any) -> Any:
            if "accounts." in query:
                seen.append(query)
            return inner(self, query, *args, **more)

        monkeypatch.setattr(asyncpg.Connection, name, spy)
    return seen


@pytest.mark.parametrize("state", ["wrong password", "no password", "banned"])
async def test_log_in_does_the_same_work_whether_there_is_an_account(
    house: House, queries: list[str], state: str
) -> None:
    known = await house.account(password=None if state == "no password" else PASSWORD)
    if state == "banned":
        async with house.services.database.acquire() as db:
            await db.execute("UPDATE accounts.account SET state = 'banned' WHERE id = $1", known.id)
    seen = []
    for email in (known.email, NOBODY, "no address"):
        queries.clear()
        before = house.services.accounts.passwords.computed
        answer = await house.ask("POST", "/auth/login", {"email": email, "password": "not the right one"})
        work = house.services.accounts.passwords.computed - before
        kept = {name: value for name, value in answer.headers.items() if name not in ("Date", "Content-Length")}
        seen.append((answer.status, answer.body, kept, list(queries), work))
    assert seen[0] == seen[1] == seen[2]
    assert seen[0][0] == 401 and seen[0][4] == 1 and len(seen[0][3]) == 1


@pytest.mark.parametrize("path", ["/auth/register", "/auth/recover"])
async def test_asking_by_mail_does_the_same_work_whether_there_is_an_account(
    house: House, queries: list[str], path: str
) -> None:
    known = await house.account(password=PASSWORD)
    seen = []
    for email in (known.email, NOBODY):
        queries.clear()
        before = house.services.accounts.passwords.computed
        answer = await house.ask("POST", path, {"email": email})
        kept = {name: value for name, value in answer.headers.items() if name != "Date"}
        work = house.services.accounts.passwords.computed - before
        seen.append((answer.status, answer.body, kept, list(queries), work))
    assert seen[0] == seen[1] and seen[0][0] == 202 and len(seen[0][3]) == 2


async def test_link_for_an_address_without_an_account_opens_nothing(house: House) -> None:
    async with house.services.database.acquire() as db:
        rows = await db.fetch(
            "SELECT account_id, hash FROM accounts.link WHERE purpose = 'reset' AND account_id IS NULL"
        )
    assert rows, "it was made all the same"
    body = {"token": "x" * 43, "password": "another good one"}
    assert (await house.ask("POST", "/auth/recover/finish", body)).refusal == (404, "link-invalid")


async def test_guessing_is_slowed_with_a_time_to_come_again(house: House) -> None:
    known = await house.account(password=PASSWORD)
    for email in (known.email, NOBODY):
        refusals = []
        for _ in range(int(RATES["log-in"].burst) + 1):
            refusals.append(await house.ask("POST", "/auth/login", {"email": email, "password": "a guess of mine"}))
        assert [one.status for one in refusals[:-1]] == [401] * int(RATES["log-in"].burst)
        assert refusals[-1].refusal == (429, "rate-limited")
        assert 1 <= int(refusals[-1].headers["Retry-After"]) <= 30
    right = await house.ask("POST", "/auth/login", {"email": known.email, "password": PASSWORD})
    assert right.status == 429, "the right one is not tried either"


async def test_guessing_from_everywhere_does_not_shut_the_owner_out(
    dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(door, "address_of", lambda request, _: request.headers["X-Test-Address"])
    async with open_house(dsn, tmp_path) as house:
        account = await house.account(password=PASSWORD)
        owner = Page(house)
        log_in = {"email": account.email, "password": PASSWORD, "browser": True}
        assert (await owner.ask("POST", "/auth/login", log_in, **{"X-Test-Address": "192.0.2.1"})).status == 200
        guess = {"email": account.email, "password": "a guess of mine"}
        statuses = [
            (await house.ask("POST", "/auth/login", guess, headers={"X-Test-Address": f"198.51.100.{n}"})).status
            for n in range(int(RATES["log-in-account"].burst) + 3)
        ]
        assert set(statuses[-3:]) == {429}, "however many addresses they have"
        again = await owner.ask("POST", "/auth/login", log_in, **{"X-Test-Address": "192.0.2.99"})
        assert again.status == 200, "the browser that was there before has a bucket of its own"
        thief = Page(house)
        thief.cookies["tertulia-device"] = f"{account.id}.{'0' * 64}"
        made_up = await thief.ask("POST", "/auth/login", log_in, **{"X-Test-Address": "203.0.113.7"})
        assert made_up.status == 429, "a made-up cookie is no such browser"


async def test_address_behind_a_trusted_proxy_is_the_one_that_counts(dsn: str, tmp_path: Path) -> None:
    body = {"token": "x" * 43, "password": "another good one"}
    burst = int(RATES["address"].burst)

    async def ask(house: House, forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return (await house.ask("POST", "/auth/recover/finish", body, headers=headers)).status

    async with open_house(dsn, tmp_path / "one") as house:
        for n in range(burst):
            assert await ask(house, f"203.0.113.{n}, 192.0.2.1") == 404, "what a client claims does not count"
        assert await ask(house, "203.0.113.200, 192.0.2.1") == 429
        assert await ask(house, "192.0.2.2") == 404
    async with open_house(dsn, tmp_path / "two", trusted_proxies=()) as house:
        statuses = [await ask(house, f"192.0.2.{n}") for n in range(burst + 1)]
        assert statuses[-1] == 429, "nobody is believed where no proxy is"


async def test_mails_to_one_address_are_few(house: House) -> None:
    statuses = [(await house.ask("POST", "/auth/recover", {"email": NOBODY})).status for _ in range(6)]
    assert statuses == [202] * 4 + [429] * 2


async def test_buckets_are_not_named_after_people() -> None:
    gate = LocalGate()
    await gate.check("log-in", "192.0.2.1", "ada@example.org")
    assert "ada" not in repr(vars(gate._limiters)) and "192.0.2.1" not in repr(vars(gate._limiters))
