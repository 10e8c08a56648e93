"""The live tail of conversations: what is committed reaches everybody who has the conversation open, in order.

A :class:`Feed` follows one conversation for all sinks of this process. What comes over the bus is a hint with a range
of numbers and perhaps the encoded frames: the feed passes on what follows its own position, drops what it has had, and
reads a gap from the database. Each reader has a :class:`Subscription`; somebody who is removed is shut out by the very
event that says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog

from chat import metrics
from chat.hint import Frames, Hint, Passing, frames_of, topic_of
from chat.ring import Ring
from chat.store import Head
from chat.subscription import Sink, Subscription
from tertulia.bus import Bus
from tertulia.catalogue import Event, Gone, Position, Tips
from tertulia.frames import Notice

log = structlog.get_logger("chat.fanout")

GAP_EVENTS_MAX = 500
GAP_PAGE = 100
LARGE = 100
"""Readers from which on a conversation is told in full only to those who have it open; the others get its tip."""
TIP_S = 2.0

ReadHead = Callable[[str], Awaitable[Head | None]]
ReadHeads = Callable[[Sequence[str]], Awaitable[Mapping[str, Head]]]
ReadEvents = Callable[[str, int, int], Awaitable[list[Event]]]


class Feed:
    """Follows one conversation for every sink of this process."""

    def __init__(self, conversation: str, bus: Bus, read_head: ReadHead, read_events: ReadEvents) -> None:
        self.conversation = conversation
        self._bus = bus
        self._read_head = read_head
        self._read_events = read_events
        self._sinks: dict[Subscription, None] = {}
        self._last: int | None = None
        self._tag: str | None = None
        self._wanted = 0
        self._reading: asyncio.Task[None] | None = None
        self._leave_bus: Callable[[], None] | None = None
        self._opening: asyncio.Task[None] | None = None
        self._tip_due: asyncio.TimerHandle | None = None
        self._tipped_at = -TIP_S
        self.ring = Ring()

    async def join(self, sink: Sink, reader: str = "", open: bool = True) -> Subscription:
        """A paused subscription: whatever is committed after this returns will be in it."""
        subscription = self.add(sink, reader, open)
        try:
            await self.opened()
        except BaseException:
            self.leave(subscription)
            raise
        return subscription

    def add(self, sink: Sink, reader: str, open: bool) -> Subscription:
        """A paused subscription, complete once the feed is opened."""
        subscription = Subscription(self, sink, reader, open)
        self._sinks[subscription] = None
        return subscription

    @property
    def is_open(self) -> bool:
        return self._last is not None

    async def opened(self) -> None:
        """Wait until the feed follows its conversation. Raises Unavailable."""
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="chat-feed")
        await asyncio.shield(self._opening)

    async def _open(self) -> None:
        self._leave_bus = await self._bus.subscribe(topic_of(self.conversation), self.heard)
        try:
            head = await self._read_head(self.conversation)
        except BaseException:
            self._leave_bus()
            self._opening = None  # whoever asks next tries again
            raise
        self._last = head.seq if head else 0
        self._tag = head.tag if head else None
        if self._wanted > self._last:
            self._read_gap()

    def leave(self, subscription: Subscription) -> None:
        self._sinks.pop(subscription, None)

    @property
    def unused(self) -> bool:
        return not self._sinks

    def close(self) -> None:
        if self._leave_bus is not None:
            self._leave_bus()
        for task in (self._opening, self._reading, self._tip_due):
            if task is not None:
                task.cancel()

    def heard(self, message: Hint | Passing) -> None:
        """What the bus brings."""
        if isinstance(message, Passing):
            self.tell(message.notice)
        else:
            self.hint(message)

    def hint(self, hint: Hint) -> None:
        """Something is committed up to ``hint.hi``."""
        self._wanted = max(self._wanted, hint.hi)
        if self._last is None or hint.hi <= self._last:
            return
        if hint.lo == self._last + 1 and hint.frames and self._reading is None:
            for frames in hint.frames:
                self._pass_on(frames)
        else:
            self._read_gap()

    def tips(self, head: Head) -> None:
        """The heart beat: the head as the database has it. Catches up if a hint was lost, then tells everybody."""
        self.hint(Hint(head.seq, head.seq))
        # What was passed on while the head was being read is newer than it.
        newest = head.position(self.conversation) if head.seq > (self._last or 0) else self.position()
        notice = Notice("tips", Tips([newest]))
        for subscription in tuple(self._sinks):
            if subscription.open:
                subscription.tell(notice)

    def tell(self, notice: Notice) -> None:
        for subscription in tuple(self._sinks):
            subscription.tell(notice)

    def lagged(self) -> Notice:
        return Notice("lagged", Tips([self.position()]))

    def position(self) -> Position:
        return Position(self.conversation, self._last or 0, self._tag)

    def _pass_on(self, frames: Frames) -> None:
        self._last = frames.hi
        events = frames.events
        self._tag = events[-1].id[:8] if events else self._tag
        self.ring.add(events)
        for event in events:
            if event.kind == "member" and event.change is not None and event.change.action in ("left", "removed"):
                self._expel(event.change.user or "")
        large = len(self._sinks) > LARGE
        passed_over = False
        for subscription in tuple(self._sinks):
            if large and not subscription.open:
                passed_over = True
                continue
            try:
                subscription.push(frames)
            except Exception as error:
                log.error("a sink failed", exc_info=error)
                self.leave(subscription)
        if passed_over and self._tip_due is None:
            loop = asyncio.get_running_loop()
            self._tip_due = loop.call_at(max(loop.time(), self._tipped_at + TIP_S), self._tip)

    def _expel(self, user: str) -> None:
        """Somebody is no member any more: what follows, and what waits for them, is not theirs to see."""
        notice = Notice("gone", Gone(self.conversation))
        for subscription in tuple(self._sinks):
            if subscription.reader == user != "":
                subscription.expel(notice)

    def _tip(self) -> None:
        """Those who were passed over learn how far the conversation is, at most every so often."""
        self._tip_due = None
        self._tipped_at = asyncio.get_running_loop().time()
        notice = Notice("tips", Tips([self.position()]))
        for subscription in tuple(self._sinks):
            if not subscription.open:
                subscription.tell(notice)

    def _read_gap(self) -> None:
        if self._reading is None:
            self._reading = asyncio.create_task(self._catch_up(), name="chat-gap")

    async def _catch_up(self) -> None:
        metrics.GAPS.inc()
        try:
            while self._last is not None and self._wanted > self._last:
                if self._wanted - self._last > GAP_EVENTS_MAX:
                    await self._skip()
                    continue
                events = await self._read_events(self.conversation, self._last, GAP_PAGE)
                if not events:
                    break  # a hint for what is not there: the conversation was purged
                for frames in frames_of(self.conversation, events):
                    self._pass_on(frames)
        except Exception as error:
            # The next hint or heart beat tries again; both name the newest number.
            log.warning("events could not be read", exc_info=error)
        finally:
            self._reading = None

    async def _skip(self) -> None:
        """Too far behind to read it all: everybody learns the head and asks for what they need."""
        head = await self._read_head(self.conversation)
        self.ring.clear()
        self._last = max(self._wanted, head.seq if head else 0)
        self._tag = head.tag if head else None
        for subscription in tuple(self._sinks):
            subscription.tell(self.lagged())


class Feeds:
    """The open conversations of this process."""

    def __init__(self, bus: Bus, read_heads: ReadHeads, read_events: ReadEvents) -> None:
        self._bus = bus
        self._read_heads = read_heads
        self._read_events = read_events
        self._feeds: dict[str, Feed] = {}
        self._asked: dict[str, asyncio.Future[Head | None]] = {}
        self._asking: set[asyncio.Task[None]] = set()

    async def join(self, conversation: str, sink: Sink, reader: str = "", open: bool = True) -> Subscription:
        return await self._feed(conversation).join(sink, reader, open)

    async def join_all(
        self, conversations: Sequence[str], sink: Sink, reader: str, open: Callable[[str], bool]
    ) -> list[Subscription]:
        """Paused subscriptions to all of these; those not followed yet are looked up together. Raises Unavailable."""
        feeds = [self._feed(conversation) for conversation in conversations]
        subscriptions = [feed.add(sink, reader, open(feed.conversation)) for feed in feeds]
        try:
            await asyncio.gather(*(feed.opened() for feed in feeds if not feed.is_open))
        except BaseException:
            for subscription in subscriptions:
                subscription.close()
            raise
        return subscriptions

    def _feed(self, conversation: str) -> Feed:
        feed = self._feeds.get(conversation)
        if feed is None:
            feed = self._feeds[conversation] = Feed(conversation, self._bus, self._head, self._read_events)
            metrics.FEEDS.set(len(self._feeds))
        return feed

    async def _head(self, conversation: str) -> Head | None:
        """A conversation's head, read together with those asked for in the same turn of the loop."""
        asked = self._asked.get(conversation)
        if asked is None:
            asked = self._asked[conversation] = asyncio.get_running_loop().create_future()
            if len(self._asked) == 1:
                task = asyncio.create_task(self._read_asked(), name="chat-heads")
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
        return await asyncio.shield(asked)

    async def _read_asked(self) -> None:
        await asyncio.sleep(0)
        asked, self._asked = self._asked, {}
        try:
            heads = await self._read_heads(list(asked))
        except BaseException as error:
            for future in asked.values():
                future.set_exception(error)
                future.exception()  # one that has gone is no reason for a warning
            if not isinstance(error, Exception):
                raise
        else:
            for conversation, future in asked.items():
                future.set_result(heads.get(conversation))

    def recent(self, conversation: str, seq: int, tag: str | None, head: int) -> list[Event] | None:
        """What follows a position up to the head, if it is all in memory."""
        feed = self._feeds.get(conversation)
        return feed.ring.after(seq, tag, head) if feed is not None else None

    def open(self) -> list[str]:
        """The conversations that somebody reads; those nobody reads any more are let go."""
        for conversation, feed in list(self._feeds.items()):
            if feed.unused:
                feed.close()
                del self._feeds[conversation]
        metrics.FEEDS.set(len(self._feeds))
        return list(self._feeds)

    def tips(self, conversation: str, head: Head) -> None:
        feed = self._feeds.get(conversation)
        if feed is not None:
            feed.tips(head)

    def close(self) -> None:
        for feed in self._feeds.values():
            feed.close()
        self._feeds.clear()
