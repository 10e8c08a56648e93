"""A room seats again only those whom a change can touch; the others must be where a full reckoning would put them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.room import Member, Room, Source, layout
from sfu.sdp.plan import TrackKind
from sfu.seats import assign
from tertulia.catalogue import View, Want

PEOPLE = [f"p{number}" for number in range(9)]
KINDS: tuple[TrackKind, ...] = ("microphone", "camera", "screen", "screen-audio")

person = st.sampled_from(PEOPLE)
kind = st.sampled_from(KINDS)
wants = st.lists(st.builds(Want, person, st.sampled_from(["camera", "screen"])), max_size=3)
step = st.one_of(
    st.tuples(st.just("join"), person, st.integers(0, 4), st.integers(0, 2), st.booleans()),
    st.tuples(st.just("leave"), person),
    st.tuples(st.just("active"), person, kind, st.booleans()),
    st.tuples(st.just("muted"), person, kind, st.booleans()),
    st.tuples(st.just("held"), person, kind, st.booleans()),
    st.tuples(st.just("view"), person, wants),
    st.tuples(st.just("speakers"), st.lists(person, unique=True, max_size=4)),
)


class Told:
    """A room, and what each of its viewers was last told to show."""

    def __init__(self) -> None:
        self.room = Room("room")
        self.shown: dict[str, object] = {}
        self.handles = 0

    def source(self, participant: str, kind: TrackKind) -> Source | None:
        member = self.room.members.get(participant)
        return None if member is None else member.sources.get(kind)

    def join(self, participant: str, seats: int, extras: int, publishes: bool) -> None:
        member = Member(participant)
        for name in KINDS if publishes else ():
            self.handles += 1
            member.sources[name] = Source(self.handles, self.handles, participant, name)
        member.seating = layout([("video", seat) for seat in range(seats)] + [("audio", None)] * extras)
        self.room.add(member)
        self.seat(participant)

    def speakers(self, people: list[str]) -> None:
        sources = [self.source(participant, "microphone") for participant in people]
        self.room.set_speakers([(source.handle, 30 + n) for n, source in enumerate(sources) if source is not None])

    def seat(self, only: str | None = None, at_most: int | None = None) -> None:
        for member, contents in self.room.reseat(only, at_most=at_most):
            self.shown[member.participant] = contents


def apply(told: Told, step: tuple[object, ...]) -> None:
    room = told.room
    match step:
        case ("join", str(who), int(seats), int(extras), bool(publishes)):
            told.join(who, seats, extras, publishes)
        case ("leave", str(who)):
            room.remove(who)
            told.shown.pop(who, None)
        case ("view", str(who), list(seats)):
            if who in room.members:
                room.set_view(who, View(seats=seats))
                told.seat(who)
        case ("speakers", list(people)):
            told.speakers(people)
        case (str(what), str(who), str(kind), bool(value)):
            source = told.source(who, kind)  # type: ignore[arg-type]  # drawn from KINDS
            if source is not None:
                getattr(room, f"set_{what}")(source, value)
        case _:
            raise AssertionError(step)


@settings(max_examples=300, deadline=None)
@given(st.lists(step, max_size=40))
def test_nobody_is_left_behind_by_seating_only_those_concerned(steps: list[tuple[object, ...]]) -> None:
    told = Told()
    for one in steps:
        apply(told, one)
        told.seat()
        house = told.room.house()
        ranked = house.ranked()
        for member in told.room.members.values():
            if not (member.seating.seats or member.seating.extras):
                continue
            again = assign(house, ranked, member.participant, member.seating, member.wants)
            assert again == member.seating, (one, member.participant)
            assert told.shown[member.participant] == told.room._contents(member), (one, member.participant)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(step, st.integers(0, 3)), max_size=40))
def test_seating_a_few_at_a_time_ends_where_all_at_once_would(steps: list[tuple[tuple[object, ...], int]]) -> None:
    told = Told()
    for one, turns in steps:
        apply(told, one)
        for _ in range(turns):  # others happen in between
            told.seat(at_most=2)
    told.seat(at_most=2)
    while told.room.unseated:
        told.seat(at_most=2)
    house = told.room.house()
    ranked = house.ranked()
    for member in told.room.members.values():
        if member.seating.seats or member.seating.extras:
            again = assign(house, ranked, member.participant, member.seating, member.wants)
            assert again == member.seating, member.participant
            assert told.shown[member.participant] == told.room._contents(member), member.participant


def test_what_concerns_nobody_seats_nobody_again() -> None:
    told = Told()
    for who in PEOPLE:
        told.join(who, 3, 1, True)
        for kind in ("microphone", "camera"):
            source = told.source(who, kind)
            assert source is not None
            told.room.set_active(source, True)
    told.seat()
    # The first four are seen and heard by everybody; who is last is shown to nobody.
    last = PEOPLE[-1]
    microphone = told.source(last, "microphone")
    assert microphone is not None
    told.room.set_muted(microphone, True)
    assert not list(told.room.reseat())
    told.speakers([PEOPLE[0]])
    assert not list(told.room.reseat())
    told.room.remove(last)
    assert not list(told.room.reseat())
