"""Joining: one round trip, the right room, the right token, and everybody told once."""

from __future__ import annotations

from typing import Any

import pytest
import socketio

from tests.signaling.conftest import OFFER, Client, Stack


async def test_join_answers_everything_in_one_round_trip(stack: Stack) -> None:
    room = await stack.room("Sunday")
    ada = await stack.client(room["id"], "ada")
    joined = await ada.join(room["id"], offer=OFFER, tracks=[{"mid": "0", "kind": "microphone", "muted": True}])
    assert joined["room"]["name"] == "Sunday"
    assert joined["room"]["participants"] == 1
    assert joined["you"]["id"] == "ada"
    assert joined["participants"] == []
    assert joined["grants"] == {"publish": True, "subscribe": True, "chat": True, "moderate": False}
    assert joined["answer"] == "v=0 the answer"
    assert joined["session"] == stack.session("ada").id
    assert joined["slots"]["full"]
    assert joined["history"] == {
        "conversation": room["conversation"],
        "messages": [],
        "more": False,
        "newer": False,
        "head": {"conversation": room["conversation"], "seq": 0, "tag": None},
    }
    assert joined["chat"] is None
    assert joined["ice_servers"][0]["urls"] == ["turn:turn.example.org"]
    assert stack.session("ada").tracks[0].muted


async def test_those_who_are_there_are_named_to_the_newcomer_and_told_of_them(stack: Stack) -> None:
    room = (await stack.room())["id"]
    ada = await stack.client(room, "ada")
    bob = await stack.client(room, "bob")
    await ada.join(room)
    joined = await bob.join(room)
    assert [other["id"] for other in joined["participants"]] == ["ada"]
    assert (await ada.wait_for("participant-joined"))["id"] == "bob"
    await bob.ask("leave")
    assert await ada.wait_for("participant-left") == {"id": "bob", "reason": "left"}
    assert bob.received("participant-joined") == []


async def test_join_without_an_offer_is_for_the_chat_alone(stack: Stack) -> None:
    room = (await stack.room())["id"]
    ada = await stack.client(room, "ada")
    joined = await ada.join(room)
    assert (joined["session"], joined["answer"], joined["slots"]) == (None, None, None)
    assert joined["history"] is not None
    answer = await ada.call("view", {"seats": []})
    assert answer["error"]["code"] == "media-missing"


async def test_token_without_the_chat_joins_without_it(stack: Stack) -> None:
    room = (await stack.room())["id"]
    ada = await stack.client(room, "ada", chat=False)
    joined = await ada.join(room, offer=OFFER)
    assert (joined["chat"], joined["history"]) == (None, None)


@pytest.mark.parametrize("auth", [None, {}, {"token": None}, {"token": ""}])
async def test_connection_without_a_token_is_refused(stack: Stack, auth: Any) -> None:
    client = Client(stack, "", "nobody")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(auth)
    assert client.refused["data"]["code"] == "token-missing"


@pytest.mark.parametrize("auth", [{"token": "a.b.c"}, {"token": 7}, {"token": ["x"]}, {"token": "x" * 5000}])
async def test_connection_with_a_bad_token_is_refused(stack: Stack, auth: Any) -> None:
    client = Client(stack, "", "nobody")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect(auth)
    assert client.refused["data"]["code"] == "token-invalid"
    assert client.refused["message"]


async def test_expired_token_is_refused(stack: Stack) -> None:
    client = Client(stack, stack.token("some-room", "ada", ttl_s=-60), "ada")
    with pytest.raises(socketio.exceptions.ConnectionError):
        await client.connect()
    assert client.refused["data"]["code"] == "token-expired"


async def test_token_opens_its_own_room_only(stack: Stack) -> None:
    room, other = (await stack.room())["id"], (await stack.room())["id"]
    ada = await stack.client(room, "ada")
    answer = await ada.call("join", {"room": other})
    assert answer["error"] == {"code": "room-mismatch", "message": "Your token opens another room.", "field": "room"}


async def test_unknown_room_is_not_found(stack: Stack) -> None:
    ada = await stack.client("no-such-room", "ada")
    answer = await ada.call("join", {"room": "no-such-room"})
    assert answer["error"]["code"] == "room-not-found"


async def test_full_room_takes_nobody_more_but_those_who_are_in_it(stack: Stack) -> None:
    room = (await stack.room())["id"]
    for n in range(5):
        await (await stack.client(room, f"p{n}")).join(room)
    late = await stack.client(room, "late")
    assert (await late.call("join", {"room": room}))["error"]["code"] == "room-full"
    await (await stack.client(room, "p0")).join(room)
    await stack.clients[1].ask("leave")
    await late.join(room)


async def test_offer_that_cannot_be_answered_changes_nothing(stack: Stack) -> None:
    room = (await stack.room())["id"]
    ada = await stack.client(room, "ada")
    bob = await stack.client(room, "bob")
    await bob.join(room)
    answer = await ada.call("join", {"room": room, "offer": "nonsense"})
    assert answer["error"]["code"] == "offer-invalid"
    assert answer["error"]["field"] == "offer"
    await ada.join(room, offer=OFFER)
    assert len(bob.received("participant-joined")) == 1


async def test_same_identity_elsewhere_takes_the_place_of_the_one_before(stack: Stack) -> None:
    room = (await stack.room())["id"]
    first = await stack.client(room, "ada")
    bob = await stack.client(room, "bob")
    await bob.join(room)
    before = await first.join(room, offer=OFFER)
    second = await stack.client(room, "ada")
    joined = await second.join(room, offer=OFFER)
    assert (await first.wait_for("session-ended"))["code"] == "replaced"
    await first.closed()
    assert joined["session"] != before["session"]
    assert [one.participant for one in stack.sfu.sessions.values()] == ["ada"]
    assert [other["id"] for other in joined["participants"]] == ["bob"]
    await bob.wait_for("participant-updated")
    assert bob.received("participant-left") == []
    await second.ask("view", {"seats": [{"participant": "bob"}]})


async def test_joining_again_on_the_same_socket_makes_a_new_session(stack: Stack) -> None:
    room = (await stack.room())["id"]
    ada = await stack.client(room, "ada")
    before = await ada.join(room, offer=OFFER)
    after = await ada.join(room, offer=OFFER)
    assert before["session"] != after["session"]
    assert list(stack.sfu.sessions) == [after["session"]]
    assert ada.received("session-ended") == []
    only_chat = await ada.join(room)
    assert only_chat["session"] is None
    assert stack.sfu.sessions == {}


async def test_many_joins_of_one_identity_at_once_leave_one(stack: Stack) -> None:
    import asyncio

    room = (await stack.room())["id"]
    clients = [await stack.client(room, "ada") for _ in range(8)]
    await asyncio.gather(*(client.call("join", {"room": room, "offer": OFFER}) for client in clients))
    assert len(stack.sfu.sessions) == 1
    async with stack.web.get(f"/rooms/{room}") as response:
        assert (await response.json())["participants"] == 1
    ended = 0
    for client in clients:
        if not client.io.connected or client.received("session-ended"):
            ended += 1
    assert ended == 7


async def test_notices_follow_the_answer_to_join_and_none_is_missed(stack: Stack) -> None:
    """Others come and go while a join is under way: what the answer lacks comes after it."""
    import asyncio

    room = (await stack.room())["id"]
    ada = await stack.client(room, "ada")
    bob = await stack.client(room, "bob")
    stack.sfu.gate = asyncio.Event()
    joining = asyncio.ensure_future(ada.join(room, offer=OFFER))
    await bob.join(room)
    message = {"conversation": (await bob.join(room))["room"]["conversation"], "body": {"text": "early"}}
    await bob.ask("send-message", {**message, "client_id": "00000000-0000-4000-8000-000000000001"})
    stack.sfu.gate.set()
    joined = await joining
    await bob.ask("send-message", {**message, "client_id": "00000000-0000-4000-8000-000000000002"})
    await ada.wait_for("message")
    seqs = [event["seq"] for event in joined["history"]["messages"]]
    seqs += [event["seq"] for frame in ada.received("message") for event in frame["events"]]
    assert sorted(set(seqs)) == [1, 2]
    assert [other["id"] for other in joined["participants"]] == ["bob"]
