"""A live room: the room's decisions on one side, its sessions and the workers on the other.

Changes come in (somebody joined, a screen began, somebody speaks, a view changed); once a turn of the loop they become
one new seating, whose differences go to the core as commands and to clients as slot map frames.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Final

import structlog

from sfu.core import Core, CoreBusy, RoomEvent, SlotChanges, SpeakersChanged
from sfu.halls import Halls
from sfu.room import Contents, Member, Room, Source
from sfu.sdp.plan import TrackKind
from sfu.session import Session
from sfu.workers import Workers
from tertulia.catalogue import Slots, View

log = structlog.get_logger(__name__)

SILENT_AFTER_S: Final = 3.0
"""A picture that pauses for less is still there (a still screen is sent about once a second)."""

SLICE: Final = 32
"""Viewers who are given new seats before others have their turn: one or two milliseconds."""


class Stage:
    """One room with its sessions. ``on_empty`` is called when the last session has gone.

    :raises CoreBusy: its worker takes no commands now
    """

    def __init__(self, workers: Workers, per_worker: int, name: str, on_empty: Callable[[Stage], None]) -> None:
        self.room = Room(name)
        self.sessions: dict[str, Session] = {}  # by participant
        self.halls = Halls(workers, per_worker, self._on_event)
        self._on_empty = on_empty
        self._speakers: dict[Core, list[tuple[int, int]]] = {}  # as each worker hears them
        self._reseat_handle: asyncio.Handle | None = None
        self._silences: dict[int, asyncio.TimerHandle] = {}

    # --- sessions --------------------------------------------------------------------------------------------

    def enter(self, session: Session, member: Member, view: View) -> None:
        """Seat the newcomer now, for its answer, and everybody else in the next turn of the loop.

        A newcomer that publishes nothing changes nobody's seats: a join to a large audience costs what the first did.
        """
        replaced = self.sessions.get(session.participant)
        self.sessions[session.participant] = session
        self.room.add(member)
        self.room.set_view(session.participant, view)
        if replaced is not None:
            replaced.close("replaced")
        changes = SlotChanges()
        for _, contents in self.room.reseat(only=session.participant):
            self._show(session, contents, changes)
        session.core.set_slots(changes)
        if member.sources or replaced is not None:
            self._schedule()

    def withdraw(self, session: Session) -> None:
        """The session ends: nobody is shown what it sent, from now on."""
        self.halls.end_mirrors(session)
        if self.sessions.get(session.participant) is session:
            del self.sessions[session.participant]
            published = bool(self.room.members[session.participant].sources)
            self.room.remove(session.participant)
            if published:
                self._schedule()

    def forget(self, session: Session) -> None:
        """The core was told to close the session."""
        for source in session.sources:
            self._cancel_silence(source)
        if self.halls.forget(session):
            self.close()

    def close(self) -> None:
        """Nobody is here."""
        if self._reseat_handle is not None:
            self._reseat_handle.cancel()
        self.halls.close()
        self._on_empty(self)

    # --- what changes ----------------------------------------------------------------------------------------

    def set_view(self, session: Session, view: View) -> None:
        if self.sessions.get(session.participant) is session:
            self.room.set_view(session.participant, view)
            self._reseat(only=session.participant)

    def set_muted(self, session: Session, kind: TrackKind, muted: bool) -> None:
        """What a client says of itself."""
        member = self._member(session)
        source = None if member is None else member.sources.get(kind)
        if source is not None and self.room.set_muted(source, muted):
            self._tracks_changed(session)

    def hold(self, session: Session, kind: TrackKind, held: bool) -> None:
        """What a moderator or a permission decides: it acts in the core before anybody is told."""
        member = self._member(session)
        source = None if member is None else member.sources.get(kind)
        if source is not None and source.held != held:
            for core, handle in self.halls.handles_of(source, session.core):
                core.pause_source(handle, held)
            self.room.set_held(source, held)
            self._tracks_changed(session)

    def source_active(self, handle: int, active: bool) -> None:
        """The core saw a source begin, or fall silent. Silence must last before anybody is told."""
        self._cancel_silence(handle)
        if active:
            self._settle(handle, True)
        elif self.room.source(handle) is not None:
            loop = asyncio.get_running_loop()
            self._silences[handle] = loop.call_later(SILENT_AFTER_S, self._settle, handle, False)

    def _cancel_silence(self, handle: int) -> None:
        timer = self._silences.pop(handle, None)
        if timer is not None:
            timer.cancel()

    def _settle(self, handle: int, active: bool) -> None:
        self._silences.pop(handle, None)
        source = self.room.source(handle)
        if source is not None and self.room.set_active(source, active):
            self._tracks_changed(self.sessions[source.participant])

    def _on_event(self, core: Core, event: RoomEvent) -> None:
        if isinstance(event, SpeakersChanged):
            self.hear(core, event.speakers)

    def hear(self, core: Core, levels: list[tuple[int, int]]) -> None:
        """Who speaks, as one worker hears it: sources with their levels."""
        # Each worker hears its own publishers, and some of others' as mirrors, which the room does not know.
        self._speakers[core] = levels
        heard = sorted((entry for entries in self._speakers.values() for entry in entries), key=lambda entry: entry[1])
        speakers = self.room.set_speakers(heard)
        if speakers is not None:
            for session in list(self.sessions.values()):
                session.tell_speakers(speakers)
            self._schedule()

    def _tracks_changed(self, session: Session) -> None:
        member = self._member(session)
        if member is not None:
            session.tell_tracks(member.tracks())
        self._schedule()

    def _member(self, session: Session) -> Member | None:
        current = self.sessions.get(session.participant) is session
        return self.room.members[session.participant] if current else None

    def _show(self, session: Session, contents: Contents, changes: SlotChanges) -> Slots | None:
        def handle_of(source: Source) -> int:
            publisher = self.sessions.get(source.participant)
            return self.halls.handle_on(session.core, source, publisher, self.room.members[source.participant].sources)

        return session.show(contents, handle_of, changes)

    # --- seats -----------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if self._reseat_handle is None:
            self._reseat_handle = asyncio.get_running_loop().call_soon(self._reseat)

    def _reseat(self, only: str | None = None) -> None:
        if only is None:
            self._reseat_handle = None
        changes: defaultdict[Core, SlotChanges] = defaultdict(SlotChanges)
        frames: list[tuple[Session, Slots | None]] = []
        overloaded: list[Session] = []
        for member, contents in self.room.reseat(only, at_most=SLICE):
            session = self.sessions[member.participant]
            try:
                frame = self._show(session, contents, changes[session.core])
            except CoreBusy:
                overloaded.append(session)
                continue
            frames.append((session, frame))
        for core, change in changes.items():
            try:
                core.set_slots(change)
            except CoreBusy:
                overloaded.extend(session for session, _ in frames if session.core is core)
        for session, frame in frames:
            if frame is not None:
                session.tell_slots(frame)
        if only is None and self.room.unseated:
            self._schedule()
        for session in overloaded:
            # Its slot map no longer says what the core shows; a client that joins again gets a true one.
            log.warning("worker is behind, session ended", session=session.id[:8])
            session.close("overloaded")
