"""The HTTP door of the log: the same frames and answers as the other doors, for programs that send now and then."""

from __future__ import annotations

import time
from collections.abc import Iterable

from aiohttp import web

from chat.service import ChatService
from tertulia import http
from tertulia.catalogue import History, SendMessage
from tertulia.frames import convert
from tertulia.limits import Limiters, Rate
from tertulia.tokens import Principal

RATES = {"send": Rate(20, 100), "history": Rate(20, 100)}
"""For each identity of a room."""


def routes(chat: ChatService) -> Iterable[web.RouteDef]:
    """``POST /chat/send`` and ``GET /chat/history/{chatId}``; both take a room token as bearer."""

    limiters = Limiters(RATES)

    def somebody(request: web.Request, kind: str) -> Principal:
        principal = http.principal(request)
        limiters.check((principal.room, principal.identity), kind, time.monotonic())
        return principal

    async def send(request: web.Request) -> web.Response:
        principal = somebody(request, "send")
        message = await http.read_json(request, SendMessage)
        return http.json_response(await chat.send(principal, message, "http"))

    async def history(request: web.Request) -> web.Response:
        principal = somebody(request, "history")
        asked: dict[str, str | int] = {"conversation": request.match_info["chatId"]}
        for name in ("before", "limit"):
            if name in request.query:
                text = request.query[name]
                # Only plain numbers become numbers: what is not one is refused by its type, with its name.
                asked[name] = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
        return http.json_response(await chat.history(principal, convert(asked, History)))

    return [web.post("/chat/send", send), web.get("/chat/history/{chatId}", history)]
