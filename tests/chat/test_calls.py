"""A call that began in the log ends there, whatever becomes of the program that had it."""

from __future__ import annotations

import asyncio

from chat.calls import CallDesk
from chat.service import ChatService
from tertulia.bus import LocalBus
from tertulia.catalogue import Event
from tertulia.database import Database
from tests.chat.conftest import Room, make_room
from tests.waiting import until

BEGAN = 1_800_000_000.0


async def told(chat: ChatService, room: Room) -> list[Event]:
    return [event for event in await chat._read_events(room.conversation, 0, 100) if event.kind.startswith("call")]


async def settled(desk: CallDesk) -> None:
    await until(lambda: not desk.busy)


async def let_run_out(database: Database, room: Room, after_s: float = 60) -> None:
    """The program that had the call was last heard of so long after its beginning, and its lease has run out."""
    async with database.acquire() as db:
        await db.execute(
            "UPDATE chat.call SET began_at = now() - make_interval(secs => $2 + 45), until = now()"
            " WHERE conversation_id = $1",
            room.conversation,
            after_s,
        )


async def test_call_of_a_program_that_was_killed_is_ended_by_another(database: Database) -> None:
    killed, chat = ChatService(database, LocalBus()), ChatService(database, LocalBus())  # nobody looks by themselves
    room = await make_room(chat)
    killed.calls.changed(room.conversation, room.principal("ada"), True, BEGAN)
    await settled(killed.calls)
    await chat.calls.look()
    assert [event.kind for event in await told(chat, room)] == ["call-started"], "its lease is good"
    await let_run_out(database, room)
    await asyncio.gather(chat.calls.look(), chat.calls.look())
    started, ended = await told(chat, room)
    assert (ended.kind, ended.sender) == ("call-ended", started.sender)
    assert ended.change is not None
    assert ended.change.duration_ms is not None
    assert abs(ended.change.duration_ms - 60_000) < 1000, "up to when somebody last said that it goes on"
    await chat.calls.look()
    assert len(await told(chat, room)) == 2
    await killed.close()
    await chat.close()


async def test_program_that_comes_back_in_time_goes_on_with_its_call(database: Database) -> None:
    before, after = ChatService(database, LocalBus()), ChatService(database, LocalBus())
    room = await make_room(after)
    before.calls.changed(room.conversation, room.principal("ada"), True, BEGAN)
    await before.close()
    after.calls.changed(room.conversation, room.principal("bob"), True, BEGAN + 5)
    await settled(after.calls)
    await after.calls.look()
    assert len(await told(after, room)) == 1
    after.calls.changed(room.conversation, room.principal("bob"), False, BEGAN + 90)
    await settled(after.calls)
    started, ended = await told(after, room)
    assert (started.sender, ended.sender) == ("ada", "ada")
    assert ended.change is not None
    assert ended.change.duration_ms == 90_000
    async with database.acquire() as db:
        assert await db.fetchval("SELECT count(*) FROM chat.call WHERE conversation_id = $1", room.conversation) == 0
    await after.close()


async def test_call_that_the_database_does_not_know_of_is_kept_again_and_written_once(database: Database) -> None:
    chat = ChatService(database, LocalBus())
    room = await make_room(chat)
    chat.calls.changed(room.conversation, room.principal("ada"), True, BEGAN)
    await settled(chat.calls)
    async with database.acquire() as db:  # as if the database had been away
        await db.execute("DELETE FROM chat.call WHERE conversation_id = $1", room.conversation)
    await chat.calls.look()
    await settled(chat.calls)
    chat.calls.changed(room.conversation, room.principal("ada"), False, BEGAN + 1)
    await settled(chat.calls)
    assert [event.kind for event in await told(chat, room)] == ["call-started", "call-ended"]
    await chat.close()
