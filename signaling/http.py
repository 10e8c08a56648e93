"""The rooms' HTTP door: make and end rooms, mint tokens, see who is there, robots."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from signaling.service import SignalingService
from tertulia import http
from tertulia.catalogue import (
    CreateRoom,
    Frame,
    MintToken,
    Ok,
    Participant,
    ParticipantList,
    RoomInfo,
    RoomList,
    RoomToken,
)
from tertulia.errors import BadRequest, Forbidden, NotFound, Unauthorized
from tertulia.limits import Limiter, Rate
from tertulia.names import read_name
from tertulia.openapi import Credential, Operation
from tertulia.tokens import Principal

GUEST_RATES = {"room": Rate(2, 60), "token": Rate(20, 200)}
"""What all guests of this process together may cost the database; API keys are not counted."""


def _operation(method: str, path: str, name: str, about: str, answer: type[Frame], **more: Any) -> Operation:
    return Operation(method, path, name, about, "rooms", more.pop("request", None), answer, **more)


_EITHER: tuple[Credential, ...] = ("token", "key")
_PERSON = "/rooms/{room}/participants/{identity}"
OPERATIONS = [
    _operation(
        "POST", "/rooms", "create-room", "Make a room; guests may where they are welcome.", RoomInfo,
        request=CreateRoom, status=201, authenticated=False, credentials=("key",),
        headers={"Location": "The room's address."},
    ),
    _operation("GET", "/rooms", "list-rooms", "The newest rooms.", RoomList, credentials=("key",)),
    _operation("GET", "/rooms/{room}", "get-room", "One room.", RoomInfo, authenticated=False),
    _operation("DELETE", "/rooms/{room}", "end-room", "End a room, with its conversation.", Ok, credentials=_EITHER),
    _operation(
        "POST", "/rooms/{room}/tokens", "mint-token", "A token that opens the room.",
        RoomToken, request=MintToken, status=201, authenticated=False, credentials=_EITHER,
    ),
    _operation(
        "GET", "/rooms/{room}/participants", "list-participants", "Who is in the room.", ParticipantList,
        credentials=_EITHER,
    ),
    _operation("DELETE", _PERSON, "remove-participant", "Show somebody out.", Ok, credentials=_EITHER),
    _operation(
        "POST", "/rooms/{room}/robots", "add-robot", "Have a robot come.", Participant,
        status=201, credentials=_EITHER,
    ),
    _operation(
        "DELETE", "/rooms/{room}/robots/{identity}", "remove-robot", "Send a robot away.", Ok, credentials=_EITHER
    ),
]  # fmt: skip


def routes(signaling: SignalingService) -> Iterable[web.RouteDef]:
    limiter = Limiter(GUEST_RATES)

    def key_or_guest(request: web.Request, kind: str) -> str | None:
        """The id of the API key, or None for a guest where guests are welcome. Raises Unauthorized, RateLimited."""
        credential = http.bearer(request)
        if credential is not None and ":" in credential:
            return signaling.tokens.api_key(credential)
        if not signaling.settings.guests:
            raise Unauthorized("guests-disabled", "This server makes rooms and tokens for API keys only.")
        limiter.check(kind, time.monotonic())
        return None

    def logged_in(request: web.Request) -> Principal | None:
        """Somebody who is logged in here and asks for a room's token under their own identity."""
        credential = http.bearer(request)
        if credential is not None and ":" in credential:
            return None
        principal = signaling.tokens.verify(credential) if credential is not None else http.by_cookie(request)
        return principal if principal is not None and principal.workspace else None

    def somebody_of(request: web.Request, room: str) -> Principal | None:
        """The holder of a token of this room, or None for an API key."""
        credential = http.bearer(request)
        if credential is not None and ":" in credential:
            signaling.tokens.api_key(credential)
            return None
        principal = http.principal(request)
        if principal.room != room:
            raise Forbidden("room-mismatch", "Your token opens another room.")
        return principal

    def moderator_of(request: web.Request, room: str) -> None:
        principal = somebody_of(request, room)
        if principal is not None and not principal.grants.moderate:
            raise Forbidden("moderate-not-granted", "Your token does not allow moderating.")

    async def create(request: web.Request) -> web.Response:
        key_id = key_or_guest(request, "room")
        asked = await http.read_json(request, CreateRoom)
        name = read_name(asked.name)
        room = await signaling.directory.create(name, key_id)
        return http.json_response(room, 201, {"Location": f"/rooms/{room.id}"})

    async def listed(request: web.Request) -> web.Response:
        signaling.tokens.api_key(http.bearer(request))
        return http.json_response(RoomList(await signaling.directory.listed()))

    async def get(request: web.Request) -> web.Response:
        return http.json_response(await signaling.directory.info(request.match_info["room"]))

    async def end(request: web.Request) -> web.Response:
        room = request.match_info["room"]
        moderator_of(request, room)
        await signaling.end_room(room)
        return http.json_response(Ok())

    async def mint(request: web.Request) -> web.Response:
        room = request.match_info["room"]
        member = logged_in(request)
        if member is not None:
            limiter.check("token", time.monotonic())
            return http.json_response(await signaling.directory.mint_member(room, member), 201)
        key_id = key_or_guest(request, "token")
        asked = await http.read_json(request, MintToken)
        name = read_name(asked.name)
        if not name:
            raise BadRequest("body-invalid", "A name is needed.", "name")
        if key_id is None:
            token = await signaling.directory.mint_guest(room, name)
        else:
            token = await signaling.directory.mint(room, asked.identity, name, asked.grants, asked.ttl_s, key_id)
        return http.json_response(token, 201)

    async def participants(request: web.Request) -> web.Response:
        room = request.match_info["room"]
        somebody_of(request, room)
        return http.json_response(ParticipantList(await signaling.directory.participants(room)))

    async def remove(request: web.Request) -> web.Response:
        room = request.match_info["room"]
        moderator_of(request, room)
        await signaling.remove(room, request.match_info["identity"])
        return http.json_response(Ok())

    async def add_robot(request: web.Request) -> web.Response:
        room = request.match_info["room"]
        somebody_of(request, room)
        return http.json_response(await signaling.add_robot(room), 201)

    async def remove_robot(request: web.Request) -> web.Response:
        room = request.match_info["room"]
        somebody_of(request, room)
        if not await signaling.robots.stop(room, request.match_info["identity"]):
            raise NotFound("participant-not-found", "There is no such robot in the room.")
        return http.json_response(Ok())

    return [
        web.post("/rooms", create),
        web.get("/rooms", listed),
        web.get("/rooms/{room}", get),
        web.delete("/rooms/{room}", end),
        web.post("/rooms/{room}/tokens", mint),
        web.get("/rooms/{room}/participants", participants),
        web.delete("/rooms/{room}/participants/{identity}", remove),
        web.post("/rooms/{room}/robots", add_robot),
        web.delete("/rooms/{room}/robots/{identity}", remove_robot),
    ]
