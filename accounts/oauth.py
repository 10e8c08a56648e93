"""Logging in by way of a provider: the authorization code flow with PKCE, state and nonce (RFC 6749, 7636, 9700).

A flow ends in the browser and at the provider where it began, once, within minutes: its state is kept here, bound to a
cookie and to the provider's own address to come back to. Somebody is found by who they are at the provider, never by
their address. An account that is there is linked only by somebody who is logged in to it: proof of both.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from accounts import account_store, addresses, audit, links, oauth_store, refusals, session_store
from accounts.account_store import AccountRow, Connection
from accounts.core import Core, Know, access_account
from accounts.oauth_store import FlowRow
from accounts.providers import Provider, Somebody
from accounts.sessions import Device, Grant
from chat.checks import check_line
from tertulia.catalogue import OAuthReturn
from tertulia.errors import BadRequest, TertuliaError
from tertulia.tokens import Principal

FLOW_S = 600
_PATH = re.compile(r"/(?:[A-Za-z0-9_-]+/?)*")
"""Where a browser may be sent afterwards: an address of this server, without query, dots or a second slash."""


@dataclass(frozen=True)
class Begun:
    """Where to send the browser, and the secret it keeps as a cookie meanwhile."""

    url: str
    browser: str


@dataclass(frozen=True)
class Done:
    """How a flow ended: logged in, a ticket for the second step, or linked (neither). ``path`` is where to go on."""

    path: str
    grant: Grant | None = None
    ticket: str | None = None


class OAuthDesk:
    def __init__(self, core: Core, know: Know, providers: Mapping[str, Provider]) -> None:
        self._core = core
        self._know = know
        self._providers = providers

    @property
    def names(self) -> list[str]:
        return sorted(self._providers)

    async def begin(self, name: str, path: str, principal: Principal | None = None) -> Begun:
        """Begin a log-in, or with a principal the linking of their account.

        Raises NotFound ``provider-unknown``, BadRequest ``path-invalid``, Forbidden ``oauth-failed``.
        """
        provider = self._provider(name)
        if _PATH.fullmatch(path) is None or len(path) > 200:
            raise BadRequest("path-invalid", "A log-in leads back to an address of this server.", "path")
        try:
            endpoints = await provider.endpoints()
        except Exception as error:  # whatever the network or the provider makes of it
            raise refusals.oauth_failed() from error
        state, browser, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(4))
        async with self._core.database.transaction() as db:
            account = await access_account(db, principal, "profile") if principal is not None else None
            await oauth_store.make(
                db,
                _hash(state),
                _hash(browser),
                FlowRow(
                    provider=name,
                    nonce=nonce,
                    verifier=verifier,
                    path=path,
                    link_account=account.id if account is not None else None,
                    link_session=principal.session if principal is not None else None,
                ),
                FLOW_S,
            )
        async with provider.client(self._redirect_uri(name)) as client:
            url, _ = client.create_authorization_url(
                endpoints.authorize, state=state, nonce=nonce, code_verifier=verifier
            )
        return Begun(url, browser)

    async def finish(self, name: str, said: OAuthReturn, browser: str, device: Device) -> Done:
        """What the provider sent the browser back with.

        Raises NotFound ``provider-unknown``, Forbidden ``oauth-state-invalid``, ``oauth-denied``, ``oauth-failed``,
        ``email-unverified``, ``oauth-link-needed``, ``registration-closed``, Conflict ``identity-linked``.
        """
        provider = self._provider(name)
        async with self._core.database.transaction() as db:
            flow = await oauth_store.take(db, _hash(said.state), _hash(browser))
        # Each provider has an address of its own to come back to: what one says cannot be passed off as another's.
        if flow is None or flow.provider != name:
            raise refusals.bad_state()
        await self._check_issuer(provider, said.iss)
        if said.error is not None or said.code is None:
            raise refusals.oauth_denied()
        uri = self._redirect_uri(name)
        somebody = await provider.come_back(uri, said.code, flow.verifier, flow.nonce)
        if flow.link_account is not None:
            await self._link(flow, somebody)
            return Done(flow.path)
        return await self._enter(flow, somebody, device)

    async def _check_issuer(self, provider: Provider, said: str | None) -> None:
        """RFC 9207: an answer that names its issuer, or has to, must come from the one that was asked."""
        try:
            expected = (await provider.endpoints()).sends_issuer
        except Exception as error:
            raise refusals.oauth_failed() from error
        issuer = getattr(provider, "issuer", None)
        if (said is not None and (issuer is None or said.rstrip("/") != issuer)) or (said is None and expected):
            raise refusals.bad_state()

    async def _link(self, flow: FlowRow, somebody: Somebody) -> None:
        async with self._core.database.transaction() as db:
            session = await session_store.get(db, flow.link_session or "")
            if session is None or not session.living or session.account_id != flow.link_account:
                raise refusals.bad_state()
            owner = await oauth_store.link(db, somebody.issuer, somebody.subject, session.account_id, flow.provider)
            if owner != session.account_id:
                raise refusals.identity_linked()
            await audit.note(db, "identity-linked", session.account_id, session.account_id, flow.provider)

    async def _enter(self, flow: FlowRow, somebody: Somebody, device: Device) -> Done:
        core = self._core
        made = False
        async with core.database.transaction() as db:
            account = await oauth_store.account_of(db, somebody.issuer, somebody.subject)
            if account is None:
                account = await self._register(db, flow, somebody)
                made = True
            if account.banned:
                raise refusals.banned()
            if account.totp_on:
                return Done(flow.path, ticket=(await links.make(db, "ticket", account=account.id)).token)
            grant, surplus = await core.sessions.open(db, account, device)
        core.sessions.ended(account.id, surplus)
        if made:
            await self._know(account.id, account.name)
        return Done(flow.path, grant)

    async def _register(self, db: Connection, flow: FlowRow, somebody: Somebody) -> AccountRow:
        """An account for somebody who is new here."""
        settings = self._core.settings
        try:
            email = addresses.checked(somebody.email)
        except TertuliaError as error:
            raise refusals.unverified_email() from error
        key = addresses.key_of(email)
        # Who proved the address may know that it has an account, but not come in by it: the provider's word is not
        # the password.
        if await account_store.by_email(db, key) is not None:
            raise refusals.link_needed()
        by_domain = settings.registration == "domain" and addresses.domain_of(email) in settings.registration_domains
        if settings.registration != "open" and not by_domain:
            raise refusals.registration_closed()
        account = await account_store.make(db, email, key, _name(somebody), "member", None)
        if account is None:
            raise refusals.link_needed()
        await oauth_store.link(db, somebody.issuer, somebody.subject, account.id, flow.provider)
        await audit.note(db, "account-made", subject=account.id, detail=flow.provider)
        return account

    def _provider(self, name: str) -> Provider:
        provider = self._providers.get(name)
        if provider is None:
            raise refusals.no_provider()
        return provider

    def _redirect_uri(self, name: str) -> str:
        return f"{self._core.settings.base_url}/auth/oauth/{name}/callback"


def _name(somebody: Somebody) -> str:
    """What the provider calls somebody, if that can be shown; else what is before the @."""
    name = somebody.name.strip()
    try:
        check_line(name, "name")
    except TertuliaError:
        return somebody.email.partition("@")[0]
    return name


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
