"""The HTTP door: every operation of its table, the development log-in, and what bad input gets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

import accounts.development
import chat.http
from chat.service import ChatService
from tertulia import http
from tertulia.settings import Settings
from tertulia.tokens import Tokens
from tests.chat.conftest import Room
from tests.chat.replay import an_id


@dataclass
class Client:
    """Somebody with a token."""

    session: aiohttp.ClientSession
    url: str
    token: str
    id: str

    async def __call__(self, method: str, path: str, body: Any = None, status: int = 200, **query: str) -> Any:
        async with self.session.request(
            method,
            self.url + path,
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {self.token}"},
        ) as response:
            answer = await response.json()
            assert response.status == status, answer
            return answer

    async def code(self, method: str, path: str, body: Any = None, **query: str) -> tuple[int, str]:
        async with self.session.request(
            method, self.url + path, json=body, params=query, headers={"Authorization": f"Bearer {self.token}"}
        ) as response:
            return response.status, (await response.json())["error"]["code"]


@dataclass
class Site:
    server: TestServer
    session: aiohttp.ClientSession
    tokens: Tokens

    async def log_in(self, name: str) -> Client:
        url = str(self.server.make_url("")).rstrip("/")
        async with self.session.post(url + "/auth/dev", json={"name": name}) as response:
            assert response.status == 200
            answer = await response.json()
        return Client(self.session, url, answer["token"], answer["identity"])


@pytest.fixture
async def site(chat: ChatService) -> AsyncIterator[Site]:
    settings = Settings(token_secret="s" * 40)
    tokens = Tokens(settings)
    app = web.Application(middlewares=[http.errors], client_max_size=http.BODY_BYTES_MAX)
    app[http.TOKENS] = tokens
    app.add_routes(chat_routes(chat))
    app.add_routes(accounts.development.routes(settings, tokens, chat))
    server = TestServer(app)
    await server.start_server()
    async with aiohttp.ClientSession() as session:
        yield Site(server, session, tokens)
    await server.close()


def chat_routes(service: ChatService) -> Any:
    return chat.http.routes(service)


async def test_two_people_use_everything_the_door_has(site: Site) -> None:
    ada, bob = await site.log_in("Ada Lovelace"), await site.log_in("Bob")
    assert (await site.log_in("  ada lovelace ")).id == ada.id, "the same name is the same person"
    made = await ada(
        "POST",
        "/chat/conversations",
        {"client_id": an_id(), "kind": "group", "title": "Engines", "members": [bob.id]},
    )
    place = made["id"]
    sent = await ada(
        "POST",
        "/chat/send",
        {"conversation": place, "client_id": an_id(), "body": {"text": "hello", "mentions": [bob.id]}},
    )
    seq = sent["event"]["seq"]
    assert sent["event"]["no"] == 1
    unread = await bob("GET", f"/chat/unread/{bob.id}")
    assert (unread["unread"], unread["mentions"]) == (1, 1)
    marks = await bob("POST", "/chat/mark-read", {"conversation": place, "seq": seq})
    assert marks["unread"] == 0
    assert (await ada("GET", f"/chat/readers/{place}/{seq}"))["read"] == [bob.id]
    change = {"conversation": place, "seq": seq}
    await bob("POST", "/chat/react", {**change, "client_id": an_id(), "emoji": "👍"})
    await ada("POST", "/chat/edit", {**change, "client_id": an_id(), "body": {"text": "hello!"}, "revision": seq})
    await ada("POST", "/chat/pin", {**change, "client_id": an_id()})
    page = await bob("GET", f"/chat/history/{place}", limit="1", before=str(seq + 1))
    [message] = page["messages"]
    assert (message["body"], message["mine"], message["reactions"]) == (
        {"text": "hello!"}, ["👍"], [{"emoji": "👍", "count": 1}],
    )  # fmt: skip
    assert len((await bob("GET", f"/chat/edits/{place}/{seq}"))["revisions"]) == 2
    assert [who["user"] for who in (await bob("GET", f"/chat/reactions/{place}/{seq}"))["reactions"]] == [bob.id]
    assert len((await bob("GET", f"/chat/pins/{place}"))["messages"]) == 1
    assert len((await bob("GET", f"/chat/messages/{place}", seqs=f"{seq},{seq + 50}"))["messages"]) == 1
    assert (await bob("GET", f"/chat/conversations/{place}"))["title"] == "Engines"
    assert [each["id"] for each in (await bob("GET", "/chat/conversations", limit="5"))["conversations"]] == [place]
    assert (await bob("GET", "/chat/conversations", archived="true"))["conversations"] == []
    names = [member["name"] for member in (await bob("GET", f"/chat/members/{place}"))["members"]]
    assert names == ["Ada Lovelace", "Bob"]
    direct = await bob("POST", "/chat/direct", {"user": ada.id})
    assert direct["other"] == ada.id
    await bob("POST", "/chat/draft", {"conversation": place, "client_id": an_id(), "body": {"text": "well"}})
    await bob("POST", "/chat/arrange", {"conversation": place, "client_id": an_id(), "archived": True})
    await bob("POST", "/chat/preferences", {"client_id": an_id(), "preferences": {"theme": "dark"}})
    assert (await bob("GET", "/chat/me"))["preferences"]["theme"] == "dark"
    invite = await ada("POST", "/chat/invites", {"conversation": place})
    cyd = await site.log_in("Cyd")
    await cyd("POST", "/chat/invites/accept", {"token": invite["token"], "client_id": an_id()})
    synced = await cyd("POST", "/chat/sync", {"positions": [{"conversation": place, "seq": 0}]})
    assert synced["conversations"][0]["status"] == "reset" or synced["conversations"][0]["events"]
    filled = await cyd("POST", "/chat/fill", {"conversation": place, "after": 0})
    assert [event["seq"] for event in filled["events"]] == list(range(1, len(filled["events"]) + 1))
    await ada(
        "POST", "/chat/members/role", {"conversation": place, "client_id": an_id(), "user": cyd.id, "role": "moderator"}
    )
    await cyd("POST", "/chat/delete", {**change, "client_id": an_id()})
    await cyd("POST", "/chat/conversations/leave", {"conversation": place, "client_id": an_id()})
    assert await cyd.code("GET", f"/chat/history/{place}") == (404, "conversation-not-found")


async def test_what_is_read_and_marked_is_ones_own(site: Site) -> None:
    ada, bob = await site.log_in("Ada"), await site.log_in("Bob")
    assert await ada.code("GET", f"/chat/unread/{bob.id}") == (403, "own-only")


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/chat/history/nothing", None, (400, "frame-invalid")),
        ("GET", "/chat/history/00000000-0000-4000-8000-000000000000", None, (404, "conversation-not-found")),
        ("GET", "/chat/history/00000000-0000-4000-8000-00000000000%00", None, (400, "frame-invalid")),
        ("GET", "/chat/conversations?limit=0", None, (400, "frame-invalid")),
        ("GET", "/chat/conversations?limit=99999999999999999999999999", None, (400, "frame-invalid")),
        ("GET", "/chat/conversations?limit=x", None, (400, "frame-invalid")),
        ("GET", "/chat/conversations?cursor=x", None, (400, "cursor-invalid")),
        ("GET", "/chat/conversations?cursor=WzEsImEiXQ", None, (400, "cursor-invalid")),
        ("GET", "/chat/people?cursor=WyJcdTAwMDAiLCJhIl0", None, (400, "cursor-invalid")),
        ("POST", "/chat/send", [], (400, "body-invalid")),
        ("POST", "/chat/send", {"conversation": 5}, (400, "body-invalid")),
        ("POST", "/chat/direct", {"user": "\x00"}, (400, "body-invalid")),
        ("POST", "/chat/direct", {"user": "nobody"}, (404, "member-not-found")),
        (
            "POST",
            "/chat/conversations",
            {"client_id": "00000000-0000-4000-8000-000000000000", "kind": "group", "title": "a\x00b"},
            (400, "text-invalid"),
        ),
        (
            "POST",
            "/chat/conversations",
            {"client_id": "00000000-0000-4000-8000-000000000000", "kind": "group", "title": "\u200b"},
            (400, "text-blank"),
        ),
        (
            "POST",
            "/chat/preferences",
            {"client_id": "00000000-0000-4000-8000-000000000000", "preferences": {"a": "\x00"}},
            (400, "text-invalid"),
        ),
        (
            "POST",
            "/chat/invites/accept",
            {"token": "x" * 32, "client_id": "00000000-0000-4000-8000-000000000000"},
            (404, "invite-invalid"),
        ),
    ],
)
async def test_bad_input_gets_its_code(
    site: Site, method: str, path: str, body: Any, expected: tuple[int, str]
) -> None:
    ada = await site.log_in("Ada")
    assert await ada.code(method, path, body) == expected


@pytest.mark.parametrize("name", ["", " ", "\x00", "a\nb", "x" * 65, "\u202e"])
async def test_nobody_logs_in_without_a_name_that_shows(site: Site, name: str) -> None:
    async with site.session.post(site.server.make_url("/auth/dev"), json={"name": name}) as response:
        assert response.status == 400


async def test_development_log_in_does_not_exist_where_others_can_reach_the_server(chat: ChatService) -> None:
    settings = Settings(token_secret="s" * 40, http_host="0.0.0.0")
    app = web.Application(middlewares=[http.errors])
    app.add_routes(accounts.development.routes(settings, Tokens(settings), chat))
    server = TestServer(app)
    await server.start_server()
    async with (
        aiohttp.ClientSession() as session,
        session.post(server.make_url("/auth/dev"), json={"name": "Ada"}) as response,
    ):
        assert response.status == 403
        assert (await response.json())["error"]["code"] == "development-only"
    await server.close()


async def test_names_that_look_alike_are_not_one_person(site: Site) -> None:
    names = ["Ada", "Аda", "ada.", "a da", "ádа"]  # two of them hold Cyrillic letters
    assert len({accounts.development.identity_of(name) for name in names}) == len(names)


async def test_room_token_and_no_token(site: Site, room: Room, chat: ChatService) -> None:
    guest = Client(site.session, str(site.server.make_url("")).rstrip("/"), site.tokens.mint(room.id, "g", "G"), "g")
    body = {"conversation": room.conversation, "client_id": an_id(), "body": {"text": "hi"}}
    await guest("POST", "/chat/send", body)
    assert len((await guest("GET", f"/chat/history/{room.conversation}"))["messages"]) == 1
    assert await guest.code("GET", "/chat/conversations") == (403, "workspace-needed")
    nobody = Client(site.session, guest.url, "nonsense", "")
    assert await nobody.code("GET", "/chat/me") == (401, "token-invalid")
