"""What survives: the database killed in the middle of a burst, and the whole program killed."""

from __future__ import annotations

import asyncio
import os
import signal
import uuid
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from chat.consumers import Consumer
from chat.outbox import READER, Telling
from chat.service import ChatService
from tertulia.bus import LocalBus
from tertulia.catalogue import Event, History, Message, SendMessage
from tertulia.database import Database
from tertulia.errors import Unavailable
from tests.chat.conftest import Reader, Room, make_room
from tests.server import Server
from tests.waiting import until

LIMIT_S = 90.0
"""Recovery takes as long as the machine lets it."""


@pytest.fixture
async def own_database(tmp_path: Path) -> AsyncIterator[Database]:
    """A database that may be killed."""
    database = Database("", tmp_path / "postgres")
    await database.start()
    await database.migrate()
    yield database
    await database.close()


def kill_postmaster(database: Database) -> None:
    assert database.embedded is not None
    assert database.embedded.pid is not None
    os.kill(database.embedded.pid, signal.SIGKILL)


def reached(acknowledged: dict[str, Event], count: int) -> bool:
    return len(acknowledged) >= count


async def everything(chat: ChatService, room: Room) -> list[Message]:
    events: list[Message] = []
    while not events or events[0].seq > 1:
        before = events[0].seq if events else None
        page = await chat.history(room.principal(), History(room.conversation, before=before, limit=100))
        events = page.messages + events
    return events


async def test_database_killed_in_a_burst_loses_and_doubles_nothing(own_database: Database) -> None:
    chat = ChatService(own_database, LocalBus())
    await chat.start()
    room = await make_room(chat)
    reader = Reader()
    (await chat.subscribe(room.conversation, reader)).start(0)
    acknowledged: dict[str, Event] = {}

    async def send(sender: str, message: SendMessage) -> None:
        while message.client_id not in acknowledged:
            try:
                acknowledged[message.client_id] = (await chat.send(room.principal(sender), message, "socket")).event
            except Unavailable as error:
                assert error.code in ("outcome-unknown", "database-unavailable")

    async def sender(name: str) -> None:
        for n in range(25):
            await send(name, room.message(f"{name} {n}"))

    senders = [asyncio.create_task(sender(f"sender-{n}")) for n in range(20)]
    for count in (60, 200, 350):
        await until(partial(reached, acknowledged, count), LIMIT_S)
        kill_postmaster(own_database)
    await asyncio.gather(*senders)
    events = await everything(chat, room)
    assert [event.seq for event in events] == list(range(1, 501))
    assert {event.client_id: (event.seq, event.id, event.body) for event in events} == {
        client_id: (event.seq, event.id, event.body) for client_id, event in acknowledged.items()
    }
    await chat.beat()
    await until(lambda: sorted(set(reader.seqs)) == list(range(1, 501)), LIMIT_S)
    assert reader.seqs == list(range(1, 501)), "live delivery went on in order, each event once"
    await chat.close()


async def test_what_was_committed_untold_is_told_by_the_outbox(database: Database) -> None:
    """Another process commits and dies before it says so: the outbox of this one does."""
    chat = ChatService(database, LocalBus())
    room = await make_room(chat)
    reader = Reader()
    (await chat.subscribe(room.conversation, reader)).start(0)
    other = ChatService(database, LocalBus())
    await other.send(room.principal(), room.message("untold"), "socket")
    assert reader.events == []
    await chat.start()
    await until(lambda: reader.seqs == [1])
    await chat.close()


async def test_outbox_waits_for_transactions_that_began_earlier(
    database: Database, chat: ChatService, room: Room
) -> None:
    told: list[tuple[str, int, int]] = []

    def tell(conversation: str, lo: int, hi: int) -> None:
        if conversation == room.conversation:  # other tests' rows may be told late, too
            told.append((conversation, lo, hi))

    outbox = Consumer(database, READER, Telling(tell).handle)
    await outbox.read()
    told.clear()
    async with database.acquire() as slow:
        late = slow.transaction()
        await late.start()
        insert = "INSERT INTO chat.outbox (conversation_id, seq_lo, seq_hi) VALUES ($1, $2, $2)"
        await slow.execute(insert, room.conversation, 1)
        async with database.acquire() as db:
            await db.execute(insert, room.conversation, 2)
        await outbox.read()
        assert told == [], "a later number is committed, but an earlier one may still come"
        await late.commit()
    # Other transactions of this server (the database's own, too) may hold the readers back for a moment.
    async with asyncio.timeout(LIMIT_S):
        while not told:
            await outbox.read()
    assert told == [(room.conversation, 1, 2)]
    left = "SELECT count(*) FROM chat.outbox WHERE conversation_id = $1"
    async with asyncio.timeout(LIMIT_S), database.acquire() as db:
        while await db.fetchval(left, room.conversation) > 0:  # what every reader has had is deleted
            for consumer in (chat.own_logs, chat.index):
                await consumer.read()
            await outbox.read()
    assert len(told) == 1


async def test_outbox_restored_into_a_younger_server_goes_on(database: Database, room: Room) -> None:
    told: list[int] = []
    outbox = Consumer(database, READER, Telling(lambda _, lo, hi: told.append(hi)).handle)
    await outbox.read()
    async with database.acquire() as db:
        await db.execute(
            "INSERT INTO chat.outbox (xid, conversation_id, seq_lo, seq_hi) VALUES ('99999999999', $1, 1, 1)",
            room.conversation,
        )
        await db.execute("UPDATE chat.outbox_reader SET upto = '99999999999' WHERE name = $1", READER)
    await outbox.read()
    async with database.acquire() as db:
        await db.execute(
            "INSERT INTO chat.outbox (conversation_id, seq_lo, seq_hi) VALUES ($1, 2, 2)", room.conversation
        )
    await outbox.read()
    assert told == [2]


async def test_nothing_is_deleted_from_the_outbox_before_a_reader_that_has_no_place_yet(database: Database) -> None:
    """As after a restored backup: whoever reads first must not delete what the index has still to read."""
    chat = ChatService(database, LocalBus())  # not started, so that nobody else reads
    room = await make_room(chat)
    async with database.acquire() as db:
        await db.execute("DELETE FROM chat.outbox_reader")
    await chat.send(room.principal(), room.message("quince"), "socket")
    left = "SELECT count(*) FROM chat.outbox WHERE conversation_id = $1"
    for readers, rows in (((chat.outbox, chat.own_logs, chat.outbox), 1), ((chat.index, chat.outbox), 0)):
        for reader in readers:
            async with asyncio.timeout(LIMIT_S):
                while await reader.read() or await reader.behind():  # noqa: ASYNC110 - for other transactions to end
                    await asyncio.sleep(0.01)
        async with database.acquire() as db:
            assert await db.fetchval(left, room.conversation) == rows
    await chat.close()


class Person:
    """Somebody with a token who writes over HTTP and listens on a socket, whatever happens to the server."""

    def __init__(self, server: Server, room: dict[str, Any], token: str) -> None:
        self.server = server
        self.room = room
        self.headers = {"Authorization": f"Bearer {token}"}
        self.token = token
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.failures = 0

    async def send(self, web: aiohttp.ClientSession, text: str) -> None:
        """Send until it is acknowledged, each time with the same id."""
        message = {"conversation": self.room["conversation"], "client_id": str(uuid.uuid4()), "body": {"text": text}}
        while message["client_id"] not in self.acknowledged:
            try:
                async with web.post("/chat/send", json=message, headers=self.headers) as response:
                    if response.status == 200:
                        self.acknowledged[message["client_id"]] = (await response.json())["event"]
                        return
                    self.failures += 1
            except (aiohttp.ClientError, OSError):
                self.failures += 1
            await asyncio.sleep(0.02)  # between two tries, as a client would

    async def join(self, position: dict[str, Any] | None) -> dict[str, Any]:
        io = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        await io.connect(
            self.server.url, socketio_path="/ws", transports=["websocket"], auth={"token": self.token}, wait_timeout=10
        )
        answer: dict[str, Any] = await io.call("join", {"room": self.room["id"], "position": position}, timeout=20)
        await io.disconnect()
        return answer


async def test_program_killed_in_a_burst_loses_nothing_and_clients_resume(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        async with aiohttp.ClientSession(server.url, timeout=aiohttp.ClientTimeout(20)) as web:
            async with web.post("/rooms", json={"name": "Survivors"}) as response:
                room = await response.json()
            people = []
            for name in ("Ada", "Bob", "Cy"):
                async with web.post(f"/rooms/{room['id']}/tokens", json={"name": name}) as response:
                    people.append(Person(server, room, (await response.json())["token"]))
            ada, bob, cy = people
            await ada.send(web, "before")
            joined = await cy.join(None)
            seen = joined["history"]["messages"]
            assert [event["seq"] for event in seen] == [1]

            async def write(person: Person, name: str) -> None:
                for n in range(60):
                    await person.send(web, f"{name} {n}")

            writers = [asyncio.create_task(write(person, name)) for person, name in ((ada, "ada"), (bob, "bob"))]
            await until(lambda: len(bob.acknowledged) >= 15, LIMIT_S)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await until(lambda: len(bob.acknowledged) >= 40, LIMIT_S)
            os.kill(server.postmaster_pid(), signal.SIGKILL)
            await asyncio.gather(*writers)

            position = {"conversation": room["conversation"], "seq": seen[-1]["seq"], "tag": seen[-1]["id"][:8]}
            resumed = await cy.join(position)
            assert resumed["chat"]["status"] == "events"
            events = resumed["chat"]["events"]
            assert [event["seq"] for event in events] == list(range(2, 122))
            written = {**ada.acknowledged, **bob.acknowledged}
            said = {event["client_id"]: [event[key] for key in ("seq", "id", "body")] for event in seen + events}
            assert said == {key: [event[name] for name in ("seq", "id", "body")] for key, event in written.items()}
            assert ada.failures + bob.failures > 0, "the kill was noticed"
