"""WHIP (RFC 9725) and WHEP: media sessions by plain HTTP, for programs that know nothing else of us.

``POST /whip/{room}`` publishes, ``POST /whep/{room}`` watches; both take an offer and answer 201 with the answer, the
session's address in ``Location`` and the tag of its ICE credentials in ``ETag``. At that address, ``PATCH`` restarts
ICE (there is no trickling: candidates are taken note of with 204 and not needed, the server being ICE-lite) and
``DELETE`` ends the session. The bearer token is a room token.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from aiohttp import web

from sfu.attendance import Attendance, Channel, MediaStateName, SessionListener
from sfu.sdp.plan import infer_tracks
from sfu.sdp.types import Description
from sfu.service import SfuService, read_offer
from tertulia import http
from tertulia.catalogue import Grants, ParticipantKind
from tertulia.errors import BadRequest, Forbidden, NotFound, TertuliaError, TooLarge, Unauthorized
from tertulia.openapi import Operation, Refused
from tertulia.tokens import Principal

log = structlog.get_logger(__name__)

OFFER_TYPE: Final = "application/sdp"
FRAGMENT_TYPE: Final = "application/trickle-ice-sdpfrag"
OFFER_BYTES_MAX: Final = 262_144
FRAGMENT_BYTES_MAX: Final = 16_384

CORS: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Location, ETag, Link, Accept-Post, Accept-Patch",
}
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "OPTIONS, POST, PATCH, DELETE",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
    "Access-Control-Max-Age": "86400",
}

_UFRAG = re.compile(r"^a=ice-ufrag:([A-Za-z0-9+/=_-]{4,256})\r?$", re.MULTILINE)
_PWD = re.compile(r"^a=ice-pwd:([A-Za-z0-9+/=_-]{22,256})\r?$", re.MULTILINE)

Handler = Callable[[web.Request], Awaitable[web.Response]]


class UnsupportedMediaType(TertuliaError):
    """The body is of another type than this door takes."""

    status = 415


class PreconditionFailed(TertuliaError):
    """The client speaks of an ICE session that is no longer the current one (RFC 9725, section 4.3.2)."""

    status = 412


@dataclass(frozen=True, slots=True)
class _Resource:
    """A session made here, and who may change it."""

    room: str
    identity: str


class _Relay:
    """Passes everything on to presence, and notices the end."""

    def __init__(self, inner: SessionListener, on_end: Callable[[str], None]) -> None:
        self._inner = inner
        self._on_end = on_end
        self.on_frame = inner.on_frame
        self.on_slots = inner.on_slots
        self.on_speakers = inner.on_speakers
        self.on_tracks = inner.on_tracks
        self.on_quality = inner.on_quality
        self.on_layers = inner.on_layers

    def on_channel(self, channel: Channel, is_open: bool, /) -> None:
        self._inner.on_channel(channel, is_open)

    def on_state(self, state: MediaStateName, reason: str | None) -> None:
        self._inner.on_state(state, reason)
        if state == "closed":
            self._on_end(reason or "closed")


class Door:
    """Both protocols; they differ in what is done with an offer."""

    def __init__(self, sfu: SfuService, attendance: Attendance) -> None:
        self._sfu = sfu
        self._attendance = attendance
        self._resources: dict[str, _Resource] = {}
        self._current: dict[tuple[str, str], object] = {}
        self._exits: set[asyncio.Task[None]] = set()

    async def publish(self, request: web.Request) -> web.Response:
        """``POST /whip/{room}``"""
        principal = _principal(request)
        if not principal.grants.publish:
            raise Forbidden("publish-not-granted", "This token does not allow sending sound or pictures.")
        offer = await _offer(request)
        if not infer_tracks(offer):
            raise BadRequest("offer-missing-section", "The offer has no section that sends sound or pictures.")
        return await self._begin(request, principal, "stream", offer)

    async def watch(self, request: web.Request) -> web.Response:
        """``POST /whep/{room}``"""
        principal = _principal(request)
        if not principal.grants.subscribe:
            raise Forbidden("subscribe-not-granted", "This token does not allow watching or listening.")
        offer = await _offer(request)
        if not any(section.direction in ("recvonly", "sendrecv") for section in offer.sections):
            raise BadRequest("offer-missing-section", "The offer has no section that receives sound or pictures.")
        return await self._begin(request, principal, "viewer", offer)

    async def _begin(
        self, request: web.Request, principal: Principal, kind: ParticipantKind, offer: Description
    ) -> web.Response:
        room, identity = principal.room, principal.identity
        listener = await self._attendance.enter(principal, kind, room)
        mark = object()
        before = self._current.get((room, identity))
        self._current[room, identity] = mark
        relay = _Relay(listener, lambda reason: self._ended(room, identity, mark, reason))
        publishes = kind == "stream"
        try:
            joined = self._sfu.admit(
                room,
                identity,
                Grants(publish=publishes, subscribe=not publishes, chat=False),
                offer,
                infer_tracks(offer) if publishes else {},
                relay,
            )
        except BaseException:
            # What was there before goes on; somebody who was not there before leaves again.
            if before is not None:
                self._current[room, identity] = before
            else:
                self._ended(room, identity, mark, "media-failed")
            raise
        self._resources[joined.session] = _Resource(room, identity)
        headers = {
            **CORS,
            "Location": f"{request.path.rstrip('/')}/{joined.session}",
            "ETag": f'"{self._sfu.session_version(joined.session)}"',
            "Accept-Patch": FRAGMENT_TYPE,
        }
        return web.Response(status=201, text=joined.answer, content_type=OFFER_TYPE, headers=headers)

    def _ended(self, room: str, identity: str, mark: object, reason: str) -> None:
        """The media is over, so the presence is, unless a newer session of the same identity took its place."""
        for session in [session for session in self._resources if self._sfu.session_state(session) is None]:
            del self._resources[session]
        if self._current.get((room, identity)) is not mark:
            return
        del self._current[room, identity]
        if reason == "replaced":
            return
        task = asyncio.get_running_loop().create_task(self._exit(room, identity, reason), name="whip-exit")
        self._exits.add(task)
        task.add_done_callback(self._exits.discard)

    async def _exit(self, room: str, identity: str, reason: str) -> None:
        try:
            await self._attendance.exit(room, identity, reason)
        except TertuliaError as error:
            log.info("presence had ended already", code=error.code)

    async def patch(self, request: web.Request) -> web.Response:
        """``PATCH`` of a session: new credentials restart ICE, anything else needs no answer."""
        session = self._session(request)
        if request.content_type != FRAGMENT_TYPE:
            raise UnsupportedMediaType("content-type-unsupported", f"A PATCH is of the type {FRAGMENT_TYPE}.")
        body = (await http.read_body(request)).decode("utf-8", "replace")
        if len(body) > FRAGMENT_BYTES_MAX:
            raise TooLarge("body-too-large", f"A fragment has at most {FRAGMENT_BYTES_MAX} bytes.")
        ufrag, pwd = _UFRAG.search(body), _PWD.search(body)
        if (ufrag is None) != (pwd is None):
            raise BadRequest("offer-invalid", "ICE credentials are a user name fragment and a password.")
        match = request.headers.get("If-Match")
        restarts = ufrag is not None and pwd is not None and not self._sfu.is_remote(session, ufrag[1], pwd[1])
        # RFC 9725, section 4.3.3: a restart names any ICE session ("*"), a candidate the one it belongs to.
        if match not in (None, "*") and match != f'"{self._sfu.session_version(session)}"':
            raise PreconditionFailed("ice-session-outdated", "ICE has been restarted since; use the newest ETag.")
        if not restarts or ufrag is None or pwd is None:
            return web.Response(status=204, headers=CORS)
        fragment = self._sfu.restart_fragment(session, ufrag[1], pwd[1])
        headers = {**CORS, "ETag": f'"{self._sfu.session_version(session)}"'}
        return web.Response(status=200, text=fragment, content_type=FRAGMENT_TYPE, headers=headers)

    async def delete(self, request: web.Request) -> web.Response:
        """``DELETE`` of a session."""
        session = self._session(request)
        await self._sfu.leave(session, "left")
        return web.Response(status=200, headers=CORS)

    async def options(self, _: web.Request) -> web.Response:
        """What may be sent here, and that any page may (the token decides, not the origin)."""
        return web.Response(status=204, headers={**CORS, **PREFLIGHT, "Accept-Post": OFFER_TYPE})

    def _session(self, request: web.Request) -> str:
        """The session of the address, if it is the asker's: to anybody else it does not exist."""
        principal = _principal(request)
        session = request.match_info["session"]
        resource = self._resources.get(session)
        if resource != _Resource(principal.room, principal.identity) or self._sfu.session_state(session) is None:
            raise NotFound("session-not-found", "This media session has ended.")
        return session


def _principal(request: web.Request) -> Principal:
    principal = http.principal(request)
    if principal.room != request.match_info["room"]:
        raise Forbidden("room-mismatch", "This token is for another room.")
    return principal


async def _offer(request: web.Request) -> Description:
    if request.content_type != OFFER_TYPE:
        raise UnsupportedMediaType("content-type-unsupported", f"An offer is of the type {OFFER_TYPE}.")
    body = await http.read_body(request)
    if len(body) > OFFER_BYTES_MAX:
        raise TooLarge("body-too-large", f"An offer has at most {OFFER_BYTES_MAX} bytes.")
    try:
        return read_offer(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise BadRequest("offer-invalid", "The offer is not UTF-8 text.", "offer") from error


def _cors(handler: Handler) -> Handler:
    """Errors need the headers as well, or a page cannot read them."""

    async def answer(request: web.Request) -> web.Response:
        try:
            return await handler(request)
        except TertuliaError as error:
            challenge = {"WWW-Authenticate": "Bearer"} if isinstance(error, Unauthorized) else {}
            return http.error_response(error, {**CORS, **challenge})

    return answer


def _operations(door: str, begins: str) -> list[Operation]:
    path, session = f"/{door}/{{room}}", f"/{door}/{{room}}/{{session}}"
    unsupported = (415, ("The body is of another type.", Refused))
    return [
        Operation(
            "POST", path, f"{door}-begin", begins, "media", OFFER_TYPE, OFFER_TYPE, 201,
            headers={
                "Location": "The session's address.",
                "ETag": "The tag of the session's ICE credentials.",
                "Accept-Patch": "What a PATCH holds.",
            },
            further=dict([unsupported]),
        ),
        Operation(
            "PATCH", session, f"{door}-restart", "Restart ICE; candidates need no answer (204).", "media",
            FRAGMENT_TYPE, FRAGMENT_TYPE,
            further=dict(
                [
                    unsupported,
                    (204, ("There was nothing to answer.", None)),
                    (412, ("If-Match names credentials that are no longer the current ones.", Refused)),
                ]
            ),
        ),
        Operation("DELETE", session, f"{door}-end", "End the session.", "media", None, None),
    ]  # fmt: skip


OPERATIONS = [
    *_operations("whip", "Publish by WHIP (RFC 9725): an offer for an answer."),
    *_operations("whep", "Watch by WHEP: an offer for an answer."),
]


def routes(sfu: SfuService, attendance: Attendance) -> Iterable[web.RouteDef]:
    """The two doors."""
    door = Door(sfu, attendance)
    for path, begin in (("/whip/{room}", door.publish), ("/whep/{room}", door.watch)):
        yield web.post(path, _cors(begin))
        yield web.options(path, door.options)
        yield web.patch(path + "/{session}", _cors(door.patch))
        yield web.delete(path + "/{session}", _cors(door.delete))
        yield web.options(path + "/{session}", door.options)
