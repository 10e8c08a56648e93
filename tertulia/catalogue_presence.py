"""The frames of people's presence: who is here, and how they want to be seen.

Presence is state, never an event of a log: what a client missed it learns by asking again.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tertulia.catalogue_base import Frame, Identity, Millis, Ok

ChosenStatus = Literal["online", "away", "dnd", "invisible"]
ShownStatus = Literal["online", "away", "dnd", "invisible", "offline"]

WATCHED_MAX = 200
"""People whom one connection watches."""

StatusText = Annotated[str, Meta(max_length=100)]


class SetStatus(Frame, frozen=True):
    """How one wants to be seen while one is here; it is kept. ``text`` is shown beside it; without it there is none.

    ``invisible`` is offline to everybody else, who then are told of no typing and no reading either.
    """

    status: ChosenStatus
    text: StatusText = ""


class Watch(Frame, frozen=True):
    """Asks for people's presence; over a socket, changes follow as ``presence`` until the connection ends.

    Asked again, it replaces whom one watches. Of those with whom one shares no conversation nothing is said.
    """

    people: Annotated[list[Identity], Meta(max_length=WATCHED_MAX)]


class PersonPresence(Frame, frozen=True):
    """Somebody is here with one device or more, or ``offline`` and was ``last_seen`` then.

    Of oneself it is what one has chosen, as long as one is here: only there is ``invisible`` said.
    """

    id: Identity
    status: ShownStatus
    text: StatusText = ""
    last_seen: Millis | None = None


class PresenceList(Frame, frozen=True):
    """As an answer everybody who may be watched, as a notice those who changed."""

    people: list[PersonPresence]


PRESENCE_REQUESTS: dict[str, tuple[type[Frame], type[Frame]]] = {
    "set-status": (SetStatus, Ok),
    "watch": (Watch, PresenceList),
}

PRESENCE_NOTICES: dict[str, type[Frame]] = {"presence": PresenceList}
