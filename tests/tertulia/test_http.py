"""The shared HTTP helpers and the page's routes, over a real connection."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from tertulia import http, pages
from tertulia.catalogue import Grants
from tertulia.errors import Conflict, Unavailable
from tertulia.settings import Settings
from tertulia.tokens import Tokens

Client = TestClient[web.Request, web.Application]
SETTINGS = Settings(token_secret="0123456789abcdef0123456789abcdef", public_url="https://talk.example.org")


class Body(msgspec.Struct):
    count: int
    name: str = "x"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    async def echo(request: web.Request) -> web.Response:
        return http.json_response(await http.read_json(request, Body))

    async def who(request: web.Request) -> web.Response:
        return http.json_response({"identity": http.principal(request).identity})

    async def conflict(_: web.Request) -> web.Response:
        raise Conflict("taken", "That name is taken.", "name")

    async def bug(_: web.Request) -> web.Response:
        raise RuntimeError("a secret detail")

    async def busy(_: web.Request) -> web.Response:
        raise Unavailable("room-full", "The room is full.")

    dist = tmp_path / "dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "index.html").write_text("<!doctype html><title>page</title>")
    (dist / "assets" / "index-abc123.js").write_text("1")
    (dist / "icon.svg").write_text("<svg/>")
    (dist / ".hidden").write_text("hidden")
    (tmp_path / "outside.txt").write_text("outside")
    (dist / "link.txt").symlink_to(tmp_path / "outside.txt")
    app = web.Application(middlewares=[http.errors], client_max_size=http.BODY_BYTES_MAX)
    app[http.TOKENS] = Tokens(SETTINGS)
    pages.install(app, SETTINGS)
    app.router.add_post("/echo", echo)
    for path, handler in (("/who", who), ("/conflict", conflict), ("/bug", bug), ("/busy", busy)):
        app.router.add_get(path, handler)
    app.add_routes(pages.routes(dist))
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_a_body_is_read_by_its_type(client: Client) -> None:
    answer = await client.post("/echo", data=b'{"count": 3, "unknown": 1}')
    assert (answer.status, await answer.json()) == (200, {"count": 3, "name": "x"})
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "field"),
    [(b'{"count": "3"}', "count"), (b"{}", None), (b"", None), (b"[1]", None), (b"{", None), (b"\xff\xfe", None)],
)
async def test_a_malformed_body_is_answered_with_its_field(client: Client, body: bytes, field: str | None) -> None:
    answer = await client.post("/echo", data=body)
    error = (await answer.json())["error"]
    assert (answer.status, error["code"], error.get("field")) == (400, "body-invalid", field)


async def test_a_large_body_is_refused(client: Client) -> None:
    answer = await client.post("/echo", data=b" " * (http.BODY_BYTES_MAX + 1))
    assert (answer.status, (await answer.json())["error"]["code"]) == (413, "body-too-large")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/conflict", 409, "taken"),
        ("/busy", 503, "room-full"),
        ("/bug", 500, "internal"),
        ("/nothing/here", 404, "not-found"),
        ("/who", 401, "token-missing"),
    ],
)
async def test_every_failure_has_a_status_and_a_code(client: Client, path: str, status: int, code: str) -> None:
    answer = await client.get(path)
    text = await answer.text()
    assert (answer.status, (await answer.json())["error"]["code"]) == (status, code)
    assert "secret detail" not in text
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


async def test_a_wrong_method_names_the_right_one(client: Client) -> None:
    answer = await client.put("/conflict")
    assert (answer.status, (await answer.json())["error"]["code"]) == (405, "method-not-allowed")
    assert "GET" in answer.headers["Allow"]


async def test_a_bearer_token_says_who_asks(client: Client) -> None:
    token = Tokens(SETTINGS).mint("calm-river", "ann", "Ann", Grants())
    answer = await client.get("/who", headers={"Authorization": f"Bearer {token}"})
    assert await answer.json() == {"identity": "ann"}
    for bad in ("Bearer nonsense", f"Basic {token}", "Bearer "):
        assert (await client.get("/who", headers={"Authorization": bad})).status == 401


@pytest.mark.parametrize("path", ["/", "/r/calm-river-4821"])
async def test_the_page_is_fresh_and_locked_down(client: Client, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status, answer.content_type) == (200, "text/html")
    assert answer.headers["Cache-Control"] == "no-cache"
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'self'" in policy and "object-src 'none'" in policy
    assert "unsafe-inline" not in next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "camera=(self)" in answer.headers["Permissions-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Strict-Transport-Security"]
    again = await client.get(path, headers={"If-None-Match": answer.headers["Etag"]})
    assert again.status == 304


async def test_files_with_a_hash_in_their_name_are_kept_for_ever(client: Client) -> None:
    answer = await client.get("/assets/index-abc123.js")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, pages.FOREVER)
    assert "javascript" in answer.content_type
    assert (await client.get("/icon.svg")).headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize(
    "path", ["/.hidden", "/assets/../.hidden", "/%2e%2e/outside.txt", "/link.txt", "/assets", "/assets/none.js", "/r/"]
)
async def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert (await client.get(path)).status == 404


async def test_a_page_that_is_not_built_says_how(tmp_path: Path) -> None:
    app = web.Application()
    app.add_routes(pages.routes(tmp_path / "none"))
    async with TestClient(TestServer(app)) as client:
        answer = await client.get("/")
        assert answer.status == 503 and "make web" in await answer.text()
