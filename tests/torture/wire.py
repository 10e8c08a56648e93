"""A Socket.IO client that can be treated badly: one WebSocket, the packets by hand, no reconnecting of its own.

The stock client neither stalls nor tells what was under way when the connection broke, and takes a task an event,
which a run with thousands of connections cannot pay. Protocol: Engine.IO 4 and Socket.IO 5, WebSocket only.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

import aiohttp

FRAME_BYTES_MAX = 4 * 1024 * 1024


class Lost(Exception):
    """The connection is gone, or no answer came in time: nobody here knows what became of the request."""


class Refused(Exception):
    """The server's answer is an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error.get("code", "?"))
        self.code: str = error.get("code", "?")
        self.error = error


Heard = Callable[[Any], None]
"""Called with an answer in the moment it arrives, before anything that arrives after it."""


class Wire:
    """One connection.

    :param notice: called with every event's name and payload
    :param closed: called once when the connection is over, whoever ended it
    """

    def __init__(self, notice: Callable[[str, Any], None], closed: Callable[[], None]) -> None:
        self._notice = notice
        self._closed = closed
        self._numbers = itertools.count()
        self._waiting: dict[int, tuple[asyncio.Future[Any], Heard]] = {}
        self._ws: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self._flows = asyncio.Event()
        self._flows.set()

    async def connect(self, web: aiohttp.ClientSession, url: str, token: str, limit_s: float = 20.0) -> None:
        """Open and authenticate. Raises Refused, Lost."""
        try:
            async with asyncio.timeout(limit_s):
                ws = await web.ws_connect(
                    f"{url}/ws/?EIO=4&transport=websocket", max_msg_size=FRAME_BYTES_MAX, compress=0, autoping=True
                )
                self._ws = ws
                await self._expect(ws, "0")
                await ws.send_str("40" + json.dumps({"token": token}))
                answer = await self._expect(ws, "4")
        except (aiohttp.ClientError, OSError, TimeoutError, TypeError) as error:
            self.cut()
            raise Lost from error
        if not answer.startswith("40"):
            self.cut()
            raise Refused(json.loads(answer[2:]).get("data", {}) if answer.startswith("44") else {})
        self._reading = asyncio.create_task(self._read(ws), name="wire")

    @staticmethod
    async def _expect(ws: aiohttp.ClientWebSocketResponse, start: str) -> str:
        """The next packet of this kind; a server may ask for a sign of life before it."""
        while True:
            text = await ws.receive_str()
            if text == "2":
                await ws.send_str("3")
            elif text.startswith(start):
                return text

    async def call(self, event: str, payload: Any, heard: Heard, limit_s: float = 30.0) -> Any:
        """The acknowledgement. Raises Refused, Lost."""
        if self._ws is None or self._ws.closed:
            raise Lost
        number = next(self._numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (answer, heard)
        try:
            async with asyncio.timeout(limit_s):
                await self._ws.send_str(f"42{number}{json.dumps([event, payload])}")
                found = await answer
        except (aiohttp.ClientError, OSError, TimeoutError, TypeError) as error:
            raise Lost from error
        finally:
            self._waiting.pop(number, None)
        if isinstance(found, dict) and "error" in found:
            raise Refused(found["error"])
        return found

    def stall(self) -> None:
        """Read nothing more until :meth:`flow`; buffers fill, then the server notices."""
        self._flows.clear()
        if (transport := self._transport()) is not None and transport.is_reading():
            transport.pause_reading()

    def flow(self) -> None:
        if (transport := self._transport()) is not None and not transport.is_closing():
            transport.resume_reading()
        self._flows.set()

    def cut(self) -> None:
        """The network is gone: no goodbye reaches the server."""
        if (transport := self._transport()) is not None:
            transport.abort()

    def _transport(self) -> asyncio.Transport | None:
        connection = self._ws._response.connection if self._ws is not None else None
        transport = connection.transport if connection is not None else None
        return transport if isinstance(transport, asyncio.Transport) else None

    async def close(self) -> None:
        """Say goodbye and wait until the connection is over."""
        self._flows.set()
        if self._ws is not None:
            self.cut()
            if self._reading is not None:
                await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        try:
            while True:
                await self._flows.wait()
                message = await ws.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    return
                if message.data == "2":
                    await ws.send_str("3")
                elif message.data.startswith("42"):
                    event, payload = json.loads(message.data[2:])
                    self._notice(event, payload)
                elif message.data.startswith("43"):
                    self._answer(message.data)
                elif message.data.startswith(("1", "41")):
                    return
        except (aiohttp.ClientError, OSError):
            return
        finally:
            for answer, _ in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ConnectionResetError())
                    answer.exception()
            self.cut()
            self._closed()

    def _answer(self, packet: str) -> None:
        start = packet.index("[")
        answer, heard = self._waiting.get(int(packet[2:start]), (None, None))
        if answer is not None and heard is not None and not answer.done():
            [found] = json.loads(packet[start:]) or [None]
            heard(found)
            answer.set_result(found)
