"""One reader of one conversation: between the conversation's feed and the reader's door.

It begins paused, so that a snapshot can be taken without missing what happens meanwhile. What waits is bounded; a
reader that falls behind is emptied and told ``lagged`` instead of being served ever later.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from chat import metrics
from chat.hint import Frames
from tertulia.catalogue import Position
from tertulia.frames import Notice

SINK_BYTES_MAX = 256 * 1024


class Sink(Protocol):
    """One reader's door."""

    def deliver(self, notice: Notice) -> bool:
        """Pass a notice on without waiting; False when the reader is too slow to take it."""


class Source(Protocol):
    """The feed."""

    conversation: str

    def leave(self, subscription: Subscription) -> None: ...

    def position(self) -> Position: ...

    def lagged(self) -> Notice: ...


class Subscription:
    """What a reader gets of a conversation.

    :param reader: the identity whose rights are watched at delivery; empty for readers let in by other means
    :param open: whether the conversation is on the reader's screen: large ones are told in full to those only
    """

    __slots__ = ("_bytes", "_feed", "_lagging", "_paused", "_sink", "open", "reader")

    def __init__(self, feed: Source, sink: Sink, reader: str = "", open: bool = True) -> None:
        self._feed = feed
        self._sink = sink
        self._paused: deque[Frames] | None = deque()
        self._bytes = 0
        self._lagging = False
        self.reader = reader
        self.open = open

    @property
    def conversation(self) -> str:
        return self._feed.conversation

    def position(self) -> Position:
        """Up to where everything was passed on."""
        return self._feed.position()

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

    def expel(self, notice: Notice) -> None:
        """The reader may not read this any more: nothing that waits is passed on, only that it is over."""
        if self._paused is not None:
            self._paused.clear()
        self._sink.deliver(notice)
        self.close()

    def close(self) -> None:
        self._feed.leave(self)

    def _lag(self) -> None:
        # Said once until something gets through again: the reader learns the head, and asks with fill.
        if not self._lagging:
            metrics.LAGGED.inc()
        self._lagging = not self._sink.deliver(self._feed.lagged())
