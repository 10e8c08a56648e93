"""One room's people, what they send, and what each of them is shown. No media, no sessions, no I/O.

The room speaks in participant ids and sources; ``service.py`` turns its decisions into commands for the core.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from sfu.sdp.plan import TrackKind
from sfu.seatings import Seatings
from sfu.seats import House, Occupant, Seating, Usher
from sfu.views import DEFAULT, Wish, Wishes
from tertulia.catalogue import Speaker, Speakers, Track, View


@dataclass(slots=True)
class Source:
    """One thing a participant sends. ``id`` travels as CSRC, ``handle`` is the core's."""

    id: int
    handle: int
    participant: str
    kind: TrackKind
    active: bool = False
    muted: bool = False
    held: bool = False
    """A moderator or a permission keeps it from being forwarded."""
    changed: int = 0
    """When it last began or fell silent, in the room's own count."""

    @property
    def sent(self) -> bool:
        return self.active and not self.held


@dataclass(slots=True)
class Member:
    """One participant's media in the room."""

    participant: str
    sources: dict[TrackKind, Source] = field(default_factory=dict)
    wants: tuple[Occupant, ...] = ()
    wishes: Wishes = field(default_factory=lambda: Wishes(View()))
    came: int = 0
    viewed: int = 0
    """When it came, and when it last said its view, in the room's own count."""
    seating: Seating = field(default_factory=Seating)

    @property
    def publishes(self) -> bool:
        return "microphone" in self.sources or "camera" in self.sources

    @property
    def live(self) -> bool:
        """Sends something at the moment."""
        return self.publishes and any(
            source.sent for kind, source in self.sources.items() if kind in ("microphone", "camera")
        )

    def tracks(self) -> list[Track]:
        """What others are told: what is sent now, and a microphone or camera that is there but muted."""
        return [
            Track(kind=source.kind, source=source.id, muted=source.muted or source.held)
            for source in self.sources.values()
            if source.active or (source.muted and source.kind in ("microphone", "camera"))
        ]


@dataclass(frozen=True, slots=True)
class Contents:
    """What one viewer's slots hold: sources by seat, and by audio-only slot."""

    audio: tuple[Source | None, ...]
    video: tuple[Source | None, ...]
    extras: tuple[Source | None, ...]
    wishes: tuple[Wish, ...] = ()
    """By seat, for the pictures."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What a seating means now, the same for all who have it."""

    audio: tuple[Source | None, ...]
    video: tuple[Source | None, ...]
    extras: tuple[Source | None, ...]
    pictures: tuple[tuple[Occupant | None, int], ...]
    """By seat: whose, and since when."""

    def to(self, viewer: Member) -> Contents:
        wishes = tuple(
            DEFAULT if item is None else viewer.wishes.of(item, came_later=since > viewer.viewed)
            for item, since in self.pictures
        )
        return Contents(self.audio, self.video, self.extras, wishes)


class Room:
    """Members in the order they joined, who speaks, and which screens are shared."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.members: dict[str, Member] = {}
        self._sources: dict[int, Source] = {}
        self._screens: list[str] = []  # the newest first
        self._speaking: list[tuple[str, int]] = []
        self._heard: dict[str, int] = {}
        self._clock = 0
        self._ticks = 0
        self._publishers: dict[str, None] = {}  # in the order they joined
        self._live: set[str] = set()
        self._seatings = Seatings()
        self._moved: set[str] = set()  # whose presence or tracks changed since everybody was seated last ...
        self._voices_changed = False  # ... and whether others speak, or in another order
        self._waiting: dict[str, None] = {}  # whom that concerns and who were not seated yet, in their order

    # --- who is there ------------------------------------------------------------------------------------------

    def add(self, member: Member) -> None:
        """A member with its sources. One of the same participant is replaced and keeps its place in the order."""
        previous = self.members.get(member.participant)
        if previous is not None:
            self._forget_sources(previous)
        self.members[member.participant] = member
        member.came = self._tick()
        for source in member.sources.values():
            self._sources[source.handle] = source
        self._note(member.participant)

    def remove(self, participant: str) -> None:
        member = self.members.pop(participant, None)
        if member is not None:
            self._forget_sources(member)
            self._heard.pop(participant, None)
            self._seatings.remove(participant)
            self._note(participant)

    def _forget_sources(self, member: Member) -> None:
        for source in member.sources.values():
            self._sources.pop(source.handle, None)
        self._screens = [person for person in self._screens if person != member.participant]
        self._speaking = [entry for entry in self._speaking if entry[0] != member.participant]

    def source(self, handle: int) -> Source | None:
        return self._sources.get(handle)

    # --- what changes ------------------------------------------------------------------------------------------

    def set_active(self, source: Source, active: bool) -> bool:
        """The core saw a source begin or fall silent. Returns whether that is news."""
        if source.active == active:
            return False
        source.active = active
        source.changed = self._tick()
        self._note(source.participant)
        self._note_screen(source)
        return True

    def set_muted(self, source: Source, muted: bool) -> bool:
        if source.muted == muted:
            return False
        source.muted = muted
        if source.kind in ("screen", "screen-audio"):  # a muted camera or microphone keeps its seat
            self._note(source.participant)
        self._note_screen(source)
        return True

    def set_held(self, source: Source, held: bool) -> bool:
        if source.held == held:
            return False
        source.held = held
        self._note(source.participant)
        self._note_screen(source)
        return True

    def _note(self, participant: str) -> None:
        """Something about them changed that seats may depend on."""
        self._moved.add(participant)
        member = self.members.get(participant)
        if member is None or not member.publishes:
            self._publishers.pop(participant, None)
        else:
            self._publishers.setdefault(participant)
        if member is not None and member.live:
            self._live.add(participant)
        else:
            self._live.discard(participant)

    def _note_screen(self, source: Source) -> None:
        if source.kind != "screen":
            return
        shown = source.sent and not source.muted
        if shown and source.participant not in self._screens:
            self._screens.insert(0, source.participant)
        elif not shown and source.participant in self._screens:
            self._screens.remove(source.participant)

    def _tick(self) -> int:
        self._ticks += 1
        return self._ticks

    def set_view(self, participant: str, view: View) -> None:
        member = self.members[participant]
        member.wants = tuple(Occupant(want.participant, want.track) for want in view.seats)
        member.wishes = Wishes(view)
        member.viewed = self._tick()

    def set_speakers(self, levels: Iterable[tuple[int, int]]) -> Speakers | None:
        """Speaking sources, loudest first, as (handle, level). Returns the notice when somebody began or stopped."""
        speaking: dict[str, int] = {}
        for handle, level in levels:
            source = self._sources.get(handle)
            if source is not None and source.kind == "microphone" and not source.held and not source.muted:
                speaking.setdefault(source.participant, min(level, 127))
        if list(speaking.items()) == self._speaking:
            return None
        if list(speaking) != [person for person, _ in self._speaking]:
            self._voices_changed = True
        self._speaking = list(speaking.items())
        self._clock += 1
        for person in speaking:
            self._heard[person] = self._clock
        return Speakers(speakers=[Speaker(participant=person, level=level) for person, level in speaking.items()])

    # --- who is shown what -----------------------------------------------------------------------------------------

    def house(self) -> House:
        return House(
            people=self._publishers,
            screens=list(self._screens),
            heard=self._heard,
            speaking=[person for person, _ in self._speaking],
            live=self._live,
        )

    def reseat(self, only: str | None = None, *, at_most: int | None = None) -> Iterator[tuple[Member, Contents]]:
        """New contents for every member whose slots may have to change since the last time (or for one of them).

        :param at_most: so many of them; the others are next (``unseated`` says whether there are any)
        """
        if only is None:
            self._waiting.update(dict.fromkeys(self._concerned()))
            turn = list(islice(self._waiting, at_most))
        else:
            turn = [only]
        if not turn:
            return
        usher = Usher(self.house())
        shown: dict[Seating, _Shown] = {}
        for participant in turn:
            self._waiting.pop(participant, None)
            member = self.members.get(participant)
            if member is not None and (member.seating.seats or member.seating.extras):
                member.seating = usher.seat(participant, member.seating, member.wants)
                self._seatings.put(participant, member.seating, member.wants)
                if member.seating not in shown:
                    shown[member.seating] = self._shown(member.seating)
                yield member, shown[member.seating].to(member)

    @property
    def unseated(self) -> bool:
        """Somebody waits for a seat that what happened may give them."""
        return bool(self._waiting)

    def _concerned(self) -> set[str]:
        """Whose seats what happened can touch. The others would be given what they have (see the rules of seats.py)."""
        moved, self._moved = self._moved, set()
        voices, self._voices_changed = self._voices_changed, False
        concerned: set[str] = set()
        if moved:
            concerned |= self._seatings.free
        for person in moved:
            concerned |= self._seatings.naming(person)
            if person in self._screens:
                concerned |= self._seatings.without(person)
        if moved & self._live:
            for person, viewers in self._seatings.seated.items():
                if person not in self._live:
                    concerned |= viewers
        if voices or moved:
            for person, _ in self._speaking:
                concerned |= self._seatings.without(person)
        return concerned

    def _contents(self, member: Member) -> Contents:
        return self._shown(member.seating).to(member)

    def _shown(self, seating: Seating) -> _Shown:
        heard = {item.participant for item in seating.seats if item is not None and item.track == "camera"}
        heard.update(person for person in seating.extras if person is not None)
        return _Shown(
            audio=tuple(self._sound(item, heard) for item in seating.seats),
            video=tuple(self._picture(item) for item in seating.seats),
            extras=tuple(None if person is None else self._of(person, "microphone") for person in seating.extras),
            pictures=tuple((item, self._since(item)) for item in seating.seats),
        )

    def _since(self, item: Occupant | None) -> int:
        """When it came, or last began or fell silent, in the room's own count."""
        shown = None if item is None else self.members.get(item.participant)
        if item is None or shown is None:
            return 0
        source = shown.sources.get(item.track)
        return max(shown.came, 0 if source is None else source.changed)

    def _of(self, participant: str, kind: TrackKind) -> Source | None:
        member = self.members.get(participant)
        source = None if member is None else member.sources.get(kind)
        return None if source is None or source.held else source

    def _picture(self, item: Occupant | None) -> Source | None:
        return None if item is None else self._of(item.participant, item.track)

    def _sound(self, item: Occupant | None, heard: set[str]) -> Source | None:
        if item is None:
            return None
        if item.track == "camera":
            return self._of(item.participant, "microphone")
        sound = self._of(item.participant, "screen-audio")
        if sound is not None and sound.active and not sound.muted:
            return sound
        # A screen without sound of its own: its seat carries whoever shares it, unless they are heard elsewhere.
        return None if item.participant in heard else self._of(item.participant, "microphone")


def layout(kinds: Sequence[tuple[str, int | None]]) -> Seating:
    """The empty seating for slots given as (kind, seat)."""
    seats = {seat for _, seat in kinds if seat is not None}
    extras = sum(1 for _, seat in kinds if seat is None)
    return Seating((None,) * len(seats), (None,) * extras)
