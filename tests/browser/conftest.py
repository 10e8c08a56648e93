"""One Chromium for the session, one server a module; every person gets a context of their own."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from playwright.async_api import async_playwright

from tests.browser.people import Person, enter, launch
from tests.server import Server

Enter = Callable[..., Awaitable[Person]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of the module's own, with an empty data directory."""
    directory: Path = tmp_path_factory.mktemp("server")
    with Server(directory) as running:
        yield running


@pytest.fixture
def room(server: Server) -> str:
    """A fresh room."""
    request = urllib.request.Request(
        f"{server.url}/rooms", data=b'{"name": "Test"}', headers={"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        created = json.load(answer)
    identifier: str = created["id"]
    return identifier


@pytest.fixture
async def join(server: Server, room: str) -> AsyncIterator[Enter]:
    """``await join("Ana")``: a new person in the room. At the end no page may have thrown."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        people: list[Person] = []

        async def enter_room(name: str, query: str = "", width: int = 1100, height: int = 700) -> Person:
            number = len(people) + 1
            tone = 300.0 + 150.0 * number
            person = await enter(browser, server.url, room, name, number, tone, query, width=width, height=height)
            people.append(person)
            return person

        yield enter_room
        errors = {person.name: person.errors for person in people if person.errors}
        await browser.close()
        assert not errors
