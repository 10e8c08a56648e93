"""``/healthz`` and ``/readyz``: whether the process runs, and whether it can do its work."""

from __future__ import annotations

from typing import Literal

from aiohttp import web

from tertulia import http
from tertulia.catalogue_base import Frame
from tertulia.database import Database
from tertulia.openapi import Operation


class Health(Frame, frozen=True):
    status: Literal["ok"] = "ok"


class Readiness(Frame, frozen=True):
    """``database``: whether it answers now."""

    status: Literal["ok", "unavailable"]
    database: bool


OPERATIONS = [
    Operation("GET", "/healthz", "health", "The process runs.", "operations", None, Health, authenticated=False),
    Operation(
        "GET", "/readyz", "readiness", "It can do its work, so a balancer may send people here.", "operations",
        None, Readiness, authenticated=False, further={503: ("It cannot now.", Readiness)},
    ),
]  # fmt: skip


def routes(database: Database) -> list[web.RouteDef]:
    """Both routes."""

    async def healthz(_: web.Request) -> web.Response:
        return http.json_response(Health())

    async def readyz(_: web.Request) -> web.Response:
        ready = await database.ready()
        return http.json_response(Readiness("ok" if ready else "unavailable", ready), 200 if ready else 503)

    return [web.get("/healthz", healthz), web.get("/readyz", readyz)]
