"""A media session with nothing but its data channels: the third door, through a real peer connection."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from typing import Any

from aiortc import RTCSessionDescription
from aiortc.exceptions import InvalidStateError

from tests.sfu.peers import Peer
from tests.torture.wire import Heard, Lost, Refused


class MediaPeer:
    """Offer, accept the answer, then ask over the chat channel.

    :param notice: called with every chat notice's name and payload
    """

    def __init__(self, notice: Callable[[str, Any], None]) -> None:
        self._notice = notice
        self._peer = Peer()
        self._peer.receive("audio")
        self._peer.open_channels()
        self._chat = self._peer.channels["chat"]
        self._chat.on("message", self._message)
        self._numbers = itertools.count(1)
        self._waiting: dict[int, tuple[asyncio.Future[Any], Heard]] = {}
        self._closed = False

    async def offer(self) -> str:
        await self._peer.pc.setLocalDescription(await self._peer.pc.createOffer())
        return str(self._peer.pc.localDescription.sdp)

    async def accept(self, answer: str, limit_s: float = 30.0) -> None:
        """Take the answer and wait until the channel is open. Raises Lost."""
        try:
            await self._peer.pc.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            async with asyncio.timeout(limit_s):
                while not self.open:
                    if self._peer.pc.connectionState in ("failed", "closed"):
                        raise Lost
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            raise Lost from error

    @property
    def open(self) -> bool:
        return not self._closed and self._chat.readyState == "open"

    async def call(self, event: str, payload: Any, heard: Heard, limit_s: float = 10.0) -> Any:
        """The answer. Raises Refused, Lost."""
        number = next(self._numbers)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = (answer, heard)
        try:
            if not self.open:
                raise Lost
            self._chat.send(json.dumps({"t": event, "i": number, "d": payload}))
            async with asyncio.timeout(limit_s):
                found = await answer
        except (TimeoutError, InvalidStateError, ConnectionError) as error:
            raise Lost from error
        finally:
            self._waiting.pop(number, None)
        if found["t"] == "error":
            raise Refused(found["d"])
        return found["d"]

    def _message(self, data: str | bytes) -> None:
        frame = json.loads(data)
        if frame["t"] not in ("ok", "error"):
            self._notice(frame["t"], frame["d"])
            return
        answer, heard = self._waiting.get(frame.get("i", 0), (None, None))
        if answer is not None and heard is not None and not answer.done():
            heard(frame["d"] if frame["t"] == "ok" else {"error": frame["d"]})
            answer.set_result(frame)

    async def close(self) -> None:
        self._closed = True
        for answer, _ in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionResetError())
        await self._peer.close()
