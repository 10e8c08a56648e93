"""Who sits where: a pure function from a room and one viewer's wishes to that viewer's seats.

Rules, in this order:

1. What a viewer asks for (its view) has a seat, in the order of asking, as far as there are seats.
2. Whoever has a seat keeps it, in the same place, while there is a reason to (seats are *sticky*: a face that jumps
   about cannot be watched).
3. Free seats go to the newest screen share first, then to people: those who send something before those who do not,
   those who spoke last before those who did not, then in the order they joined. So a room no larger than its seats
   gives everyone a seat.
4. When all seats are taken, a new screen share takes one, someone who speaks takes that of the person who has been
   silent longest, and someone who sends takes that of a person who sends nothing; none is ever taken from what the
   view asks for, and a speaker's never.
5. Whoever is heard and has no seat competes for the audio-only slots: the loudest now, sticky as well.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple


class Occupant(NamedTuple):
    """What can sit in a seat: a person (camera and microphone) or a screen (with its sound)."""

    participant: str
    track: Literal["camera", "screen"] = "camera"


@dataclass(frozen=True, slots=True)
class Seating:
    """One viewer's assignment. Lists have one entry a seat, or an audio-only slot."""

    seats: tuple[Occupant | None, ...] = ()
    extras: tuple[str | None, ...] = ()


@dataclass(frozen=True, slots=True)
class House:
    """What there is to see and hear in a room, computed once a change and used for every viewer.

    :param people: those who can be seen or heard, in the order they joined
    :param screens: shared screens, the newest first
    :param heard: participant -> rank of when they last spoke (higher is later); absent: never
    :param speaking: who speaks now, loudest first
    :param live: those who send something at the moment
    """

    people: Collection[str] = ()
    screens: Sequence[str] = ()
    heard: Mapping[str, int] = field(default_factory=dict)
    speaking: Sequence[str] = ()
    live: Set[str] = frozenset()

    def ranked(self) -> list[Occupant]:
        """Everything that can sit, most wanted first."""
        # Sorting is stable: who is equal stays in the order of joining.
        people = sorted(self.people, key=lambda person: (person not in self.live, -self.heard.get(person, -1)))
        return [*(Occupant(person, "screen") for person in self.screens), *(Occupant(person) for person in people)]

    def recent(self) -> list[str]:
        """People, those who spoke last first."""
        return sorted(self.people, key=lambda person: -self.heard.get(person, -1))

    def has(self, occupant: Occupant) -> bool:
        return occupant.participant in (self.screens if occupant.track == "screen" else self.people)


class Usher:
    """Seats one viewer after the other in the same house. Viewers who have the same and ask for the same are given the
    same, which is reckoned once: nobody is left out of it but who is a candidate for a seat of their own view."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._ranked = house.ranked()
        self._known: dict[tuple[Seating, tuple[Occupant, ...]], tuple[Seating, Set[str]]] = {}

    def seat(self, viewer: str, previous: Seating, wants: tuple[Occupant, ...] = ()) -> Seating:
        """What :func:`assign` says."""
        known = self._known.get((previous, wants))
        if known is None:
            chosen: set[str] = set()
            known = (assign(self._house, self._ranked, _STRANGER, previous, wants, chosen), chosen)
            self._known[previous, wants] = known
        seating, candidates = known
        if viewer not in candidates:
            return seating
        return assign(self._house, self._ranked, viewer, previous, wants)


_STRANGER: Final = ""
"""Nobody's identity."""


def assign(
    house: House,
    ranked: Sequence[Occupant],
    viewer: str,
    previous: Seating,
    wants: Sequence[Occupant] = (),
    chosen: set[str] | None = None,
) -> Seating:
    """The viewer's next seating.

    :param ranked: ``house.ranked()``, shared between viewers
    :param viewer: nobody is shown to themselves
    :param previous: gives the number of seats and audio-only slots, and who has them
    :param wants: the view, most wanted first
    :param chosen: is given everybody who had a place on the way; the others' being there made no difference
    """
    wanted = [item for item in dict.fromkeys(wants) if house.has(item) and item.participant != viewer]
    seats = _Seats(previous.seats, house, viewer)
    wanted = wanted[: len(seats.items)]
    seats.keep_free_for(wanted)
    for occupant in wanted:
        seats.seat(occupant)
    protected = frozenset(wanted)
    for occupant in ranked:
        if seats.free == 0:
            break
        if occupant.participant != viewer:
            seats.seat(occupant)
    if seats.free == 0:
        everyone = house.people
        for person in [person for person in house.screens if person != viewer][:1]:
            seats.displace(Occupant(person, "screen"), house, protected, everyone)
        for person in house.speaking:
            if person != viewer:
                seats.displace(Occupant(person), house, protected, everyone)
        silent = {item.participant for item in seats.items if item is not None} - house.live
        if silent:
            for occupant in ranked:
                if occupant.participant in house.live and occupant.participant != viewer:
                    seats.displace(occupant, house, protected, silent)
    seated = {occupant.participant for occupant in seats.items if occupant and occupant.track == "camera"}
    extras, considered = _extras(house, viewer, previous.extras, seated)
    if chosen is not None:
        chosen.update(seats.chosen, considered, (item.participant for item in wanted))
    return Seating(tuple(seats.items), extras)


class _Seats:
    """The seats while they are being filled."""

    def __init__(self, previous: Sequence[Occupant | None], house: House, viewer: str) -> None:
        self.items: list[Occupant | None] = [
            occupant if occupant is not None and house.has(occupant) and occupant.participant != viewer else None
            for occupant in previous
        ]
        self.taken = {occupant for occupant in self.items if occupant is not None}
        self.free = len(self.items) - len(self.taken)
        self.chosen = {occupant.participant for occupant in previous if occupant is not None}

    def keep_free_for(self, wanted: Sequence[Occupant]) -> None:
        """Empty as many seats of others as the wanted need, the last first."""
        missing = len([occupant for occupant in wanted if occupant not in self.taken]) - self.free
        for index in range(len(self.items) - 1, -1, -1):
            if missing <= 0:
                break
            occupant = self.items[index]
            if occupant is not None and occupant not in wanted:
                self.items[index] = None
                self.taken.discard(occupant)
                self.free += 1
                missing -= 1

    def seat(self, occupant: Occupant) -> None:
        if occupant in self.taken or self.free == 0:
            return
        self.items[self.items.index(None)] = occupant
        self.taken.add(occupant)
        self.chosen.add(occupant.participant)
        self.free -= 1

    def displace(self, occupant: Occupant, house: House, protected: Set[Occupant], people: Collection[str]) -> None:
        """Give ``occupant`` the seat of whoever of ``people`` has been silent longest, if one may be taken."""
        if occupant in self.taken:
            return
        candidates = [
            (item.participant in house.live, house.heard.get(item.participant, -1), -index, item)
            for index, item in enumerate(self.items)
            if item is not None
            and item.track == "camera"
            and item not in protected
            and item.participant in people
            and item.participant not in house.speaking
        ]
        if not candidates:
            return
        *_, negative, displaced = min(candidates)
        self.taken.discard(displaced)
        self.items[-negative] = occupant
        self.taken.add(occupant)
        self.chosen.add(occupant.participant)


def _extras(
    house: House, viewer: str, previous: Sequence[str | None], seated: set[str]
) -> tuple[tuple[str | None, ...], Collection[str]]:
    """Audio-only slots: speakers first (loudest), then whoever has one already, then people in order.

    And everybody who was considered.
    """
    if not previous:
        return (), ()
    people = house.people
    allowed = [person for person in house.speaking if person in people and person not in seated and person != viewer]
    keep = [person for person in previous if person in people and person not in seated and person != viewer]
    chosen: dict[str, None] = dict.fromkeys([*allowed[: len(previous)], *(person for person in keep if person)])
    if len(chosen) < len(previous):
        # Before anybody has spoken, everyone who fits is connected, so that the first word is not lost.
        for person in house.recent():
            if len(chosen) >= len(previous):
                break
            if person not in seated and person != viewer:
                chosen[person] = None
    winners = list(chosen)[: len(previous)]
    extras: list[str | None] = [person if person in winners else None for person in previous]
    waiting = iter([person for person in winners if person not in extras])
    considered = {*chosen, *(person for person in previous if person is not None)}
    return tuple(next(waiting, None) if person is None else person for person in extras), considered
