"""Tokens: who somebody is and what they may do there, as a JWT (RFC 7519) signed with HS256.

A room token opens one room. A site that embeds rooms signs them with the secret of its API key and names the key as
issuer; the server signs those of its guests with ``token_secret``, as the issuer ``guest``. A workspace token, which
only the server signs, says who is logged in; it may name a room besides. Its issuer is ``workspace`` for the
development log-in and ``account`` for people with an account. Claims: ``iss`` key id, ``sub`` identity, ``name``,
``room``, ``grants``, ``iat``, ``nbf``, ``exp``, ``aud`` (always ``tertulia``); of accounts also ``sid``, the session,
and ``gen``, the account's generation, by which a token is void before it expires (``revocations.py``).
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from typing import Annotated, Protocol

import jwt
import msgspec
from msgspec import Meta

from tertulia.catalogue import DisplayName, Grants, Identity, RoomId, Uuid
from tertulia.errors import Unauthorized
from tertulia.revocations import Revocations

AUDIENCE = "tertulia"
GUEST_KEY = "guest"
WORKSPACE_KEY = "workspace"
ACCOUNT_KEY = "account"
OWN_KEYS = frozenset({GUEST_KEY, WORKSPACE_KEY, ACCOUNT_KEY})
"""Issuers that only this server signs as."""
TOKEN_CHARACTERS_MAX = 4096
CLOCK_LEEWAY_S = 10
"""A site's clock may be ahead of ours by this much (``iat``, ``nbf``); also granted to ``exp``."""


class TokenSettings(Protocol):
    """The part of the settings that concerns tokens."""

    @property
    def token_secret(self) -> str: ...
    @property
    def api_keys(self) -> dict[str, str]: ...


class Principal(msgspec.Struct, frozen=True):
    """The holder of a verified token. ``room`` is empty where it names none; ``expires_at`` in seconds since 1970.

    ``session`` and ``generation`` are those of an account's token; empty and 0 for all others.
    """

    identity: str
    name: str
    room: str
    grants: Grants
    key_id: str
    expires_at: float
    session: str = ""
    generation: int = 0

    @property
    def workspace(self) -> bool:
        """Whether this is somebody who is logged in here: an identity that means the same outside of one room."""
        return self.key_id == ACCOUNT_KEY or self.key_id == WORKSPACE_KEY

    @property
    def account(self) -> bool:
        """Whether this is somebody with an account."""
        return self.key_id == ACCOUNT_KEY


class Claims(msgspec.Struct, frozen=True):
    """What a token must hold, bounded like every other input."""

    sub: Identity
    name: DisplayName
    iss: str
    exp: float
    room: RoomId | None = None
    grants: Grants = Grants()
    nbf: float | None = None
    sid: Uuid | None = None
    gen: Annotated[int, Meta(ge=0, le=2**31)] = 0


class Tokens:
    """Makes and checks tokens, and recognises API keys."""

    def __init__(self, settings: TokenSettings) -> None:
        self._secrets: Mapping[str, str] = {
            **settings.api_keys,
            GUEST_KEY: settings.token_secret,
            WORKSPACE_KEY: settings.token_secret,
            ACCOUNT_KEY: derived_secret(settings.token_secret, "account-tokens") if settings.token_secret else "",
        }
        self.revocations = Revocations()
        self._api_keys = settings.api_keys
        self._jwt = jwt.PyJWT(options={"require": ["exp", "sub", "iss", "aud"]})

    def mint(
        self,
        room: str,
        identity: str,
        name: str,
        grants: Grants | None = None,
        ttl_s: int = 86_400,
        key_id: str = GUEST_KEY,
        session: str = "",
        generation: int = 0,
    ) -> str:
        """A token for ``identity`` in ``room`` (in none if empty), good from now for ``ttl_s`` seconds."""
        now = int(time.time())
        claims = {
            "iss": key_id,
            "aud": AUDIENCE,
            "sub": identity,
            "name": name,
            **({"room": room} if room else {}),
            "grants": msgspec.to_builtins(grants or Grants()),
            **({"sid": session, "gen": generation} if session else {}),
            "iat": now,
            "nbf": now,
            "exp": now + ttl_s,
        }
        return jwt.encode(claims, self._secrets[key_id], algorithm="HS256", headers={"kid": key_id})

    def verify(self, token: object) -> Principal:
        """Who the token's holder is. Raises Unauthorized ``token-missing``, ``token-invalid`` or ``token-expired``."""
        if token is None or token == "":
            raise Unauthorized("token-missing", "A room token is needed.")
        if not isinstance(token, str) or len(token) > TOKEN_CHARACTERS_MAX or not token.isascii():
            raise _invalid()
        try:
            # Whose key to check with is what the token says; everything in it counts only once that key agreed.
            unproven = self._jwt.decode_complete(token, options={"verify_signature": False})
            key_id = unproven["payload"].get("iss")
            secret = self._secrets.get(key_id) if isinstance(key_id, str) else None
            if not secret or (key_id in OWN_KEYS and unproven["header"].get("kid") != key_id):
                raise _invalid()
            claims = self._jwt.decode(
                token, secret, algorithms=["HS256"], audience=AUDIENCE, issuer=key_id, leeway=CLOCK_LEEWAY_S
            )
            checked = msgspec.convert(claims, Claims)
        except jwt.ExpiredSignatureError as error:
            raise Unauthorized("token-expired", "The token has expired; ask for a new one.") from error
        except (jwt.InvalidTokenError, msgspec.ValidationError, ValueError, RecursionError) as error:
            raise _invalid() from error
        if checked.room is None and key_id not in (WORKSPACE_KEY, ACCOUNT_KEY):
            raise _invalid()
        # Only an account's token has a session, and none is without: a site's cannot take part in what they mean.
        if (key_id == ACCOUNT_KEY) != (checked.sid is not None) or (key_id in OWN_KEYS and checked.nbf is None):
            raise _invalid()
        principal = Principal(
            checked.sub,
            checked.name,
            checked.room or "",
            checked.grants,
            checked.iss,
            checked.exp,
            checked.sid or "",
            checked.gen,
        )
        self.check_still(principal)
        return principal

    def check_still(self, principal: Principal) -> None:
        """Whether the token of somebody who was let in still counts. Raises Unauthorized ``session-ended``."""
        if principal.session and self.is_void(principal):
            raise Unauthorized("session-ended", "This session has ended; log in again.")

    def is_void(self, principal: Principal) -> bool:
        """Whether the account's session has ended, or the account has changed since."""
        return self.revocations.is_void(principal.identity, principal.session, principal.generation)

    def api_key(self, credential: str | None) -> str:
        """The id of the API key in ``key_id:secret``. Raises Unauthorized ``api-key-invalid``."""
        key_id, _, secret = (credential or "").partition(":")
        known = self._api_keys.get(key_id, "")
        # Compared in constant time, also when there is no such key.
        if not hmac.compare_digest(known.encode(), secret.encode()) or not known:
            raise Unauthorized("api-key-invalid", "Send the API key as `Authorization: Bearer <key id>:<secret>`.")
        return key_id


def derived_secret(secret: str, purpose: str) -> str:
    """A key for one purpose only, so that what is signed for one is worth nothing for another."""
    return hmac.new(secret.encode(), f"tertulia {purpose}".encode(), hashlib.sha256).hexdigest()


def _invalid() -> Unauthorized:
    return Unauthorized("token-invalid", "The token is not valid here.")
