"""Logging in by way of a provider: a real one that runs beside the test, and everything that can go wrong with it."""

from __future__ import annotations

import base64
import hashlib
import secrets
import warnings
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import RSAKey

from accounts import oauth_store
from accounts.providers import github_person
from tests.accounts.conftest import PASSWORD, Answer, House, open_house
from tests.accounts.test_browsers import Page

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it uses a part of authlib that will go
    import oidc_provider_mock

# What the provider uses of authlib is its own matter.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:authlib", "ignore:get_jwt_config:DeprecationWarning"
)
CLIENT = "tertulia:a-secret-of-the-client"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def house(dsn: str, tmp_path: Path, issuer: str) -> AsyncIterator[House]:
    async with open_house(
        dsn,
        tmp_path,
        registration="open",
        oauth_clients={"google": CLIENT, "work": CLIENT},
        oauth_issuers={"google": issuer, "work": issuer},
    ) as house:
        yield house


class Browser(Page):
    """Follows redirects by hand, and logs in at the provider."""

    async def go(self, path: str) -> str:
        """Where that leads."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        async with self.house.web.get(self.house.url + path, headers=headers, allow_redirects=False) as response:
            assert response.status == 303, await response.text()
            self.cookies.update({name: morsel.value for name, morsel in response.cookies.items()})
            return response.headers["Location"]

    async def at_provider(self, url: str, subject: str, **form: str) -> str:
        """The way back that the provider sends the browser: path and query."""
        data = {"sub": subject, **form}
        async with self.house.web.post(url, data=data, allow_redirects=False) as response:
            assert response.status == 302, await response.text()
            back = urlsplit(response.headers["Location"])
        assert f"{back.scheme}://{back.netloc}" == self.house.settings.base_url
        return f"{back.path}?{back.query}"

    async def log_in_by(self, subject: str, provider: str = "google", path: str = "/c", **form: str) -> str:
        """Where all of it ends."""
        there = await self.go(f"/auth/oauth/{provider}?{urlencode({'path': path})}")
        return await self.go(await self.at_provider(there, subject, **form))

    def ended(self, location: str, code: str) -> bool:
        return location == f"{self.house.settings.base_url}/login#error={code}"


async def somebody(house: House, issuer: str, verified: bool = True, **claims: Any) -> tuple[str, str]:
    """A person at the provider: subject and address."""
    subject = f"sub-{secrets.token_hex(6)}"
    email = claims.pop("email", f"{subject}@example.org")
    body = {"email": email, "email_verified": verified, "name": "Ada at Work", **claims}
    async with house.web.put(f"{issuer}/users/{subject}", json=body) as response:
        assert response.status < 300, await response.text()
    return subject, email


async def test_somebody_new_registers_and_comes_back_as_the_same(house: House, issuer: str) -> None:
    subject, email = await somebody(house, issuer)
    first, second = Browser(house), Browser(house)
    assert await first.log_in_by(subject) == house.settings.base_url + "/c"
    myself = (await first.ask("GET", "/auth/user")).body["account"]
    assert (myself["email"], myself["name"], myself["role"], myself["has_password"]) == (
        email,
        "Ada at Work",
        "member",
        False,
    )
    assert (await first.ask("GET", "/chat/me")).status == 200
    await second.log_in_by(subject, "work")
    assert (await second.ask("GET", "/auth/user")).body["account"]["id"] == myself["id"], "one issuer, one person"


async def test_flow_has_pkce_state_and_nonce_and_a_cookie_for_the_way_back(house: House) -> None:
    browser = Browser(house)
    asked = parse_qs(urlsplit(await browser.go("/auth/oauth/google")).query)
    assert asked["code_challenge_method"] == ["S256"] and asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == [f"{house.settings.base_url}/auth/oauth/google/callback"]
    async with house.services.database.acquire() as db:
        state = hashlib.sha256(asked["state"][0].encode()).digest()
        row = await db.fetchrow("SELECT verifier, nonce FROM accounts.oauth_flow WHERE state_hash = $1", state)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(row["verifier"].encode()).digest()).rstrip(b"=").decode()
    assert asked["code_challenge"] == [challenge] and asked["nonce"] == [row["nonce"]]
    assert (await house.ask("GET", "/auth/oauth")).body == {"providers": ["google", "work"]}
    assert (await house.ask("GET", "/auth/oauth/other")).refusal == (404, "provider-unknown")


async def test_way_back_is_good_once_in_the_browser_where_it_began(house: House, issuer: str) -> None:
    subject, _ = await somebody(house, issuer)
    browser, other = Browser(house), Browser(house)
    back = await browser.at_provider(await browser.go("/auth/oauth/google"), subject)
    await other.go("/auth/oauth/google")
    assert other.ended(await other.go(back), "oauth-state-invalid"), "a link sent to a victim logs them in to nothing"
    kept = dict(browser.cookies)
    assert await browser.go(back) == house.settings.base_url + "/"
    browser.cookies.update(kept)
    assert browser.ended(await browser.go(back), "oauth-state-invalid"), "a code is not played again"


@pytest.mark.parametrize("change", ["no state", "another state", "old", "another provider", "another issuer"])
async def test_way_back_that_was_meddled_with_is_refused(house: House, issuer: str, change: str) -> None:
    subject, _ = await somebody(house, issuer)
    browser = Browser(house)
    path, _, query = (await browser.at_provider(await browser.go("/auth/oauth/google"), subject)).partition("?")
    said = dict(parse_qsl(query))
    match change:
        case "no state":
            del said["state"]
        case "another state":
            said["state"] = said["state"][::-1]
        case "old":
            async with house.services.database.acquire() as db:
                await db.execute("UPDATE accounts.oauth_flow SET expires_at = now()")
        case "another provider":
            path = path.replace("google", "work")
        case _:
            said["iss"] = "https://evil.example"
    assert browser.ended(await browser.go(f"{path}?{urlencode(said)}"), "oauth-state-invalid")
    assert (await browser.ask("GET", "/auth/user")).code == "token-missing"


async def test_stolen_code_is_worth_nothing_in_another_flow(house: House, issuer: str) -> None:
    """PKCE: the thief has a flow of their own, with its state and cookie, and puts the victim's code into it."""
    subject, _ = await somebody(house, issuer)
    victim, thief = Browser(house), Browser(house)
    stolen = await victim.at_provider(await victim.go("/auth/oauth/google"), subject)
    own, _ = await somebody(house, issuer)
    back = await thief.at_provider(await thief.go("/auth/oauth/google"), own)
    code = parse_qs(urlsplit(stolen).query)["code"][0]
    path, _, query = back.partition("?")
    assert thief.ended(await thief.go(f"{path}?{urlencode({**dict(parse_qsl(query)), 'code': code})}"), "oauth-failed")


async def test_provider_that_says_no(house: House, issuer: str) -> None:
    subject, _ = await somebody(house, issuer)
    browser = Browser(house)
    there = await browser.go("/auth/oauth/google")
    async with house.web.post(there, data={"action": "deny", "sub": subject}, allow_redirects=False) as response:
        back = urlsplit(response.headers["Location"])
    state = parse_qs(urlsplit(there).query)["state"][0]
    query = dict(parse_qsl(back.query))
    assert query["error"] == "access_denied"
    query.setdefault("state", state)
    assert browser.ended(await browser.go(f"{back.path}?{urlencode(query)}"), "oauth-denied")


async def test_made_up_code_is_refused_by_the_provider(house: House) -> None:
    browser = Browser(house)
    state = parse_qs(urlsplit(await browser.go("/auth/oauth/google")).query)["state"][0]
    query = urlencode({"state": state, "code": "made-up"})
    assert browser.ended(await browser.go(f"/auth/oauth/google/callback?{query}"), "oauth-failed")


@pytest.mark.parametrize(
    "path",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/c?x=1", "/..//evil.example", "c", "/%2F/evil", ""],
)
async def test_nobody_is_led_away(house: House, path: str) -> None:
    answer = await house.ask("GET", f"/auth/oauth/google?{urlencode({'path': path})}") if path else None
    assert answer is None or answer.refusal == (400, "path-invalid")


async def test_unverified_address_makes_no_account(house: House, issuer: str) -> None:
    browser = Browser(house)
    subject, _ = await somebody(house, issuer, verified=False)
    assert browser.ended(await browser.log_in_by(subject), "email-unverified")


async def test_account_with_the_address_is_linked_only_with_proof_of_both(house: House, issuer: str) -> None:
    account = await house.account(password=PASSWORD)
    subject, _ = await somebody(house, issuer, email=account.email)
    browser = Browser(house)
    assert browser.ended(await browser.log_in_by(subject), "oauth-link-needed"), "the provider's word is not enough"
    assert (await browser.ask("GET", "/auth/user")).code == "token-missing"
    await browser.log_in(account.email)
    begun = await browser.ask("POST", "/auth/oauth/google/link", {"path": "/c"})
    assert await browser.go(await browser.at_provider(begun.body["url"], subject)) == house.settings.base_url + "/c"
    other = Browser(house)
    await other.log_in_by(subject)
    assert (await other.ask("GET", "/auth/user")).body["account"]["id"] == account.id
    thief = Browser(house)
    await thief.log_in((await house.account(password=PASSWORD)).email)
    begun = await thief.ask("POST", "/auth/oauth/google/link", {})
    back = await thief.at_provider(begun.body["url"], subject)
    assert thief.ended(await thief.go(back), "identity-linked"), "one identity, one account"


async def test_linking_ends_with_the_session_that_began_it(house: House, issuer: str) -> None:
    account = await house.account(password=PASSWORD)
    subject, _ = await somebody(house, issuer)
    browser = Browser(house)
    await browser.log_in(account.email)
    foreign = await browser.ask("POST", "/auth/oauth/google/link", {}, Origin="https://evil.example")
    assert foreign.refusal == (403, "origin-foreign"), "no other site begins it"
    back = await browser.at_provider((await browser.ask("POST", "/auth/oauth/google/link", {})).body["url"], subject)
    await browser.ask("POST", "/auth/logout", {})
    assert browser.ended(await browser.go(back), "oauth-state-invalid")
    async with house.services.database.acquire() as db:
        assert await oauth_store.account_of(db, issuer, subject) is None


@pytest.mark.parametrize("registration", ["closed", "invitation"])
async def test_registration_setting_holds_here_too(dsn: str, tmp_path: Path, issuer: str, registration: str) -> None:
    settings = {"oauth_clients": {"work": CLIENT}, "oauth_issuers": {"work": issuer}, "registration": registration}
    async with open_house(dsn, tmp_path, **settings) as house:
        subject, _ = await somebody(house, issuer)
        browser = Browser(house)
        assert browser.ended(await browser.log_in_by(subject, "work"), "registration-closed")


async def test_banned_person_does_not_come_by_the_side_door(house: House, issuer: str) -> None:
    subject, email = await somebody(house, issuer)
    await Browser(house).log_in_by(subject)
    async with house.services.database.acquire() as db:
        await db.execute("UPDATE accounts.account SET state = 'banned' WHERE email = $1", email)
    browser = Browser(house)
    assert browser.ended(await browser.log_in_by(subject), "account-banned")


async def test_second_step_is_needed_here_too(house: House, issuer: str) -> None:
    subject, email = await somebody(house, issuer)
    await Browser(house).log_in_by(subject)
    async with house.services.database.acquire() as db:
        await db.execute("UPDATE accounts.account SET totp_on = true WHERE email = $1", email)
    browser = Browser(house)
    location = await browser.log_in_by(subject)
    assert location.startswith(f"{house.settings.base_url}/login#ticket=")
    assert (await browser.ask("GET", "/auth/user")).code == "token-missing"


# --- a provider that lies ----------------------------------------------------------------------------------------


@dataclass
class Liar:
    """An issuer that signs whatever a test wants."""

    url: str = ""
    key: Any = None
    published: Any = None
    changes: dict[str, Any] | None = None
    header: dict[str, Any] | None = None
    nonce: str = ""
    named: str = ""

    async def discover(self, _: web.Request) -> web.Response:
        ends = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        found = {name: self.url + path for name, path in ends.items()}
        return web.json_response({"issuer": self.named or self.url, **found})

    async def keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": [self.published.as_dict(private=False)]})

    async def token(self, _: web.Request) -> web.Response:
        claims = {
            "iss": self.url,
            "aud": "tertulia",
            "sub": "somebody",
            "exp": 4_000_000_000,
            "iat": 1_700_000_000,
            "nonce": self.nonce,
            "email": f"{secrets.token_hex(6)}@example.org",
            "email_verified": True,
            **(self.changes or {}),
        }
        claims = {name: value for name, value in claims.items() if value is not ...}
        signed = jwt.encode({"alg": "RS256", **(self.header or {})}, claims, self.key)
        return web.json_response({"access_token": "x", "token_type": "Bearer", "id_token": signed})


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    liar = Liar()
    liar.key = liar.published = RSAKey.generate_key(2048, {"kid": "one"})
    app = web.Application()
    app.router.add_get("/.well-known/openid-configuration", liar.discover)
    app.router.add_get("/keys", liar.keys)
    app.router.add_post("/token", liar.token)
    server = TestServer(app)
    await server.start_server()
    liar.url = str(server.make_url("")).rstrip("/")
    yield liar
    await server.close()


LIES: dict[str, dict[str, Any]] = {
    "of another issuer": {"iss": "https://evil.example"},
    "for another client": {"aud": "another"},
    "for several, meant for another": {"aud": ["tertulia", "another"], "azp": "another"},
    "expired": {"exp": 1_700_000_000},
    "without an end": {"exp": ...},
    "without a subject": {"sub": ...},
    "of another log-in": {"nonce": "another"},
    "without a nonce": {"nonce": ...},
}


@pytest.mark.parametrize("lie", [*LIES, "signed by another key", "nothing of it", "of an issuer by another name"])
async def test_token_that_does_not_hold_is_refused(dsn: str, tmp_path: Path, liar: Liar, lie: str) -> None:
    settings = {"oauth_clients": {"liar": CLIENT}, "oauth_issuers": {"liar": liar.url}, "registration": "open"}
    async with open_house(dsn, tmp_path, **settings) as house:
        browser = Browser(house)
        asked = parse_qs(urlsplit(await browser.go("/auth/oauth/liar")).query)
        liar.nonce = asked["nonce"][0]
        liar.changes = LIES.get(lie)
        if lie == "signed by another key":
            liar.key = RSAKey.generate_key(2048, {"kid": "one"})
        if lie == "of an issuer by another name":
            liar.named = "https://evil.example"
            house.services.accounts.oauth._providers["liar"]._found_at = -1e9  # type: ignore[attr-defined]
        back = f"/auth/oauth/liar/callback?{urlencode({'state': asked['state'][0], 'code': 'c'})}"
        location = await browser.go(back)
        if lie == "nothing of it":
            assert location == house.settings.base_url + "/", "the same that tells the truth is believed"
        else:
            assert browser.ended(location, "oauth-failed")


async def test_keys_that_changed_are_asked_for_again(
    dsn: str, tmp_path: Path, liar: Liar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("accounts.providers.KEYS_AGAIN_S", -1.0)
    settings = {"oauth_clients": {"liar": CLIENT}, "oauth_issuers": {"liar": liar.url}, "registration": "open"}
    async with open_house(dsn, tmp_path, **settings) as house:
        for _ in range(2):
            browser = Browser(house)
            asked = parse_qs(urlsplit(await browser.go("/auth/oauth/liar")).query)
            liar.nonce, liar.changes = asked["nonce"][0], {"sub": secrets.token_hex(4)}
            back = f"/auth/oauth/liar/callback?{urlencode({'state': asked['state'][0], 'code': 'c'})}"
            assert await browser.go(back) == house.settings.base_url + "/"
            liar.key = liar.published = RSAKey.generate_key(2048, {"kid": secrets.token_hex(2)})


async def test_absent_provider_is_told_of(dsn: str, tmp_path: Path) -> None:
    settings = {"oauth_clients": {"gone": CLIENT}, "oauth_issuers": {"gone": "http://127.0.0.1:1"}}
    async with open_house(dsn, tmp_path, **settings) as house:
        answer: Answer = await house.ask("GET", "/auth/oauth/gone")
        assert answer.refusal == (403, "oauth-failed")


def test_of_githubs_addresses_only_a_verified_main_one_counts() -> None:
    person = {"id": 7, "login": "ada", "name": None}
    emails = [
        {"email": "other@example.org", "primary": False, "verified": True},
        {"email": "ada@example.org", "primary": True, "verified": True},
    ]
    found = github_person(person, emails)
    assert (found.issuer, found.subject, found.name, found.email) == ("github", "7", "ada", "ada@example.org")
    emails[1]["verified"] = False
    assert github_person(person, emails).email == ""
