"""The description of the HTTP interface names every operation once, and only structures that it holds."""

from __future__ import annotations

import re
from typing import Any

import msgspec

import chat.routes
from tertulia import openapi, pages
from tertulia.app import build, operations
from tertulia.catalogue import CHAT_REQUESTS
from tertulia.settings import Settings

NOT_FOR_PROGRAMS = {
    ("GET", path)
    for path in (
        *("/", "/r/{room}", "/c", "/c/{conversation}", "/c/{conversation}/{seq}", "/i/{invitation}"),
        *("/{name}", "/ws", "/ws/", "/openapi.json"),
        *pages.ACCOUNT_PAGES,
    )
}
"""Pages and their files, the socket, and the description."""


def described() -> dict[str, Any]:
    return openapi.describe(operations())


def test_every_reference_leads_somewhere() -> None:
    text = msgspec.json.encode(described()).decode()
    schemas = described()["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert len(references) > 50
    assert references <= schemas.keys()


def test_every_operation_has_a_name_of_its_own_and_says_how_it_refuses() -> None:
    listed = [each for methods in described()["paths"].values() for each in methods.values()]
    names = [each["operationId"] for each in listed]
    assert len(names) == len(set(names)) == len(operations())
    assert all({"400", "401", "403", "404", "429", "503"} <= each["responses"].keys() for each in listed)
    assert all(any(status[0] in "23" for status in each["responses"]) for each in listed)


async def test_every_address_of_the_program_is_described() -> None:
    app = await build(Settings(token_secret="s" * 40, web_dist=""))
    there = {
        (route.method, route.resource.canonical)
        for route in app.router.routes()
        if route.resource is not None and route.method not in ("HEAD", "OPTIONS", "*")
    }
    described_ones = {(each.method, each.path) for each in operations()}
    assert there - described_ones == NOT_FOR_PROGRAMS, "what only people or this description itself need"
    assert described_ones <= there


def test_every_request_of_the_chat_has_an_address() -> None:
    assert set(CHAT_REQUESTS) == {route.event for route in chat.routes.ROUTES}


def test_what_is_in_an_address_is_never_null() -> None:
    for methods in described()["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                assert "anyOf" not in parameter["schema"], (operation["operationId"], parameter["name"])
