"""One room on as many workers as it needs: its part on each of them (a hall), and mirrors of publishers between them.

A room begins on one worker. When so many sessions of it are there that one core could not serve them, the next ones go
to another worker; whoever is to be seen or heard there is relayed once to that worker, however many watch. The mirror
of a publisher is made when the first slot of a hall shows something of it, and goes with the publisher.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from sfu.core import Core, CoreBusy, IceCredentials, LayersWanted, RoomEvent, SessionEvent
from sfu.publishing import declare
from sfu.room import Source
from sfu.sdp.plan import TrackKind
from sfu.session import Session
from sfu.workers import Workers

_NOBODY: Final = IceCredentials("", "", "", "")
"""A mirror has no client: no check names it."""


@dataclass(slots=True)
class _Hall:
    """A room's part on one worker."""

    handle: int
    guests: set[Session] = field(default_factory=set)


class Halls:
    """The parts of one room.

    :param on_event: called with the worker that an event of the room comes from
    :raises CoreBusy: the first worker takes no commands now
    """

    def __init__(self, workers: Workers, per_worker: int, on_event: Callable[[Core, RoomEvent], None]) -> None:
        self._workers = workers
        self._per_worker = per_worker
        self._on_event = on_event
        self._halls: dict[Core, _Hall] = {}
        self._mirrors: dict[tuple[Session, Core], int] = {}
        self._mirrored: dict[tuple[int, Core], int] = {}  # (source, worker) -> the mirror's source there
        self._open(workers.least_loaded())

    @property
    def cores(self) -> list[Core]:
        return list(self._halls)

    def place(self) -> tuple[Core, int]:
        """The worker for the next session, and the room's handle there."""
        for core, hall in self._halls.items():
            if len(hall.guests) < self._per_worker:
                return core, hall.handle
        others = [core for core in self._workers if core not in self._halls]
        if others:
            return self._open(self._workers.least_loaded(others))
        core, hall = min(self._halls.items(), key=lambda item: len(item[1].guests))
        return core, hall.handle

    def _open(self, core: Core) -> tuple[Core, int]:
        hall = _Hall(core.create_room(lambda event: self._on_event(core, event)))
        self._halls[core] = hall
        self._workers.occupy(core)
        return core, hall.handle

    # --- guests ------------------------------------------------------------------------------------------------

    def expect(self, session: Session) -> None:
        """The session is being made; the room must not go before it."""
        self._halls[session.core].guests.add(session)

    def forget(self, session: Session) -> bool:
        """The core was told to close the session. True when nobody is left."""
        self._halls[session.core].guests.discard(session)
        return not any(hall.guests for hall in self._halls.values())

    def close(self) -> None:
        """The room ends, on all workers."""
        for core, hall in self._halls.items():
            core.close_room(hall.handle)
            self._workers.leave(core)

    # --- mirrors -----------------------------------------------------------------------------------------------

    def handle_on(
        self, core: Core, source: Source, publisher: Session | None, sources: Mapping[TrackKind, Source]
    ) -> int:
        """The source as ``core`` knows it. ``sources`` are all that its publisher sends, by track."""
        if publisher is None or publisher.core is core:
            return source.handle
        if (publisher, core) not in self._mirrors:
            self._mirror(publisher, core, sources)
        return self._mirrored.get((source.handle, core), 0)

    def handles_of(self, source: Source, home: Core) -> list[tuple[Core, int]]:
        """The source on every worker that knows it."""
        copies = [(core, handle) for (origin, core), handle in self._mirrored.items() if origin == source.handle]
        return [(home, source.handle), *copies]

    def _mirror(self, publisher: Session, core: Core, sources: Mapping[TrackKind, Source]) -> None:
        self._workers.link(publisher.core, core)
        handle_event = partial(self._on_mirror, publisher, core)
        mirror = core.create_session(self._halls[core].handle, _NOBODY, handle_event)
        self._mirrors[publisher, core] = mirror
        try:
            plan = publisher.plan
            # Feedback on arrival and loss is given where the publisher sends to.
            core.configure_media(mirror, plan.extensions, two_byte=plan.mixed, transport_cc=False, remb=False)
            for publication in plan.publications:
                source = sources[publication.track]
                copy = declare(core, mirror, publication, source.id)
                self._mirrored[source.handle, core] = copy
                if source.held:
                    core.pause_source(copy, True)
            for layers in publisher.demand.mirrored(core):
                publisher.tell_layers(layers)
            core.mirror(mirror, publisher.core, publisher.handle)
            publisher.core.relay(publisher.handle, core, mirror)
        except CoreBusy:
            self._unmirror(publisher, core)
            raise

    def end_mirrors(self, publisher: Session) -> None:
        """The publisher is leaving."""
        for known, core in [key for key in self._mirrors if key[0] is publisher]:
            self._unmirror(known, core)

    def _unmirror(self, publisher: Session, core: Core) -> None:
        core.end_session(self._mirrors.pop((publisher, core)))
        for handle in publisher.sources:
            self._mirrored.pop((handle, core), None)
        for layers in publisher.demand.unmirrored(core):
            publisher.tell_layers(layers)

    def _on_mirror(self, publisher: Session, core: Core, event: SessionEvent) -> None:
        """What is wanted of a mirror is wanted of its publisher; all else its publisher tells itself."""
        if isinstance(event, LayersWanted):
            for handle in publisher.sources:
                if self._mirrored.get((handle, core)) == event.source:
                    publisher.take_demand(handle, core, event.layers)
