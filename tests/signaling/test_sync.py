"""Coming back and following many conversations over one socket, whether or not it is in a room."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

from prometheus_client import REGISTRY

from signaling.socket import SOFT_BYTES_MAX, Backlog
from tertulia.tokens import WORKSPACE_KEY
from tests.signaling.conftest import OFFER, Client, Stack
from tests.signaling.test_hostile import raw
from tests.waiting import until


def message(conversation: str, text: str) -> dict[str, Any]:
    return {"conversation": conversation, "client_id": str(uuid.uuid4()), "body": {"text": text}}


async def conversations(stack: Stack, count: int, member: str) -> list[dict[str, Any]]:
    """Rooms whose conversations somebody who is logged in is a member of."""
    rooms = [await stack.room(f"Room {n}") for n in range(count)]
    async with stack.database.acquire() as db:
        await db.executemany(
            "INSERT INTO chat.member (conversation_id, user_id, role) VALUES ($1, $2, 'member')",
            [(room["conversation"], member) for room in rooms],
        )
    return rooms


async def logged_in(stack: Stack, identity: str) -> Client:
    token = stack.tokens.mint("", identity, identity.title(), key_id=WORKSPACE_KEY)
    await stack.chat.personal.know(stack.tokens.verify(token))
    client = Client(stack, token, identity)
    stack.clients.append(client)
    await client.connect()
    return client


async def post(stack: Stack, room: dict[str, Any], text: str) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {stack.token(room['id'], uuid.uuid4().hex)}"}
    async with stack.web.post("/chat/send", json=message(room["conversation"], text), headers=headers) as response:
        assert response.status == 200, await response.text()
        return dict((await response.json())["event"])


def heard(client: Client, room: dict[str, Any]) -> list[int]:
    frames = [frame for frame in client.received("message") if frame["conversation"] == room["conversation"]]
    return [event["seq"] for frame in frames for event in frame["events"]]


async def test_client_follows_all_its_conversations_from_its_positions_on(stack: Stack) -> None:
    first, second, foreign = [*await conversations(stack, 2, "ada"), await stack.room()]
    events = [await post(stack, first, f"{n}") for n in range(3)]
    ada = await logged_in(stack, "ada")
    positions = [
        {"conversation": first["conversation"], "seq": 1, "tag": events[0]["id"][:8]},
        {"conversation": second["conversation"], "seq": 0},
        {"conversation": foreign["conversation"], "seq": 0},
    ]
    answer = await ada.ask("sync", {"positions": positions, "open": [first["conversation"]]})
    assert [one["status"] for one in answer["conversations"]] == ["events", "events", "gone"]
    assert answer["conversations"][0]["events"] == events[1:]
    for room in (first, second, foreign):
        await post(stack, room, "after")
    await until(lambda: heard(ada, first) == [4] and heard(ada, second) == [1])
    assert heard(ada, foreign) == []
    # Asked again, as after a doubt: nothing comes twice from then on, nothing is missed.
    again = await ada.ask("sync", {"positions": positions[:2], "open": []})
    assert [event["seq"] for event in again["conversations"][0]["events"]] == [2, 3, 4]
    await post(stack, first, "more")
    await until(lambda: heard(ada, first) == [4, 5])


async def test_sync_without_open_follows_nothing(stack: Stack) -> None:
    [room] = await conversations(stack, 1, "ada")
    ada = await logged_in(stack, "ada")
    await ada.ask("sync", {"positions": [{"conversation": room["conversation"], "seq": 0}]})
    await post(stack, room, "x")
    await ada.ask("sync", {"positions": [{"conversation": room["conversation"], "seq": 0}], "open": []})
    await post(stack, room, "y")
    await until(lambda: heard(ada, room) == [2])


async def test_conversation_of_the_room_joined_comes_once(stack: Stack) -> None:
    [room] = await conversations(stack, 1, "ada")
    ada = await stack.client(room["id"], "ada")
    position = {"conversation": room["conversation"], "seq": 0}
    await ada.ask("sync", {"positions": [position], "open": [room["conversation"]]})
    await ada.join(room["id"])
    await post(stack, room, "1")
    await ada.ask("sync", {"positions": [position], "open": [room["conversation"]]})
    await post(stack, room, "2")
    await until(lambda: heard(ada, room) == [1, 2])


async def test_client_in_a_room_follows_others_over_its_data_channel(stack: Stack) -> None:
    here, there = await stack.room(), await stack.room()
    ada = await stack.client(here["id"], "ada")
    await ada.join(here["id"], offer=OFFER)
    session = stack.session("ada")
    session.open_channel("chat")
    # A guest's token opens one room only; the same conversation asked for again comes once all the same.
    positions = [{"conversation": room["conversation"], "seq": 0} for room in (here, there)]
    session.request("chat", "sync", {"positions": positions, "open": [here["conversation"]]}, 1)
    await until(lambda: bool(session.received("ok")))
    answer = session.received("ok")[0]["d"]["conversations"]
    assert [one["status"] for one in answer] == ["events", "gone"]
    await post(stack, here, "x")
    await post(stack, there, "not for ada")
    await post(stack, here, "y")
    await until(
        lambda: [event["seq"] for frame in session.received("message") for event in frame["d"]["events"]] == [1, 2]
    )
    assert ada.received("message") == []


async def test_removed_member_hears_that_it_is_over_and_nothing_more(stack: Stack) -> None:
    ada, bob = await logged_in(stack, "ada"), await logged_in(stack, "bob")
    made = {"client_id": str(uuid.uuid4()), "kind": "group", "title": "Two", "members": ["bob"]}
    group = {"conversation": (await ada.ask("create-conversation", made))["id"]}
    for client in (ada, bob):
        answer = await client.ask("sync", {"positions": [{**group, "seq": 0}], "open": [group["conversation"]]})
        assert answer["conversations"][0]["status"] == "events"
    await ada.ask("send-message", message(group["conversation"], "hello"))
    await bob.wait_for("message")
    await ada.ask("remove-member", {**group, "client_id": str(uuid.uuid4()), "user": "bob"})
    assert await bob.wait_for("gone") == group
    last = (await ada.ask("send-message", message(group["conversation"], "alone")))["event"]["seq"]
    await until(lambda: heard(ada, group)[-1:] == [last])
    assert max(heard(bob, group)) == last - 2
    again = await bob.ask("sync", {"positions": [{**group, "seq": 0}], "open": []})
    assert again["conversations"][0]["status"] == "gone"
    assert (await bob.call("fill", {**group, "after": 0}))["error"]["code"] == "conversation-not-found"


async def test_storm_of_those_who_come_back_is_answered_in_batches(stack: Stack) -> None:
    rooms = await conversations(stack, 10, "ada")
    events = [await post(stack, room, "x") for room in rooms]
    clients = [await logged_in(stack, "ada") for _ in range(20)]
    positions = [{"conversation": room["conversation"], "seq": 0} for room in rooms]
    before = batches()
    answers = await asyncio.gather(*(client.ask("sync", {"positions": positions, "open": []}) for client in clients))
    assert all(
        [one["events"] for one in answer["conversations"]] == [[event] for event in events] for answer in answers
    )
    assert batches() - before < len(clients), "several from one snapshot"
    await post(stack, rooms[0], "y")
    for client in clients:
        await until(lambda client=client: heard(client, rooms[0]) == [2])  # type: ignore[misc] # bound now


def batches() -> float:
    return REGISTRY.get_sample_value("tertulia_chat_sync_batch_clients_count") or 0.0


async def test_slow_reader_is_emptied_told_and_ended_the_second_time(stack: Stack) -> None:
    room = await stack.room()
    async with raw(stack, stack.token(room["id"], "sloth")) as sloth:
        await sloth.ws.send_str("421" + json.dumps(["join", {"room": room["id"]}]))
        await sloth.ack(1)
        connection = sloth.ws._response.connection
        assert connection is not None
        transport = connection.transport
        assert transport is not None
        [socket] = stack.door._sockets

        async def flood(until_true: Any) -> None:
            while not until_true():
                await asyncio.gather(*(post(stack, room, "x" * 4000) for _ in range(20)))

        def lagging() -> bool:
            return socket._backlog is not None and socket._backlog.lagging

        transport.pause_reading()
        await flood(lagging)
        transport.resume_reading()
        while not (packet := await sloth.packet()).startswith('42["lagged"'):
            assert not packet.startswith("closed")
        [head] = json.loads(packet[2:])[1]["heads"]
        assert head["seq"] > 0
        transport.pause_reading()
        await flood(lambda: socket not in stack.door._sockets)
        transport.resume_reading()
        while not (await sloth.packet()).startswith("closed"):
            pass


def test_backlog_drops_what_can_be_asked_for_and_keeps_the_rest() -> None:
    backlog = Backlog()
    assert backlog.put(b"answer", must=True)
    while backlog.put(b"x" * 10_000, must=False):
        pass
    assert SOFT_BYTES_MAX - 10_000 < sum(len(frame) for frame, _ in backlog.frames) <= SOFT_BYTES_MAX
    backlog.empty()
    assert backlog.frames == [(b"answer", True)]
    assert not backlog.put(b"x", must=False), "none before the client was told"
    assert backlog.put(b"y", must=True)


async def test_server_that_stops_asks_clients_to_come_back_one_after_another(stack: Stack) -> None:
    room = await stack.room()
    clients = [await stack.client(room["id"], f"p{n}") for n in range(3)]
    await stack.door.stop()
    for client in clients:
        assert 0 <= (await client.wait_for("goaway"))["after_ms"] <= 15
        await client.closed()
