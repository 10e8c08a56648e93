"""Seat policy: examples that read like the rules, and properties over random rooms."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.seats import House, Occupant, Seating, Usher, assign

NAMES = [f"p{number}" for number in range(12)]


def empty(seats: int, extras: int = 0) -> Seating:
    return Seating((None,) * seats, (None,) * extras)


def seat(house: House, viewer: str, previous: Seating, wants: list[Occupant] | None = None) -> Seating:
    return assign(house, house.ranked(), viewer, previous, wants or [])


def test_a_room_no_larger_than_its_seats_gives_everyone_a_seat() -> None:
    seating = seat(House(people=["a", "b", "c"]), "me", empty(4, 2))
    assert seating.seats == (Occupant("a"), Occupant("b"), Occupant("c"), None)
    assert seating.extras == (None, None)


def test_nobody_is_shown_to_themselves() -> None:
    house = House(people=["me", "a"], screens=["me"], speaking=["me"])
    assert seat(house, "me", empty(3, 1)).seats == (Occupant("a"), None, None)


def test_a_new_screen_takes_the_seat_of_the_longest_silent() -> None:
    house = House(people=["a", "b", "c"], heard={"a": 3, "b": 1, "c": 2})
    before = seat(house, "me", empty(3))
    after = seat(House(people=["a", "b", "c"], screens=["c"], heard=house.heard), "me", before)
    assert Occupant("c", "screen") in after.seats
    assert Occupant("b") not in after.seats
    kept = [index for index in range(3) if before.seats[index] == after.seats[index]]
    assert len(kept) == 2


def test_somebody_leaving_moves_nobody_else() -> None:
    before = seat(House(people=["a", "b", "c"]), "me", empty(3))
    after = seat(House(people=["b", "c"]), "me", before)
    assert after.seats == (None, Occupant("b"), Occupant("c"))


def test_what_the_view_asks_for_is_seated_first_and_in_order() -> None:
    house = House(people=["a", "b", "c", "d"], screens=["a"])
    wants = [Occupant("d"), Occupant("b")]
    assert seat(house, "me", empty(3), wants).seats == (Occupant("d"), Occupant("b"), Occupant("a", "screen"))


def test_a_speaker_without_a_seat_replaces_the_silent_but_not_the_wanted() -> None:
    house = House(people=["a", "b", "c"], heard={"a": 5, "c": 6}, speaking=["c"])
    before = Seating((Occupant("a"), Occupant("b")), ())
    assert seat(house, "me", before).seats == (Occupant("a"), Occupant("c"))
    assert seat(house, "me", before, [Occupant("b")]).seats == (Occupant("c"), Occupant("b"))


def test_someone_who_sends_takes_the_seat_of_someone_who_does_not() -> None:
    house = House(people=["idle", "live"], live=frozenset({"live"}))
    assert seat(house, "me", Seating((Occupant("idle"),), ())).seats == (Occupant("live"),)
    assert seat(house, "me", Seating((Occupant("idle"),), ()), [Occupant("idle")]).seats == (Occupant("idle"),)


def test_without_seats_the_loudest_are_heard() -> None:
    house = House(people=["a", "b", "c"], speaking=["c", "b"], heard={"c": 2, "b": 1})
    assert set(seat(house, "me", empty(0, 2)).extras) == {"c", "b"}


def test_extras_are_sticky() -> None:
    house = House(people=["a", "b", "c"], speaking=["a"])
    before = Seating((), ("b", "a"))
    assert seat(house, "me", before).extras == ("b", "a")


names = st.lists(st.sampled_from(NAMES), unique=True)
occupants = st.builds(Occupant, st.sampled_from(NAMES), st.sampled_from(["camera", "screen"]))


@st.composite
def houses(draw: st.DrawFn) -> House:
    people = draw(names)
    some = st.lists(st.sampled_from(people), unique=True) if people else st.just([])
    speaking = draw(some)
    heard = {person: draw(st.integers(0, 20)) for person in draw(some)} | {person: 21 for person in speaking}
    live = frozenset(draw(some)) | frozenset(speaking)
    return House(people=people, screens=draw(some), heard=heard, speaking=speaking, live=live)


seatings = st.builds(
    Seating,
    st.lists(st.none() | occupants, max_size=8, unique_by=lambda item: item or object()).map(tuple),
    st.lists(st.none() | st.sampled_from(NAMES), max_size=4, unique_by=lambda item: item or object()).map(tuple),
)


@settings(max_examples=300, deadline=None)
@given(houses(), seatings, st.sampled_from(NAMES), st.lists(occupants, max_size=10))
def test_properties_of_every_seating(house: House, previous: Seating, viewer: str, wants: list[Occupant]) -> None:
    ranked = house.ranked()
    after = assign(house, ranked, viewer, previous, wants)
    seated = [item for item in after.seats if item is not None]
    extras = [item for item in after.extras if item is not None]
    available = [item for item in ranked if item.participant != viewer]

    assert len(after.seats) == len(previous.seats)
    assert len(after.extras) == len(previous.extras)
    # Everyone at most once, only those who are there, never the viewer.
    assert len(seated) == len(set(seated))
    assert set(seated) <= set(available)
    assert len(extras) == len(set(extras))
    assert viewer not in extras
    assert set(extras) <= set(house.people)
    # Nobody is heard twice.
    assert not {item.participant for item in seated if item.track == "camera"} & set(extras)
    # No seat stays empty while somebody could sit in it.
    assert len(seated) == min(len(after.seats), len(available))
    # The wanted sit.
    wanted = [item for item in dict.fromkeys(wants) if item in available][: len(after.seats)]
    assert set(wanted) <= set(seated)
    # Nothing changes by itself: the same question again has the same answer.
    assert assign(house, ranked, viewer, after, wants) == after
    # The loudest who has no seat is heard, if there is an audio-only slot.
    unseated = [person for person in house.speaking if person != viewer and Occupant(person) not in seated]
    assert set(unseated[: len(after.extras)]) <= set(extras)


@settings(max_examples=200, deadline=None)
@given(houses(), st.sampled_from(NAMES))
def test_everyone_keeps_the_same_seat_when_the_room_fits(house: House, viewer: str) -> None:
    first = assign(house, house.ranked(), viewer, empty(30, 3))
    loud = House(house.people, house.screens, {person: 99 for person in house.people}, list(house.people))
    assert assign(loud, loud.ranked(), viewer, first) == first


@settings(max_examples=300, deadline=None)
@given(
    houses(),
    st.lists(seatings, min_size=1, max_size=2),
    st.lists(st.lists(occupants, max_size=4).map(tuple), min_size=1, max_size=2),
)
def test_an_usher_gives_each_viewer_what_they_would_be_given_alone(
    house: House, before: list[Seating], wishes: list[tuple[Occupant, ...]]
) -> None:
    usher, ranked = Usher(house), house.ranked()
    for viewer in [*NAMES, "nobody"]:
        for previous in before:
            for wants in wishes:
                alone = assign(house, ranked, viewer, previous, wants)
                assert usher.seat(viewer, previous, wants) == alone, viewer
