"""The HTTP door: ``GET /turn/credentials`` for the holder of a room token."""

from __future__ import annotations

from collections.abc import Iterable

from aiohttp import web

from tertulia import http
from tertulia.catalogue import Frame, IceServer
from tertulia.openapi import Operation
from tertulia.settings import Settings
from turn import credentials


class TurnCredentials(Frame, frozen=True):
    """What to give to ``RTCPeerConnection`` as ``iceServers``, and for how many seconds it can be used."""

    ice_servers: list[IceServer]
    ttl_s: int


OPERATIONS = [
    Operation(
        method="GET",
        path="/turn/credentials",
        name="turn-credentials",
        about="Servers that find a way through the asker's network, and short-lived credentials for them.",
        tag="turn",
        request=None,
        answer=TurnCredentials,
    )
]


def routes(settings: Settings) -> Iterable[web.RouteDef]:
    """The package's routes."""

    async def get(request: web.Request) -> web.Response:
        principal = http.principal(request)
        servers = credentials.ice_servers(settings, principal.identity)
        return http.json_response(TurnCredentials(servers, settings.turn_ttl_s))

    return [web.get("/turn/credentials", get)]
