"""One client's connection: its token, its lane of requests, its limits. What a request does is the service's matter."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from chat.channel import Unreadable, read
from signaling.lane import Lane
from signaling.outlet import Channel, Socket
from signaling.presence import MediaLink, Presence
from tertulia.catalogue import REQUESTS, Frame
from tertulia.errors import BadRequest, TertuliaError, to_client
from tertulia.frames import answer, convert, refusal
from tertulia.limits import Limiter
from tertulia.tokens import Principal

if TYPE_CHECKING:
    from signaling.service import SignalingService

log = structlog.get_logger("signaling.sessions")

NO_PAYLOAD: dict[str, Any] = {}


class Connection:
    """One Socket.IO connection whose token was verified."""

    def __init__(self, service: SignalingService, principal: Principal, socket: Socket) -> None:
        self.principal = principal
        self.socket = socket
        self.lane = Lane()
        self.presence: Presence | None = None
        self.closed = False
        self.after_answer: list[Callable[[], None]] = []
        """What waits until the answer of the running request is on its way."""
        self._service = service
        self._limiter = Limiter()

    async def request(self, event: str, payload: object) -> Frame | dict[str, Any]:
        """Do what an event asks; its acknowledgement, which for a refusal is ``{"error": {…}}``."""
        try:
            if event not in REQUESTS:
                raise BadRequest("event-unknown", "There is no such event.")
            self._limiter.check(event, time.monotonic())
            request = convert(NO_PAYLOAD if payload is None else payload, REQUESTS[event][0])
            lane = self.presence.lane if self.presence is not None else self.lane
            return await lane.run(lambda: self._service.handle(self, event, request))
        except Exception as error:
            return {"error": explain(error, event)}
        finally:
            waiting, self.after_answer = self.after_answer, []
            for then in waiting:
                # The acknowledgement is queued before the loop turns again; only then may notices follow it.
                asyncio.get_running_loop().call_soon(then)


class ChannelDoor:
    """Requests that come over data channels, of everybody; each presence has its own limits."""

    def __init__(self, service: SignalingService) -> None:
        self._service = service
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, presence: Presence, link: MediaLink, channel: Channel, data: bytes) -> None:
        request = read(data, channel)
        if isinstance(request, Unreadable):
            link.send(channel, refusal(request.number, request.error))
            return
        try:
            presence.limiter.check(request.event, time.monotonic())
        except TertuliaError as error:
            link.send(channel, refusal(request.number, error))
            return
        task = asyncio.create_task(
            self._answer(presence, link, channel, request.event, request.number, request.payload),
            name="channel-request",
        )
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(
        self, presence: Presence, link: MediaLink, channel: Channel, event: str, number: int | None, payload: Frame
    ) -> None:
        try:
            done = await presence.lane.run(lambda: self._service.handle_channel(presence, link, event, payload))
        except Exception as error:
            explain(error, event)
            link.send(channel, refusal(number, error))
            return
        if number is not None:
            link.send(channel, answer(number, done))


def explain(error: Exception, event: str) -> dict[str, str]:
    """The ``error`` object for a client; what is no expected error is logged."""
    if not isinstance(error, TertuliaError):
        log.error("a request failed", request=event if event in REQUESTS else "?", exc_info=error)
    return to_client(error)
