"""Access tokens that somebody else made, changed or kept for too long."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Callable
from typing import Any

import jwt
import msgspec
import pytest

from tertulia.settings import Settings
from tertulia.tokens import ACCOUNT_KEY, AUDIENCE, Tokens, derived_secret
from tests.accounts.conftest import House

SECRET = "s" * 64
SITE_SECRET = "k" * 64
KEY = derived_secret(SECRET, "account-tokens")


def forged(
    key: Any = KEY, algorithm: str = "HS256", header: dict[str, Any] | None = None, **changes: Any
) -> Callable[[str], str]:
    """A token of the session, but for what is changed; ``...`` leaves a claim out."""

    def make(token: str) -> str:
        claims = {**jwt.decode(token, options={"verify_signature": False}), **changes}
        kept = {name: value for name, value in claims.items() if value is not ...}
        return jwt.PyJWS().encode(msgspec.json.encode(kept), key, algorithm, {"kid": ACCOUNT_KEY, **(header or {})})

    return make


def unsigned(token: str) -> str:
    _, payload, _ = token.split(".")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT","kid":"account"}').rstrip(b"=").decode()
    return f"{header}.{payload}."


def swapped_payload(token: str) -> str:
    header, payload, signature = token.split(".")
    claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    changed = base64.urlsafe_b64encode(msgspec.json.encode({**claims, "sub": "a:somebody-else"})).rstrip(b"=").decode()
    return f"{header}.{changed}.{signature}"


NOW = time.time()

BAD: dict[str, Callable[[str], str]] = {
    "none": unsigned,
    "none, the signature kept": lambda token: unsigned(token) + token.rsplit(".", 1)[1],
    "another payload": swapped_payload,
    "another algorithm": forged(algorithm="HS512"),
    "the signature of another key": forged(key="x" * 64),
    "the guests' key": forged(key=SECRET),
    "a site's key": forged(key=SITE_SECRET),
    "a site's key, as the site": forged(key=SITE_SECRET, iss="site", header={"kid": "site"}),
    "the development log-in's key": forged(key=SECRET, iss="workspace", header={"kid": "workspace"}),
    "issued by nobody": forged(iss="nobody"),
    "issued by the guests": forged(iss="guest"),
    "issued by several": forged(iss=["account", "guest"]),
    "no issuer": forged(iss=...),
    "for somebody else": forged(aud="another"),
    "for nobody": forged(aud=...),
    "not yet good": forged(nbf=NOW + 600),
    "from whenever": forged(nbf=...),
    "good for ever": forged(exp=...),
    "without a session": forged(sid=...),
    "a session that is none": forged(sid="../../etc/passwd"),
    "without a subject": forged(sub=...),
    "another key id": forged(header={"kid": "site"}),
    "a key id that is a path": forged(header={"kid": "../../../dev/null"}),
    "a key id that is a query": forged(header={"kid": "account' UNION SELECT ''"}),
    "a key of its own": forged(header={"jwk": {"kty": "oct", "k": "eHh4"}}, key="x" * 32),
    "a key elsewhere": forged(header={"jku": "https://evil.example/keys"}, key="x" * 32),
}


@pytest.mark.parametrize("forge", BAD.values(), ids=BAD.keys())
def test_forged_token_is_invalid(forge: Callable[[str], str]) -> None:
    tokens = Tokens(Settings(token_secret=SECRET, api_keys={"site": SITE_SECRET}))
    session = str(uuid.uuid4())
    good = tokens.mint("", "a:ada", "Ada", ttl_s=600, key_id=ACCOUNT_KEY, session=session)
    assert tokens.verify(good).session == session
    with pytest.raises(Exception, match=r"not valid here") as refused:
        tokens.verify(forge(good))
    assert getattr(refused.value, "code", "") == "token-invalid"


def test_old_token_has_expired() -> None:
    tokens = Tokens(Settings(token_secret=SECRET))
    good = tokens.mint("", "a:ada", "Ada", ttl_s=600, key_id=ACCOUNT_KEY, session=str(uuid.uuid4()))
    with pytest.raises(Exception, match="has expired"):
        tokens.verify(forged(exp=NOW - 60, nbf=NOW - 960)(good))


def test_nothing_but_an_account_has_a_session() -> None:
    """A site that signs for its room cannot name a session, and so cannot outlive or end one."""
    tokens = Tokens(Settings(token_secret=SECRET, api_keys={"site": SITE_SECRET}))
    claims = {"iss": "site", "aud": AUDIENCE, "sub": "a:ada", "name": "Ada", "room": "a-room", "exp": NOW + 600}
    assert not tokens.verify(jwt.encode(claims, SITE_SECRET)).workspace
    with pytest.raises(Exception, match="not valid here"):
        tokens.verify(jwt.encode({**claims, "sid": str(uuid.uuid4())}, SITE_SECRET))


async def test_forged_token_opens_no_door(house: House) -> None:
    ada = await house.person()
    for name in ("none", "another payload", "a key id that is a path", "the development log-in's key"):
        token = BAD[name](ada.token)
        for method, path in (("GET", "/auth/user"), ("GET", "/chat/me"), ("PUT", f"/accounts/{ada.id}/role")):
            answer = await house.ask(method, path, None if method == "GET" else {"role": "owner"}, token=token)
            assert answer.refusal == (401, "token-invalid"), (name, path)


async def test_token_of_a_room_is_for_that_room(house: House) -> None:
    ada = await house.person("owner")
    room = (await house.ask("POST", "/rooms", {"name": "A room"})).body["id"]
    in_room = (await ada.ask("POST", f"/rooms/{room}/tokens")).body["token"]
    for method, path in (("GET", "/auth/user"), ("GET", "/accounts"), ("GET", "/auth/sessions")):
        assert (await house.ask(method, path, token=in_room)).refusal == (403, "account-needed")
    guest = (await house.ask("POST", f"/rooms/{room}/tokens", {"name": "Guest"})).body["token"]
    developer = (await house.ask("POST", "/auth/dev", {"name": "Dev"})).body["token"]
    for token in (guest, developer):
        assert (await house.ask("GET", "/auth/user", token=token)).refusal == (403, "account-needed")
