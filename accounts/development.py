"""The development log-in: say a name and be that person, on a server that nobody else can reach.

It lets conversations outside rooms be used before there are accounts, and programs be tried out. Whoever says a name
is whoever that is, without a proof, so it exists only where the server listens on this machine's own address and no
public one is named; everywhere else it is refused.
"""

from __future__ import annotations

import hashlib
import time
import unicodedata
from collections.abc import Iterable

import structlog
from aiohttp import web

from chat.checks import check_line
from chat.service import ChatService
from tertulia import http
from tertulia.catalogue import DevelopmentLogIn, LoggedIn
from tertulia.errors import Forbidden
from tertulia.limits import Limiter, Rate
from tertulia.openapi import Operation
from tertulia.settings import Settings
from tertulia.tokens import WORKSPACE_KEY, Tokens

log = structlog.get_logger("accounts.development")

TTL_S = 7 * 86_400
RATES = {"log-in": Rate(50, 500)}


OPERATIONS = [
    Operation(
        method="POST",
        path="/auth/dev",
        name="development-log-in",
        about="Be somebody, on a server that nobody else can reach.",
        tag="accounts",
        request=DevelopmentLogIn,
        answer=LoggedIn,
        authenticated=False,
    )
]


def routes(settings: Settings, tokens: Tokens, chat: ChatService) -> Iterable[web.RouteDef]:
    """``POST /auth/dev``."""
    limiter = Limiter(RATES)
    if settings.development:
        log.warning("the development log-in is open: whoever uses this machine can be anybody")

    async def log_in(request: web.Request) -> web.Response:
        if not settings.development:
            raise Forbidden("development-only", "This server is no development server; there is no such log-in.")
        limiter.check("log-in", time.monotonic())
        asked = await http.read_json(request, DevelopmentLogIn)
        name = asked.name.strip()
        check_line(name, "name")
        identity = identity_of(name)
        token = tokens.mint("", identity, name, ttl_s=TTL_S, key_id=WORKSPACE_KEY)
        principal = tokens.verify(token)
        await chat.personal.know(principal)
        return http.json_response(LoggedIn(token, identity, name, round(principal.expires_at * 1000)))

    return [web.post("/auth/dev", log_in)]


def identity_of(name: str) -> str:
    """The same for the same name, however it is written: letters as they are, the rest in a digest."""
    folded = unicodedata.normalize("NFKC", name).casefold()
    letters = "".join(character if character.isascii() and character.isalnum() else "-" for character in folded)
    slug = "-".join(part for part in letters.split("-") if part)[:40]
    if slug != folded:
        slug = f"{slug}-{hashlib.sha256(folded.encode()).hexdigest()[:8]}".lstrip("-")
    return f"u:{slug}"
