"""Composition: every service made once, given what it needs, and started and stopped in order.

No service looks another up: what it needs is a parameter of its constructor, and this file is the only one that knows
them all. It holds no logic of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

import accounts.development
import accounts.http
import accounts.oauth_http
import accounts.routes
import chat.http
import chat.routes
import signaling.events
import signaling.http
import turn.http
from accounts.hint import AccountsHint
from accounts.service import AccountsService
from chat.hint import read_hint
from chat.presence_hint import PeopleHint
from chat.service import ChatService
from sfu import whip
from sfu.robots import RobotHost
from sfu.service import SfuService
from signaling.service import SignalingService
from tertulia import bus_choice, health, http, metrics, openapi, pages
from tertulia.browser import Browsers
from tertulia.bus import Bus
from tertulia.catalogue import Grants, SetBlock
from tertulia.database import Database
from tertulia.settings import Settings
from tertulia.tokens import ACCOUNT_KEY, Principal, Tokens

log = structlog.get_logger("tertulia.app")


@dataclass
class Services:
    """What :func:`build` made; for the program's own use and for tests."""

    database: Database
    bus: Bus
    chat: ChatService
    sfu: SfuService
    signaling: SignalingService
    accounts: AccountsService


SERVICES: web.AppKey[Services] = web.AppKey("services")


def operations() -> list[openapi.Operation]:
    """Everything that can be asked over HTTP, for ``/openapi.json``."""
    return [
        *chat.routes.operations(),
        *accounts.routes.operations(),
        *accounts.oauth_http.OPERATIONS,
        *accounts.development.OPERATIONS,
        *signaling.http.OPERATIONS,
        *whip.OPERATIONS,
        *turn.http.OPERATIONS,
        *health.OPERATIONS,
        *metrics.OPERATIONS,
    ]


async def build(settings: Settings) -> web.Application:
    """The program as one aiohttp application. Its services start with it and stop with it."""
    tokens = Tokens(settings)
    database = Database.from_settings(settings)
    browsers = Browsers(settings)
    readers = {"chat": read_hint, "presence": PeopleHint.from_bus, "accounts": AccountsHint.from_bus}
    bus = bus_choice.choose(settings, database, readers)
    chat_service = ChatService(database, bus)
    sfu_service = SfuService(settings)
    signaling_service = SignalingService(
        settings, database, tokens, sfu_service, chat_service, RobotHost(), calls=chat_service.calls
    )

    async def know(identity: str, name: str) -> None:
        await chat_service.personal.know(Principal(identity, name, "", Grants(), ACCOUNT_KEY, 0))

    async def block(principal: Principal, user: str, blocked: bool) -> None:
        await chat_service.personal.set_block(principal, SetBlock(user, str(uuid.uuid4()), blocked))

    accounts_service = AccountsService(settings, database, bus, tokens, know, block, signaling_service.expel)

    app = web.Application(middlewares=[http.errors], client_max_size=http.BODY_BYTES_MAX)
    app[http.TOKENS] = tokens
    app[http.BROWSERS] = browsers
    app[SERVICES] = Services(database, bus, chat_service, sfu_service, signaling_service, accounts_service)
    pages.install(app, settings)
    app.add_routes(health.routes(database))
    app.add_routes(
        metrics.routes({"sfu": sfu_service.stats, "media": sfu_service.totals, "signaling": signaling_service.stats})
    )
    app.add_routes(turn.http.routes(settings))
    app.add_routes(chat.http.routes(chat_service))
    app.add_routes(openapi.routes(operations()))
    app.add_routes(accounts.http.routes(accounts_service, browsers, settings))
    app.add_routes(accounts.oauth_http.routes(accounts_service, browsers, settings))
    app.add_routes(accounts.development.routes(settings, tokens, chat_service))
    app.add_routes(signaling.http.routes(signaling_service))
    app.add_routes(whip.routes(sfu_service, signaling_service))
    door = signaling.events.attach(app, signaling_service)
    chat_service.on_restored.append(door.send_away)
    app.add_routes(pages.routes(Path(settings.web_dist)))
    app.cleanup_ctx.append(_run)
    return app


async def _run(app: web.Application) -> AsyncIterator[None]:
    """Start the services in the order they need each other; whatever was started is stopped in reverse."""
    services = app[SERVICES]
    stop = []
    try:
        stop.append(services.database.close)
        await services.database.start()
        await services.database.migrate()
        for service in (services.bus, services.accounts, services.chat, services.sfu, services.signaling):
            stop.append(service.close)
            await service.start()
        yield
    finally:
        for close in reversed(stop):
            try:
                await close()
            except Exception as error:  # one that fails must not keep the others from stopping
                log.error("a service did not stop cleanly", exc_info=error)
