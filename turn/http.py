"""The HTTP door: ``GET /turn/credentials`` for the holder of a room token."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from aiohttp import web

from tertulia import http
from tertulia.catalogue import IceServer
from tertulia.settings import Settings
from turn import credentials


class Credentials(msgspec.Struct, frozen=True):
    """What to give to ``RTCPeerConnection`` as ``iceServers``, and for how many seconds it can be used."""

    ice_servers: list[IceServer]
    ttl_s: int


def routes(settings: Settings) -> Iterable[web.RouteDef]:
    """The package's routes."""

    async def get(request: web.Request) -> web.Response:
        principal = http.principal(request)
        servers = credentials.ice_servers(settings, principal.identity)
        return http.json_response(Credentials(servers, settings.turn_ttl_s))

    return [web.get("/turn/credentials", get)]
