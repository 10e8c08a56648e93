"""The live tail: order, gaps, hints that are lost, doubled or late, and readers who are too slow. No database."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence

import msgspec
import pytest

from chat.fanout import GAP_EVENTS_MAX, LARGE, Feeds
from chat.hint import Hint, frames_of, topic_of
from chat.store import Head
from chat.subscription import SINK_BYTES_MAX, Subscription
from tertulia.bus import LocalBus
from tertulia.catalogue import Change, Event, MessageBody
from tertulia.errors import Unavailable
from tests.chat.conftest import Reader
from tests.waiting import until

CONVERSATION = str(uuid.uuid4())


def event(seq: int, text: str = "hello") -> Event:
    event_id = str(uuid.UUID(int=seq << 96 | 1))
    return Event(CONVERSATION, seq, event_id, "message", 0, "ada", "Ada", str(uuid.UUID(int=seq)), MessageBody(text))


class Log:
    """Stands in for the database."""

    def __init__(self, last: int = 0) -> None:
        self.events = [event(seq) for seq in range(1, last + 1)]
        self.reads = 0
        self.head_reads = 0
        self.fail = False

    async def head(self) -> Head:
        if self.fail:
            raise Unavailable("database-unavailable", "It is away.")
        await asyncio.sleep(0)
        last = self.events[-1] if self.events else None
        return Head(last.seq, last.seq, 0, last.id[:8]) if last else Head(0, 0, 0, None)

    async def heads(self, conversations: Sequence[str]) -> dict[str, Head]:
        self.head_reads += 1
        return {conversation: await self.head() for conversation in conversations}

    async def after(self, conversation: str, seq: int, limit: int) -> list[Event]:
        self.reads += 1
        if self.fail:
            raise Unavailable("database-unavailable", "It is away.")
        await asyncio.sleep(0)
        return self.events[seq : seq + limit]

    def write(self, count: int = 1, text: str = "hello") -> Hint:
        """Commit events; the hint that tells of them."""
        first = len(self.events) + 1
        new = [event(seq, text) for seq in range(first, first + count)]
        self.events += new
        return Hint(first, new[-1].seq, frames_of(CONVERSATION, new))


class Line:
    """A bus, a log and the feeds over them."""

    def __init__(self, last: int = 0) -> None:
        self.bus = LocalBus()
        self.log = Log(last)
        self.feeds = Feeds(self.bus, self.log.heads, self.log.after)

    def tell(self, hint: Hint) -> None:
        self.bus.publish(topic_of(CONVERSATION), hint)

    async def reader(self, after: int = 0) -> tuple[Reader, Subscription]:
        reader = Reader()
        subscription = await self.feeds.join(CONVERSATION, reader)
        subscription.start(after)
        return reader, subscription


async def test_frames_are_encoded_once_for_everybody() -> None:
    line = Line()
    readers = [(await line.reader())[0] for _ in range(3)]
    line.tell(line.log.write(2))
    assert [reader.seqs for reader in readers] == [[1, 2]] * 3
    assert len({id(reader.notices[0]) for reader in readers}) == 1
    assert line.log.reads == 0


async def test_hints_that_are_doubled_late_or_without_frames_change_nothing() -> None:
    line = Line()
    reader, _ = await line.reader()
    first, second = line.log.write(), line.log.write()
    for hint in (first, first, Hint(1, 1), second, Hint(1, 2), first):
        line.tell(hint)
    assert reader.seqs == [1, 2]


async def test_lost_hint_is_made_good_by_the_next() -> None:
    line = Line()
    reader, _ = await line.reader()
    line.log.write(3)
    line.tell(line.log.write())
    line.tell(line.log.write())
    await until(lambda: reader.seqs == [1, 2, 3, 4, 5])


async def test_lost_hint_is_made_good_by_the_heart_beat() -> None:
    line = Line(last=2)
    reader, _ = await line.reader(after=2)
    line.log.write(3)
    head = await line.log.head()
    line.feeds.tips(CONVERSATION, head)
    await until(lambda: reader.seqs == [3, 4, 5])
    assert [tips.heads[0].seq for tips in reader.tips()] == [5]


async def test_heart_beat_read_before_a_delivery_does_not_go_back() -> None:
    line = Line(last=2)
    reader, _ = await line.reader(after=2)
    old = await line.log.head()
    line.tell(line.log.write())
    line.feeds.tips(CONVERSATION, old)
    [tips] = reader.tips()
    assert (tips.heads[0].seq, tips.heads[0].tag) == (3, line.log.events[-1].id[:8])


async def test_gap_that_cannot_be_read_now_is_read_later() -> None:
    line = Line()
    reader, _ = await line.reader()
    line.log.fail = True
    line.tell(Hint(1, line.log.write(2).hi))
    await until(lambda: line.log.reads == 1)
    line.log.fail = False
    line.tell(line.log.write())
    await until(lambda: reader.seqs == [1, 2, 3])


async def test_gap_too_long_to_read_is_told_and_left_to_the_readers() -> None:
    line = Line()
    reader, _ = await line.reader()
    line.tell(Hint(1, line.log.write(GAP_EVENTS_MAX + 1).hi))
    await until(lambda: bool(reader.tips("lagged")))
    assert reader.tips("lagged")[0].heads[0].seq == GAP_EVENTS_MAX + 1
    line.tell(line.log.write())
    assert reader.seqs == [GAP_EVENTS_MAX + 2]


async def test_what_happens_while_a_snapshot_is_taken_follows_it() -> None:
    line = Line(last=5)
    reader = Reader()
    subscription = await line.feeds.join(CONVERSATION, reader)
    line.tell(line.log.write())  # 6, in the snapshot
    line.tell(line.log.write())  # 7, after it
    assert reader.notices == []
    subscription.start(6)
    line.tell(line.log.write())
    assert reader.seqs == [7, 8]


async def test_events_committed_while_the_feed_opens_are_not_missed() -> None:
    line = Line(last=3)
    reader = Reader()
    joining = asyncio.ensure_future(line.feeds.join(CONVERSATION, reader))
    await asyncio.sleep(0)
    hint = line.log.write()
    line.tell(hint)
    subscription = await joining
    subscription.start(3)
    line.tell(line.log.write())
    await until(lambda: reader.seqs[-1:] == [5])
    assert set(reader.seqs) <= {4, 5}


async def test_paused_reader_is_bounded_and_told_that_it_lagged() -> None:
    line = Line()
    reader = Reader()
    subscription = await line.feeds.join(CONVERSATION, reader)
    for _ in range(SINK_BYTES_MAX // 10_000 + 2):
        line.tell(line.log.write(10, "x" * 1000))
    subscription.start(0)
    assert reader.seqs == []
    [lagged] = reader.tips("lagged")
    assert lagged.heads[0].seq == len(line.log.events)


async def test_slow_reader_misses_frames_and_others_do_not() -> None:
    line = Line()
    slow, _ = await line.reader()
    quick, _ = await line.reader()
    slow.open = False
    for _ in range(5):
        line.tell(line.log.write())
    slow.open = True
    line.tell(line.log.write())
    assert quick.seqs == [1, 2, 3, 4, 5, 6]
    assert slow.seqs == [6], "the gap shows the reader what it missed"


async def test_sink_that_fails_is_let_go_and_harms_nobody() -> None:
    class Broken:
        def deliver(self, notice: object) -> bool:
            raise RuntimeError("a bug in a door")

    line = Line()
    (await line.feeds.join(CONVERSATION, Broken())).start(0)
    reader, _ = await line.reader()
    line.tell(line.log.write())
    line.tell(line.log.write())
    assert reader.seqs == [1, 2]


async def test_many_conversations_are_looked_up_together() -> None:
    line = Line(last=3)
    names = [str(uuid.uuid4()) for _ in range(50)]
    reader = Reader()
    subscriptions = await line.feeds.join_all(names, reader, "ada", names[:1].__contains__)
    assert line.log.head_reads == 1
    assert [subscription.open for subscription in subscriptions] == [True] + [False] * 49
    await line.feeds.join_all(names, reader, "ada", names.__contains__)
    assert line.log.head_reads == 1


async def test_large_conversation_is_told_in_full_to_those_who_have_it_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chat.fanout.TIP_S", 0.05)
    line = Line()
    watcher, closed = Reader(), Reader()
    (await line.feeds.join(CONVERSATION, watcher)).start(0)
    others = [await line.feeds.join(CONVERSATION, closed, open=False) for _ in range(LARGE)]
    for subscription in others:
        subscription.start(0)
    for _ in range(10):
        line.tell(line.log.write())
    assert watcher.seqs == list(range(1, 11))
    assert closed.seqs == []
    await until(lambda: len(closed.tips()) >= LARGE)
    assert closed.tips()[0].heads[0].seq == 10
    others[0].open = True
    line.tell(line.log.write())
    assert closed.seqs == [11]


async def test_removed_member_gets_nothing_of_what_follows_or_waits() -> None:
    line = Line()
    eve, bob, waiting = Reader(), Reader(), Reader()
    (await line.feeds.join(CONVERSATION, eve, "eve")).start(0)
    (await line.feeds.join(CONVERSATION, bob, "bob")).start(0)
    paused = await line.feeds.join(CONVERSATION, waiting, "eve")
    line.tell(line.log.write())
    removal = msgspec.structs.replace(event(2), kind="member", body=None, change=Change("removed", user="eve"))
    line.log.events.append(removal)
    line.tell(Hint(2, 2, frames_of(CONVERSATION, [removal])))
    line.tell(line.log.write())
    paused.start(0)
    assert eve.seqs == [1]
    assert waiting.seqs == []
    assert [reader.notices[-1].event for reader in (eve, waiting)] == ["gone", "gone"]
    assert bob.seqs == [1, 2, 3]


async def test_recent_events_are_served_from_memory_unless_something_was_taken_away() -> None:
    line = Line()
    await line.reader()
    line.tell(line.log.write(5))
    tag = line.log.events[1].id[:8]
    recent = line.feeds.recent(CONVERSATION, 2, tag, 5)
    assert recent is not None
    assert [one.seq for one in recent] == [3, 4, 5]
    assert line.feeds.recent(CONVERSATION, 2, "00000000", 5) is None, "another log"
    assert line.feeds.recent(CONVERSATION, 2, tag, 6) is None, "more is committed than was heard of"
    deletion = msgspec.structs.replace(event(6), kind="delete", body=None, target=3)
    line.log.events.append(deletion)
    line.tell(Hint(6, 6, frames_of(CONVERSATION, [deletion])))
    assert line.feeds.recent(CONVERSATION, 2, tag, 6) is None


async def test_feed_that_cannot_open_tries_again_for_the_next_reader() -> None:
    line = Line(last=1)
    line.log.fail = True
    with pytest.raises(Unavailable):
        await line.feeds.join(CONVERSATION, Reader())
    line.log.fail = False
    reader, _ = await line.reader(after=1)
    line.tell(line.log.write())
    assert reader.seqs == [2]


async def test_conversation_that_nobody_reads_is_let_go() -> None:
    line = Line()
    _, subscription = await line.reader()
    assert line.feeds.open() == [CONVERSATION]
    subscription.close()
    assert line.feeds.open() == []
    line.tell(line.log.write())
    reader, _ = await line.reader(after=1)
    line.tell(line.log.write())
    assert reader.seqs == [2]


async def test_handler_that_fails_on_the_bus_stops_nobody() -> None:
    bus = LocalBus()
    got: list[int] = []

    def fails(message: object) -> None:
        raise RuntimeError("a bug")

    await bus.subscribe("topic", fails)
    stop = await bus.subscribe("topic", got.append)
    bus.publish("topic", 1)
    stop()
    stop()
    bus.publish("topic", 2)
    assert got == [1]
