"""Browsers that are logged in by cookie, and pages of other sites that would like to be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.accounts.conftest import PASSWORD, Answer, House, open_house

FOREIGN = "https://evil.example"
CSRF = "X-CSRF-Token"


class Page:
    """A page of our own in a browser: keeps cookies, and sends what a browser would."""

    def __init__(self, house: House, origin: str | None = None) -> None:
        self.house = house
        self.origin = origin or house.url
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        sent = {"Origin": self.origin, CSRF: self.csrf, **headers}
        answer = await self.house.ask(method, path, body, headers=sent, cookies=self.cookies)
        self.cookies.update(answer.cookies)
        return answer

    async def log_in(self, email: str) -> Answer:
        answer = await self.ask("POST", "/auth/login", {"email": email, "password": PASSWORD, "browser": True})
        if answer.status == 200:
            self.csrf = answer.body["session"]["csrf"]
        return answer


async def logged_in(house: House) -> Page:
    page = Page(house)
    answer = await page.log_in((await house.account(password=PASSWORD)).email)
    assert answer.status == 200, answer.body
    return page


async def test_page_gets_cookies_that_no_script_reads_and_no_tokens(house: House) -> None:
    page = Page(house)
    answer = await page.log_in((await house.account(password=PASSWORD)).email)
    session = answer.body["session"]
    assert (session["token"], session["refresh_token"]) == (None, None)
    set_cookies = answer.headers.getall("Set-Cookie")
    assert len(set_cookies) == 3
    for line in set_cookies:
        assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(line.split("; ")) and "Domain" not in line
    myself = await page.ask("GET", "/auth/user")
    assert myself.body["csrf"] == page.csrf == session["csrf"]
    assert (await page.ask("GET", "/chat/me")).status == 200, "the chat takes the cookie"


async def test_on_https_cookies_belong_to_the_host_alone(dsn: str, tmp_path: Path) -> None:
    async with open_house(dsn, tmp_path, public_url="https://talk.example.org") as house:
        page = Page(house, "https://talk.example.org")
        answer = await page.log_in((await house.account(password=PASSWORD)).email)
        for line in answer.headers.getall("Set-Cookie"):
            assert line.startswith("__Host-") and "Secure" in line.split("; ")
        # What a neighbouring host could set, without the prefix, is not looked at.
        bare = {name.removeprefix("__Host-"): value for name, value in page.cookies.items()}
        assert (await house.ask("GET", "/auth/user", cookies=bare)).code == "token-missing"


CHANGES: list[tuple[str, str, Any]] = [
    ("POST", "/auth/logout", {"everywhere": True}),
    ("POST", "/auth/password", {"password": PASSWORD, "new_password": "another good one"}),
    ("PUT", "/user/update", {"name": "Eve"}),
    ("POST", "/chat/conversations", {"client_id": "00000000-0000-4000-8000-000000000001", "kind": "group"}),
    ("POST", "/chat/direct", {"user": "somebody"}),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
async def test_page_of_another_site_changes_nothing(house: House, method: str, path: str, body: Any) -> None:
    page = await logged_in(house)
    for headers in (
        {"Origin": FOREIGN},
        {"Origin": "null"},
        {"Origin": house.url + ".evil.example"},
        {"Origin": f"http://evil.example#{house.url}"},
    ):
        assert (await page.ask(method, path, body, **headers)).refusal == (403, "origin-foreign"), headers
    # A form sends no such header, and a browser too old to name an origin is not believed either.
    bare = await house.ask(method, path, body, cookies=page.cookies)
    assert bare.refusal == (403, "origin-foreign")
    other = await logged_in(house)
    for csrf in ("", "0" * 64, other.csrf):
        assert (await page.ask(method, path, body, **{CSRF: csrf})).refusal == (403, "csrf-invalid")
    assert (await page.ask("GET", "/auth/user")).status == 200, "and the session is as it was"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/login", {"email": "ada@example.org", "password": PASSWORD}),
        ("/auth/login", {"email": "ada@example.org", "password": PASSWORD, "browser": True}),
        ("/auth/register", {"email": "ada@example.org"}),
        ("/auth/recover", {"email": "ada@example.org"}),
        ("/auth/refresh", {}),
    ],
)
async def test_page_of_another_site_logs_nobody_in(house: House, path: str, body: Any) -> None:
    page = await logged_in(house)
    for headers in ({"Origin": FOREIGN}, {"Origin": FOREIGN, "Sec-Fetch-Site": "none"}):
        answer = await house.ask("POST", path, body, headers=headers, cookies=page.cookies)
        assert answer.refusal == (403, "origin-foreign") and not answer.cookies
    assert not house.outbox.mails


async def test_cookies_are_set_for_pages_only(house: House) -> None:
    account = await house.account(password=PASSWORD)
    body = {"email": account.email, "password": PASSWORD, "browser": True}
    assert (await house.ask("POST", "/auth/login", body)).refusal == (403, "origin-foreign")


async def test_session_of_before_is_not_taken_over(house: House) -> None:
    """Fixation: somebody plants their own session, and the victim logs in over it."""
    planted = await logged_in(house)
    victim = Page(house)
    victim.cookies = dict(planted.cookies)
    account = await house.account(password=PASSWORD)
    await victim.log_in(account.email)
    assert victim.cookies["tertulia-access"] != planted.cookies["tertulia-access"]
    assert victim.cookies["tertulia-refresh"] != planted.cookies["tertulia-refresh"]
    mine = (await planted.ask("GET", "/auth/user")).body
    theirs = (await victim.ask("GET", "/auth/user")).body
    assert theirs["account"]["id"] == account.id != mine["account"]["id"] and theirs["session"] != mine["session"]


async def test_page_renews_and_logs_out(house: House) -> None:
    page = await logged_in(house)
    before = dict(page.cookies)
    renewed = await page.ask("POST", "/auth/refresh", {})
    assert renewed.status == 200 and renewed.body["csrf"] == page.csrf and renewed.body["token"] is None
    assert page.cookies["tertulia-refresh"] != before["tertulia-refresh"]
    done = await page.ask("POST", "/auth/logout", {})
    assert done.cookies == {"tertulia-access": "", "tertulia-refresh": ""}
    page.cookies = before
    assert (await page.ask("GET", "/auth/user")).code == "session-ended"


async def shake_hands(house: House, cookies: dict[str, str], origin: str | None, auth: str = "") -> str:
    """What the socket says to a page that connects: the packet's type and the refusal's code."""
    headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
    if origin is not None:
        headers["Origin"] = origin
    async with house.web.ws_connect(f"{house.url}/ws/?EIO=4&transport=websocket", headers=headers) as ws:
        await ws.receive_str()
        await ws.send_str(f"40{auth}")
        return str(await ws.receive_str())


async def test_socket_takes_the_cookie_of_our_own_pages_only(house: House) -> None:
    page = await logged_in(house)
    assert (await shake_hands(house, page.cookies, house.url)).startswith("40{")
    assert "token-missing" in await shake_hands(house, page.cookies, None), "a program brings a token"
    assert "token-missing" in await shake_hands(house, {}, house.url)
    forged = '{"token":"a.b.c"}'
    assert "token-invalid" in await shake_hands(house, page.cookies, house.url, forged), "what is shown is meant"
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await shake_hands(house, page.cookies, FOREIGN)
    assert refused.value.status == 403


async def test_token_in_the_header_is_meant_whatever_cookies_come_along(house: House) -> None:
    page, program = await logged_in(house), await house.person()
    answer = await house.ask("GET", "/auth/user", token=program.token, cookies=page.cookies)
    assert (answer.body["account"]["id"], answer.body["csrf"]) == (program.id, None)
    bad = await house.ask("GET", "/auth/user", token="nonsense", cookies=page.cookies)
    assert bad.code == "token-invalid"
