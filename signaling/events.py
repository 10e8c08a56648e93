"""The Socket.IO door at ``/ws``: WebSocket only, one namespace, every request of the catalogue acknowledged.

A connection is refused unless it brings a good token; the refusal's ``data`` is the error object. Each event is
acknowledged with its answer, or with ``{"error": {…}}``. The HTTP server sees the opening handshake only: the
connection is then taken from it, with the task and the buffers it keeps for each.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import Counter
from typing import Any

import structlog
from aiohttp import web

from signaling import packets
from signaling.flusher import Flusher
from signaling.heart import Heart
from signaling.service import SignalingService
from signaling.sessions import Connection
from signaling.socket import MESSAGE_BYTES_MAX, ClientSocket
from signaling.websocket import accept
from tertulia.browser import Browsers
from tertulia.catalogue import GoAway
from tertulia.errors import BadRequest, Forbidden, Unavailable
from tertulia.frames import Notice
from tertulia.remote import address_of, networks

log = structlog.get_logger("signaling.events")

PATH = "/ws/"
PING_INTERVAL_S = 10
PING_TIMEOUT_S = 8
GOAWAY_MS_EACH = 5
GOAWAY_MAX_MS = 30_000
"""Clients of a server that stops are spread over this time."""
UNKNOWN_EACH_MAX = 2048
UNKNOWN_MAX = 8192
"""Connections that have shown no token yet, from one address and in all."""


class SocketDoor:
    """All Socket.IO clients of this process. Implements ``signaling.socket.Manager``."""

    def __init__(self, service: SignalingService) -> None:
        self.flusher = Flusher(time.monotonic)
        self.heart = Heart(PING_INTERVAL_S)
        self._service = service
        self._browsers = Browsers(service.settings)
        self._sockets: set[ClientSocket] = set()
        self._proxies = networks(service.settings.trusted_proxies)
        self._unknown: Counter[str] = Counter()
        self._beat: asyncio.Task[None] | None = None
        self._closing = False

    async def open(self, request: web.Request) -> web.StreamResponse:
        """``GET /ws/?EIO=4&transport=websocket``. Raises BadRequest, Forbidden, Unavailable."""
        if request.query.get("EIO") != "4" or request.query.get("transport") != "websocket":
            raise BadRequest(
                "bad-request", "Socket.IO is spoken here over WebSocket only: set transports to websocket."
            )
        origin = request.headers.get("Origin")
        if origin is not None and not self._browsers.is_ours(origin, request.headers.get("Host", "")):
            raise Forbidden("forbidden", "Pages of another site may not connect.")
        handshake = accept(request.headers)
        address = address_of(request, self._proxies)
        full = self._unknown.total() >= UNKNOWN_MAX or self._unknown[address] >= UNKNOWN_EACH_MAX
        if self._closing or full:
            raise Unavailable("rate-limited", "Too many clients are connecting; try again in a moment.")
        transport = request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError
        socket = ClientSocket(self, secrets.token_urlsafe(15), address)
        socket.cookie_token = self._browsers.socket_token(request)
        self._sockets.add(socket)
        self._unknown[address] += 1
        socket.open(
            transport, handshake, packets.opening(socket.sid, PING_INTERVAL_S, PING_TIMEOUT_S, MESSAGE_BYTES_MAX)
        )
        # For the HTTP server this connection is lost, and none to close; the answer it is given now goes nowhere.
        request.protocol.transport = None
        request.protocol.connection_lost(None)
        return web.Response(status=101)

    def enter(self, socket: ClientSocket, auth: dict[str, Any] | None) -> Connection:
        token = auth.get("token") if auth is not None else None
        # A page of ours that is logged in by cookie shows no token; one that shows a token means that one.
        principal = self._service.tokens.verify(token or socket.cookie_token)
        socket.cookie_token = None
        self._known(socket)
        connection = Connection(self._service, principal, socket)
        self._service.connected(connection)
        return connection

    def _known(self, socket: ClientSocket) -> None:
        self._unknown[socket.address] -= 1
        if not self._unknown[socket.address]:
            del self._unknown[socket.address]

    def lost(self, socket: ClientSocket) -> None:
        self._sockets.discard(socket)
        if socket.connection is None:
            self._known(socket)
        else:
            self._service.disconnected(socket.connection)

    def start(self) -> None:
        self._beat = asyncio.create_task(self._beats(), name="socket-heart")

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(1)
            self.heart.beat()

    async def stop(self) -> None:
        """Everybody goes; they come back when the program does."""
        self._closing = True
        self._service.stop()
        if self._beat is not None:
            self._beat.cancel()
            await asyncio.gather(self._beat, return_exceptions=True)
        self.send_away()

    def send_away(self) -> None:
        """Everybody connects anew, but not all in the same moment."""
        spread_ms = min(GOAWAY_MAX_MS, len(self._sockets) * GOAWAY_MS_EACH)
        for socket in tuple(self._sockets):
            if socket.connection is not None:
                socket.send(Notice("goaway", GoAway(random.randint(0, spread_ms))), must=True)
            socket.end(None)


def attach(app: web.Application, service: SignalingService) -> SocketDoor:
    """Serve Socket.IO for ``service`` in ``app``."""
    door = SocketDoor(service)
    app.router.add_get(PATH, door.open)
    app.router.add_get(PATH.rstrip("/"), door.open)

    async def start(_: web.Application) -> None:
        door.start()

    async def stop(_: web.Application) -> None:
        await door.stop()

    app.on_startup.append(start)
    app.on_shutdown.append(stop)
    return door
