"""WHIP and WHEP over real HTTP, media over the real core; only presence is a stand-in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sfu import whip
from sfu.attendance import SessionListener
from sfu.robot import Refused
from sfu.robot import run as robot_run
from sfu.robot_picture import Picture, Tone
from sfu.service import SfuService
from tertulia import http
from tertulia.catalogue import Grants, ParticipantKind
from tertulia.errors import NotFound
from tertulia.settings import Settings
from tertulia.tokens import Principal, Tokens
from tests.sfu.peers import Heard, Peer, until

ROOM = "calm-river"
SECRET = "a secret that is used in tests only, and long enough"


@dataclass
class Presence:
    """An Attendance that knows one room."""

    present: dict[str, tuple[ParticipantKind, Heard]] = field(default_factory=dict)
    left: list[tuple[str, str]] = field(default_factory=list)

    async def enter(self, principal: Principal, kind: ParticipantKind, room: str) -> SessionListener:
        if room != ROOM:
            raise NotFound("room-not-found", "There is no such room.")
        heard = Heard()
        self.present[principal.identity] = (kind, heard)
        return heard

    async def exit(self, room: str, participant: str, reason: str) -> None:
        self.present.pop(participant, None)
        self.left.append((participant, reason))


@dataclass
class World:
    url: str
    client: aiohttp.ClientSession
    tokens: Tokens
    presence: Presence
    sfu: SfuService

    def sessions(self) -> list[tuple[str, str]]:
        """(session, participant) of all that live."""
        return [(session.id, session.participant) for session in self.sfu._sessions.values()]

    def token(self, identity: str, room: str = ROOM, **grants: bool) -> str:
        return self.tokens.mint(room, identity, identity, Grants(**grants))

    def headers(self, token: str | None, kind: str = "application/sdp") -> dict[str, str]:
        return {"Content-Type": kind} | ({} if token is None else {"Authorization": f"Bearer {token}"})

    async def post(
        self, door: str, token: str | None, offer: str, room: str = ROOM, kind: str = "application/sdp"
    ) -> aiohttp.ClientResponse:
        response = await self.client.post(f"{self.url}/{door}/{room}", data=offer, headers=self.headers(token, kind))
        await response.read()
        return response

    async def connect(self, door: str, identity: str, peer: Peer) -> aiohttp.ClientResponse:
        """Connect a peer by this door; the response tells where the session is."""
        responses = []

        async def exchange(offer: str) -> str:
            response = await self.post(door, self.token(identity), offer)
            assert response.status == 201, await response.text()
            assert response.content_type == "application/sdp"
            responses.append(response)
            return await response.text()

        await peer.connect(exchange)
        return responses[0]


@pytest.fixture
async def world(sfu: SfuService) -> AsyncIterator[World]:
    settings = Settings(token_secret=SECRET)
    presence = Presence()
    app = web.Application(middlewares=[http.errors])
    app[http.TOKENS] = Tokens(settings)
    app.add_routes(whip.routes(sfu, presence))
    async with TestServer(app) as server, aiohttp.ClientSession() as client:
        yield World(str(server.make_url("")).rstrip("/"), client, app[http.TOKENS], presence, sfu)


async def code(response: aiohttp.ClientResponse) -> tuple[int, str]:
    return response.status, (await response.json())["error"]["code"]


async def test_one_publishes_and_another_watches(world: World, peers: list[Peer]) -> None:
    stream, viewer = Peer(), Peer()
    peers += [stream, viewer]
    stream.publish("blue", 440)
    response = await world.connect("whip", "camera-1", stream)
    assert response.headers["Location"].startswith(f"/whip/{ROOM}/")
    assert response.headers["ETag"].startswith('"')
    assert world.presence.present["camera-1"][0] == "stream"
    viewer.receive("audio", "video")
    await world.connect("whep", "viewer-1", viewer)
    assert world.presence.present["viewer-1"][0] == "viewer"
    await until(lambda: viewer.video().colour == "blue" and viewer.audio().hums(440))


async def test_a_whep_offer_may_hold_many_sections(world: World, peers: list[Peer]) -> None:
    for number, (colour, tone) in enumerate([("red", 300), ("green", 500), ("blue", 700)]):
        stream = Peer()
        peers.append(stream)
        stream.publish(colour, tone)
        await world.connect("whip", f"camera-{number}", stream)
    viewer = Peer()
    peers.append(viewer)
    viewer.receive("video", "video", "audio", "video", "audio", "audio", "audio")
    await world.connect("whep", "viewer", viewer)
    await until(lambda: {viewer.video(index).colour for index in range(3)} == {"red", "green", "blue"})
    # The seat's sound goes with its picture.
    tones = {"red": 300, "green": 500, "blue": 700}
    await until(lambda: all(viewer.audio(i).hums(tones[viewer.video(i).colour or ""]) for i in range(3)))


async def test_delete_ends_the_session_and_the_presence(world: World, peers: list[Peer]) -> None:
    stream = Peer()
    peers.append(stream)
    stream.publish(None, 440)
    response = await world.connect("whip", "camera", stream)
    location = world.url + response.headers["Location"]
    async with world.client.delete(location, headers=world.headers(world.token("somebody-else"))) as refused:
        assert await code(refused) == (404, "session-not-found")
    async with world.client.delete(location, headers=world.headers(world.token("camera"))) as gone:
        assert gone.status == 200
    await until(lambda: world.presence.left == [("camera", "left")])
    await until(lambda: stream.pc.connectionState == "closed")
    async with world.client.delete(location, headers=world.headers(world.token("camera"))) as again:
        assert await code(again) == (404, "session-not-found")


async def test_presence_ends_when_the_peer_goes_away(world: World) -> None:
    stream = Peer()
    stream.publish(None, 440)
    await world.connect("whip", "camera", stream)
    await stream.close()
    await until(lambda: world.presence.left == [("camera", "client-closed")])


async def test_patch_restarts_ice_and_takes_note_of_candidates(world: World, peers: list[Peer]) -> None:
    stream = Peer()
    peers.append(stream)
    stream.publish(None, 440)
    response = await world.connect("whip", "camera", stream)
    location, etag = world.url + response.headers["Location"], response.headers["ETag"]
    headers = world.headers(world.token("camera"), "application/trickle-ice-sdpfrag")
    candidate = "m=audio 9 RTP/AVP 0\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
    async with world.client.patch(location, data=candidate, headers={**headers, "If-Match": etag}) as noted:
        assert noted.status == 204
    fresh = f"a=ice-ufrag:abcd\r\na=ice-pwd:{'p' * 24}\r\n"
    async with world.client.patch(location, data=fresh, headers={**headers, "If-Match": "*"}) as restarted:
        assert restarted.status == 200
        assert restarted.content_type == "application/trickle-ice-sdpfrag"
        assert restarted.headers["ETag"] != etag
        body = await restarted.text()
        assert "a=ice-ufrag:" in body and "a=ice-pwd:" in body and "a=candidate:" in body
    async with world.client.patch(location, data=candidate, headers={**headers, "If-Match": etag}) as outdated:
        assert await code(outdated) == (412, "ice-session-outdated")
    async with world.client.patch(location, data=candidate, headers=world.headers(world.token("camera"))) as wrong:
        assert await code(wrong) == (415, "content-type-unsupported")


async def test_a_second_session_of_the_same_identity_replaces_the_first(world: World, peers: list[Peer]) -> None:
    first, second, viewer = Peer(), Peer(), Peer()
    peers += [first, second, viewer]
    viewer.receive("audio", "video")
    await world.connect("whep", "viewer", viewer)
    first.publish("red", 300)
    await world.connect("whip", "camera", first)
    await until(lambda: viewer.video().colour == "red")
    second.publish("green", 500)
    await world.connect("whip", "camera", second)
    await until(lambda: viewer.video().colour == "green" and viewer.audio().hums(500))
    await until(lambda: first.pc.connectionState == "closed")
    assert world.presence.left == []
    assert "camera" in world.presence.present


@pytest.mark.parametrize("door", ["whip", "whep"])
async def test_refusals_have_stable_codes(world: World, peers: list[Peer], door: str) -> None:
    peer = Peer()
    peers.append(peer)
    if door == "whip":
        peer.publish(None, 440)
    else:
        peer.receive("audio")
    await peer.pc.setLocalDescription(await peer.pc.createOffer())
    offer = peer.pc.localDescription.sdp
    token = world.token("someone")
    assert await code(await world.post(door, None, offer)) == (401, "token-missing")
    assert await code(await world.post(door, "nonsense", offer)) == (401, "token-invalid")
    assert await code(await world.post(door, token, offer, room="other-room")) == (403, "room-mismatch")
    elsewhere = world.token("someone", room="other-room")
    assert await code(await world.post(door, elsewhere, offer, room="other-room")) == (404, "room-not-found")
    assert await code(await world.post(door, token, "v=1")) == (400, "offer-invalid")
    assert await code(await world.post(door, token, "v=0\r\n")) == (400, "offer-missing-section")
    assert await code(await world.post(door, token, offer, kind="text/plain")) == (415, "content-type-unsupported")
    grant, refusal = ("publish", "publish-not-granted") if door == "whip" else ("subscribe", "subscribe-not-granted")
    lesser = world.token("someone", publish=grant != "publish", subscribe=grant != "subscribe")
    assert await code(await world.post(door, lesser, offer)) == (403, refusal)
    assert world.presence.present == {}
    # A well-formed offer without a usable transport: presence is given back.
    hopeless = offer.replace("a=ice-ufrag:", "a=x-ice-ufrag:")
    assert await code(await world.post(door, token, hopeless)) == (400, "offer-invalid")
    await until(lambda: world.presence.left == [("someone", "media-failed")])


async def test_any_page_may_ask(world: World) -> None:
    async with world.client.options(f"{world.url}/whip/{ROOM}") as answer:
        assert answer.status == 204
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Authorization" in answer.headers["Access-Control-Allow-Headers"]
        assert answer.headers["Accept-Post"] == "application/sdp"
    response = await world.post("whip", None, "")
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["WWW-Authenticate"] == "Bearer"


async def test_a_robot_shows_its_picture_and_comes_back_after_a_restart(world: World, peers: list[Peer]) -> None:
    viewer = Peer()
    peers.append(viewer)
    viewer.receive("audio", "video")
    await world.connect("whep", "viewer", viewer)
    stop = asyncio.Event()
    robot = asyncio.create_task(robot_run(world.url, ROOM, world.token("robot-1"), stop=stop))
    await until(lambda: viewer.video().count > 5 and viewer.audio().hums(Tone("robot-1").frequency))
    first = next(session for session, owner in world.sessions() if owner == "robot-1")
    await world.sfu.leave(first, "removed")
    await until(lambda: any(owner == "robot-1" and session != first for session, owner in world.sessions()))
    seen = viewer.video().count
    await until(lambda: viewer.video().count > seen + 5)
    stop.set()
    await robot
    await until(lambda: "robot-1" not in world.presence.present)


async def test_a_robot_that_is_refused_gives_up(world: World) -> None:
    with pytest.raises(Refused):
        await robot_run(world.url, "other-room", world.token("robot-1", room="other-room"))
    with pytest.raises(Refused):
        await robot_run(world.url, ROOM, "nonsense")


def test_a_robot_draws_its_name_and_the_count() -> None:
    picture = Picture("Robot 7")
    before, after = picture.draw(1).copy(), picture.draw(2).copy()
    assert (before != after).any()
    assert (before[40:75] == after[40:75]).all()  # the name stays
    assert (before[40:75] == 235).sum() > 500
