"""One viewer's slot map: what each receiving section shows, and the revisions that tell the client about changes.

A change is told twice: when it is decided (without ``from_ts``: what is seen from now on may still be somebody else),
and when the core has switched (with the first RTP timestamp of the new source). That is how a client knows under whose
name a picture belongs, on any path and after any delay. A client that cannot decode what it is shown is told that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sfu.room import Contents, Source
from sfu.sdp.profile import MediaKind
from sfu.views import DEFAULT, Wish
from tertulia.catalogue import Slot, Slots


@dataclass(slots=True)
class _Place:
    mid: str
    kind: MediaKind
    seat: int | None
    handle: int
    source: Source | None = None
    shown: int = 0
    """The source as the viewer's worker knows it."""
    from_ts: int | None = None
    unsupported: bool = False
    paused: bool = False
    wish: Wish = DEFAULT

    def frame(self) -> Slot:
        source = self.source
        return Slot(
            mid=self.mid,
            kind=self.kind,
            seat=self.seat,
            participant=None if source is None else source.participant,
            track=None if source is None else source.kind,
            source=None if source is None else source.id,
            from_ts=self.from_ts,
            unsupported=self.unsupported,
            paused=self.paused,
        )


class SlotMap:
    """Places in the order of the answer's sections."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._by_handle: dict[int, _Place] = {}
        self._revision = 0

    def add(self, mid: str, kind: MediaKind, seat: int | None, handle: int) -> None:
        place = _Place(mid, kind, seat, handle)
        self._places.append(place)
        self._by_handle[handle] = place

    def layout(self) -> list[tuple[str, int | None]]:
        return [(place.kind, place.seat) for place in self._places]

    def handles(self) -> list[int]:
        return list(self._by_handle)

    def show(
        self, contents: Contents, handle_of: Callable[[Source], int]
    ) -> tuple[list[tuple[int, int]], Slots | None]:
        """New contents. Returns the core's commands as (slot, source or 0), and the frame if anything changed.

        ``handle_of`` says how this viewer's worker knows a source.
        """
        extras = iter(contents.extras)
        changed: list[_Place] = []
        for place in self._places:
            source = next(extras, None) if place.seat is None else _pick(contents, place.kind, place.seat)
            if source is not place.source:
                place.source = source
                place.shown = 0 if source is None else handle_of(source)
                place.from_ts = None
                place.unsupported = place.paused = False
                changed.append(place)
        return [(place.handle, place.shown) for place in changed], self._frame(changed)

    def wish(self, contents: Contents) -> list[tuple[int, Wish]]:
        """What is wanted of the slots with pictures. Returns what changed, as (slot, wish)."""
        changed: list[tuple[int, Wish]] = []
        for place in self._places:
            if place.kind == "video" and place.seat is not None and place.seat < len(contents.wishes):
                wish = contents.wishes[place.seat]
                if wish != place.wish:
                    place.wish = wish
                    changed.append((place.handle, wish))
        return changed

    def pause(self, slot: int, paused: bool) -> Slots | None:
        """The viewer's network carries nothing of the slot's source, or does again. None if that was told."""
        place = self._by_handle.get(slot)
        if place is None or place.source is None or place.paused == paused:
            return None
        place.paused = paused
        return self._frame([place])

    def switched(self, slot: int, source: int, from_ts: int) -> Slots | None:
        """The core shows ``source`` since ``from_ts``. None if that has been overtaken by a newer decision."""
        place = self._showing(slot, source)
        if place is None:
            return None
        place.from_ts = from_ts
        place.unsupported = False
        return self._frame([place])

    def undecodable(self, slot: int, source: int) -> Slots | None:
        """The viewer knows no codec that ``source`` sends. None if that has been overtaken or was told."""
        place = self._showing(slot, source)
        if place is None or place.unsupported:
            return None
        place.from_ts = None
        place.unsupported = True
        return self._frame([place])

    def _showing(self, slot: int, source: int) -> _Place | None:
        place = self._by_handle.get(slot)
        return place if place is not None and place.source is not None and place.shown == source else None

    def full(self) -> Slots:
        """The whole map at the present revision."""
        return Slots(rev=self._revision, full=True, slots=[place.frame() for place in self._places])

    def _frame(self, changed: Sequence[_Place]) -> Slots | None:
        if not changed:
            return None
        self._revision += 1
        return Slots(rev=self._revision, slots=[place.frame() for place in changed])


def _pick(contents: Contents, kind: MediaKind, seat: int) -> Source | None:
    column = contents.audio if kind == "audio" else contents.video
    return column[seat] if seat < len(column) else None
