"""The HTTP door of the log: the same frames and answers as the other doors, for programs that send now and then."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from chat import refusals
from chat.channel import dispatch
from chat.routes import ROUTES, Route
from chat.service import ChatService
from tertulia import http
from tertulia.catalogue import Frame
from tertulia.frames import convert
from tertulia.limits import Limiters, Rate
from tertulia.tokens import Principal

RATES = {"write": Rate(20, 100), "read": Rate(20, 100)}
"""For each identity of a room, or of the workspace."""
_LISTS = frozenset({"seqs", "has", "people"})
_NAMES = {"chatId": "conversation"}


def routes(chat: ChatService) -> Iterable[web.RouteDef]:
    """Every operation of ``routes.py``; all take a token as bearer."""

    limiters = Limiters(RATES)

    def somebody(request: web.Request, kind: str) -> Principal:
        principal = http.principal(request)
        limiters.check((principal.room, principal.identity), kind, time.monotonic())
        return principal

    def handler(route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            principal = somebody(request, "write" if route.writes else "read")
            asked: Frame
            if route.method == "GET":
                asked = convert(_address(request, principal), route.request, strict=False)
            else:
                asked = await http.read_json(request, route.request)
            return http.json_response(await dispatch(chat, principal, asked, "http"))

        return handle

    return [web.route(route.method, route.path, handler(route)) for route in ROUTES]


def _address(request: web.Request, principal: Principal) -> dict[str, object]:
    """The request that an address makes. Raises Forbidden ``own-only``."""
    asked: dict[str, object] = {}
    for name, text in request.query.items():
        if name in _LISTS:
            asked[name] = [part for part in text.split(",") if part]
        elif text:
            asked[name] = text
    for name, text in request.match_info.items():
        if name == "userId":
            if text != principal.identity:
                raise refusals.own_only()
        else:
            asked[_NAMES.get(name, name)] = text
    return asked
