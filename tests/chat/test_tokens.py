"""Room tokens: what opens a room, and what does not."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest

from tertulia.catalogue import Grants
from tertulia.errors import Unauthorized
from tertulia.tokens import Tokens

SECRET = "s" * 64
SITE_SECRET = "k" * 64


class Secrets:
    token_secret = SECRET
    api_keys = {"site": SITE_SECRET}  # noqa: RUF012 - a stand-in for settings


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(Secrets())


def claims(**changes: Any) -> dict[str, Any]:
    now = time.time()
    good = {
        "iss": "site",
        "aud": "tertulia",
        "sub": "ada",
        "name": "Ada",
        "room": "a-room",
        "iat": now,
        "exp": now + 3600,
    }
    return {name: value for name, value in {**good, **changes}.items() if value is not ...}


def sign(secret: str = SITE_SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), secret, algorithm=algorithm)


def test_minted_token_says_who_and_where_and_what(tokens: Tokens) -> None:
    principal = tokens.verify(tokens.mint("a-room", "ada", "Ada", Grants(moderate=True), ttl_s=60))
    assert (principal.identity, principal.name, principal.room, principal.key_id) == ("ada", "Ada", "a-room", "guest")
    assert principal.grants == Grants(moderate=True)


def test_token_of_a_site_needs_nothing_but_the_claims(tokens: Tokens) -> None:
    principal = tokens.verify(sign())
    assert principal.key_id == "site"
    assert principal.grants == Grants()


@pytest.mark.parametrize("token", [None, ""])
def test_absent_token_is_missing(tokens: Tokens, token: object) -> None:
    with pytest.raises(Unauthorized) as caught:
        tokens.verify(token)
    assert caught.value.code == "token-missing"


def test_old_token_is_expired(tokens: Tokens) -> None:
    with pytest.raises(Unauthorized) as caught:
        tokens.verify(sign(exp=time.time() - 60))
    assert caught.value.code == "token-expired"


@pytest.mark.parametrize(
    "token",
    [
        sign(secret=SECRET),
        sign(iss="nobody"),
        sign(aud="another"),
        sign(aud=...),
        sign(exp=...),
        sign(nbf=time.time() + 600),
        sign(sub="no spaces here"),
        sign(sub=7),
        sign(name=""),
        sign(room="UPPER"),
        sign(room=...),
        sign(grants={"chat": "yes"}),
        sign(algorithm="HS512"),
        jwt.encode(claims(), "", algorithm="none"),
        sign()[:-2],
        "a.b.c",
        "not a token",
        "é" * 20,
        "x" * 5000,
        7,
        {"token": "x"},
    ],
)
def test_bad_token_is_invalid(tokens: Tokens, token: object) -> None:
    with pytest.raises(Unauthorized) as caught:
        tokens.verify(token)
    assert caught.value.code == "token-invalid"


def test_api_key_is_known_by_its_secret(tokens: Tokens) -> None:
    assert tokens.api_key(f"site:{SITE_SECRET}") == "site"


@pytest.mark.parametrize("credential", [None, "", "site", "site:", "site:wrong", ":", f"guest:{SECRET}", "nobody:"])
def test_other_credentials_are_no_api_key(tokens: Tokens, credential: str | None) -> None:
    with pytest.raises(Unauthorized) as caught:
        tokens.api_key(credential)
    assert caught.value.code == "api-key-invalid"
