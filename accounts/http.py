"""The HTTP door of accounts: reads what is asked, counts it, finds out who asks, and answers with cookies or tokens."""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

from aiohttp import web

from accounts import refusals
from accounts.account_store import AccountRow
from accounts.mail import Outbox
from accounts.routes import ROUTES, Route
from accounts.service import AccountsService
from accounts.session_store import SESSION_DAYS
from accounts.sessions import ACCESS_TTL_S, Device, Grant
from chat.cursor import is_uuid
from tertulia import catalogue, http
from tertulia.browser import SAFE, Browsers
from tertulia.catalogue import (
    Accepted,
    ChangePassword,
    ConfirmPassword,
    ConfirmTotp,
    FinishRecovery,
    FinishRegistration,
    Frame,
    ListAccounts,
    ListAudit,
    LoggedInAs,
    LogIn,
    LogOut,
    LookAtLink,
    MakeInvitation,
    Myself,
    OutboxMail,
    Recover,
    Refresh,
    Register,
    SecondFactor,
    SessionTokens,
    SetAccountRole,
    SetBan,
    UpdateAccount,
)
from tertulia.errors import Forbidden
from tertulia.frames import convert
from tertulia.remote import address_of, networks
from tertulia.settings import Settings
from tertulia.tokens import Principal, derived_secret

DEVICE_TTL_S = 365 * 86_400
_IDENTITY = re.compile(r"[A-Za-z0-9_.:@-]{1,64}")
Handler = Callable[[web.Request], Awaitable[web.Response]]


class Door:
    """One method an operation, by its name."""

    def __init__(self, accounts: AccountsService, browsers: Browsers, settings: Settings) -> None:
        self._accounts = accounts
        self._browsers = browsers
        self._settings = settings
        self._proxies = networks(settings.trusted_proxies)
        self._device_key = derived_secret(settings.token_secret, "device").encode()

    # --- for anybody -----------------------------------------------------------------------------------------------

    async def options(self, _: web.Request) -> web.Response:
        outbox = self._settings.development and isinstance(self._accounts.mailer, Outbox)
        return http.json_response(
            catalogue.AuthOptions(
                registration=self._settings.registration,
                owner=await self._accounts.registration.has_owner(),
                mail=self._accounts.mailer.works,
                outbox=outbox,
                development=self._settings.development,
            )
        )

    async def look_at_link(self, request: web.Request) -> web.Response:
        return http.json_response(await self._accounts.look_at_link(await http.read_json(request, LookAtLink)))

    async def register(self, request: web.Request) -> web.Response:
        await self._accounts.registration.ask(await http.read_json(request, Register))
        return http.json_response(Accepted(), 202)

    async def finish_registration(self, request: web.Request) -> web.Response:
        asked = await http.read_json(request, FinishRegistration)
        grant = await self._accounts.registration.finish(asked, self._device(request, asked.browser))
        return self._granted(grant, 201)

    async def log_in(self, request: web.Request) -> web.Response:
        asked = await http.read_json(request, LogIn)
        device = self._device(request, asked.browser)
        done = await self._accounts.log_ins.log_in(asked, device, self._address(request), self._known_to(request))
        if isinstance(done, str):
            return http.json_response(LoggedInAs(ticket=done))
        return self._granted(done, wrap=True)

    async def second_factor(self, request: web.Request) -> web.Response:
        asked = await http.read_json(request, SecondFactor)
        return self._granted(await self._accounts.log_ins.second(asked, self._device(request, asked.browser)))

    async def refresh(self, request: web.Request) -> web.Response:
        asked = await http.read_json(request, Refresh)
        token = asked.refresh_token
        if token is None:
            # Only a browser has a cookie, and it says where it is; its page has no other proof yet.
            self._browsers.check_origin(request, required=True)
            token = request.cookies.get(self._browsers.refresh_cookie)
        return self._granted(await self._accounts.sessions.renew(token or ""))

    async def recover(self, request: web.Request) -> web.Response:
        await self._accounts.recovery.ask(await http.read_json(request, Recover))
        return http.json_response(Accepted(), 202)

    async def finish_recovery(self, request: web.Request) -> web.Response:
        await self._accounts.recovery.finish(await http.read_json(request, FinishRecovery))
        return http.json_response(Accepted())

    async def outbox(self, request: web.Request) -> web.Response:
        mailer = self._accounts.mailer
        if not self._settings.development or not isinstance(mailer, Outbox):
            raise Forbidden("development-only", "Mails are shown on development servers only.")
        return http.json_response(
            catalogue.Outbox([OutboxMail(mail.to, mail.subject, mail.text) for mail in reversed(mailer.mails)])
        )

    # --- for oneself -----------------------------------------------------------------------------------------------

    async def log_out(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, LogOut)
        await self._accounts.me(principal)
        if asked.everywhere:
            await self._accounts.sessions.end_all(principal.identity)
        else:
            await self._accounts.sessions.end(principal.identity, principal.session)
        response = http.json_response(Accepted())
        self._browsers.clear(response, self._browsers.access_cookie)
        self._browsers.clear(response, self._browsers.refresh_cookie)
        return response

    async def myself(self, request: web.Request, principal: Principal) -> web.Response:
        account = await self._accounts.me(principal)
        csrf = self._browsers.csrf_token(principal.session) if http.bearer(request) is None else None
        return http.json_response(Myself(account, principal.session, csrf))

    async def sessions(self, _: web.Request, principal: Principal) -> web.Response:
        await self._accounts.me(principal)
        return http.json_response(await self._accounts.sessions.listed(principal))

    async def end_session(self, request: web.Request, principal: Principal) -> web.Response:
        await self._accounts.me(principal)
        session = request.match_info["sessionId"]
        if not is_uuid(session) or not await self._accounts.sessions.end(principal.identity, session):
            raise refusals.no_session()
        return http.json_response(Accepted())

    async def change_password(self, request: web.Request, principal: Principal) -> web.Response:
        await self._accounts.recovery.change(principal, await http.read_json(request, ChangePassword))
        return http.json_response(Accepted())

    async def begin_totp(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, ConfirmPassword)
        return http.json_response(await self._accounts.factors.begin(principal, asked.password))

    async def confirm_totp(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, ConfirmTotp)
        return http.json_response(await self._accounts.factors.confirm(principal, asked.code))

    async def remove_totp(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, ConfirmPassword)
        await self._accounts.factors.remove(principal, asked.password)
        return http.json_response(Accepted())

    async def renew_recovery_codes(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, ConfirmPassword)
        return http.json_response(await self._accounts.factors.renew_codes(principal, asked.password))

    async def update_account(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, UpdateAccount)
        return http.json_response(await self._accounts.profiles.update(principal, asked))

    # --- of others -------------------------------------------------------------------------------------------------

    async def profile(self, request: web.Request, principal: Principal) -> web.Response:
        return http.json_response(await self._accounts.profiles.profile(principal, _subject(request)))

    async def block(self, request: web.Request, principal: Principal) -> web.Response:
        await self._accounts.profiles.block(principal, _subject(request), True)
        return http.json_response(Accepted())

    async def unblock(self, request: web.Request, principal: Principal) -> web.Response:
        await self._accounts.profiles.block(principal, _subject(request), False)
        return http.json_response(Accepted())

    async def accounts(self, request: web.Request, principal: Principal) -> web.Response:
        asked = from_query(request, ListAccounts)
        return http.json_response(await self._accounts.administration.listed(principal, asked))

    async def give_role(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, SetAccountRole)
        subject = _subject(request)
        return http.json_response(await self._accounts.administration.set_role(principal, subject, asked))

    async def ban(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, SetBan)
        subject = _subject(request)
        return http.json_response(await self._accounts.administration.set_ban(principal, subject, asked))

    async def log_out_account(self, request: web.Request, principal: Principal) -> web.Response:
        await self._accounts.administration.log_out(principal, _subject(request))
        return http.json_response(Accepted())

    async def make_reset_link(self, request: web.Request, principal: Principal) -> web.Response:
        made = await self._accounts.administration.reset_link(principal, _subject(request))
        return http.json_response(made, 201)

    async def invite(self, request: web.Request, principal: Principal) -> web.Response:
        asked = await http.read_json(request, MakeInvitation)
        return http.json_response(await self._accounts.administration.invite(principal, asked), 201)

    async def audit(self, request: web.Request, principal: Principal) -> web.Response:
        asked = from_query(request, ListAudit)
        return http.json_response(await self._accounts.administration.audit_log(principal, asked.cursor))

    # --- what they share -------------------------------------------------------------------------------------------

    def handler(self, route: Route) -> Handler:
        """Counts the request and refuses pages of other sites, whoever asks; then the operation's own method."""
        method = getattr(self, route.name.replace("-", "_"))

        async def for_anybody(request: web.Request) -> web.Response:
            if request.method not in SAFE:
                self._browsers.check_origin(request, required=False)
            await self.count(request)
            answer: web.Response = await method(request)
            return answer

        async def for_somebody(request: web.Request) -> web.Response:
            principal = http.principal(request)
            if not principal.account:
                raise refusals.account_needed()
            await self._accounts.gate.check("account", principal.identity)
            answer: web.Response = await method(request, principal)
            return answer

        return for_anybody if route.right is None else for_somebody

    def _address(self, request: web.Request) -> str:
        return address_of(request, self._proxies)

    def _device(self, request: web.Request, browser: bool) -> Device:
        """Raises Forbidden ``origin-foreign``: cookies are given to pages of ours only."""
        if browser:
            self._browsers.check_origin(request, required=True)
        return device_of(request, browser)

    def _granted(self, grant: Grant, status: int = 200, wrap: bool = False) -> web.Response:
        browsers = self._browsers
        session = SessionTokens(
            session=grant.session,
            expires_at=round(grant.expires_at * 1000),
            account=grant.account.shown(),
            token=None if grant.browser else grant.access,
            refresh_token=None if grant.browser else grant.refresh,
            csrf=browsers.csrf_token(grant.session) if grant.browser else None,
        )
        answer: Frame = LoggedInAs(session=session) if wrap else session
        response = http.json_response(answer, status)
        if grant.browser:
            self.set_cookies(response, grant)
        return response

    def set_cookies(self, response: web.Response, grant: Grant) -> None:
        """Have the browser be logged in."""
        browsers = self._browsers
        browsers.set(response, browsers.access_cookie, grant.access, ACCESS_TTL_S)
        browsers.set(response, browsers.refresh_cookie, grant.refresh, SESSION_DAYS * 86_400)
        browsers.set(response, browsers.device_cookie, self._device_token(grant.account), DEVICE_TTL_S)

    async def count(self, request: web.Request) -> None:
        """Count a request of somebody who is not logged in. Raises RateLimited."""
        await self._accounts.gate.check("address", self._address(request))

    def _device_token(self, account: AccountRow) -> str:
        return f"{account.id}.{hmac.new(self._device_key, account.id.encode(), 'sha256').hexdigest()}"

    def _known_to(self, request: web.Request) -> str | None:
        """The account that this browser has logged in to before."""
        account, _, mac = request.cookies.get(self._browsers.device_cookie, "").rpartition(".")
        right = hmac.new(self._device_key, account.encode(), "sha256").hexdigest()
        return account if hmac.compare_digest(right.encode(), mac.encode()) else None


def device_of(request: web.Request, browser: bool) -> Device:
    """What asks, by what it calls itself."""
    return Device(browser, request.headers.get("User-Agent", "").encode("ascii", "replace").decode())


def _subject(request: web.Request) -> str:
    """Whom the address names. Raises NotFound ``account-not-found`` for what nobody can be called."""
    subject = request.match_info["userId"]
    if _IDENTITY.fullmatch(subject) is None:
        raise refusals.no_account()
    return subject


F = TypeVar("F", bound=Frame)


def from_query(request: web.Request, kind: type[F]) -> F:
    """What a query asks; what is said with nothing is left out. Raises BadRequest ``frame-invalid``."""
    return convert({name: text for name, text in request.query.items() if text}, kind, strict=False)


def routes(accounts: AccountsService, browsers: Browsers, settings: Settings) -> Iterable[web.RouteDef]:
    """Every operation of ``routes.py``."""
    door = Door(accounts, browsers, settings)
    return [web.route(route.method, route.path, door.handler(route)) for route in ROUTES]
