"""``/openapi.json`` is true: schemathesis asks every operation of a running program, well and badly, as somebody.

Each operation must succeed at least once, and whatever is asked, an answer is one that is described: its status, its
type, its shape, and never a fault of the server. Half of what is generated names real conversations, people and
messages, so that it gets past the first check.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests
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

from chat.routes import ROUTES
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


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with shared_server(tmp_path_factory.mktemp("openapi-postgres")) as dsn:
        directory: Path = tmp_path_factory.mktemp("openapi")
        with Server(directory, {"TERTULIA_DATABASE_DSN": dsn, "TERTULIA_TOKEN_SECRET": "s" * 64}) as running:
            yield running


@pytest.fixture(scope="module")
def schema(server: Server) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/openapi.json")


@dataclass
class Person:
    """Somebody who is logged in."""

    session: requests.Session
    url: str
    identity: str

    def post(self, path: str, **body: Any) -> Any:
        answer = self.session.post(self.url + path, json={"client_id": str(uuid.uuid4()), **body}, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()


def log_in(url: str, name: str) -> Person:
    answer = requests.post(f"{url}/auth/dev", json={"name": name}, timeout=20).json()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {answer['token']}"
    return Person(session, url, answer["identity"])


class Ground:
    """What an operation can be asked about: people, a conversation with messages, and values that fit."""

    def __init__(self, url: str, operation: str) -> None:
        people = [log_in(url, f"{name} {operation} {uuid.uuid4().hex[:6]}") for name in ("Owner", "Member", "Newcomer")]
        self.owner, self.member, self.newcomer = people
        kind = "public" if operation == "join-conversation" else "group"
        made = self.owner.post("/chat/conversations", kind=kind, title="Ground", members=[self.member.identity])
        conversation = made["id"]
        sent = [
            self.owner.post("/chat/send", conversation=conversation, body={"text": f"text {n}"})["event"]["seq"]
            for n in range(3)
        ]
        invite = self.owner.post("/chat/invites", conversation=conversation)
        self.asker = {
            "join-conversation": self.newcomer,
            "accept-invite": self.newcomer,
            "leave-conversation": self.member,
        }.get(operation, self.owner)
        other = self.newcomer if operation == "add-member" else self.member
        self.values: dict[str, Any] = {
            "conversation": conversation,
            "chatId": conversation,
            "userId": self.asker.identity,
            "user": other.identity,
            "seq": sent[0],
            "seqs": [sent[0]],
            "token": invite["token"],
            "emoji": "👍",
            "title": "A title",
            "name": "Somebody",
            "role": "moderator",
            "kind": "group",
            "body": {"text": "a text"},
            "members": [self.member.identity],
            "preferences": {"theme": "dark"},
            "people": [other.identity],
            "status": "away",
            "positions": [{"conversation": conversation, "seq": sent[0]}],
            "after": 0,
            "client_id": str(uuid.uuid4()),
        }


def fill_in(case: Any, ground: Ground, only_required: bool) -> None:
    """Real values for what has any; with ``only_required`` nothing else is said."""
    operation = case.operation
    for place in ("path_parameters", "query"):
        given = getattr(case, place) or {}
        required = {each.name for each in operation.iter_parameters() if each.is_required}
        kept = {name: value for name, value in given.items() if not only_required or name in required}
        setattr(case, place, {name: ground.values.get(name, value) for name, value in kept.items()})
    if isinstance(case.body, dict):
        described = operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
        name = described["$ref"].rsplit("/", 1)[-1]
        required = set(operation.schema.raw_schema["components"]["schemas"][name].get("required", []))
        kept = {key: value for key, value in case.body.items() if not only_required or key in required}
        case.body = {key: ground.values.get(key, value) for key, value in kept.items()}
        case.body.pop("cursor", None)


def operations(schema: Any) -> list[Any]:
    """Those of the chat, and the log-in that this uses."""
    found = [result.ok() for result in schema.get_all_operations()]
    names = {route.event for route in ROUTES} | {"development-log-in"}
    return [operation for operation in found if operation.definition.raw["operationId"] in names]


def test_every_operation_of_the_chat_is_described(schema: Any) -> None:
    described = {(operation.method.upper(), operation.path) for operation in operations(schema)}
    assert {(route.method, route.path) for route in ROUTES} <= described


@pytest.mark.timeout(300)
def test_every_answer_is_one_that_is_described(schema: Any, server: Server) -> None:
    failed: list[str] = []
    for operation in operations(schema):
        name = operation.definition.raw["operationId"]
        ground = Ground(server.url, name)
        statuses = ask(operation, ground, st.just(True), 1) + ask(operation, ground, st.just(False), CASES)
        if 200 not in statuses:
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
        response = case.call(session=ground.asker.session, timeout=30)
        statuses.append(response.status_code)
        case.validate_response(response, checks=CHECKS)

    one()
    return statuses
