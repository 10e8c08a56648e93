"""What a view says of each slot: from the client's frame to the core's commands."""

from __future__ import annotations

from sfu.demand import Demand
from sfu.room import Member, Room, Source, layout
from sfu.sdp.plan import Publication, TrackKind
from sfu.seats import Occupant
from sfu.slotmap import SlotMap
from sfu.views import DEFAULT, NAMED, SCREEN, UNNAMED, Wish, Wishes
from tertulia.catalogue import Layers, View, Want


def test_an_empty_view_shows_everybody_as_well_as_possible() -> None:
    assert Wishes(View()).of(Occupant("ann")) == Wish(True, 0, UNNAMED)


def test_a_view_without_sizes_hides_nobody() -> None:
    wishes = Wishes(View([Want("ann")]))
    assert wishes.of(Occupant("ann")) == Wish(True, 0, NAMED)
    assert wishes.of(Occupant("bob")).visible


def test_a_view_with_sizes_hides_who_it_does_not_name() -> None:
    wishes = Wishes(View([Want("ann", width=320, height=180, priority=3), Want("bob", "screen", 1280, 720)]))
    assert wishes.of(Occupant("ann")) == Wish(True, 320 * 180, NAMED + 3)
    assert wishes.of(Occupant("bob", "screen")) == Wish(True, 1280 * 720, SCREEN)
    assert not wishes.of(Occupant("bob")).visible


def test_somebody_who_came_after_the_view_is_shown_until_it_is_said_again() -> None:
    wishes = Wishes(View([Want("ann", width=320, height=180)]))
    assert wishes.of(Occupant("bob"), came_later=True).visible


def member(name: str, first_handle: int) -> Member:
    kinds: tuple[TrackKind, ...] = ("microphone", "camera", "screen")
    sources = {kind: Source(first_handle + i, first_handle + i, name, kind, True) for i, kind in enumerate(kinds)}
    return Member(name, sources)


def slot_map() -> SlotMap:
    slots = SlotMap()
    for seat in range(3):
        slots.add(f"a{seat}", "audio", seat, 100 + seat)
        slots.add(f"v{seat}", "video", seat, 200 + seat)
    return slots


def test_wishes_follow_the_view_and_the_seats() -> None:
    room = Room("demo")
    slots = slot_map()
    for number, name in enumerate(("ann", "bob", "cid")):
        room.add(member(name, 10 * number + 1))
    room.members["ann"].seating = layout(slots.layout())

    def wished() -> dict[int, Wish]:
        [(_, contents)] = room.reseat(only="ann")
        return dict(slots.wish(contents))

    assert wished() == {}, "nothing is said of what was never asked"
    room.set_view("ann", View([Want("bob", width=640, height=360)]))
    first = wished()
    assert first[200] == Wish(True, 640 * 360, NAMED)
    assert [wish.visible for wish in first.values()].count(False) == 1
    assert wished() == {}, "the same view again changes nothing"
    # Somebody new is shown at once, and hidden when the next view does not name them.
    room.add(member("dan", 31))
    assert wished().get(202, DEFAULT).visible
    room.set_view("ann", View([Want("bob", width=640, height=360)]))
    assert not wished()[202].visible


def test_a_screen_that_begins_is_shown_before_the_view_names_it() -> None:
    room = Room("demo")
    slots = slot_map()
    room.add(member("ann", 1))
    bob = member("bob", 11)
    bob.sources["screen"].active = False
    room.add(bob)
    room.members["ann"].seating = layout(slots.layout())
    room.set_view("ann", View([Want("bob", width=640, height=360)]))
    list(room.reseat(only="ann"))
    room.set_active(bob.sources["screen"], True)
    [(_, contents)] = room.reseat(only="ann")
    screens = [wish for source, wish in zip(contents.video, contents.wishes, strict=True) if source is not None]
    assert Wish(True, 0, SCREEN) in screens


def test_a_pause_is_told_once_and_forgotten_with_its_source() -> None:
    room = Room("demo")
    slots = slot_map()
    room.add(member("ann", 1))
    room.add(member("bob", 11))
    room.members["ann"].seating = layout(slots.layout())
    [(_, contents)] = room.reseat(only="ann")
    slots.show(contents, lambda source: source.handle)
    frame = slots.pause(200, True)
    assert frame is not None
    assert frame.slots[0].paused
    assert slots.pause(200, True) is None
    assert slots.pause(999, True) is None
    room.remove("bob")
    [(_, contents)] = room.reseat(only="ann")
    slots.show(contents, lambda source: source.handle)
    assert not any(slot.paused for slot in slots.full().slots)


def test_layers_are_told_by_their_rids() -> None:
    demand = Demand()
    demand.add(7, publication("camera", ("q", "h", "f")), "home")
    demand.add(8, publication("screen", ()), "home")
    assert demand.take(7, "home", 0b111) is None, "all of it is wanted until something else is said"
    assert demand.take(7, "home", 0b011) == Layers("camera", True, ["q", "h"])
    assert demand.take(7, "home", 0b001) == Layers("camera", True, ["q"])
    assert demand.take(8, "home", 0) == Layers("screen", False)
    assert demand.take(9, "home", 1) is None
    assert demand.told() == [Layers("camera", True, ["q"]), Layers("screen", False)]


def test_what_any_worker_wants_is_wanted() -> None:
    demand = Demand()
    demand.add(7, publication("camera", ("q", "h", "f")), "home")
    assert demand.take(7, "home", 0) == Layers("camera", False)
    assert demand.mirrored("other") == [Layers("camera", True, ["q", "h", "f"])]
    assert demand.take(7, "other", 0b010) == Layers("camera", True, ["h"])
    assert demand.take(7, "home", 0b001) == Layers("camera", True, ["q", "h"])
    assert demand.unmirrored("other") == [Layers("camera", True, ["q"])]


def publication(track: TrackKind, rids: tuple[str, ...]) -> Publication:
    return Publication("1", track, "video", rids, (), (), (), nack=False)
