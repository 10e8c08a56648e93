"""Three doors to one log: the same frames, the same answers, whichever way they go."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

from prometheus_client import REGISTRY

from tests.signaling.conftest import OFFER, Client, FakeSession, Stack
from tests.waiting import until


def message(conversation: str, text: str, client_id: str | None = None) -> dict[str, Any]:
    return {"conversation": conversation, "client_id": client_id or str(uuid.uuid4()), "body": {"text": text}}


def sends(door: str) -> float:
    return REGISTRY.get_sample_value("tertulia_chat_sends_total", {"door": door}) or 0.0


async def joined(stack: Stack, identity: str = "ada") -> tuple[str, str, Client, FakeSession]:
    room = await stack.room()
    client = await stack.client(room["id"], identity)
    await client.join(room["id"], offer=OFFER)
    return room["id"], room["conversation"], client, stack.session(identity)


async def answer_of(session: FakeSession, number: int) -> dict[str, Any]:
    await until(lambda: any(frame.get("i") == number for _, frame in session.sent))
    return next(frame for _, frame in session.sent if frame.get("i") == number)


async def test_one_message_over_all_doors_is_one_event(stack: Stack) -> None:
    _room, conversation, ada, session = await joined(stack)
    session.open_channel("chat")
    one = message(conversation, "once")
    over_channel, over_socket, over_http = sends("channel"), sends("socket"), sends("http")
    session.request("chat", "send-message", one, 7)
    first = (await answer_of(session, 7))["d"]
    second = await ada.ask("send-message", one)
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with stack.web.post("/chat/send", json=one, headers=headers) as response:
        assert response.status == 200
        third = await response.json()
    assert first == second == third
    assert (sends("channel"), sends("socket"), sends("http")) == (over_channel + 1, over_socket + 1, over_http + 1)
    async with stack.web.get(f"/chat/history/{conversation}?limit=10", headers=headers) as response:
        page = await response.json()
    [shown] = page["messages"]
    assert first["event"].items() <= shown.items()
    assert await ada.ask("history", {"conversation": conversation}) == {**page, "more": False}
    session.request("chat", "history", {"conversation": conversation}, 8)
    assert (await answer_of(session, 8))["d"] == page


async def test_conflict_has_the_same_code_over_all_doors(stack: Stack) -> None:
    _, conversation, ada, session = await joined(stack)
    session.open_channel("chat")
    one = message(conversation, "one")
    await ada.ask("send-message", one)
    other = message(conversation, "two", one["client_id"])
    assert (await ada.call("send-message", other))["error"]["code"] == "client-id-reused"
    session.request("chat", "send-message", other, 3)
    refused = await answer_of(session, 3)
    assert (refused["t"], refused["d"]["code"]) == ("error", "client-id-reused")
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with stack.web.post("/chat/send", json=other, headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (409, "client-id-reused")


async def test_live_message_comes_over_the_channel_while_it_is_open_else_over_the_socket(stack: Stack) -> None:
    room, conversation, ada, session = await joined(stack)
    bob = await stack.client(room, "bob")
    await bob.join(room)
    first = (await bob.ask("send-message", message(conversation, "over the socket")))["event"]
    assert (await ada.wait_for("message"))["events"] == [first]
    session.open_channel("chat")
    second = (await bob.ask("send-message", message(conversation, "over the channel")))["event"]
    await until(lambda: len(session.received("message")) == 1)
    assert session.received("message")[0]["d"]["events"] == [second]
    session.open_channel("chat", False)
    third = (await bob.ask("send-message", message(conversation, "over the socket again")))["event"]
    assert (await ada.wait_for("message", 2))["events"] == [third]
    assert len(session.received("message")) == 1, "nothing came twice"
    assert [event["seq"] for frame in bob.received("message") for event in frame["events"]] == [1, 2, 3]


async def test_a_crowded_room_is_told_over_sockets(stack: Stack) -> None:
    room, conversation, ada, session = await joined(stack)
    session.open_channel("chat")
    session.open_channel("control")
    others = [await stack.client(room, name) for name in ("bob", "cyd", "dan", "eve")]
    for other in others[:3]:
        await other.join(room)
    bob = others[0]
    first = (await bob.ask("send-message", message(conversation, "four hear it over their channels")))["event"]
    await until(lambda: len(session.received("message")) == 1)
    session.change_slot()
    assert len(session.received("slots")) == 1
    await others[3].join(room)
    second = (await bob.ask("send-message", message(conversation, "five over their sockets")))["event"]
    assert (await ada.wait_for("message"))["events"] == [second]
    session.change_slot()
    slots = await ada.wait_for("slots")
    assert slots["full"], "the first slot map over another door is a whole one"
    await others[3].ask("leave")
    third = (await bob.ask("send-message", message(conversation, "and four again")))["event"]
    await until(lambda: len(session.received("message")) == 2)
    assert [frame["d"]["events"] for frame in session.received("message")] == [[first], [third]]


async def test_sender_reads_its_own_write_before_its_acknowledgement(stack: Stack) -> None:
    _, conversation, ada, _ = await joined(stack)
    for n in range(20):
        event = (await ada.ask("send-message", message(conversation, f"{n}")))["event"]
        assert ada.received("message")[-1]["events"][-1] == event


async def test_messages_sent_in_one_breath_keep_their_order(stack: Stack) -> None:
    _, conversation, ada, session = await joined(stack)
    session.open_channel("chat")
    answers = await asyncio.gather(*(ada.ask("send-message", message(conversation, f"{n}")) for n in range(25)))
    assert [answer["event"]["seq"] for answer in answers] == list(range(1, 26))
    for n in range(25):
        session.request("chat", "send-message", message(conversation, f"channel {n}"), n)
    await until(lambda: len(session.received("ok")) == 25)
    assert [frame["d"]["event"]["seq"] for frame in session.received("ok")] == list(range(26, 51))
    assert [frame["i"] for frame in session.received("ok")] == list(range(25))


async def test_fifty_clients_send_at_once_and_everybody_reads_one_order(stack: Stack) -> None:
    room, conversation, ada, _ = await joined(stack)
    tokens = [stack.token(room, f"sender-{n}") for n in range(50)]

    async def send(n: int, token: str) -> list[dict[str, Any]]:
        headers = {"Authorization": f"Bearer {token}"}
        events = []
        for k in range(4):
            one = message(conversation, f"{n} {k}")
            async with stack.web.post("/chat/send", json=one, headers=headers) as response:
                events.append((await response.json())["event"])
        return events

    sent = [event for events in await asyncio.gather(*(send(n, t) for n, t in enumerate(tokens))) for event in events]
    assert sorted(event["seq"] for event in sent) == list(range(1, 201))
    await until(lambda: sum(len(frame["events"]) for frame in ada.received("message")) == 200)
    seen = [event for frame in ada.received("message") for event in frame["events"]]
    assert seen == sorted(sent, key=lambda event: event["seq"])


async def test_client_resumes_over_a_gap_and_misses_nothing(stack: Stack) -> None:
    room, conversation, ada, _ = await joined(stack)
    bob = await stack.client(room, "bob")
    await bob.join(room)
    first = (await bob.ask("send-message", message(conversation, "before")))["event"]
    await ada.wait_for("message")
    ada.cut()
    missed = [(await bob.ask("send-message", message(conversation, f"missed {n}")))["event"] for n in range(20)]
    again = await stack.client(room, "ada")
    position = {"conversation": conversation, "seq": first["seq"], "tag": first["id"][:8]}
    answer = await again.join(room, position=position)
    assert answer["history"] is None
    assert answer["chat"]["status"] == "events"
    assert answer["chat"]["events"] == missed
    assert answer["chat"]["head"] == {"conversation": conversation, "seq": 21, "tag": missed[-1]["id"][:8]}
    after = (await bob.ask("send-message", message(conversation, "after")))["event"]
    assert (await again.wait_for("message"))["events"] == [after]


async def test_position_that_is_not_of_this_log_is_reset(stack: Stack) -> None:
    room, conversation, ada, _ = await joined(stack)
    await ada.ask("send-message", message(conversation, "hello"))
    for seq, tag in ((1, "00000000"), (99, "00000000"), (1, None)):
        answer = await ada.join(room, position={"conversation": conversation, "seq": seq, "tag": tag})
        assert answer["chat"]["status"] == "reset"
        assert answer["chat"]["head"]["seq"] == 1
    elsewhere = {"conversation": str(uuid.uuid4()), "seq": 5, "tag": "00000000"}
    assert (await ada.join(room, position=elsewhere))["history"]["messages"], "a position of no concern is none"


async def test_sync_and_fill_answer_over_socket_and_channel(stack: Stack) -> None:
    _, conversation, ada, session = await joined(stack)
    session.open_channel("chat")
    events = [(await ada.ask("send-message", message(conversation, f"{n}")))["event"] for n in range(3)]
    position = {"conversation": conversation, "seq": 1, "tag": events[0]["id"][:8]}
    foreign = {"conversation": str(uuid.uuid4()), "seq": 0}
    answer = await ada.ask("sync", {"positions": [position, foreign]})
    assert [one["status"] for one in answer["conversations"]] == ["events", "gone"]
    assert answer["conversations"][0]["events"] == events[1:]
    session.request("chat", "sync", {"positions": [position, foreign]}, 1)
    assert (await answer_of(session, 1))["d"] == answer
    session.request("chat", "fill", {"conversation": conversation, "after": 2}, 2)
    assert (await answer_of(session, 2))["d"]["events"] == events[2:]


async def test_answers_over_the_channel_fit_its_frames(stack: Stack) -> None:
    _, conversation, ada, session = await joined(stack)
    session.open_channel("chat")
    for _ in range(12):
        await ada.ask("send-message", message(conversation, "世" * 3000))
    session.request("chat", "history", {"conversation": conversation, "limit": 50}, 1)
    page = (await answer_of(session, 1))["d"]
    assert page["more"]
    assert page["messages"][-1]["seq"] == 12
    session.request("chat", "fill", {"conversation": conversation, "after": 0}, 2)
    filled = (await answer_of(session, 2))["d"]
    assert (filled["status"], filled["more"], filled["events"][0]["seq"]) == ("events", True, 1)


async def test_reader_whose_channel_is_full_is_told_what_it_missed(stack: Stack) -> None:
    room, conversation, _ada, session = await joined(stack)
    session.open_channel("chat")
    session.full = True
    headers = {"Authorization": f"Bearer {stack.token(room, 'bob')}"}
    for n in range(5):
        async with stack.web.post("/chat/send", json=message(conversation, f"{n}"), headers=headers) as response:
            assert response.status == 200
    assert session.sent == []
    session.full = False
    async with stack.web.post("/chat/send", json=message(conversation, "5"), headers=headers) as response:
        assert response.status == 200
    await until(lambda: bool(session.received("message")))
    assert session.received("message")[0]["d"]["events"][0]["seq"] == 6, "a gap that the client fills"
    await stack.chat.beat()
    assert session.received("tips")[0]["d"]["heads"][0]["seq"] == 6


async def test_one_talkative_client_takes_nothing_from_the_others(stack: Stack) -> None:
    room, conversation, _, session = await joined(stack)
    session.open_channel("chat")
    for n in range(60):
        session.request("chat", "send-message", message(conversation, f"{n}"), n)
    await until(lambda: len(session.received("ok")) + len(session.received("error")) == 60)
    assert {frame["d"]["code"] for frame in session.received("error")} == {"rate-limited"}
    bob = await stack.client(room, "bob")
    await bob.join(room, offer=OFFER)
    other = stack.session("bob")
    other.open_channel("chat")
    other.request("chat", "send-message", message(conversation, "mine"), 1)
    assert (await answer_of(other, 1))["t"] == "ok"


async def test_http_door_checks_as_the_others_do(stack: Stack) -> None:
    _room, conversation, ada, _ = await joined(stack)
    headers = {"Authorization": f"Bearer {ada.token}"}
    for body, status, code in (
        (b"", 400, "body-invalid"),
        (b"[]", 400, "body-invalid"),
        (b"[" * 100_000, 400, "body-invalid"),
        (b'{"conversation": 1}', 400, "body-invalid"),
    ):
        async with stack.web.post("/chat/send", data=body, headers=headers) as response:
            assert (response.status, (await response.json())["error"]["code"]) == (status, code), body[:20]
    async with stack.web.post("/chat/send", json=message(conversation, "x")) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (401, "token-missing")
    async with stack.web.post("/chat/send", json=message(conversation, " "), headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (400, "text-blank")
    for query, field in (("limit=0", "limit"), ("limit=x", "limit"), ("before=-1", "before"), ("limit=²", "limit")):
        async with stack.web.get(f"/chat/history/{conversation}?{query}", headers=headers) as response:
            error = (await response.json())["error"]
            assert (response.status, error["code"], error["field"]) == (400, "frame-invalid", field)
    async with stack.web.get(f"/chat/history/{uuid.uuid4()}", headers=headers) as response:
        assert (response.status, (await response.json())["error"]["code"]) == (404, "conversation-not-found")
    async with stack.web.get("/chat/history/nonsense", headers=headers) as response:
        assert response.status == 400
