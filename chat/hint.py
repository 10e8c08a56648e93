"""What the bus says about a conversation, and its events as the frames that everybody gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from tertulia.catalogue import FRAME_BYTES_MAX, Event, Frame, Messages, Receipt, SomebodyTyping
from tertulia.frames import Notice

_FRAME_OVERHEAD = 256


@dataclass(frozen=True)
class Hint:
    """What the bus carries: events ``lo`` to ``hi`` are committed. ``frames`` spare this process the database."""

    lo: int
    hi: int
    frames: tuple[Frames, ...] = ()

    def to_bus(self) -> bytes:
        """Numbers only: another process reads the events from the database, once for all of its readers."""
        return b"%d %d" % (self.lo, self.hi)

    def joined(self, later: Hint | Passing) -> Hint | None:
        if isinstance(later, Passing):
            return None
        return Hint(min(self.lo, later.lo), max(self.hi, later.hi))

    @classmethod
    def from_bus(cls, message: bytes) -> Hint:
        """Raises ValueError."""
        lo, hi = (int(part) for part in message.split())
        return cls(lo, hi)


@dataclass(frozen=True)
class Passing:
    """Something that is in no log: who reads how far, who is writing."""

    notice: Notice

    def to_bus(self) -> bytes:
        """The notice itself, which is short and holds nothing that was written."""
        return b"%b %b" % (self.notice.event.encode(), self.notice.json)

    def joined(self, later: object) -> None:
        """Each is told for itself."""


_PASSING: dict[str, type[Frame]] = {"receipt": Receipt, "somebody-typing": SomebodyTyping}


def read_hint(message: bytes) -> Hint | Passing:
    """What the bus brought from another process. Raises ValueError."""
    if message[:1].isdigit():
        return Hint.from_bus(message)
    event, _, json = message.partition(b" ")
    kind = _PASSING.get(event.decode(errors="replace"))
    if kind is None:
        raise ValueError("no such notice passes")
    return Passing(Notice(event.decode(), msgspec.json.decode(json, type=kind)))


@dataclass(frozen=True, slots=True)
class Frames:
    """One encoded frame and the events it holds, ``lo`` to ``hi``."""

    lo: int
    hi: int
    notice: Notice
    events: Sequence[Event]


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


def _frame(conversation: str, held: list[Event]) -> Frames:
    events = list(held)
    return Frames(events[0].seq, events[-1].seq, Notice("message", Messages(conversation, events)), events)
