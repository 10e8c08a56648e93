"""The live tail of conversations: what is committed reaches everybody who has the conversation open, in order.

A :class:`Feed` follows one conversation for all sinks of this process. What comes over the bus is a hint with a range
of numbers and perhaps the encoded frames: the feed passes on what follows its own position, drops what it has had, and
reads a gap from the database. A :class:`Subscription` stands between the feed and one reader. It begins paused, so
that a snapshot can be taken without missing what happens meanwhile; what waits is bounded, and a reader that falls
behind is emptied and told ``lagged`` instead of being served ever later.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
import structlog

from chat import metrics
from chat.store import Head
from tertulia.bus import Bus
from tertulia.catalogue import FRAME_BYTES_MAX, Event, Messages, Position, Tips
from tertulia.frames import Notice

log = structlog.get_logger("chat.fanout")

SINK_BYTES_MAX = 256 * 1024
GAP_EVENTS_MAX = 500
GAP_PAGE = 100
_FRAME_OVERHEAD = 256


class Sink(Protocol):
    """One reader's door."""

    def deliver(self, notice: Notice) -> bool:
        """Pass a notice on without waiting; False when the reader is too slow to take it."""


@dataclass(frozen=True)
class Hint:
    """What the bus carries: events ``lo`` to ``hi`` are committed. ``frames`` spare this process the database."""

    lo: int
    hi: int
    frames: tuple[Frames, ...] = ()

    def to_bus(self) -> bytes:
        """Numbers only: another process reads the events from the database, once for all of its readers."""
        return b"%d %d" % (self.lo, self.hi)

    def joined(self, later: Hint) -> Hint:
        return Hint(min(self.lo, later.lo), max(self.hi, later.hi))

    @classmethod
    def from_bus(cls, message: bytes) -> Hint:
        """Raises ValueError."""
        lo, hi = (int(part) for part in message.split())
        return cls(lo, hi)


@dataclass(frozen=True)
class Frames:
    """One encoded frame and the numbers it holds."""

    lo: int
    hi: int
    notice: Notice


def topic_of(conversation: str) -> str:
    return f"chat:{conversation}"


def frames_of(conversation: str, events: Sequence[Event]) -> tuple[Frames, ...]:
    """Events as ``message`` frames, each small enough for a data channel."""
    frames: list[Frames] = []
    held: list[Event] = []
    size = _FRAME_OVERHEAD
    for event in events:
        length = len(msgspec.json.encode(event)) + 1
        if held and size + length > FRAME_BYTES_MAX:
            frames.append(_frame(conversation, held))
            held, size = [], _FRAME_OVERHEAD
        held.append(event)
        size += length
    if held:
        frames.append(_frame(conversation, held))
    return tuple(frames)


def _frame(conversation: str, events: list[Event]) -> Frames:
    return Frames(events[0].seq, events[-1].seq, Notice("message", Messages(conversation, list(events))))


class Subscription:
    """One reader of one conversation."""

    def __init__(self, feed: Feed, sink: Sink) -> None:
        self._feed = feed
        self._sink = sink
        self._paused: deque[Frames] | None = deque()
        self._bytes = 0
        self._lagging = False

    @property
    def conversation(self) -> str:
        return self._feed.conversation

    def start(self, after: int) -> None:
        """Pass on what came while a snapshot up to ``after`` was taken and sent, then everything as it comes."""
        waiting, self._paused = self._paused, None
        if self._lagging:
            self._lag()
            return
        for frames in waiting or ():
            if frames.hi > after:
                self.push(frames)

    def push(self, frames: Frames) -> None:
        if self._paused is not None:
            self._bytes += frames.notice.size
            if self._bytes > SINK_BYTES_MAX:
                self._paused.clear()
                self._lagging = True
            else:
                self._paused.append(frames)
        elif not self._sink.deliver(frames.notice):
            self._lag()
        else:
            self._lagging = False

    def tell(self, notice: Notice) -> None:
        """Pass on what is no event (``tips``); one that does not get through is followed by another."""
        if self._paused is None:
            self._sink.deliver(notice)

    def close(self) -> None:
        self._feed.leave(self)

    def _lag(self) -> None:
        # Said once until something gets through again: the reader learns the head, and asks with fill.
        if not self._lagging:
            metrics.LAGGED.inc()
        self._lagging = not self._sink.deliver(self._feed.lagged())


ReadHead = Callable[[str], Awaitable[Head | None]]
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

    async def join(self, sink: Sink) -> Subscription:
        """A paused subscription: whatever is committed after this returns will be in it."""
        subscription = Subscription(self, sink)
        self._sinks[subscription] = None
        if self._opening is None:
            self._opening = asyncio.create_task(self._open(), name="chat-feed")
        try:
            await asyncio.shield(self._opening)
        except BaseException:
            self.leave(subscription)
            raise
        return subscription

    async def _open(self) -> None:
        self._leave_bus = await self._bus.subscribe(topic_of(self.conversation), self.hint)
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
        for task in (self._opening, self._reading):
            if task is not None:
                task.cancel()

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
        newest = head.position(self.conversation) if head.seq > (self._last or 0) else self._position()
        notice = Notice("tips", Tips([newest]))
        for subscription in tuple(self._sinks):
            subscription.tell(notice)

    def tell(self, notice: Notice) -> None:
        for subscription in tuple(self._sinks):
            subscription.tell(notice)

    def lagged(self) -> Notice:
        return Notice("lagged", Tips([self._position()]))

    def _position(self) -> Position:
        return Position(self.conversation, self._last or 0, self._tag)

    def _pass_on(self, frames: Frames) -> None:
        self._last = frames.hi
        events = frames.notice.payload.events if isinstance(frames.notice.payload, Messages) else []
        self._tag = events[-1].id[:8] if events else self._tag
        for subscription in tuple(self._sinks):
            try:
                subscription.push(frames)
            except Exception as error:
                log.error("a sink failed", exc_info=error)
                self.leave(subscription)

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
        self._last = max(self._wanted, head.seq if head else 0)
        self._tag = head.tag if head else None
        for subscription in tuple(self._sinks):
            subscription.tell(self.lagged())


class Feeds:
    """The open conversations of this process."""

    def __init__(self, bus: Bus, read_head: ReadHead, read_events: ReadEvents) -> None:
        self._bus = bus
        self._read_head = read_head
        self._read_events = read_events
        self._feeds: dict[str, Feed] = {}

    async def join(self, conversation: str, sink: Sink) -> Subscription:
        feed = self._feeds.get(conversation)
        if feed is None:
            feed = self._feeds[conversation] = Feed(conversation, self._bus, self._read_head, self._read_events)
            metrics.FEEDS.set(len(self._feeds))
        return await feed.join(sink)

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

    def tell(self, conversation: str, notice: Notice) -> None:
        """Something that passes and is in no log."""
        feed = self._feeds.get(conversation)
        if feed is not None:
            feed.tell(notice)

    def close(self) -> None:
        for feed in self._feeds.values():
            feed.close()
        self._feeds.clear()
