"""The Socket.IO door at ``/ws``: one handler for every request in the catalogue, WebSocket only.

A connection is refused unless it brings a good room token; the refusal's ``data`` is the error object. Each event is
acknowledged with its answer, or with ``{"error": {…}}``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import socketio
import structlog
from aiohttp import web

from signaling.service import SignalingService
from signaling.sessions import Connection
from signaling.socket import ClientSocket, Json, Packet
from tertulia.catalogue import REQUESTS
from tertulia.errors import TertuliaError, to_client

log = structlog.get_logger("signaling.events")

PATH = "/ws"
MESSAGE_BYTES_MAX = 320 * 1024
"""The longest frame: an offer of 256 KiB in JSON."""
PING_INTERVAL_S = 10
PING_TIMEOUT_S = 8


def attach(app: web.Application, service: SignalingService) -> socketio.AsyncServer:
    """Serve Socket.IO for ``service`` in ``app``."""
    server = socketio.AsyncServer(
        async_mode="aiohttp",
        transports=["websocket"],
        serializer=Packet,
        json=Json,
        cors_allowed_origins=origins(service.settings.public_url),
        max_http_buffer_size=MESSAGE_BYTES_MAX,
        ping_interval=PING_INTERVAL_S,
        ping_timeout=PING_TIMEOUT_S,
        http_compression=False,
        logger=False,
        engineio_logger=False,
    )
    connections: dict[str, Connection] = {}

    async def connect(sid: str, environ: dict[str, Any], auth: object = None) -> None:
        eio_sid = server.manager.eio_sid_from_sid(sid, "/")
        try:
            if environ.setdefault("tertulia.sid", sid) != sid:
                raise socketio.exceptions.ConnectionRefusedError("One connection a socket.")
            principal = service.tokens.verify(auth.get("token") if isinstance(auth, dict) else None)
        except TertuliaError as error:
            raise socketio.exceptions.ConnectionRefusedError(error.message, to_client(error)) from None
        connections[sid] = Connection(service, principal, ClientSocket(server, sid, eio_sid))

    async def disconnect(sid: str, reason: object = None) -> None:
        connection = connections.pop(sid, None)
        if connection is not None:
            service.disconnected(connection)

    def handler(event: str) -> Callable[..., Awaitable[Any]]:
        async def handle(sid: str, *payloads: object) -> Any:
            connection = connections.get(sid)
            if connection is None:
                return {"error": {"code": "not-joined", "message": "The connection is over."}}
            return await connection.request(event, payloads[0] if payloads else None)

        return handle

    async def unknown(event: str, sid: str, *payloads: object) -> Any:
        return await handler("")(sid)

    server.on("connect", connect)
    server.on("disconnect", disconnect)
    for event in REQUESTS:
        server.on(event, handler(event))
    server.on("*", unknown)
    server.attach(app, socketio_path=PATH)

    async def shutdown(_: web.Application) -> None:
        # Open WebSockets would be waited for; their clients come back when the program does.
        service.stop()
        for sid in tuple(connections):
            await server.disconnect(sid)

    app.on_shutdown.append(shutdown)
    return server


def origins(public_url: str) -> Callable[[str, dict[str, Any]], bool]:
    """Which pages may open a connection: our own, by the address they were asked at or the public one (RFC 6454)."""
    public = origin_of(public_url)

    def allowed(origin: str, environ: dict[str, Any]) -> bool:
        if origin == public:
            return True
        # A page of ours is asked for at the host that it now connects to; its scheme may have ended at a proxy.
        return urlsplit(origin).netloc.lower() == str(environ.get("HTTP_HOST", "")).lower() != ""

    return allowed


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower() if parts.netloc else ""
