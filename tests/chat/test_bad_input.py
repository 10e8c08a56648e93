"""What bad input gets: one stable code over each door of a running program, no harm to neighbours, no word in a log."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from chat.http import RATES
from tests.server import Server

NOWHERE = "00000000-0000-4000-8000-000000000000"
TRICKS = (
    "<script>alert(1)</script>",
    "<svg onload=alert(1)>",
    "<b>bold</b> &amp; [a](javascript:alert(1))",
    "\u202egnp.exe",
    "in\u200bvi\u2060sible\ufeff",
    "\u2066isolated",
    "a\u0301\u0301\u0301\u0301\u0301",
)


def an_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Person:
    """Somebody who asks over HTTP and over a socket."""

    url: str
    web: aiohttp.ClientSession
    socket: socketio.AsyncClient
    token: str
    id: str

    async def http(self, path: str, body: Any = None) -> Any:
        """The answer, a refusal included."""
        data = (
            None if body is None else json.dumps(body)
        )  # lone surrogates as escapes, which aiohttp's own would be too
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        method = "GET" if body is None else "POST"
        async with self.web.request(method, self.url + path, data=data, headers=headers) as response:
            return await response.json()

    async def __call__(self, path: str, body: Any = None) -> Any:
        answer = await self.http(path, body)
        assert "error" not in answer, answer
        return answer

    async def say(self, conversation: str, text: str, client_id: str | None = None) -> Any:
        asked = {"conversation": conversation, "client_id": client_id or an_id(), "body": {"text": text}}
        return (await self("/chat/send", asked))["event"]


@pytest.fixture
async def server(dsn: str, tmp_path: Path) -> AsyncIterator[Server]:
    environment = {"TERTULIA_DATABASE_DSN": dsn, "TERTULIA_TOKEN_SECRET": "s" * 64, "TERTULIA_LOG_LEVEL": "debug"}
    with Server(tmp_path, environment) as running:
        yield running


async def somebody(server: Server, web: aiohttp.ClientSession, name: str) -> Person:
    async with web.post(f"{server.url}/auth/dev", json={"name": f"{name} {uuid.uuid4().hex[:8]}"}) as response:
        answer = await response.json()
    socket = socketio.AsyncClient(reconnection=False)
    await socket.connect(
        server.url, auth={"token": answer["token"]}, socketio_path="/ws", transports=["websocket"], wait_timeout=20
    )
    return Person(server.url, web, socket, answer["token"], answer["identity"])


async def test_bad_input_gets_its_code_over_every_door_and_leaves_neighbours_and_logs_alone(server: Server) -> None:
    async with aiohttp.ClientSession() as web:
        ada, bob, cyd = [await somebody(server, web, name) for name in ("Ada", "Bob", "Cyd")]
        made = {"kind": "group", "title": "A private matter", "members": [bob.id]}
        place = (await ada("/chat/conversations", {"client_id": an_id(), **made}))["id"]
        channel = {"client_id": an_id(), "kind": "public", "title": "A matter for all", "members": []}
        public = (await ada("/chat/conversations", channel))["id"]
        direct = (await ada("/chat/direct", {"user": bob.id}))["id"]
        await bob("/chat/block", {"client_id": an_id(), "user": ada.id, "blocked": True})
        used = an_id()
        first = await ada.say(place, "a first secret", used)
        edit = {"conversation": place, "seq": first["seq"]}
        await ada("/chat/edit", {**edit, "client_id": an_id(), "body": {"text": "a second secret"}})

        def message(text: Any, conversation: str = place, client_id: str = "") -> dict[str, Any]:
            return {"conversation": conversation, "client_id": client_id or an_id(), "body": {"text": text}}

        cases: list[tuple[str, Person, str, str, dict[str, Any], set[str]]] = [
            ("over-long text", ada, "send-message", "/chat/send", message("secret " * 1000), {"text-too-long"}),
            ("too many bytes", ada, "send-message", "/chat/send", message("\U0001f4a3" * 3500), {"text-too-long"}),
            ("no text", ada, "send-message", "/chat/send", message(""), {"text-blank"}),
            ("nothing to see", ada, "send-message", "/chat/send", message("\u200b\u2060 \n"), {"text-blank"}),
            ("no text at all", ada, "send-message", "/chat/send", message(5), {"frame-invalid", "body-invalid"}),
            ("NUL", ada, "send-message", "/chat/send", message("secret\x00"), {"text-invalid"}),
            ("escape", ada, "send-message", "/chat/send", message("secret\x1b[2J"), {"text-invalid"}),
            ("surrogate", ada, "send-message", "/chat/send", message("secret\ud800"), {"text-invalid"}),
            ("nowhere", ada, "send-message", "/chat/send", message("secret", NOWHERE), {"conversation-not-found"}),
            ("no member", cyd, "send-message", "/chat/send", message("secret"), {"conversation-not-found"}),
            ("joinable", cyd, "send-message", "/chat/send", message("secret", public), {"not-a-member"}),
            ("blocked", ada, "send-message", "/chat/send", message("secret", direct), {"blocked"}),
            ("used id", ada, "send-message", "/chat/send", message("other", client_id=used), {"client-id-reused"}),
            (
                "stale edit",
                ada,
                "edit-message",
                "/chat/edit",
                {**edit, "client_id": an_id(), "body": {"text": "late secret"}, "revision": first["seq"]},
                {"edit-stale"},
            ),
            ("cursor", ada, "browse", "/chat/browse?cursor=secret", {"cursor": "secret"}, {"cursor-invalid"}),
        ]  # fmt: skip
        good: list[str] = []
        for what, who, event, path, payload, codes in cases:
            good += [f"neighbour of {what} {n}" for n in range(2)]
            # In one breath, so that they may share a batch.
            over_socket, over_http, *_ = await asyncio.gather(
                who.socket.call(event, payload),
                who.http(path, None if "?" in path else payload),
                *(bob.say(place, text) for text in good[-2:]),
            )
            for answer in (over_socket, over_http):
                assert answer.get("error", {}).get("code") in codes, (what, answer)
                assert answer["error"]["message"].endswith("."), "a sentence for people"
                assert "secret" not in str(answer), what
        for text in TRICKS:
            said = await cyd_joins_and_says(cyd, public, text)
            assert said["body"]["text"] == text, "text stays what it is"
        page = await bob(f"/chat/history/{place}?limit=100")
        texts = [each["body"]["text"] for each in page["messages"] if each.get("body")]
        assert sorted(texts) == sorted(["a second secret", *good])

        answers = [await cyd.http("/chat/me") for _ in range(round(RATES["read"].burst) + 20)]
        limited = [answer["error"]["code"] for answer in answers if "error" in answer]
        assert set(limited) == {"rate-limited"}
        forged = Person(server.url, web, ada.socket, ada.token[:-4] + "AAAA", ada.id)
        assert (await forged.http("/chat/me"))["error"]["code"] == "token-invalid"
        for person in (ada, bob, cyd):
            await person.socket.disconnect()
    logged = server.log.read_text()
    assert "serving" in logged
    for word in ("secret", "neighbour", "private matter", "matter for all", "alert(1)", "gnp.exe"):
        assert word not in logged, "nothing that was written"
    for person in (ada, bob, cyd):
        assert person.id not in logged
        for part in (person.token, *person.token.split(".")[1:], forged.token):
            assert part not in logged, "no token, nor a part of one"


async def cyd_joins_and_says(cyd: Person, conversation: str, text: str) -> Any:
    await cyd("/chat/conversations/join", {"conversation": conversation, "client_id": an_id()})
    return await cyd.say(conversation, text)
