"""Everybody's seating together, indexed by whom it shows: whose seats a change can touch, without asking everybody.

A large room has hundreds of viewers and a dozen seats each; most of what happens in it concerns none of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import TypeAlias

from sfu.seats import Occupant, Seating

Index: TypeAlias = dict[str, set[str]]


class Seatings:
    """Who holds whom, all by participant."""

    def __init__(self) -> None:
        self._named: Index = {}
        self._seated: Index = {}
        self._of: dict[str, tuple[frozenset[str], frozenset[str]]] = {}
        self.free: set[str] = set()
        """Viewers with a seat or an audio-only slot that nobody has."""

    def put(self, viewer: str, seating: Seating, wants: Iterable[Occupant]) -> None:
        """The viewer's seating and wishes as they are now."""
        seated = frozenset(item.participant for item in seating.seats if item is not None and item.track == "camera")
        named = seated.union(
            (item.participant for item in seating.seats if item is not None),
            (person for person in seating.extras if person is not None),
            (item.participant for item in wants),
        )
        before = self._of.get(viewer, (frozenset(), frozenset()))
        self._of[viewer] = (named, seated)
        _move(self._named, viewer, before[0], named)
        _move(self._seated, viewer, before[1], seated)
        if None in seating.seats or None in seating.extras:
            self.free.add(viewer)
        else:
            self.free.discard(viewer)

    def remove(self, viewer: str) -> None:
        named, seated = self._of.pop(viewer, (frozenset(), frozenset()))
        _move(self._named, viewer, named, frozenset())
        _move(self._seated, viewer, seated, frozenset())
        self.free.discard(viewer)

    def naming(self, participant: str) -> Set[str]:
        """Viewers who see or hear this participant, or ask to."""
        return self._named.get(participant, frozenset())

    def without(self, participant: str) -> set[str]:
        """Viewers whose seats do not hold this participant's camera, and might: nobody is shown to themselves."""
        return self._of.keys() - self._seated.get(participant, frozenset()) - {participant}

    @property
    def seated(self) -> Mapping[str, Set[str]]:
        """Participants whose camera somebody has in a seat -> who has."""
        return self._seated


def _move(index: Index, viewer: str, before: frozenset[str], after: frozenset[str]) -> None:
    for person in before - after:
        viewers = index[person]
        viewers.discard(viewer)
        if not viewers:
            del index[person]
    for person in after - before:
        index.setdefault(person, set()).add(viewer)
