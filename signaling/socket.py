"""The Socket.IO connection of one client, and what python-socketio leaves open: the only file that touches its inside.

Three things are ours. Packets that no client of ours sends (binary ones, other types, names that the library uses for
itself, JSON that is none) become an event called ``malformed``, which is refused like any unknown one. JSON is
msgspec's. And notices are put into Engine.IO's queue as finished text, encoded once for everybody, as long as the
client keeps up: the queue itself has no bound.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import engineio.packet
import msgspec
import socketio.packet
import structlog

from tertulia.frames import Notice

log = structlog.get_logger("signaling.socket")

MALFORMED = "malformed"
RESERVED = frozenset({"connect", "disconnect", "connect_error", "*"})
SOFT_BYTES_MAX = 256 * 1024
HARD_BYTES_MAX = 1024 * 1024


class Json:
    """What python-socketio calls instead of the json module."""

    @staticmethod
    def dumps(value: object, **_: object) -> str:
        return msgspec.json.encode(value).decode()

    @staticmethod
    def loads(text: str, **_: object) -> Any:
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            # The library would log what it was sent.
            raise ValueError("not JSON") from None


class Packet(socketio.packet.Packet):  # type: ignore[misc] # the library has no types
    """A packet from which nothing comes that a handler does not expect."""

    json = Json

    def __init__(self, *positional: Any, encoded_packet: Any = None, **named: Any) -> None:
        # The library takes an empty text for none at all.
        super().__init__(*positional, encoded_packet="?" if encoded_packet == "" else encoded_packet, **named)

    def decode(self, encoded_packet: Any) -> int:
        try:
            if not isinstance(encoded_packet, str):
                raise ValueError("binary")
            attachments = super().decode(encoded_packet)
            if attachments or not self._expected():
                raise ValueError("unexpected")
        except (ValueError, IndexError, TypeError):
            self.packet_type = socketio.packet.EVENT
            self.namespace = None
            self.data = [MALFORMED]
        return 0

    def _expected(self) -> bool:
        data: object = self.data
        if self.packet_type == socketio.packet.EVENT:
            return isinstance(data, list) and bool(data) and isinstance(data[0], str) and data[0] not in RESERVED
        if self.packet_type == socketio.packet.CONNECT:
            return data is None or isinstance(data, dict)
        # Nothing of ours asks the client for an acknowledgement.
        return bool(self.packet_type == socketio.packet.DISCONNECT)

    @classmethod
    def data_is_binary(cls, data: object) -> bool:
        return False


class ClientSocket:
    """One connection, bounded."""

    def __init__(self, server: socketio.AsyncServer, sid: str, eio_sid: str) -> None:
        self._server = server
        self._sid = sid
        self._eio_sid = eio_sid
        self._queued = 0
        self._ended = False

    def send(self, notice: Notice, must: bool) -> bool:
        socket = self._server.eio.sockets.get(self._eio_sid)
        if socket is None or socket.closed or self._ended:
            return False
        if socket.queue.empty():
            self._queued = 0  # all that was counted is with the transport now
        elif self._queued + notice.size > (HARD_BYTES_MAX if must else SOFT_BYTES_MAX):
            if must:
                log.info("a client does not read; its connection is ended")
                self.end(None)
            return False
        self._queued += notice.size
        socket.queue.put_nowait(engineio.packet.Packet(engineio.packet.MESSAGE, data=notice.packet))
        return True

    def end(self, notice: Notice | None) -> None:
        if self._ended:
            return
        if notice is not None:
            self.send(notice, must=True)
        self._ended = True
        _spawn(self._server.disconnect(self._sid))


_tasks: set[asyncio.Task[Any]] = set()


def _spawn(work: Coroutine[Any, Any, Any]) -> None:
    task = asyncio.create_task(work, name="socket-end")
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
