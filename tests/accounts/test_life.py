"""One life of an installation, in which every operation of accounts succeeds; and what its logs say of it."""

from __future__ import annotations

import json
import secrets
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pyotp
import structlog

from accounts.routes import ROUTES
from tests.accounts.conftest import PASSWORD, SUCCEEDED, House
from tests.server import Server


async def live(house: House) -> list[str]:
    """Use everything; what of it nobody else may learn."""
    owner = await house.person("owner")
    email = f"private-{secrets.token_hex(6)}@example.org"
    await house.ask("POST", "/auth/register", {"email": email})
    link = house.mailed_token(email)
    assert (await house.ask("GET", "/auth/options")).status == 200
    assert (await house.ask("POST", "/auth/link", {"token": link})).status == 200
    made = await house.ask(
        "POST", "/auth/register/finish", {"token": link, "name": "Ada Private", "password": PASSWORD}
    )
    token, ada = made.body["token"], made.body["account"]["id"]

    async def do(method: str, path: str, body: object = None) -> dict[str, Any]:
        answer = await house.ask(method, path, body, token=token)
        assert answer.status < 300, (path, answer.body)
        return dict(answer.body)

    await do("GET", "/auth/user")
    await do("PUT", "/user/update", {"status_text": "at work"})
    await do("GET", f"/user/{owner.id}")
    await do("POST", f"/user/block/{owner.id}")
    assert (await do("GET", "/chat/me"))["blocked"] == [owner.id]
    direct = await owner.ask("POST", "/chat/direct", {"user": ada})
    text = {"conversation": direct.body["id"], "client_id": str(uuid.uuid4()), "body": {"text": "hello"}}
    assert (await owner.ask("POST", "/chat/send", text)).code == "blocked"
    await do("DELETE", f"/user/block/{owner.id}")
    assert (await owner.ask("POST", "/chat/send", text)).status == 200
    secret = (await do("POST", "/auth/totp", {"password": PASSWORD}))["secret"]
    totp = pyotp.TOTP(secret)
    await do("POST", "/auth/totp/confirm", {"code": totp.now()})
    codes = (await do("POST", "/auth/recovery-codes", {"password": PASSWORD}))["codes"]
    answer = await house.ask("POST", "/auth/login", {"email": email, "password": PASSWORD})
    second = {"ticket": answer.body["ticket"], "code": codes[0]}
    other = await house.ask("POST", "/auth/login/second", second)
    assert other.status == 200, other.body
    await do("GET", "/auth/sessions")
    await do("DELETE", f"/auth/sessions/{other.body['session']}")
    await do("POST", "/auth/password", {"password": PASSWORD, "new_password": PASSWORD + "!"})
    await do("POST", "/auth/totp/remove", {"password": PASSWORD + "!"})
    renewed = await house.ask("POST", "/auth/refresh", {"refresh_token": made.body["refresh_token"]})
    token = renewed.body["token"]
    await do("POST", "/auth/logout", {})
    await house.ask("POST", "/auth/recover", {"email": email})
    await house.ask("POST", "/auth/recover/finish", {"token": house.mailed_token(email), "password": PASSWORD})
    await house.ask("GET", "/auth/outbox")
    for method, path, body in (
        ("POST", "/accounts/invitations", {"email": f"{secrets.token_hex(6)}@example.org"}),
        ("GET", "/accounts", None),
        ("PUT", f"/accounts/{ada}/role", {"role": "guest"}),
        ("POST", f"/accounts/{ada}/reset-link", None),
        ("POST", f"/accounts/{ada}/logout", None),
        ("PUT", f"/accounts/{ada}/ban", {"banned": True}),
        ("GET", "/accounts/audit", None),
    ):
        assert (await owner.ask(method, path, body)).status < 300, path
    return [email, "Ada Private", PASSWORD, link, token, secret, *codes, made.body["refresh_token"], ada]


async def test_every_operation_succeeds_and_nothing_personal_is_logged(house: House) -> None:
    SUCCEEDED.clear()
    with structlog.testing.capture_logs() as entries:
        personal = await live(house)
    assert SUCCEEDED == {route.name for route in ROUTES}
    logged = str(entries)
    for one in (*personal, "127.0.0.1"):
        assert one not in logged


def test_first_start_prints_the_owners_link_and_a_later_one_does_not(tmp_path: Path) -> None:

    server = Server(tmp_path)
    with server:
        token = server.log.read_text().split("/welcome#")[1].split()[0]
        body = {"token": token, "name": "Olga", "email": "olga@example.org", "password": PASSWORD}
        request = urllib.request.Request(
            f"{server.url}/auth/register/finish", json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.loads(answer.read())["account"]["role"] == "owner"
    server.log.write_text("")
    with server:
        assert "Tertulia is running" in server.log.read_text()
        assert "/welcome#" not in server.log.read_text()
