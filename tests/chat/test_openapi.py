"""``/openapi.json`` is true: schemathesis asks every operation of a running program, well and badly, as somebody.

Each operation must succeed at least once, and whatever is asked, an answer is one that is described: its status, its
type, its shape, and never a fault of the server. Half of what is generated names real conversations, people, rooms and
sessions (``ground.py``), so that it gets past the first check.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

import accounts.oauth_http
import accounts.routes
from tertulia import app as composition
from tests.chat.ground import KEY, Ground, ground_of
from tests.databases import shared_server
from tests.server import Server

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CASES = int(os.environ.get("OPENAPI_CASES", "6"))
"""Generated requests an operation."""

for text in ("application/sdp", "application/trickle-ice-sdpfrag"):
    schemathesis.serializer.alias(text, "text/plain")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with shared_server(tmp_path_factory.mktemp("openapi-postgres")) as dsn:
        directory: Path = tmp_path_factory.mktemp("openapi")
        environment = {
            "TERTULIA_DATABASE_DSN": dsn,
            "TERTULIA_TOKEN_SECRET": "s" * 64,
            "TERTULIA_API_KEYS": KEY.replace(":", "="),
        }
        with Server(directory, environment) as running:
            yield running


@pytest.fixture(scope="module")
def schema(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


def fill_in(case: Any, ground: Ground, only_required: bool) -> None:
    """Real values for what has any; with ``only_required`` nothing else is said."""
    operation = case.operation
    for place in ("path_parameters", "query"):
        given = getattr(case, place) or {}
        required = {each.name for each in operation.iter_parameters() if each.is_required}
        kept = {name: value for name, value in given.items() if not only_required or name in required}
        setattr(case, place, {name: ground.values.get(name, value) for name, value in kept.items()})
    if isinstance(case.body, str) and ground.text:
        case.body = ground.text
    if isinstance(case.body, dict):
        described = operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
        name = described["$ref"].rsplit("/", 1)[-1]
        required = set(operation.schema.raw_schema["components"]["schemas"][name].get("required", []))
        kept = {key: value for key, value in case.body.items() if not only_required or key in required}
        case.body = {key: ground.values.get(key, value) for key, value in kept.items()}
        case.body.pop("cursor", None)


def operations(schema: Any) -> list[Any]:
    """All but those of accounts, whose answers depend on letters that were sent; they have tests of their own."""
    found = [result.ok() for result in schema.get_all_operations()]
    theirs = {each.name for each in (*accounts.routes.operations(), *accounts.oauth_http.OPERATIONS)}
    return [operation for operation in found if operation.definition.raw["operationId"] not in theirs]


def test_every_operation_is_described(schema: Any) -> None:
    described = {(each.method.upper(), each.path) for each in (one.ok() for one in schema.get_all_operations())}
    assert described == {(each.method, each.path) for each in composition.operations()}


@pytest.mark.timeout(300)
def test_every_answer_is_one_that_is_described(schema: Any, server: Server) -> None:
    failed: list[str] = []
    for operation in operations(schema):
        name = operation.definition.raw["operationId"]
        ground = ground_of(server.url, name, operation.definition.raw["tags"][0])
        statuses = ask(operation, ground, st.just(True), 1)
        ground.after_success()
        statuses += ask(operation, ground, st.just(False), CASES)
        ground.close()
        if not {200, 201} & set(statuses):
            failed.append(f"{name}: {sorted(set(statuses))}")
    assert not failed, "these operations never succeeded"


def ask(operation: Any, ground: Ground, well: st.SearchStrategy[bool], count: int) -> list[int]:
    """Ask ``count`` times; the statuses. Fails at an answer that is not described."""
    statuses: list[int] = []

    @hypothesis.seed(1)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), well=well, real=st.booleans())
    def one(case: Any, well: bool, real: bool) -> None:
        if well or real:
            fill_in(case, ground, only_required=well)
        case.headers = {}  # the session says who asks
        response = case.call(session=ground.session, timeout=30)
        statuses.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    one()
    return statuses
