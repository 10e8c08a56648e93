"""The log's promises, asked of the service on a real database."""

from __future__ import annotations

import asyncio
import random
import uuid

import pytest

from chat.resume import BEHIND_MAX
from chat.service import ChatService
from tertulia.catalogue import (
    Event,
    Fill,
    Grants,
    History,
    HistoryPage,
    MessageBody,
    Position,
    SendMessage,
    Sync,
    Synced,
)
from tertulia.database import Database
from tertulia.errors import BadRequest, Conflict, Forbidden, NotFound, TooLarge
from tests.chat.conftest import Reader, Room, events_of, make_room


def position(event: Event) -> Position:
    return Position(event.conversation, event.seq, event.id[:8])


async def write(chat: ChatService, room: Room, count: int) -> list[Event]:
    sends = [chat.send(room.principal(), room.message(f"message {n}"), "socket") for n in range(count)]
    return sorted((sent.event for sent in await asyncio.gather(*sends)), key=lambda event: event.seq)


async def test_sent_message_is_the_event_everybody_reads(chat: ChatService, room: Room) -> None:
    sent = await chat.send(room.principal("ada"), room.message("¡Hola, 世界 👋!"), "http")
    event = sent.event
    assert (event.seq, event.kind, event.sender, event.sender_name) == (1, "message", "ada", "Ada")
    assert event.body == MessageBody("¡Hola, 世界 👋!")
    page = await chat.history(room.principal("bob"), History(room.conversation))
    assert events_of(page.messages) == [event]
    assert page.head == position(event)
    assert not page.more


async def test_fifty_senders_at_once_get_gapless_numbers_in_everybodys_one_order(chat: ChatService, room: Room) -> None:
    reader = Reader()
    subscription = await chat.subscribe(room.conversation, reader)
    subscription.start(0)

    async def sender(name: str) -> list[Event]:
        return [(await chat.send(room.principal(name), room.message(f"{name} {n}"), "socket")).event for n in range(10)]

    by_sender = await asyncio.gather(*(sender(f"sender-{n}") for n in range(50)))
    events = sorted((event for events in by_sender for event in events), key=lambda event: event.seq)
    assert [event.seq for event in events] == list(range(1, 501))
    assert reader.events == events, "live delivery is complete and in order"
    for own in by_sender:
        assert own == sorted(own, key=lambda event: event.seq), "a sender's messages keep their order"
    everything: list[Event] = []
    before: int | None = None
    while before is None or before > 1:
        page = await chat.history(room.principal(), History(room.conversation, before=before, limit=100))
        everything = events_of(page.messages) + everything
        before = everything[0].seq
        assert page.more == (before > 1)
    assert everything == events


async def test_repeated_send_answers_with_the_same_event(chat: ChatService, room: Room) -> None:
    message = room.message("once")
    first = await chat.send(room.principal(), message, "channel")
    again = await asyncio.gather(*(chat.send(room.principal(), message, "http") for _ in range(5)))
    assert {sent.event.id for sent in again} == {first.event.id}
    assert (await chat.history(room.principal(), History(room.conversation))).head.seq == 1


async def test_same_id_sent_many_times_at_once_is_one_event(chat: ChatService, room: Room) -> None:
    message = room.message("once")
    answers = await asyncio.gather(*(chat.send(room.principal(), message, "http") for _ in range(40)))
    assert {sent.event.id for sent in answers} == {answers[0].event.id}
    assert (await chat.history(room.principal(), History(room.conversation))).head.seq == 1


async def test_client_id_with_another_body_is_a_conflict_and_leaves_no_hole(chat: ChatService, room: Room) -> None:
    message = room.message("one")
    await chat.send(room.principal(), message, "socket")
    other = room.message("two", message.client_id)
    results = await asyncio.gather(
        chat.send(room.principal(), other, "socket"),
        chat.send(room.principal(), room.message("three"), "socket"),
        return_exceptions=True,
    )
    assert isinstance(results[0], Conflict)
    assert results[0].code == "client-id-reused"
    assert not isinstance(results[1], BaseException)
    assert results[1].event.seq == 2


async def test_client_ids_of_two_senders_do_not_meet(chat: ChatService, room: Room) -> None:
    client_id = str(uuid.uuid4())
    first = await chat.send(room.principal("ada"), room.message("a", client_id), "socket")
    second = await chat.send(room.principal("bob"), room.message("b", client_id), "socket")
    assert (first.event.seq, second.event.seq) == (1, 2)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text-blank"),
        (" \t\n ", "text-blank"),
        ("\u200b\u200d\ufeff\u00a0\u3000", "text-blank"),
        ("a\x00b", "text-invalid"),
        ("a\x1bb", "text-invalid"),
        ("a\ud800b", "text-invalid"),
        ("x" * 4001, "text-too-long"),
        ("👋" * 4000, "text-too-long"),
    ],
)
async def test_bad_text_is_refused_with_its_code(chat: ChatService, room: Room, text: str, code: str) -> None:
    with pytest.raises((BadRequest, TooLarge)) as caught:
        await chat.send(room.principal(), room.message(text), "socket")
    assert caught.value.code == code
    assert (await chat.history(room.principal(), History(room.conversation))).head.seq == 0


async def test_longest_message_fits_a_data_channel_frame(chat: ChatService, room: Room) -> None:
    reader = Reader()
    (await chat.subscribe(room.conversation, reader)).start(0)
    await chat.send(room.principal("x" * 64), room.message("世" * 3990), "socket")
    await asyncio.gather(*(chat.send(room.principal(), room.message("y" * 4000), "socket") for _ in range(20)))
    assert reader.seqs == list(range(1, 22))
    assert all(len(notice.envelope) <= 16_384 for notice in reader.notices)


async def test_token_of_another_room_sees_no_conversation(chat: ChatService, room: Room) -> None:
    stranger = (await make_room(chat)).principal()
    await write(chat, room, 1)
    with pytest.raises(NotFound) as caught:
        await chat.send(stranger, room.message("hello"), "socket")
    assert caught.value.code == "conversation-not-found"
    with pytest.raises(NotFound):
        await chat.history(stranger, History(room.conversation))
    with pytest.raises(NotFound):
        await chat.fill(stranger, Fill(room.conversation, 0))
    with pytest.raises(NotFound):
        await chat.open(stranger, room.conversation, None, Reader())
    answer = await chat.sync(stranger, Sync([Position(room.conversation, 0)]))
    assert answer.conversations == [Synced(room.conversation, "gone")]


async def test_token_without_the_chat_is_refused(chat: ChatService, room: Room) -> None:
    with pytest.raises(Forbidden) as caught:
        await chat.history(room.principal(grants=Grants(chat=False)), History(room.conversation))
    assert caught.value.code == "chat-not-granted"


async def test_unknown_conversation_is_not_found(chat: ChatService, room: Room) -> None:
    message = SendMessage(str(uuid.uuid4()), str(uuid.uuid4()), MessageBody("hello"))
    with pytest.raises(NotFound):
        await chat.send(room.principal(), message, "socket")


async def test_position_is_answered_with_exactly_what_followed(chat: ChatService, room: Room) -> None:
    events = await write(chat, room, 30)
    for stood in (0, 1, 17, 30):
        asked = position(events[stood - 1]) if stood else Position(room.conversation, 0)
        [answer] = (await chat.sync(room.principal(), Sync([asked]))).conversations
        assert answer == Synced(room.conversation, "events", events[stood:], position(events[-1]))


async def test_position_of_another_history_is_reset(chat: ChatService, room: Room) -> None:
    events = await write(chat, room, 3)
    head = position(events[-1])
    strangers = [
        Position(room.conversation, 2, "00000000"),  # an event of that number, but another one
        Position(room.conversation, 2),  # no tag, no proof
        Position(room.conversation, 9, "00000000"),  # ahead of the head: this log was restored from a backup
    ]
    for asked in strangers:
        [answer] = (await chat.sync(room.principal(), Sync([asked]))).conversations
        assert answer == Synced(room.conversation, "reset", head=head)


async def test_restored_backup_is_noticed_although_the_numbers_fit(
    chat: ChatService, database: Database, room: Room
) -> None:
    events = await write(chat, room, 5)
    async with database.transaction() as db:  # what restoring an older backup does to one conversation
        for table in ("event", "message", "sent"):
            await db.execute(f"DELETE FROM chat.{table} WHERE conversation_id = $1 AND seq > 2", room.conversation)
        await db.execute("UPDATE chat.head SET last_seq = 2, last_no = 2 WHERE conversation_id = $1", room.conversation)
    again = await write(chat, room, 3)
    assert [event.seq for event in again] == [3, 4, 5]
    asked = [position(events[4]), position(events[1])]
    reset, events_answer = (await chat.sync(room.principal(), Sync(asked))).conversations
    assert reset.status == "reset"
    assert events_answer.events == again


async def test_position_below_what_is_kept_or_far_behind_is_reset(
    chat: ChatService, database: Database, room: Room
) -> None:
    await write(chat, room, BEHIND_MAX + 1)
    answer = await chat.fill(room.principal(), Fill(room.conversation, 0))
    assert answer.status == "reset"
    answer = await chat.fill(room.principal(), Fill(room.conversation, 1))
    assert (answer.status, len(answer.events)) == ("events", BEHIND_MAX)
    async with database.acquire() as db:
        await db.execute("UPDATE chat.head SET floor_seq = 10 WHERE conversation_id = $1", room.conversation)
    assert (await chat.fill(room.principal(), Fill(room.conversation, 9))).status == "reset"
    assert (await chat.fill(room.principal(), Fill(room.conversation, 10))).status == "events"


async def test_small_door_hands_out_what_fits_and_says_that_there_is_more(chat: ChatService, room: Room) -> None:
    for n in range(10):
        await chat.send(room.principal(), room.message(f"{n}" * 3000), "socket")
    got: list[Event] = []
    more = True
    while more:
        answer = await chat.fill(room.principal(), Fill(room.conversation, len(got)), bytes_max=15_000)
        assert 1 <= len(answer.events) <= 5
        got += answer.events
        more = answer.more
    assert [event.seq for event in got] == list(range(1, 11))
    page = await chat.history(room.principal(), History(room.conversation), bytes_max=15_000)
    assert page.more
    assert events_of(page.messages) == got[-len(page.messages) :]


async def test_expired_event_leaves_a_stub_so_that_numbers_stay_dense(
    chat: ChatService, database: Database, room: Room
) -> None:
    events = await write(chat, room, 3)
    async with database.acquire() as db:
        await db.execute(
            "UPDATE chat.event SET expires_at = now() WHERE conversation_id = $1 AND seq = 2", room.conversation
        )
    answer = await chat.fill(room.principal(), Fill(room.conversation, 0))
    assert [event.kind for event in answer.events] == ["message", "x", "message"]
    assert answer.events[1] == Event(room.conversation, 2, events[1].id, "x", events[1].at)


async def test_snapshot_and_subscription_leave_no_gap_under_load(chat: ChatService, room: Room) -> None:
    """Readers come at any moment of a burst; each ends up with every event exactly once."""
    chance = random.Random(7)
    total = 400

    async def writer() -> None:
        for start in range(0, total, 4):
            await asyncio.gather(
                *(chat.send(room.principal(), room.message(f"{start + n}"), "socket") for n in range(4))
            )

    readers: list[tuple[list[int], Reader]] = []

    async def come() -> None:
        reader = Reader()
        snapshot, subscription = await chat.open(room.principal(), room.conversation, None, reader)
        assert isinstance(snapshot, HistoryPage)
        for _ in range(chance.randrange(5)):  # events arrive between the snapshot and its being sent
            await asyncio.sleep(0)
        subscription.start(snapshot.head.seq)
        readers.append(([snapshot.head.seq], reader))

    burst = asyncio.create_task(writer())
    while not burst.done():
        await come()
    await burst
    assert len(readers) > 10
    for [head], reader in readers:
        assert [seq for seq in reader.seqs if seq > head] == list(range(head + 1, total + 1))


async def test_forgotten_room_is_gone_and_its_writer_refuses(chat: ChatService, room: Room) -> None:
    await write(chat, room, 3)
    await chat.forget_room_conversation(room.id)
    with pytest.raises(NotFound):
        await chat.send(room.principal(), room.message("hello"), "socket")
    [answer] = (await chat.sync(room.principal(), Sync([Position(room.conversation, 0)]))).conversations
    assert answer.status == "gone"
    await chat.forget_room_conversation(room.id)


async def test_room_conversation_is_made_once(chat: ChatService) -> None:
    room_id = f"room-{uuid.uuid4().hex[:8]}"
    ids = await asyncio.gather(*(chat.ensure_room_conversation(room_id, "Title") for _ in range(8)))
    assert len(set(ids)) == 1
