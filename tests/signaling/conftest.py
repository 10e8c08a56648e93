"""The signaling and chat services behind a real HTTP server and Socket.IO, on a real database; media is a stand-in."""

from __future__ import annotations

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
import pytest
import socketio
from aiohttp import web
from aiohttp.test_utils import TestServer, get_port_socket

import chat.http
import signaling.http
from chat.service import ChatService
from sfu.attendance import SessionListener
from sfu.service import MediaJoin
from signaling import events
from signaling.service import SignalingService
from tertulia import http
from tertulia.bus import LocalBus
from tertulia.catalogue import Grants, Slot, Slots, TrackIntent, View
from tertulia.database import Database
from tertulia.errors import BadRequest, NotFound
from tertulia.settings import Settings
from tertulia.tokens import Tokens
from tests.databases import shared_server

API_KEY = "site:" + "k" * 64
OFFER = "v=0 a good offer"


@pytest.fixture(scope="session")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shared_server(tmp_path_factory.mktemp("signaling-postgres")) as dsn:
        yield dsn


@dataclass
class FakeSession:
    """A media session of the stand-in; a test plays the client's side and the media server's."""

    id: str
    room: str
    participant: str
    listener: SessionListener
    tracks: list[TrackIntent]
    view: View
    rev: int = 1
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    open: set[str] = field(default_factory=set)
    full: bool = False

    def open_channel(self, channel: Any, is_open: bool = True) -> None:
        self.open.add(channel) if is_open else self.open.discard(channel)
        self.listener.on_channel(channel, is_open)

    def request(self, channel: Any, event: str, payload: object, number: int | None = 1) -> None:
        frame = {"t": event, "d": payload} | ({} if number is None else {"i": number})
        self.listener.on_frame(channel, msgspec.json.encode(frame))

    def received(self, event: str) -> list[dict[str, Any]]:
        return [frame for _, frame in self.sent if frame["t"] == event]

    def change_slot(self) -> Slots:
        self.rev += 1
        slots = Slots(rev=self.rev, slots=[Slot(mid="5", kind="video", seat=0, participant="bob")])
        self.listener.on_slots(slots)
        return slots


class FakeSfu:
    """Behaves as ``SfuService`` towards signaling."""

    def __init__(self) -> None:
        self.sessions: dict[str, FakeSession] = {}
        self.left: list[tuple[str, str]] = []
        self.fail: Exception | None = None
        self.gate: asyncio.Event | None = None

    async def join(
        self,
        room: str,
        participant: str,
        grants: Grants,
        offer: str,
        tracks: list[TrackIntent],
        view: View,
        listener: SessionListener,
    ) -> MediaJoin:
        if self.gate is not None:
            await self.gate.wait()
        if self.fail is not None:
            raise self.fail
        if offer != OFFER:
            raise BadRequest("offer-invalid", "The offer cannot be read.", "offer")
        for old in [one for one in self.sessions.values() if (one.room, one.participant) == (room, participant)]:
            self.end(old, "replaced")
        session = FakeSession(uuid.uuid4().hex, room, participant, listener, list(tracks), view)
        self.sessions[session.id] = session
        return MediaJoin(session.id, "v=0 the answer", self.slots(session.id))

    def end(self, session: FakeSession, reason: str) -> None:
        del self.sessions[session.id]
        session.listener.on_state("closed", reason)

    async def leave(self, session: str, reason: str) -> None:
        self.left.append((session, reason))
        if session in self.sessions:
            self.end(self.sessions[session], reason)

    async def restart_ice(self, session: str, offer: str) -> str:
        self._known(session)
        return "v=0 another answer"

    def set_view(self, session: str, view: View) -> None:
        self._known(session).view = view

    def set_track(self, session: str, kind: str, muted: bool) -> None:
        known = self._known(session)
        known.tracks = [
            TrackIntent(one.mid, one.kind, muted if one.kind == kind else one.muted) for one in known.tracks
        ]

    def send(self, session: str, channel: str, data: bytes) -> bool:
        found = self.sessions.get(session)
        if found is None or channel not in found.open or found.full:
            return False
        found.sent.append((channel, msgspec.json.decode(data)))
        return True

    def slots(self, session: str) -> Slots:
        return Slots(rev=self._known(session).rev, full=True, slots=[Slot(mid="5", kind="video", seat=0)])

    def session_of(self, room: str, participant: str) -> str | None:
        found = [one.id for one in self.sessions.values() if (one.room, one.participant) == (room, participant)]
        return found[0] if found else None

    def _known(self, session: str) -> FakeSession:
        if session not in self.sessions:
            raise NotFound("session-not-found", "There is no such media session.")
        return self.sessions[session]


class FakeRobotHost:
    """Remembers what it was asked for."""

    def __init__(self) -> None:
        self.running: dict[str, tuple[str, str]] = {}

    async def start(self, room: str, identity: str, token: str, base_url: str) -> None:
        self.running[identity] = (room, token)

    async def stop(self, room: str, identity: str | None = None) -> None:
        for one in [one for one, (where, _) in self.running.items() if where == room and identity in (None, one)]:
            del self.running[one]

    async def close(self) -> None:
        self.running.clear()


class Client:
    """A Socket.IO client that keeps every notice it gets."""

    def __init__(self, stack: Stack, token: str, identity: str) -> None:
        self.token = token
        self.identity = identity
        self.notices: list[tuple[str, Any]] = []
        self.refused: Any = None
        self.io = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self._stack = stack
        self._changed = asyncio.Condition()
        self.io.on("*", self._notice)
        self.io.on("connect_error", self._refused)

    async def connect(self, auth: Any = ...) -> None:
        await self.io.connect(
            self._stack.url,
            socketio_path="/ws",
            transports=["websocket"],
            auth={"token": self.token} if auth is ... else auth,
            wait_timeout=5,
        )

    async def call(self, event: str, payload: Any = None) -> Any:
        """The acknowledgement, an error included."""
        return await self.io.call(event, payload, timeout=10)

    async def ask(self, event: str, payload: Any = None) -> Any:
        """The answer; fails the test when it is an error."""
        answer = await self.call(event, payload)
        assert "error" not in answer, answer
        return answer

    async def join(self, room: str, **more: Any) -> Any:
        return await self.ask("join", {"room": room, **more})

    async def _notice(self, event: str, payload: Any) -> None:
        async with self._changed:
            self.notices.append((event, payload))
            self._changed.notify_all()

    async def _refused(self, data: Any) -> None:
        self.refused = data

    def received(self, event: str) -> list[Any]:
        return [payload for name, payload in self.notices if name == event]

    async def wait_for(self, event: str, count: int = 1) -> Any:
        """The ``count``-th notice of this name."""
        async with asyncio.timeout(10), self._changed:
            await self._changed.wait_for(lambda: len(self.received(event)) >= count)
        return self.received(event)[count - 1]

    async def closed(self) -> None:
        async with asyncio.timeout(10):
            await self.io.wait()

    def cut(self) -> None:
        """The network is gone: no goodbye reaches the server."""
        transport = self.io.eio.ws._response.connection.transport
        transport.abort()


@dataclass
class Stack:
    """Everything that one server process holds."""

    url: str
    settings: Settings
    tokens: Tokens
    database: Database
    chat: ChatService
    sfu: FakeSfu
    robots: FakeRobotHost
    signaling: SignalingService
    app: web.Application
    door: events.SocketDoor
    web: aiohttp.ClientSession
    clients: list[Client] = field(default_factory=list)

    async def room(self, name: str = "A room") -> dict[str, Any]:
        async with self.web.post("/rooms", json={"name": name}) as response:
            assert response.status == 201, await response.text()
            return dict(await response.json())

    def token(self, room: str, identity: str, ttl_s: int = 600, **grants: bool) -> str:
        return self.tokens.mint(room, identity, identity.title(), Grants(**grants), ttl_s)

    async def client(self, room: str, identity: str, **grants: bool) -> Client:
        """A connected client that has not joined."""
        client = Client(self, self.token(room, identity, **grants), identity)
        self.clients.append(client)
        await client.connect()
        return client

    def session(self, client_or_id: str) -> FakeSession:
        [found] = [one for one in self.sfu.sessions.values() if client_or_id in (one.id, one.participant)]
        return found


GRACE_S = 0.3


def small_buffered(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
    """A listening socket for whose clients the kernel keeps little, so that a test soon fills it."""
    made = get_port_socket(host, port, family)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    return made


@pytest.fixture
async def stack(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    settings = Settings(
        data_dir=str(tmp_path_factory.getbasetemp()),
        database_dsn=dsn,
        token_secret="s" * 64,
        api_keys={"site": "k" * 64},
        room_capacity=5,
        channel_room_max=4,
        turn_urls=("turn:turn.example.org",),
        turn_secret="t" * 32,
    )
    tokens = Tokens(settings)
    database = Database.from_settings(settings)
    await database.start()
    chat_service = ChatService(database, LocalBus())
    sfu, robots = FakeSfu(), FakeRobotHost()
    service = SignalingService(
        settings,
        database,
        tokens,
        sfu,  # type: ignore[arg-type] # a stand-in
        chat_service,
        robots,
        grace_s=GRACE_S,
    )
    await chat_service.start()
    await service.start()
    app = web.Application(middlewares=[http.errors], client_max_size=http.BODY_BYTES_MAX)
    app[http.TOKENS] = tokens
    app.add_routes(chat.http.routes(chat_service))
    app.add_routes(signaling.http.routes(service))
    door = events.attach(app, service)
    server = TestServer(app, socket_factory=small_buffered)
    await server.start_server()
    url = str(server.make_url("")).rstrip("/")
    async with aiohttp.ClientSession(url) as session:
        stack = Stack(url, settings, tokens, database, chat_service, sfu, robots, service, app, door, session)
        yield stack
        for client in stack.clients:
            await client.io.disconnect()
    await service.close()
    await server.close()
    await chat_service.close()
    await database.close()
