"""One client's connection: its token, its lane of requests, its limits. What a request does is the service's matter."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import msgspec
import structlog

from chat.channel import Unreadable, read
from chat.service import ChatService
from signaling.following import Following
from signaling.lane import Lane
from signaling.outlet import Channel, Socket
from signaling.packets import acknowledgement
from signaling.presence import MediaLink, Presence
from tertulia.catalogue import REQUESTS, Frame, Sync, SyncAnswer, Tips
from tertulia.errors import BadRequest, TertuliaError, to_client
from tertulia.frames import Notice, answer, decode, refusal
from tertulia.limits import Limiter
from tertulia.tokens import Principal

if TYPE_CHECKING:
    from signaling.service import SignalingService

log = structlog.get_logger("signaling.sessions")

NO_PAYLOAD = msgspec.Raw(b"{}")
NULL = msgspec.Raw(b"null")


class ClientDoor(Socket, Protocol):
    """A Socket.IO connection that also takes acknowledgements."""

    def answer(self, frame: bytes) -> None: ...


class Connection:
    """One Socket.IO connection whose token was verified."""

    __slots__ = (
        "_lane",
        "_limiter",
        "_service",
        "after_answer",
        "closed",
        "following",
        "presence",
        "principal",
        "socket",
        "stop_watching",
    )

    def __init__(self, service: SignalingService, principal: Principal, socket: ClientDoor) -> None:
        self.principal = principal
        self.socket = socket
        self.presence: Presence | None = None
        self.closed = False
        self.following: Following | None = None
        self.after_answer: list[Callable[[], None]] = []
        """What waits until the answer of the running request is on its way."""
        self.stop_watching: Callable[[], None] = _nothing
        """Ends what tells this client of people's presence."""
        self._lane: Lane | None = None
        self._service = service
        self._limiter = Limiter()

    @property
    def lane(self) -> Lane:
        if self._lane is None:
            self._lane = Lane()
        return self._lane

    def deliver(self, notice: Notice) -> bool:
        """A notice of a conversation, over the door of the presence where there is one."""
        if self.presence is not None:
            return self.presence.outlet.deliver(notice)
        return self.socket.send(notice, must=False)

    async def sync(self, chat: ChatService, asked: Sync, bytes_max: int) -> tuple[SyncAnswer, Callable[[], None]]:
        """Follow what a client names; the answer, and what to call once it is on its way."""
        if self.following is None:
            self.following = Following()
        in_room = self.presence.subscription if self.presence is not None else None
        but = in_room.conversation if in_room is not None else None
        answer, answered = await self.following.sync(chat, self.principal, asked, self, bytes_max, but)
        if self.closed:
            self.following.close()
        return answer, answered

    def drained(self) -> None:
        """The client reads again, after notices were dropped: it learns where everything stands, and asks."""
        heads = self.following.positions() if self.following is not None else []
        if self.presence is not None and self.presence.subscription is not None:
            heads.append(self.presence.subscription.position())
        if heads:
            self.socket.send(Notice("lagged", Tips(heads)), must=True)

    def close(self) -> None:
        """The socket is gone."""
        self.closed = True
        self.stop_watching()
        self.stop_watching = _nothing
        if self.following is not None:
            self.following.close()

    def receive(self, event: str, number: int | None, payload: msgspec.Raw | None) -> None:
        """Do what an event asks when its turn comes, and acknowledge it where that is wanted."""
        try:
            if event not in REQUESTS:
                # Made-up names count as well.
                self._limiter.check("", time.monotonic())
                raise BadRequest("event-unknown", "There is no such event.")
            self._limiter.check(event, time.monotonic())
            request = decode(NO_PAYLOAD if payload is None or payload == NULL else payload, REQUESTS[event][0])
            lane = self.presence.lane if self.presence is not None else self.lane
            lane.put(lambda: self._do(event, number, request))
        except Exception as error:
            self._acknowledge(number, {"error": explain(error, event)})

    async def _do(self, event: str, number: int | None, request: Frame) -> None:
        try:
            answer: Frame | dict[str, Any] = await self._service.handle(self, event, request)
        except Exception as error:
            answer = {"error": explain(error, event)}
        self._acknowledge(number, answer)
        self.answered()

    def answered(self) -> None:
        """The answer of the running request is on its way; what waited for it may follow."""
        waiting, self.after_answer = self.after_answer, []
        for then in waiting:
            then()

    def _acknowledge(self, number: int | None, answer: Frame | dict[str, Any]) -> None:
        if number is not None:
            self.socket.answer(acknowledgement(number, answer))


def _nothing() -> None:
    """No more."""


class ChannelDoor:
    """Requests that come over data channels, of everybody; each presence has its own limits."""

    def __init__(self, service: SignalingService) -> None:
        self._service = service

    def receive(self, presence: Presence, link: MediaLink, channel: Channel, data: bytes) -> None:
        request = read(data, channel)
        if isinstance(request, Unreadable):
            link.send(channel, refusal(request.number, request.error))
            return
        event, number, payload = request.event, request.number, request.payload
        try:
            presence.limiter.check(event, time.monotonic())
            presence.lane.put(lambda: self._answer(presence, link, channel, event, number, payload))
        except TertuliaError as error:
            link.send(channel, refusal(number, error))

    async def _answer(
        self, presence: Presence, link: MediaLink, channel: Channel, event: str, number: int | None, payload: Frame
    ) -> None:
        try:
            done = await self._service.handle_channel(presence, link, event, payload)
        except Exception as error:
            explain(error, event)
            link.send(channel, refusal(number, error))
            return
        if number is not None:
            link.send(channel, answer(number, done))
        if presence.connection is not None:
            presence.connection.answered()


def explain(error: Exception, event: str) -> dict[str, str]:
    """The ``error`` object for a client; what is no expected error is logged."""
    if not isinstance(error, TertuliaError):
        log.error("a request failed", request=event if event in REQUESTS else "?", exc_info=error)
    return to_client(error)
