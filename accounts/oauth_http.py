"""The browser's way to a provider and back: redirects and the cookie that binds them together.

Whatever goes wrong on the way back, the browser ends on a page of this server, with a code behind the ``#``.
"""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from accounts import refusals
from accounts.http import Door, device_of, from_query
from accounts.oauth import FLOW_S
from accounts.service import AccountsService
from tertulia import http
from tertulia.browser import Browsers
from tertulia.catalogue import OAuthBegin, OAuthBegun, OAuthLink, OAuthProviders, OAuthReturn
from tertulia.errors import TertuliaError
from tertulia.openapi import Operation
from tertulia.settings import Settings

LOG_IN_PATH = "/login"

OPERATIONS = [
    Operation(
        method="GET",
        path="/auth/oauth",
        name="oauth-providers",
        about="By which providers one may log in.",
        tag="accounts",
        request=None,
        answer=OAuthProviders,
        authenticated=False,
    ),
    Operation(
        method="GET",
        path="/auth/oauth/{provider}",
        name="oauth-begin",
        about="Send the browser to a provider, to log in there.",
        tag="accounts",
        request=OAuthBegin,
        answer=None,
        status=303,
        in_address=True,
        authenticated=False,
        path_names={"provider": None},
        headers={"Location": "The provider's page."},
    ),
    Operation(
        method="GET",
        path="/auth/oauth/{provider}/callback",
        name="oauth-return",
        about="The way back; ends on a page of this server, logged in or with a code behind the `#`.",
        tag="accounts",
        request=OAuthReturn,
        answer=None,
        status=303,
        in_address=True,
        authenticated=False,
        path_names={"provider": None},
        headers={"Location": "A page of this server."},
    ),
    Operation(
        method="POST",
        path="/auth/oauth/{provider}/link",
        name="oauth-link",
        about="Begin to link one's account with a provider; the page goes to the address that is answered.",
        tag="accounts",
        request=OAuthLink,
        answer=OAuthBegun,
        path_names={"provider": None},
    ),
]
"""Two of them are redirects of a browser."""


class OAuthDoor:
    def __init__(self, accounts: AccountsService, browsers: Browsers, settings: Settings, door: Door) -> None:
        self._accounts = accounts
        self._browsers = browsers
        self._base_url = settings.base_url
        self._door = door
        self._cookie = ("__Host-" if browsers.secure else "") + "tertulia-oauth"

    async def providers(self, request: web.Request) -> web.Response:
        await self._door.count(request)
        return http.json_response(OAuthProviders(self._accounts.oauth.names))

    async def begin(self, request: web.Request) -> web.Response:
        """``GET``: a link on a page of ours, so nothing that changes anything but this browser's own flow."""
        await self._door.count(request)
        asked = from_query(request, OAuthBegin)
        begun = await self._accounts.oauth.begin(request.match_info["provider"], asked.path)
        response = web.Response(status=303, headers={"Location": begun.url, "Cache-Control": "no-store"})
        self._bind(response, begun.browser)
        return response

    async def link(self, request: web.Request) -> web.Response:
        """``POST`` by somebody who is logged in with this browser."""
        principal = http.principal(request)
        if not principal.account:
            raise refusals.account_needed()
        await self._accounts.gate.check("account", principal.identity)
        asked = await http.read_json(request, OAuthLink)
        begun = await self._accounts.oauth.begin(request.match_info["provider"], asked.path, principal)
        response = http.json_response(OAuthBegun(begun.url))
        self._bind(response, begun.browser)
        return response

    async def callback(self, request: web.Request) -> web.Response:
        """``GET``, by the provider's redirect."""
        await self._door.count(request)
        browser = request.cookies.get(self._cookie, "")
        device = device_of(request, browser=True)
        response: web.Response
        try:
            said = from_query(request, OAuthReturn)
            done = await self._accounts.oauth.finish(request.match_info["provider"], said, browser, device)
        except TertuliaError as error:
            response = self._to(f"{LOG_IN_PATH}#error={error.code}")
        else:
            response = self._to(f"{LOG_IN_PATH}#ticket={done.ticket}" if done.ticket is not None else done.path)
            if done.grant is not None:
                self._door.set_cookies(response, done.grant)
        response.del_cookie(self._cookie, path="/", secure=self._browsers.secure, httponly=True, samesite="Lax")
        return response

    def _to(self, path: str) -> web.Response:
        return web.Response(status=303, headers={"Location": self._base_url + path, "Cache-Control": "no-store"})

    def _bind(self, response: web.Response, secret: str) -> None:
        # Lax, since it comes back by a redirect of another site's.
        response.set_cookie(
            self._cookie,
            secret,
            max_age=FLOW_S,
            path="/",
            secure=self._browsers.secure,
            httponly=True,
            samesite="Lax",
        )


def routes(accounts: AccountsService, browsers: Browsers, settings: Settings) -> Iterable[web.RouteDef]:
    """The way there, the way back, and linking."""
    door = OAuthDoor(accounts, browsers, settings, Door(accounts, browsers, settings))
    return [
        web.get("/auth/oauth", door.providers),
        web.get("/auth/oauth/{provider}", door.begin),
        web.get("/auth/oauth/{provider}/callback", door.callback),
        web.post("/auth/oauth/{provider}/link", door.link),
    ]
