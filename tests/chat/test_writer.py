"""The writer: batches, retries, poisoned rows and broken connections."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat import store
from chat.draft import Draft, body_hash
from chat.service import ChatService
from chat.writer import ConversationWriter
from tertulia.bus import LocalBus
from tertulia.catalogue import Event, History, MessageBody
from tertulia.database import Database
from tertulia.errors import Conflict, TertuliaError, Unavailable
from tests.chat.conftest import Room, make_room


def put_in(room: Room) -> Callable[..., Draft]:
    """Makes drafts of messages in a room."""

    def draft(text: str, sender: str = "ada", client_id: str | None = None) -> Draft:
        body = MessageBody(text)
        return Draft(room.principal(sender), "message", client_id or str(uuid.uuid4()), body_hash(body), body=body)

    return draft


async def logged(put: Awaitable[Event | None]) -> Event:
    event = await put
    assert event is not None
    return event


def text_of(draft: Draft) -> str:
    assert draft.body is not None
    return draft.body.text


class Committed:
    """Keeps what the writer told."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.calls = 0

    def __call__(self, conversation: str, events: list[Event]) -> None:
        self.calls += 1
        self.events += events


class BreakingConnection:
    """A connection whose transactions break at a chosen moment, after which the real one is as it was left."""

    def __init__(self, real: Any, breaks: list[str]) -> None:
        self._real = real
        self._breaks = breaks

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def transaction(self) -> BreakingTransaction:
        return BreakingTransaction(self._real.transaction(), self._breaks)


class BreakingTransaction:
    def __init__(self, real: Any, breaks: list[str]) -> None:
        self._real = real
        self._breaks = breaks

    async def start(self) -> None:
        if self._take("start"):
            raise asyncpg.ConnectionDoesNotExistError("gone before anything")
        await self._real.start()

    async def rollback(self) -> None:
        await self._real.rollback()

    async def commit(self) -> None:
        if self._take("before commit"):
            await self._real.rollback()
            raise asyncpg.ConnectionDoesNotExistError("gone, and nothing was committed")
        await self._real.commit()
        if self._take("after commit"):
            raise asyncpg.ConnectionDoesNotExistError("gone, but it was committed")

    def _take(self, moment: str) -> bool:
        if self._breaks and self._breaks[0] == moment:
            self._breaks.pop(0)
            return True
        return False


class BreakingDatabase:
    """Breaks the coming transactions at the moments in ``breaks``, one after the other."""

    def __init__(self, real: Database) -> None:
        self._real = real
        self.breaks: list[str] = []

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[Any]:
        if self.breaks and self.breaks[0] == "away":
            self.breaks.pop(0)
            raise Unavailable("database-unavailable", "The database does not answer.")
        async with self._real.acquire() as connection:
            yield BreakingConnection(connection, self.breaks)


async def test_drafts_that_wait_share_a_transaction(database: Database, room: Room) -> None:
    draft = put_in(room)
    told = Committed()
    writer = ConversationWriter(database, room.conversation, told)
    events = await asyncio.gather(*(logged(writer.put(draft(f"{n}"))) for n in range(50)))
    assert [event.seq for event in events] == list(range(1, 51))
    assert told.calls <= 2
    assert told.events == events
    await writer.close()
    assert writer.idle


@pytest.mark.parametrize("moment", ["start", "before commit", "after commit"])
async def test_connection_that_breaks_once_is_not_noticed_by_the_sender(
    database: Database, room: Room, moment: str
) -> None:
    draft = put_in(room)
    breaking = BreakingDatabase(database)
    told = Committed()
    writer = ConversationWriter(breaking, room.conversation, told)  # type: ignore[arg-type] # the part that it uses
    await logged(writer.put(draft("before")))
    breaking.breaks = [moment]
    again = draft("during")
    assert (await logged(writer.put(again))).seq == 2
    assert not breaking.breaks
    assert (await logged(writer.put(draft("during", client_id=again.client_id)))).seq == 2
    assert (await logged(writer.put(draft("after")))).seq == 3
    assert told.calls >= 3


@pytest.mark.parametrize(
    ("moments", "code", "kept"),
    [
        (["start", "start"], "database-unavailable", False),
        (["away"], "database-unavailable", False),
        (["before commit", "start"], "outcome-unknown", False),
        (["before commit", "away"], "outcome-unknown", False),
        (["after commit", "away"], "outcome-unknown", True),
        (["after commit", "after commit"], "outcome-unknown", True),
    ],
)
async def test_sender_learns_whether_anybody_knows_the_outcome(
    database: Database, room: Room, moments: list[str], code: str, kept: bool
) -> None:
    draft = put_in(room)
    breaking = BreakingDatabase(database)
    writer = ConversationWriter(breaking, room.conversation, Committed())  # type: ignore[arg-type] # the part it uses
    breaking.breaks = list(moments)
    lost = draft("lost?")
    with pytest.raises(Unavailable) as caught:
        await logged(writer.put(lost))
    assert caught.value.code == code
    async with database.acquire() as db:
        head = (await store.heads(db, [room.conversation]))[room.conversation]
    assert head.seq == int(kept)
    again = await logged(writer.put(draft("lost?", client_id=lost.client_id)))
    assert again.seq == 1, "the retry finds what was written, or writes it now; never twice"


async def test_poisoned_draft_fails_alone(database: Database, room: Room) -> None:
    draft = put_in(room)
    writer = ConversationWriter(database, room.conversation, Committed())
    drafts = [draft(f"{n}") for n in range(20)]
    drafts[7].json = '{"text":"\\u0000"}'  # past validation on purpose: jsonb refuses it
    drafts[13].sender_name = "\ud800"  # asyncpg refuses it
    results = await asyncio.gather(*(writer.put(each) for each in drafts), return_exceptions=True)
    bad = [n for n, result in enumerate(results) if isinstance(result, BaseException)]
    assert bad == [7, 13]
    assert all(isinstance(results[n], TertuliaError) and results[n].code == "internal" for n in bad)  # type: ignore[union-attr] # narrowed in the same line
    seqs = sorted(result.seq for result in results if isinstance(result, Event))
    assert seqs == list(range(1, 19)), "numbers are gapless although rows were refused"


async def test_sender_that_gives_up_changes_nothing(database: Database, room: Room) -> None:
    draft = put_in(room)
    writer = ConversationWriter(database, room.conversation, Committed())
    impatient = asyncio.ensure_future(writer.put(draft("impatient")))
    await asyncio.sleep(0)
    impatient.cancel()
    assert (await logged(writer.put(draft("next")))).seq == 2
    assert impatient.cancelled()


async def test_two_processes_share_a_conversation_without_a_hole(database: Database, room: Room) -> None:
    draft = put_in(room)
    writers = [ConversationWriter(database, room.conversation, Committed()) for _ in range(3)]
    same = str(uuid.uuid4())
    puts = [logged(writer.put(draft(f"{n}", sender=f"s{i}"))) for n in range(40) for i, writer in enumerate(writers)]
    puts += [logged(writer.put(draft("same", client_id=same))) for writer in writers]
    events = await asyncio.gather(*puts)
    assert sorted({event.seq for event in events}) == list(range(1, 122))
    assert len({event.seq for event in events[-3:]}) == 1


SENDERS = st.sampled_from(["ada", "bob"])
IDS = st.integers(min_value=0, max_value=5)
TEXTS = st.sampled_from(["one", "two"])
BREAKS = st.sampled_from(["start", "before commit", "after commit", "away"])


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    rounds=st.lists(
        st.tuples(st.lists(st.tuples(SENDERS, IDS, TEXTS), min_size=1, max_size=6), st.lists(BREAKS, max_size=3)),
        min_size=1,
        max_size=6,
    )
)
def test_any_mix_of_sends_retries_and_breaks_keeps_the_promises(
    dsn: str, rounds: list[tuple[list[tuple[str, int, str]], list[str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An acknowledged message is in the log once, with its number; a key never has two bodies; numbers have no hole."""

    async def run() -> None:
        database = Database(dsn, tmp_path_factory.getbasetemp())
        await database.start()
        breaking = BreakingDatabase(database)
        room = await make_room(ChatService(database, _NoBus()))
        draft = put_in(room)
        writer = ConversationWriter(breaking, room.conversation, Committed())  # type: ignore[arg-type] # its part
        acknowledged: dict[tuple[str, str], tuple[int, str]] = {}
        for sends, breaks in rounds:
            breaking.breaks = list(breaks)
            drafts = [draft(text, sender, str(uuid.UUID(int=number))) for sender, number, text in sends]
            results = await asyncio.gather(*(writer.put(each) for each in drafts), return_exceptions=True)
            for each, result in zip(drafts, results, strict=True):
                if isinstance(result, Event):
                    known = acknowledged.setdefault(each.key, (result.seq, text_of(each)))
                    assert known == (result.seq, text_of(each))
                    assert result.body == each.body
                else:
                    assert isinstance(result, Conflict | Unavailable), result
        chat = ChatService(database, _NoBus())
        page = await chat.history(room.principal(), History(room.conversation, limit=100))
        assert [event.seq for event in page.messages] == list(range(1, page.head.seq + 1))
        keys = [(event.sender, event.client_id) for event in page.messages]
        assert len(keys) == len(set(keys)), "one event a key"
        log = {event.seq: event for event in page.messages}
        for (sender, client_id), (seq, text) in acknowledged.items():
            assert (log[seq].sender, log[seq].client_id, log[seq].body) == (sender, client_id, MessageBody(text))
        await database.close()

    asyncio.run(run())


class _NoBus(LocalBus):
    async def subscribe(self, topic: str, handler: Any) -> Any:
        raise AssertionError("nobody listens here")

    def publish(self, topic: str, message: Any) -> None:
        pass
