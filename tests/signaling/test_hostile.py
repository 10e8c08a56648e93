"""What no client of ours would send: a code or silence, never a crash, a leak or an effect on anybody else."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from prometheus_client import REGISTRY

from tests.signaling.conftest import OFFER, Stack
from tests.waiting import until


class Raw:
    """A WebSocket that speaks what it is told to."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws

    async def packet(self) -> str:
        """The next packet that is neither ping nor noop."""
        async with asyncio.timeout(10):
            while True:
                received = await self.ws.receive()
                if received.type is not aiohttp.WSMsgType.TEXT:
                    return f"closed {received.type.name}"
                if received.data not in ("2", "6"):
                    return str(received.data)

    async def ack(self, number: int) -> Any:
        """The acknowledgement of request ``number``; what else comes is passed over."""
        while True:
            packet = await self.packet()
            if packet.startswith("closed"):
                return packet
            if packet.startswith(f"43{number}["):
                return json.loads(packet[len(f"43{number}") :])[0]


@asynccontextmanager
async def raw(stack: Stack, token: str | None, headers: dict[str, str] | None = None) -> AsyncIterator[Raw]:
    async with stack.web.ws_connect("/ws/?EIO=4&transport=websocket", headers=headers) as ws:
        client = Raw(ws)
        assert (await client.packet()).startswith("0{")
        if token is not None:
            await ws.send_str("40" + json.dumps({"token": token}))
            assert (await client.packet()).startswith("40{")
        yield client


async def still_well(client: Raw) -> None:
    """The same connection still works."""
    await client.ws.send_str('42999["leave",{}]')
    assert (await client.ack(999))["error"]["code"] == "not-joined"


HOSTILE = [
    "4",
    "42",
    "42[]",
    "42[1]",
    "42[null]",
    "42{}",
    '42"x"',
    "42[[[]]]",
    '42["disconnect"]',
    '42["connect",{}]',
    '42["connect_error",{}]',
    '42["*"]',
    '42["malformed"]',
    '42["join"',
    "42[" + "[" * 50_000,
    '42["join",' + '{"a":' * 20_000,
    "42nonsense",
    '42["\\ud800",{}]',
    '42["view",{"seats":"\\ud800"}]',
    '451-["join",{"_placeholder":true,"num":0}]',
    '451-["join",{"_placeholder":true,"num":9}]',
    "45" + "9" * 200 + "-[]",
    "42" + "9" * 150 + '["leave",{}]',
    "43" + "1[]",
    "431",
    '44{"message":"x"}',
    "47",
    "4x",
    "4-",
    "4²",
    '42/admin,["leave",{}]',
    "40/admin,{}",
    "40{}",
    '40{"token":"x"}',
    "40[]",
    "5",
    "6",
    "9",
    "b" + "AAAA",
    "b!",
]


async def test_hostile_packets_harm_nothing(stack: Stack) -> None:
    room = (await stack.room())["id"]
    for packet in HOSTILE:
        async with raw(stack, stack.token(room, "mallory")) as client:
            await client.ws.send_str(packet)
            await still_well(client)
    for data in (b"", b"\x00", b"\x042[]", b"\xff" * 1000, b'42["leave",{}]'):
        async with raw(stack, stack.token(room, "mallory")) as client:
            await client.ws.send_bytes(data)
            await still_well(client)
    await (await stack.client(room, "ada")).join(room)


async def test_hostile_packets_before_the_token_harm_nothing(stack: Stack) -> None:
    room = (await stack.room())["id"]
    for packet in HOSTILE:
        async with raw(stack, None) as client:
            await client.ws.send_str(packet)
            if not packet.startswith("40"):
                await client.ws.send_str("40" + json.dumps({"token": stack.token(room, "mallory")}))
                assert (await client.packet()).startswith("40{"), packet[:40]
                await still_well(client)
    await (await stack.client(room, "ada")).join(room)


async def test_what_is_no_engine_packet_ends_its_connection_only(stack: Stack) -> None:
    room = (await stack.room())["id"]
    other = await stack.client(room, "ada")
    for packet in ("x", "²", "bX", "\x00"):
        async with raw(stack, stack.token(room, "mallory")) as client:
            await client.ws.send_str(packet)
            await client.ws.send_str('42999["leave",{}]')
            answer = await client.ack(999)
            assert isinstance(answer, dict) or answer.startswith("closed")
    await other.join(room)


async def test_huge_frame_ends_its_connection_only(stack: Stack) -> None:
    room = (await stack.room())["id"]
    other = await stack.client(room, "ada")
    async with raw(stack, stack.token(room, "mallory")) as client:
        await client.ws.send_str("42" + json.dumps(["join", {"room": "x" * 2_000_000}]))
        assert (await client.packet()).startswith("closed")
    await other.join(room)


SHAPES: list[tuple[str, Any, str, str | None]] = [
    ("join", None, "frame-invalid", None),
    ("join", [], "frame-invalid", None),
    ("join", "x", "frame-invalid", None),
    ("join", 7, "frame-invalid", None),
    ("join", {"room": 7}, "frame-invalid", "room"),
    ("join", {"room": "UPPER"}, "frame-invalid", "room"),
    ("join", {"room": "a-room", "offer": "x" * 262_145}, "frame-invalid", "offer"),
    ("join", {"room": "a-room", "tracks": [{"mid": "0", "kind": "smell"}]}, "frame-invalid", "tracks[0].kind"),
    ("join", {"room": "a-room", "tracks": [{"mid": "0", "kind": "camera"}] * 17}, "frame-invalid", "tracks"),
    (
        "join",
        {"room": "a-room", "position": {"conversation": "x", "seq": 1}},
        "frame-invalid",
        "position.conversation",
    ),
    ("send-message", {"conversation": "x"}, "frame-invalid", "conversation"),
    ("send-message", {"body": {}}, "frame-invalid", None),
    ("history", {"conversation": "00000000-0000-0000-0000-000000000000", "limit": 101}, "frame-invalid", "limit"),
    ("history", {"conversation": "00000000-0000-0000-0000-000000000000", "limit": 2.5}, "frame-invalid", "limit"),
    ("fill", {"conversation": "00000000-0000-0000-0000-000000000000", "after": -1}, "frame-invalid", "after"),
    ("fill", {"conversation": "00000000-0000-0000-0000-000000000000", "after": 2**63}, "frame-invalid", "after"),
    ("view", {"seats": [{"participant": "x"}] * 101}, "frame-invalid", "seats"),
    ("set-track", {"kind": "camera", "muted": "yes"}, "frame-invalid", "muted"),
    ("restart-ice", {"offer": None}, "frame-invalid", "offer"),
    ("no-such-event", {}, "event-unknown", None),
    ("message", {}, "event-unknown", None),
]


async def test_payload_of_the_wrong_shape_is_refused_with_its_field(stack: Stack) -> None:
    for event, payload, code, field in SHAPES:
        client = await stack.client("a-room", "mallory")
        error = (await client.call(event, payload))["error"]
        assert error["code"] == code, (event, error)
        assert field is None or error["field"] == field, (event, error)


async def test_request_before_joining_is_refused(stack: Stack) -> None:
    client = await stack.client((await stack.room())["id"], "early")
    for event, payload in (
        ("leave", {}),
        ("view", {}),
        ("add-robot", {}),
        ("set-track", {"kind": "camera", "muted": True}),
        ("restart-ice", {"offer": "v=0"}),
    ):
        assert (await client.call(event, payload))["error"]["code"] == "not-joined"


async def test_too_many_requests_are_refused_and_the_client_recovers(stack: Stack) -> None:
    room = await stack.room()
    client = await stack.client(room["id"], "ada")
    await client.join(room["id"])
    calls = [client.call("add-robot", {}) for _ in range(12)]
    codes = [answer.get("error", {}).get("code") for answer in await asyncio.gather(*calls)]
    assert codes[:4] == [None] * 4
    assert set(codes[4:]) == {"rate-limited"}
    await client.ask("history", {"conversation": room["conversation"]})


async def test_flood_of_sends_is_bounded_and_what_was_acknowledged_is_there(stack: Stack) -> None:
    room = await stack.room()
    client = await stack.client(room["id"], "ada")
    await client.join(room["id"])

    def message(n: int) -> dict[str, Any]:
        return {"conversation": room["conversation"], "client_id": str(uuid.uuid4()), "body": {"text": f"{n}"}}

    answers = await asyncio.gather(*(client.call("send-message", message(n)) for n in range(300)))
    sent = [answer["event"]["seq"] for answer in answers if "error" not in answer]
    assert {answer["error"]["code"] for answer in answers if "error" in answer} == {"rate-limited"}
    assert sent == list(range(1, len(sent) + 1))
    page = await client.ask("history", {"conversation": room["conversation"], "limit": 100})
    assert [event["seq"] for event in page["messages"]] == sent[-100:]


CHANNEL = [
    b"",
    b"null",
    b"[]",
    b"7",
    b"\xff\xfe",
    b"{",
    b"[" * 16_000,
    b'{"t":7}',
    b'{"t":"view","i":-1,"d":{}}',
    b'{"t":"view","i":"1","d":{}}',
    b'{"t":"' + b"x" * 40 + b'","d":{}}',
    b'{"t":"send-message","d":' + b'{"a":' * 2000 + b"1" + b"}" * 2000 + b"}",
    b'{"t":"send-message","i":1,"d":{"conversation":"x"}}',
    b'{"t":"join","i":2,"d":{"room":"a-room"}}',
    b'{"t":"leave","i":2,"d":{}}',
    b'{"t":"message","i":2,"d":{}}',
    b'{"t":"ok","i":2,"d":{}}',
    b'{"t":"send-message"}',
    b"x" * 17_000,
]


@pytest.mark.parametrize("channel", ["chat", "control"])
async def test_hostile_data_channel_frame_is_answered_with_a_code(stack: Stack, channel: Any) -> None:
    room = (await stack.room())["id"]
    client = await stack.client(room, "mallory")
    await client.join(room, offer=OFFER)
    session = stack.session("mallory")
    session.open_channel(channel)
    for data in CHANNEL:
        session.listener.on_frame(channel, data)
        await until(lambda: bool(session.sent))
        [(_, frame)] = session.sent
        assert frame["t"] == "error"
        assert frame["d"]["code"] in {"frame-invalid", "frame-too-large", "event-unknown"}, data[:40]
        session.sent.clear()
    await client.ask("leave")


async def test_page_of_another_site_cannot_connect(stack: Stack) -> None:
    room = (await stack.room())["id"]
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            async with raw(stack, None, {"Origin": origin}):
                pass
        assert caught.value.status in (400, 403)
    async with raw(stack, stack.token(room, "ada"), {"Origin": stack.url}) as client:
        await client.ws.send_str('421["leave",{}]')
        assert (await client.ack(1))["error"]["code"] == "not-joined"


async def test_polling_transport_is_refused(stack: Stack) -> None:
    async with stack.web.get("/ws/?EIO=4&transport=polling") as response:
        assert response.status == 400


async def test_client_that_does_not_read_is_cut_off_and_delays_nobody(stack: Stack) -> None:
    """Its queue is bounded: chat is dropped first (it can be asked for again), then the connection ends."""
    room = await stack.room()
    ada = await stack.client(room["id"], "ada")
    await ada.join(room["id"])
    async with raw(stack, stack.token(room["id"], "sloth")) as sloth:
        await sloth.ws.send_str("421" + json.dumps(["join", {"room": room["id"]}]))
        await sloth.ack(1)
        connection = sloth.ws._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.pause_reading()

        async def post(identity: str) -> None:
            headers = {"Authorization": f"Bearer {stack.token(room['id'], identity)}"}
            big = {"conversation": room["conversation"], "body": {"text": "x" * 4000}, "client_id": str(uuid.uuid4())}
            async with stack.web.post("/chat/send", json=big, headers=headers) as response:
                assert response.status == 200

        before = lagged()
        sent = 0
        while lagged() == before:
            await asyncio.gather(*(post(f"sender-{n}") for n in range(20)))
            sent += 20
        await until(lambda: sum(len(frame["events"]) for frame in ada.received("message")) == sent)
        connection.transport.resume_reading()


def lagged() -> float:
    return REGISTRY.get_sample_value("tertulia_chat_sinks_lagged_total") or 0.0
