"""The whole program with real media: an aiortc client joins over Socket.IO and talks over its data channels."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio
from aiohttp.test_utils import TestServer
from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack
from prometheus_client import REGISTRY

from tertulia import app as composition
from tertulia import http
from tertulia.catalogue import CHAT_CHANNEL_ID, CONTROL_CHANNEL_ID, Grants
from tertulia.settings import Settings
from tests.waiting import until


@pytest.fixture
async def server(dsn: str, tmp_path: Path) -> AsyncIterator[TestServer]:
    settings = Settings(
        data_dir=str(tmp_path), database_dsn=dsn, token_secret="s" * 64, media_port=0, media_addresses=("127.0.0.1",)
    )
    server = TestServer(await composition.build(settings))
    await server.start_server()
    yield server
    await server.close()


class Caller:
    """A client with two data channels, a microphone and two seats."""

    def __init__(self, server: TestServer) -> None:
        self.url = str(server.make_url("")).rstrip("/")
        self.io = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.channels: dict[str, RTCDataChannel] = {}
        self.frames: list[tuple[str, dict[str, Any]]] = []
        self.notices: list[tuple[str, Any]] = []
        self.joined: dict[str, Any] = {}
        self._token = ""
        self._numbers = iter(range(1, 1000))
        self.io.on("*", self._notice)

    async def _notice(self, event: str, payload: Any) -> None:
        self.notices.append((event, payload))

    def _frame(self, channel: str, text: str | bytes) -> None:
        self.frames.append((channel, json.loads(text)))

    async def enter(self, room: str, name: str) -> None:
        async with aiohttp.ClientSession(self.url) as web:
            async with web.post(f"/rooms/{room}/tokens", json={"name": name}) as response:
                self._token = (await response.json())["token"]
        await self.connect()
        microphone = self.pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        for _ in range(2):
            self.pc.addTransceiver("audio", direction="recvonly")
            self.pc.addTransceiver("video", direction="recvonly")
        for channel, number in (("control", CONTROL_CHANNEL_ID), ("chat", CHAT_CHANNEL_ID)):
            opened = self.pc.createDataChannel(channel, negotiated=True, id=number)
            opened.on("message", lambda text, channel=channel: self._frame(channel, text))
            self.channels[channel] = opened
        await self.pc.setLocalDescription(await self.pc.createOffer())
        self.joined = await self.ask(
            "join",
            {
                "room": room,
                "offer": self.pc.localDescription.sdp,
                "tracks": [{"mid": microphone.mid, "kind": "microphone"}],
            },
        )
        await self.pc.setRemoteDescription(RTCSessionDescription(self.joined["answer"], "answer"))
        await until(lambda: all(channel.readyState == "open" for channel in self.channels.values()))

    async def connect(self) -> None:
        await self.io.connect(self.url, socketio_path="/ws", transports=["websocket"], auth={"token": self._token})

    async def ask(self, event: str, payload: Any) -> Any:
        answer = await self.io.call(event, payload, timeout=20)
        assert "error" not in answer, answer
        return answer

    async def ask_over(self, channel: str, event: str, payload: Any) -> dict[str, Any]:
        """The answering envelope."""
        number = next(self._numbers)
        self.channels[channel].send(json.dumps({"t": event, "i": number, "d": payload}))
        await until(lambda: any(frame.get("i") == number for _, frame in self.frames))
        return next(frame for _, frame in self.frames if frame.get("i") == number)

    def received(self, channel: str, event: str) -> list[Any]:
        return [frame["d"] for where, frame in self.frames if where == channel and frame["t"] == event]

    def texts(self) -> list[str]:
        return [event["body"]["text"] for frame in self.received("chat", "message") for event in frame["events"]]

    async def close(self) -> None:
        await self.pc.close()
        await self.io.disconnect()


@pytest.fixture
async def callers(server: TestServer) -> AsyncIterator[list[Caller]]:
    async with aiohttp.ClientSession(str(server.make_url(""))) as web:
        async with web.post("/rooms", json={"name": "A call"}) as response:
            room = (await response.json())["id"]
    callers = [Caller(server), Caller(server)]
    for caller, name in zip(callers, ("Ada", "Bob"), strict=True):
        await caller.enter(room, name)
    yield callers
    for caller in callers:
        await caller.close()


async def test_chat_goes_over_the_data_channels_and_needs_no_socket(callers: list[Caller]) -> None:
    ada, bob = callers
    conversation = ada.joined["room"]["conversation"]
    before = REGISTRY.get_sample_value("tertulia_chat_sends_total", {"door": "channel"}) or 0
    message = {"conversation": conversation, "client_id": str(uuid.uuid4()), "body": {"text": "through the channel"}}
    first = await ada.ask_over("chat", "send-message", message)
    assert first["t"] == "ok", first
    await until(lambda: bob.texts() == ["through the channel"])
    await ada.io.disconnect()  # the socket is gone, within the grace
    message = {**message, "client_id": str(uuid.uuid4()), "body": {"text": "without a socket"}}
    second = await ada.ask_over("chat", "send-message", message)
    assert second["d"]["event"]["seq"] == first["d"]["event"]["seq"] + 1
    await until(lambda: bob.texts()[-1] == "without a socket")
    assert REGISTRY.get_sample_value("tertulia_chat_sends_total", {"door": "channel"}) == before + 2
    assert not [notice for notice in bob.notices if notice[0] == "message"], "nothing came over the socket as well"


async def test_people_appear_in_slots_and_leave_them(callers: list[Caller]) -> None:
    ada, bob = callers

    def shown() -> set[str]:
        slots: dict[str, Any] = {slot["mid"]: slot for slot in ada.joined["slots"]["slots"]}
        frames = ada.received("control", "slots") + [d for event, d in ada.notices if event == "slots"]
        for frame in sorted(frames, key=lambda frame: int(frame["rev"])):
            slots.update({slot["mid"]: slot for slot in frame["slots"]})
        return {slot["participant"] for slot in slots.values() if slot["participant"] is not None}

    await until(lambda: shown() == {bob.joined["you"]["id"]})
    await bob.ask("leave", {})
    await until(lambda: shown() == set())
    await until(lambda: ("participant-left", {"id": bob.joined["you"]["id"], "reason": "left"}) in ada.notices)


async def test_requests_over_the_control_channel_are_answered_there(callers: list[Caller]) -> None:
    ada, bob = callers
    view = {"seats": [{"participant": bob.joined["you"]["id"], "track": "camera", "width": 320, "height": 180}]}
    assert (await ada.ask_over("control", "view", view))["t"] == "ok"
    assert (await ada.ask_over("control", "set-track", {"kind": "microphone", "muted": True}))["t"] == "ok"
    await until(
        lambda: any(
            event == "participant-updated"
            and d["id"] == ada.joined["you"]["id"]
            and d["tracks"]
            and d["tracks"][0]["muted"]
            for event, d in bob.notices
        )
    )
    refused = await ada.ask_over("control", "send-message", {})
    assert (refused["t"], refused["d"]["code"]) == ("error", "event-unknown")
    refused = await ada.ask_over("control", "set-track", {"kind": "camera", "muted": 1})
    assert refused["d"]["code"] == "frame-invalid"


async def test_socket_that_is_lost_comes_back_to_the_same_media_session(callers: list[Caller]) -> None:
    ada, bob = callers
    await ada.io.disconnect()
    await until(lambda: any(event == "participant-updated" and not d["connected"] for event, d in bob.notices))
    await ada.connect()
    again = await ada.ask("join", {"room": ada.joined["room"]["id"], "session": ada.joined["session"]})
    assert again["session"] == ada.joined["session"]
    assert again["answer"] is None
    assert again["slots"]["full"]
    assert len(again["slots"]["slots"]) == 4
    assert not [d for event, d in bob.notices if event == "participant-left"]
    assert ada.pc.connectionState == "connected"


async def test_closed_media_session_is_told_to_its_client(callers: list[Caller]) -> None:
    ada, bob = callers
    await ada.pc.close()
    await until(lambda: any(event == "media-state" and d["state"] == "closed" for event, d in ada.notices))
    await ada.io.disconnect()
    await until(lambda: any(event == "participant-left" for event, _ in bob.notices))


async def test_replaced_client_is_told_and_the_other_stays(callers: list[Caller], server: TestServer) -> None:
    ada, bob = callers
    room = ada.joined["room"]["id"]
    second = Caller(server)
    second._token = ada._token
    await second.connect()
    joined = await second.ask("join", {"room": room})
    assert [one["id"] for one in joined["participants"]] == [bob.joined["you"]["id"]]
    await until(lambda: any(event == "session-ended" and d["code"] == "replaced" for event, d in ada.notices))
    await until(lambda: not ada.io.connected)
    await until(lambda: all(channel.readyState == "closed" for channel in ada.channels.values()))
    assert not [d for event, d in bob.notices if event == "participant-left"]
    await second.close()


async def test_offer_that_is_none_is_refused_by_the_media_server(callers: list[Caller]) -> None:
    ada, _ = callers
    for offer in ("", "v=0", "nonsense\r\n" * 1000, "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"):
        answer = await ada.io.call("join", {"room": ada.joined["room"]["id"], "offer": offer}, timeout=20)
        assert answer["error"]["code"] in {"offer-invalid", "offer-missing-section"}, offer[:20]
    assert (await ada.ask_over("chat", "history", {"conversation": ada.joined["room"]["conversation"]}))["t"] == "ok"


async def test_burst_over_the_channels_arrives_complete_and_in_order(callers: list[Caller]) -> None:
    ada, bob = callers
    conversation = ada.joined["room"]["conversation"]
    texts = [f"message {n}" for n in range(30)]
    await asyncio.gather(
        *(
            ada.ask_over(
                "chat",
                "send-message",
                {"conversation": conversation, "client_id": str(uuid.uuid4()), "body": {"text": text}},
            )
            for text in texts
        )
    )
    await until(lambda: len(bob.texts()) == len(texts))
    assert bob.texts() == texts


async def test_stream_by_whip_is_a_participant_until_it_ends_or_is_removed(
    callers: list[Caller], server: TestServer
) -> None:
    _, bob = callers
    room = bob.joined["room"]["id"]

    def told(event: str, reason: str | None = None) -> bool:
        wanted = ("camera-7", reason)
        return wanted in [(d["id"], d.get("reason")) for name, d in bob.notices if name == event]

    for how, reason in (("DELETE", "left"), ("remove", "removed")):
        bob.notices.clear()
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.addTransceiver(AudioStreamTrack(), direction="sendonly")
        await pc.setLocalDescription(await pc.createOffer())
        token = server.app[http.TOKENS].mint(room, "camera-7", "Camera 7", Grants(moderate=True))
        headers = {"Authorization": f"Bearer {token}"}
        async with aiohttp.ClientSession(str(server.make_url("")), headers=headers) as web:
            sdp = aiohttp.StringPayload(pc.localDescription.sdp, content_type="application/sdp")
            async with web.post(f"/whip/{room}", data=sdp) as response:
                assert response.status == 201
                location = response.headers["Location"]
                await pc.setRemoteDescription(RTCSessionDescription(await response.text(), "answer"))
            await until(lambda: told("participant-joined"))
            async with web.get(f"/rooms/{room}/participants") as response:
                kinds = {one["id"]: one["kind"] for one in (await response.json())["participants"]}
            assert kinds["camera-7"] == "stream"
            if how == "DELETE":
                async with web.delete(location) as response:
                    assert response.status == 200
            else:
                async with web.delete(f"/rooms/{room}/participants/camera-7") as response:
                    assert response.status == 200
            await until(partial(told, "participant-left", reason))
            async with web.delete(location) as response:
                assert response.status == 404, "its media session is over, too"
        await pc.close()
