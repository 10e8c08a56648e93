"""The HTTP door of the log: the same frames and answers as the other doors, for programs that send now and then."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from chat.service import ChatService
from tertulia import http
from tertulia.catalogue import History, SendMessage
from tertulia.frames import convert


def routes(chat: ChatService) -> Iterable[web.RouteDef]:
    """``POST /chat/send`` and ``GET /chat/history/{chatId}``; both take a room token as bearer."""

    async def send(request: web.Request) -> web.Response:
        principal = http.principal(request)
        message = await http.read_json(request, SendMessage)
        return http.json_response(await chat.send(principal, message, "http"))

    async def history(request: web.Request) -> web.Response:
        principal = http.principal(request)
        asked: dict[str, str | int] = {"conversation": request.match_info["chatId"]}
        for name in ("before", "limit"):
            if name in request.query:
                text = request.query[name]
                # Only plain numbers become numbers: what is not one is refused by its type, with its name.
                asked[name] = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else text
        return http.json_response(await chat.history(principal, convert(asked, History)))

    return [web.post("/chat/send", send), web.get("/chat/history/{chatId}", history)]
