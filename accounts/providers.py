"""The providers that people may log in by: Google and any OpenID issuer by discovery, GitHub and Facebook by their own
interfaces, all by configuration.

What a provider says counts only when it was asked over TLS at an address of the configuration, or is signed by its keys
(OpenID Connect Core 1.0, section 3.1.3.7). An address counts as proven only where the provider says that it verified
it.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from authlib.integrations.httpx_client import AsyncOAuth2Client, OAuthError
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, KeySetSerialization

from accounts import refusals
from tertulia.settings import Settings

log = structlog.get_logger("accounts.providers")

ISSUERS = {"google": "https://accounts.google.com"}
GITHUB = "https://api.github.com"
FACEBOOK = "https://graph.facebook.com/v23.0"
ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LEEWAY_S = 30
LIMIT_S = 10.0
KEYS_S = 3600.0
KEYS_AGAIN_S = 30.0
"""Keys are asked for again when a token names one that is not known, but not more often than this."""


@dataclass(frozen=True)
class Somebody:
    """Who came back. ``email`` is empty unless the provider verified it."""

    issuer: str
    subject: str
    name: str
    email: str


@dataclass(frozen=True)
class Endpoints:
    authorize: str
    token: str
    sends_issuer: bool = False
    """Whether the way back names the issuer (RFC 9207)."""


class Provider(ABC):
    """One of them. The subclasses know where to ask and how to read the answer."""

    scope = ""

    def __init__(self, name: str, client_id: str, secret: str) -> None:
        self.name = name
        self.client_id = client_id
        self._secret = secret

    def client(self, redirect_uri: str) -> AsyncOAuth2Client:
        return AsyncOAuth2Client(
            self.client_id,
            self._secret,
            scope=self.scope,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=LIMIT_S,
        )

    @abstractmethod
    async def endpoints(self) -> Endpoints:
        """Where to go and where to ask."""

    @abstractmethod
    async def somebody(self, client: AsyncOAuth2Client, token: dict[str, Any], nonce: str) -> Somebody:
        """Who the token is for. Raises what a bad answer of the provider's makes."""

    async def come_back(self, redirect_uri: str, code: str, verifier: str, nonce: str) -> Somebody:
        """Exchange the code for who it is. Raises Forbidden ``oauth-failed``."""
        try:
            endpoints = await self.endpoints()
            async with self.client(redirect_uri) as client:
                token = await client.fetch_token(endpoints.token, code=code, code_verifier=verifier)
                return await self.somebody(client, token, nonce)
        except (OAuthError, JoseError, httpx2.HTTPError, KeyError, TypeError, ValueError) as error:
            log.warning("a provider's answer was refused", provider=self.name, error=type(error).__name__)
            raise refusals.oauth_failed() from error


class OpenIdProvider(Provider):
    """Any OpenID issuer."""

    scope = "openid email profile"

    def __init__(self, name: str, client_id: str, secret: str, issuer: str) -> None:
        super().__init__(name, client_id, secret)
        self.issuer = issuer.rstrip("/")
        self._found: dict[str, Any] = {}
        self._found_at = -KEYS_S
        self._keys: KeySet | None = None
        self._keys_at = -KEYS_S

    async def endpoints(self) -> Endpoints:
        found = await self._discover()
        return Endpoints(
            found["authorization_endpoint"],
            found["token_endpoint"],
            bool(found.get("authorization_response_iss_parameter_supported")),
        )

    async def somebody(self, client: AsyncOAuth2Client, token: dict[str, Any], nonce: str) -> Somebody:
        claims = await self._read(token["id_token"])
        registry = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "values": [self.issuer, self.issuer + "/"]},
            aud={"essential": True, "value": self.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        registry.validate(claims)
        if claims.get("azp", self.client_id) != self.client_id:
            raise ValueError("the token is for another client")
        if "email" not in claims and "userinfo_endpoint" in self._found:
            answer = await client.get(self._found["userinfo_endpoint"])
            told = answer.raise_for_status().json()
            # OpenID Connect Core 1.0, section 5.3.2: it must be the same person.
            claims = {**told, **claims} if told.get("sub") == claims["sub"] else claims
        proven = claims.get("email_verified") in (True, "true")
        subject, email = str(claims["sub"])[:255], str(claims.get("email", "")) if proven else ""
        return Somebody(self.issuer, subject, str(claims.get("name", ""))[:64], email)

    async def _read(self, id_token: str) -> dict[str, Any]:
        """The claims of a token that is signed by the issuer."""
        try:
            return dict(jwt.decode(id_token, await self._key_set(), algorithms=ALGORITHMS).claims)
        except (JoseError, ValueError):
            if time.monotonic() - self._keys_at < KEYS_AGAIN_S:
                raise
            # Signed by a key that is newer than those known here, perhaps.
            self._keys = None
            return dict(jwt.decode(id_token, await self._key_set(), algorithms=ALGORITHMS).claims)

    async def _discover(self) -> dict[str, Any]:
        if time.monotonic() - self._found_at >= KEYS_S:
            found = await self._get(f"{self.issuer}/.well-known/openid-configuration")
            # OpenID Connect Discovery 1.0, section 4.3.
            if str(found["issuer"]).rstrip("/") != self.issuer:
                raise ValueError("the issuer calls itself otherwise")
            self._found, self._found_at = found, time.monotonic()
        return self._found

    async def _key_set(self) -> KeySet:
        if self._keys is None or time.monotonic() - self._keys_at >= KEYS_S:
            found = await self._discover()
            keys = (await self._get(found["jwks_uri"]))["keys"]
            self._keys = KeySet.import_key_set(KeySetSerialization(keys=keys))
            self._keys_at = time.monotonic()
        return self._keys

    async def _get(self, url: str) -> dict[str, Any]:
        async with httpx2.AsyncClient(timeout=LIMIT_S) as client:
            answer = (await client.get(url)).raise_for_status().json()
        if not isinstance(answer, dict):
            raise ValueError("no object")
        return answer


class GitHub(Provider):
    """OAuth 2 with an interface of its own (https://docs.github.com/apps/oauth-apps)."""

    scope = "read:user user:email"

    async def endpoints(self) -> Endpoints:
        return Endpoints("https://github.com/login/oauth/authorize", "https://github.com/login/oauth/access_token")

    async def somebody(self, client: AsyncOAuth2Client, token: dict[str, Any], nonce: str) -> Somebody:
        person = (await client.get(f"{GITHUB}/user")).raise_for_status().json()
        emails = (await client.get(f"{GITHUB}/user/emails")).raise_for_status().json()
        return github_person(person, emails)


def github_person(person: dict[str, Any], emails: list[dict[str, Any]]) -> Somebody:
    """Of the addresses the main one, if GitHub verified it. Raises KeyError, TypeError."""
    email = next((one["email"] for one in emails if one.get("primary") is True and one.get("verified") is True), "")
    return Somebody("github", str(int(person["id"])), str(person.get("name") or person["login"])[:64], str(email))


class Facebook(Provider):
    """OAuth 2 with an interface of its own. It does not say whether it verified an address: none counts."""

    scope = "public_profile"

    async def endpoints(self) -> Endpoints:
        return Endpoints("https://www.facebook.com/v23.0/dialog/oauth", f"{FACEBOOK}/oauth/access_token")

    async def somebody(self, client: AsyncOAuth2Client, token: dict[str, Any], nonce: str) -> Somebody:
        person = (await client.get(f"{FACEBOOK}/me", params={"fields": "id,name"})).raise_for_status().json()
        return Somebody("facebook", str(int(person["id"])), str(person.get("name", ""))[:64], "")


def configured(settings: Settings) -> dict[str, Provider]:
    """The providers of the settings, by name."""
    made: dict[str, Provider] = {}
    for name, credentials in settings.oauth_clients.items():
        client_id, _, secret = credentials.partition(":")
        issuer = settings.oauth_issuers.get(name) or ISSUERS.get(name)
        if issuer is not None:
            made[name] = OpenIdProvider(name, client_id, secret, issuer)
        elif name == "github":
            made[name] = GitHub(name, client_id, secret)
        elif name == "facebook":
            made[name] = Facebook(name, client_id, secret)
    return made
