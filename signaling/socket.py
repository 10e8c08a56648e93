"""The connection of one Socket.IO client: its bytes become requests, and finished frames are written to it, bounded.

There is no task and no queue behind a socket: what arrives is handled in the callback that brings it, what goes out is
a list of frames that all sockets of a turn flush together (``flusher.py``). A client that does not read fills first
the kernel, then the transport up to its mark, then a backlog. Of that, notices that can be asked for again are dropped
when they are too many, and the client is told when it reads again (``lagged``); when it falls behind once more, or
even what must arrive finds no room, the connection ends.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from signaling import packets
from signaling.flusher import Flusher
from signaling.heart import Heart
from signaling.websocket import CloseCode, Opcode, Receiver, Violation, close_frame, control_frame
from tertulia.errors import TertuliaError, to_client
from tertulia.frames import Notice

if TYPE_CHECKING:
    from signaling.sessions import Connection

log = structlog.get_logger("signaling.socket")

MESSAGE_BYTES_MAX = 320 * 1024
"""The longest message: an offer of 256 KiB in JSON."""
SOFT_BYTES_MAX = 256 * 1024
HARD_BYTES_MAX = 1024 * 1024
TRANSPORT_HIGH = 64 * 1024
"""What the transport may hold before this side of it waits; the rest is kept here, where it can be bounded by kind."""
LAGGED_AGAIN_S = 10.0
"""A client that falls behind again this soon after it was told is ended: it comes back with its positions."""
ODDITIES_MAX = 200
"""Pings, packets of no meaning and tokens to check, between two heart beats."""
CLOSE_LIMIT_S = 5.0
"""How long the client's half of the closing handshake is waited for."""


class Manager(Protocol):
    """All sockets of the door."""

    flusher: Flusher
    heart: Heart

    def enter(self, socket: ClientSocket, auth: dict[str, Any] | None) -> Connection:
        """The session that opens with what the client brought. Raises TertuliaError."""

    def lost(self, socket: ClientSocket) -> None:
        """The socket is gone."""


class ClientSocket(asyncio.Protocol):
    """One connection after its opening handshake."""

    __slots__ = (
        "_alive",
        "_backlog",
        "_closing",
        "_lagged_at",
        "_manager",
        "_oddities",
        "_pending",
        "_queued",
        "_receiver",
        "_slot",
        "_transport",
        "address",
        "connection",
        "cookie_token",
        "sid",
    )

    def __init__(self, manager: Manager, sid: str, address: str = "") -> None:
        self.sid = sid
        self.address = address
        """To count by; of nobody's concern else."""
        self.connection: Connection | None = None
        self.cookie_token: str | None = None
        """What the browser of a page of ours brought with the handshake, until the client enters."""
        self._manager = manager
        self._receiver = Receiver(MESSAGE_BYTES_MAX)
        self._transport: asyncio.Transport | None = None
        self._pending: list[bytes] = []
        self._queued = 0
        self._backlog: Backlog | None = None
        self._lagged_at = -LAGGED_AGAIN_S
        self._alive = True
        self._closing: asyncio.TimerHandle | None = None
        self._oddities = 0
        self._slot = 0

    # --- life ------------------------------------------------------------------------------------------------------

    def open(self, transport: asyncio.Transport, handshake: bytes, hello: bytes) -> None:
        """Take over a connection whose client asked for a WebSocket."""
        self._transport = transport
        transport.set_write_buffer_limits(high=TRANSPORT_HIGH, low=TRANSPORT_HIGH // 4)
        transport.set_protocol(self)
        transport.write(handshake + hello)
        self._slot = self._manager.heart.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._closing is not None:
            self._closing.cancel()
        self._transport = None
        self._pending.clear()
        self._manager.heart.remove(self, self._slot)
        self._manager.lost(self)

    def eof_received(self) -> bool:
        return False  # the transport closes; nobody sends half-open WebSockets

    def end(self, notice: Notice | None) -> None:
        """Say goodbye, after a last notice."""
        if notice is not None:
            self.send(notice, must=True)
        if self.connection is not None:
            self._write(packets.DISCONNECT, True)
        self._close(CloseCode.NORMAL)

    def abort(self) -> None:
        """End the connection without a word."""
        if self._transport is not None:
            self._transport.abort()

    def ping(self) -> None:
        """Called once an interval: the client answered the last ping and has entered by now, or it goes."""
        if self._closing is not None:
            return
        if not self._alive or self.connection is None:
            self.abort()
            return
        self._alive = False
        self._oddities = 0
        self._write(packets.PING, True)

    def _close(self, code: CloseCode) -> None:
        """RFC 6455, section 7.1.2: a CLOSE frame, then the client's, then the end of the connection."""
        transport = self._transport
        if transport is None or self._closing is not None:
            return
        if self._backlog is not None:
            self._pending += [frame for frame, must in self._backlog.frames if must]
        self._pending.append(close_frame(code))
        self.flush()
        self._closing = asyncio.get_running_loop().call_later(CLOSE_LIMIT_S, transport.abort)

    # --- in --------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        try:
            for opcode, payload in self._receiver.feed(data):
                self._receive(opcode, payload)
        except Violation as violation:
            self._receiver = Receiver(0)
            if self._closing is not None:
                self.abort()
            self._close(violation.code)

    def _receive(self, opcode: Opcode, payload: bytes) -> None:
        if opcode is Opcode.CLOSE:
            self._closed_by_client()
        elif self._closing is not None:
            return
        elif opcode is Opcode.TEXT:
            try:
                text = payload.decode()
            except UnicodeDecodeError:
                raise Violation(CloseCode.INVALID_DATA) from None
            self._packet(text)
        else:
            self._odd()
            if opcode is Opcode.PING:
                self._write(control_frame(Opcode.PONG, payload), True)

    def _closed_by_client(self) -> None:
        transport = self._transport
        if transport is None:
            return
        if self._closing is None:
            transport.write(close_frame(CloseCode.NORMAL))
        transport.close()

    def _packet(self, text: str) -> None:
        packet = packets.read(text)
        match packet:
            case packets.Event() if self.connection is not None:
                self.connection.receive(packet.name, packet.number, packet.payload)
            case packets.Pong():
                if self._alive:
                    self._odd()
                self._alive = True
            case packets.Close():
                self._close(CloseCode.NORMAL)
            case packets.Connect():
                self._odd()
                self._enter(packet)
            case _:
                self._odd()

    def _enter(self, packet: packets.Connect) -> None:
        if packet.namespace is not None:
            error = {"code": "not-found", "message": "There is one namespace only."}
            self._write(packets.refused(error, packet.namespace), True)
        elif self.connection is None:
            try:
                self.connection = self._manager.enter(self, packet.auth)
            except TertuliaError as error:
                self._write(packets.refused(to_client(error)), True)
            else:
                self._write(packets.connected(self.sid), True)

    def _odd(self) -> None:
        self._oddities += 1
        if self._oddities > ODDITIES_MAX:
            raise Violation(CloseCode.POLICY_VIOLATION)

    # --- out -------------------------------------------------------------------------------------------------------

    def send(self, notice: Notice, must: bool) -> bool:
        """Queue a notice. False: too much is queued already, or the connection is over."""
        return self._write(notice.packet, must)

    def answer(self, frame: bytes) -> None:
        """Queue an acknowledgement."""
        self._write(frame, True)

    def _write(self, frame: bytes, must: bool) -> bool:
        if self._transport is None or self._closing is not None:
            return False
        if self._backlog is not None:
            return self._wait(self._backlog, frame, must)
        if not self._pending:
            self._manager.flusher.add(self)
        self._pending.append(frame)
        self._queued += len(frame)
        if self._queued > SOFT_BYTES_MAX:
            self.flush()
        return True

    def flush(self) -> None:
        """Hand what is queued to the transport."""
        pending = self._pending
        if not pending or self._transport is None:
            return
        self._transport.write(pending[0] if len(pending) == 1 else b"".join(pending))
        pending.clear()
        self._queued = 0

    def _wait(self, backlog: Backlog, frame: bytes, must: bool) -> bool:
        """The transport is full: keep the frame until it takes more."""
        if backlog.put(frame, must):
            return True
        now = asyncio.get_running_loop().time()
        if must or now - self._lagged_at < LAGGED_AGAIN_S:
            log.info("a client does not read; its connection is ended")
            self.abort()
        elif not backlog.lagging:
            backlog.empty()
        return False

    def pause_writing(self) -> None:
        self._backlog = Backlog()

    def resume_writing(self) -> None:
        backlog, self._backlog = self._backlog, None
        if backlog is None or self._transport is None:
            return
        for frame, must in backlog.frames:
            self._write(frame, must)
        if backlog.lagging:
            self._lagged_at = asyncio.get_running_loop().time()
            if self.connection is not None:
                self.connection.drained()


class Backlog:
    """What waits for a transport that is full, bounded by kind: notices that can be asked for again give way."""

    __slots__ = ("_bytes", "frames", "lagging")

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, bool]] = []
        self.lagging = False
        """Whether notices were dropped; none are taken until the client has been told."""
        self._bytes = 0

    def put(self, frame: bytes, must: bool) -> bool:
        """Whether there is room for the frame."""
        size = self._bytes + len(frame)
        if size > (HARD_BYTES_MAX if must else SOFT_BYTES_MAX) or (self.lagging and not must):
            return False
        self.frames.append((frame, must))
        self._bytes = size
        return True

    def empty(self) -> None:
        """Drop what can be asked for again, and take no more of it."""
        self.lagging = True
        self.frames = [(frame, must) for frame, must in self.frames if must]
        self._bytes = sum(len(frame) for frame, _ in self.frames)
