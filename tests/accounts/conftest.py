"""The whole program behind a real HTTP server, on a real database, and people with accounts."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp.test_utils import TestServer

from accounts import account_store, passwords, rates
from accounts.account_store import AccountRow
from accounts.mail import Outbox
from accounts.routes import ROUTES
from accounts.sessions import Device
from tertulia import app as composition
from tertulia.app import Services
from tertulia.catalogue import AccountRole
from tertulia.errors import CODES
from tertulia.openapi import REFUSALS, Refused
from tertulia.settings import Settings
from tests.databases import shared_server

PASSWORD = "correct horse battery"


@pytest.fixture(scope="session")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shared_server(tmp_path_factory.mktemp("accounts-postgres")) as dsn:
        yield dsn


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """What hashes cost is the matter of one test file."""
    monkeypatch.setattr(passwords, "MEMORY_KIB", 64)
    monkeypatch.setattr(passwords, "PASSES", 1)


@pytest.fixture
def still_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Buckets do not fill again while a slow machine runs the test."""
    monkeypatch.setattr(rates, "clock", lambda: 1000.0)


@dataclass
class Answer:
    status: int
    body: Any
    headers: Any
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def refusal(self) -> tuple[int, str]:
        return self.status, self.code


@dataclass
class Person:
    """Somebody who is logged in by a token, as programs are."""

    house: House
    id: str
    email: str
    token: str
    refresh: str
    session: str

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> Answer:
        return await self.house.ask(method, path, body, token=self.token, **more)


@dataclass
class House:
    """One running program."""

    url: str
    settings: Settings
    services: Services
    web: aiohttp.ClientSession

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        cookies: dict[str, str] | None = None,
    ) -> Answer:
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
        async with self.web.request(method, self.url + path, json=body, headers=sent) as response:
            text = await response.read()
            check_described(method, path, response.status, text)
            return Answer(
                response.status,
                await response.json() if text else None,
                response.headers,
                {name: morsel.value for name, morsel in response.cookies.items()},
            )

    async def account(self, role: AccountRole = "member", password: str | None = None) -> AccountRow:
        """An account that is there, without the way in."""
        email = f"{role}-{secrets.token_hex(6)}@example.org"
        hashed = await self.services.accounts.passwords.hash(password) if password is not None else None
        async with self.services.database.transaction() as db:
            made = await account_store.make(db, email, email, role.title(), role, hashed)
        assert made is not None
        return made

    async def person(self, role: AccountRole = "member", password: str | None = None) -> Person:
        """Somebody logged in."""
        return await self.log_in(await self.account(role, password))

    async def log_in(self, account: AccountRow) -> Person:
        async with self.services.database.transaction() as db:
            grant, _ = await self.services.accounts.sessions.open(db, account, Device(False, "a test"))
        return Person(self, account.id, account.email, grant.access, grant.refresh, grant.session)

    @property
    def outbox(self) -> Outbox:
        assert isinstance(self.services.accounts.mailer, Outbox)
        return self.services.accounts.mailer

    def mailed_token(self, to: str) -> str:
        """What the link of the newest mail to this address holds."""
        text = next(mail.text for mail in reversed(self.outbox.mails) if mail.to == to)
        return text.split("#", 1)[1].split()[0]


def check_described(method: str, path: str, status: int, body: bytes) -> None:
    """What ``/openapi.json`` says of an operation of accounts is what it answers: status and shape."""
    for route in ROUTES:
        pattern = re.sub(r"{\w+}", "[^/]+", route.path)
        if route.method != method or re.fullmatch(pattern, path.partition("?")[0]) is None:
            continue
        if status == route.status:
            answered = msgspec.json.decode(body)
            msgspec.convert(answered, route.answer)
            assert set(answered) == set(route.answer.__struct_encode_fields__), "nothing more is told than is described"
            SUCCEEDED.add(route.name)
        else:
            assert status in REFUSALS, (route.name, status)
            assert msgspec.json.decode(body, type=Refused).error.code in CODES
        return


SUCCEEDED: set[str] = set()
"""Operations of accounts that were answered as asked in this run."""


@asynccontextmanager
async def open_house(dsn: str, directory: Path, **changes: Any) -> AsyncIterator[House]:
    """The program with these settings, reached over HTTP."""
    values = {"database_dsn": dsn, "data_dir": str(directory), "token_secret": "s" * 64, "media_port": 0}
    settings = Settings(**{**values, **changes})
    app = await composition.build(settings)
    server = TestServer(app)
    await server.start_server()
    # Cookies are kept by hand: a test says which it sends.
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as web:
        yield House(str(server.make_url("")).rstrip("/"), settings, app[composition.SERVICES], web)
    await server.close()


@pytest.fixture
async def house(dsn: str, tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(dsn, tmp_path, registration="open") as house:
        yield house
