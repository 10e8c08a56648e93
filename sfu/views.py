"""What a client's view says of each picture that it may be shown: whether, how large, how important.

Once a view names places with their sizes, what it does not name is not on the client's screen, and nothing of it
needs to be sent. Somebody who came after the view was made is an exception: the client could not know, and is about to
say.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from sfu.seats import Occupant
from tertulia.catalogue import View, Want

SCREEN: Final = 200
"""From here on a slot is served before all others (``kFirstClass`` of the core's allocator)."""
NAMED: Final = 100
UNNAMED: Final = 50


class Wish(NamedTuple):
    """What a viewer wants of a slot. ``max_pixels`` is 0 where the size of its place is not known."""

    visible: bool = True
    max_pixels: int = 0
    priority: int = UNNAMED


DEFAULT: Final = Wish()
"""What the core takes for granted of a slot that nothing was said of."""


class Wishes:
    """One client's view, looked up by who sits in a seat."""

    def __init__(self, view: View) -> None:
        self._wants: dict[Occupant, Want] = {}
        for want in view.seats:
            self._wants.setdefault(Occupant(want.participant, want.track), want)
        self._sized = any(want.width and want.height for want in view.seats)

    def of(self, occupant: Occupant, *, came_later: bool = False) -> Wish:
        """:param came_later: the client had not heard of the occupant when it made the view"""
        screen = SCREEN if occupant.track == "screen" else 0
        want = self._wants.get(occupant)
        if want is None:
            return Wish(came_later or not self._sized, 0, screen or UNNAMED)
        return Wish(True, want.width * want.height, (screen or NAMED) + want.priority)
