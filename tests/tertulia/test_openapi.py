"""The description of the HTTP interface names every operation once, and only structures that it holds."""

from __future__ import annotations

import re
from typing import Any

import msgspec

import accounts.development
import accounts.routes
import chat.routes
from tertulia import openapi
from tertulia.catalogue import CHAT_REQUESTS


def described() -> dict[str, Any]:
    return openapi.describe(
        [*chat.routes.operations(), *accounts.routes.operations(), *accounts.development.OPERATIONS]
    )


def test_every_reference_leads_somewhere() -> None:
    text = msgspec.json.encode(described()).decode()
    schemas = described()["components"]["schemas"]
    references = set(re.findall(r'"#/components/schemas/(\w+)"', text))
    assert len(references) > 50
    assert references <= schemas.keys()


def test_every_operation_has_a_name_of_its_own_and_says_how_it_refuses() -> None:
    operations = [each for methods in described()["paths"].values() for each in methods.values()]
    names = [each["operationId"] for each in operations]
    assert len(names) == len(set(names)) == len(chat.routes.ROUTES) + len(accounts.routes.ROUTES) + 1
    assert all(any(status.startswith("2") for status in each["responses"]) for each in operations)
    assert all({"400", "401", "403", "404", "429", "503"} <= each["responses"].keys() for each in operations)


def test_every_request_of_the_chat_has_an_address() -> None:
    assert set(CHAT_REQUESTS) == {route.event for route in chat.routes.ROUTES}


def test_what_is_in_an_address_is_never_null() -> None:
    for methods in described()["paths"].values():
        for operation in methods.values():
            for parameter in operation.get("parameters", []):
                assert "anyOf" not in parameter["schema"], (operation["operationId"], parameter["name"])
