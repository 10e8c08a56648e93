"""Two programs on one database are one service: what is sent at one is heard at the other, in order and once."""

from __future__ import annotations

import asyncio
import json
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import socketio

from tests.databases import shared_server
from tests.server import Server
from tests.valkey import Valkey
from tests.waiting import until

SECRET = "s" * 64


@pytest.fixture(scope="module")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shared_server(tmp_path_factory.mktemp("nodes-postgres")) as dsn:
        yield dsn


def two_nodes(stack: ExitStack, directory: Path, dsn: str, more: dict[str, str]) -> list[Server]:
    environment = {"TERTULIA_DATABASE_DSN": dsn, "TERTULIA_TOKEN_SECRET": SECRET, **more}
    nodes = []
    for name in ("one", "two"):
        (directory / name).mkdir()
        nodes.append(stack.enter_context(Server(directory / name, environment)))
    return nodes


def post(node: Server, path: str, body: Any, token: str | None = None) -> Any:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    request = urllib.request.Request(f"{node.url}{path}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


class Listener:
    """Somebody who has joined the room at one node."""

    def __init__(self, node: Server, room: str, token: str) -> None:
        self.seqs: list[int] = []
        self._node, self._room, self._token = node, room, token
        self.io = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.io.on("message", self._message)

    async def _message(self, payload: Any) -> None:
        self.seqs += [event["seq"] for event in payload["events"]]

    async def join(self) -> None:
        await self.io.connect(
            self._node.url, socketio_path="/ws", transports=["websocket"], auth={"token": self._token}, wait_timeout=10
        )
        answer = await self.io.call("join", {"room": self._room}, timeout=20)
        assert "error" not in answer, answer


async def send(node: Server, conversation: str, token: str, count: int) -> list[int]:
    seqs = []
    for n in range(count):
        message = {"conversation": conversation, "client_id": str(uuid.uuid4()), "body": {"text": f"{n}"}}
        sent = await asyncio.to_thread(post, node, "/chat/send", message, token)
        seqs.append(sent["event"]["seq"])
    return seqs


@pytest.mark.parametrize("kind", ["postgres", "redis"])
async def test_message_sent_at_one_node_is_heard_at_the_other(kind: str, dsn: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        valkey = stack.enter_context(Valkey(tmp_path)) if kind == "redis" else None
        one, two = two_nodes(stack, tmp_path, dsn, {"TERTULIA_REDIS_URL": valkey.url} if valkey else {})
        room = post(one, "/rooms", {"name": "Both"})
        conversation = room["conversation"]
        tokens = [post(node, f"/rooms/{room['id']}/tokens", {"name": "X"})["token"] for node in (one, two)]
        listeners = [Listener(node, room["id"], token) for node, token in zip((one, two), tokens, strict=True)]
        for listener in listeners:
            await listener.join()
        # From both sides at once, so that each node hears of what the other wrote in the midst of its own.
        batches = await asyncio.gather(*(send(node, conversation, tokens[0], 25) for node in (one, two)))
        total = 50
        assert sorted(seq for batch in batches for seq in batch) == list(range(1, total + 1))
        for listener in listeners:
            await until(lambda heard=listener.seqs: len(heard) >= total)  # type: ignore[misc] # bound now
            assert listener.seqs == list(range(1, total + 1))
        assert two.metric("tertulia_bus_heard_total") > 0
        if valkey is not None:
            valkey.kill()
            await send(one, conversation, tokens[0], 5)
            valkey.start()
            await until(lambda: len(listeners[1].seqs) >= total + 5)
            await send(one, conversation, tokens[0], 5)
            await until(lambda: len(listeners[1].seqs) >= total + 10)
            assert listeners[1].seqs == list(range(1, total + 11))
        for listener in listeners:
            await listener.io.disconnect()


class Watching:
    """Somebody who is logged in at a node, and what they are told of others."""

    def __init__(self, node: Server, name: str) -> None:
        self.node = node
        self.me = post(node, "/auth/dev", {"name": name})
        self.told: list[str] = []
        self.io = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.io.on("presence", self._presence)

    async def _presence(self, payload: Any) -> None:
        self.told += [person["status"] for person in payload["people"]]

    async def connect(self) -> None:
        await self.io.connect(
            self.node.url,
            socketio_path="/ws",
            transports=["websocket"],
            auth={"token": self.me["token"]},
            wait_timeout=10,
        )


async def test_people_at_two_nodes_see_each_other_and_a_killed_node_takes_its_people_along(
    dsn: str, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        one, two = two_nodes(stack, tmp_path, dsn, {})
        ada, bob = Watching(one, "Ada"), Watching(two, "Bob")
        post(one, "/chat/direct", {"user": bob.me["identity"]}, ada.me["token"])
        await ada.connect()
        answer = await ada.io.call("watch", {"people": [bob.me["identity"]]}, timeout=20)
        assert [person["status"] for person in answer["people"]] == ["offline"]
        await bob.connect()
        await until(lambda: ada.told == ["online"])
        assert await bob.io.call("set-status", {"status": "dnd"}, timeout=20) == {}
        await until(lambda: ada.told == ["online", "dnd"])
        too_many = await ada.io.call("watch", {"people": [f"u:{n}" for n in range(201)]}, timeout=20)
        assert too_many["error"]["code"] == "frame-invalid"
        two.kill()
        connection = await asyncpg.connect(dsn)
        try:
            # The rest of the lease passes at once.
            await connection.execute("UPDATE chat.presence SET until = now() WHERE user_id = $1", bob.me["identity"])
        finally:
            await connection.close()
        await until(lambda: ada.told == ["online", "dnd", "offline"], 60)
        await ada.io.disconnect()
