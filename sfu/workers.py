"""The workers of this process and which of them a room is put on.

A room lives on one worker, so forwarding takes no locks; several workers use several cores. Worker *n* has the media
port plus *n*, and a room's answers name the port of its worker.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sfu.core import Core, CoreSettings


class WorkerSettings(CoreSettings, Protocol):
    """What the workers need of the settings."""

    @property
    def media_workers(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Place:
    """A worker's own share of the settings."""

    media_port: int
    media_bind: tuple[str, ...]


class Workers:
    """All workers, started and stopped with the event loop.

    :raises OSError: one of the ports is taken or an address is not ours; none is then held
    """

    def __init__(self, settings: WorkerSettings) -> None:
        self._cores: list[Core] = []
        self._rooms: dict[Core, int] = {}
        self._links: set[frozenset[Core]] = set()
        try:
            for number in range(settings.media_workers):
                # Any port stays any port.
                port = settings.media_port + number if settings.media_port else 0
                self._cores.append(Core(_Place(port, tuple(settings.media_bind)), number=number))
        except OSError:
            self.close()
            raise
        self._rooms = dict.fromkeys(self._cores, 0)

    def __iter__(self) -> Iterator[Core]:
        return iter(self._cores)

    def start(self) -> None:
        for core in self._cores:
            core.start()

    def close(self) -> None:
        for core in self._cores:
            core.close()
        self._cores = []

    @property
    def ports(self) -> list[int]:
        """The UDP port of each worker."""
        return [core.port for core in self._cores]

    def number(self, core: Core) -> int:
        """Which worker it is, from 0."""
        return self._cores.index(core)

    def least_loaded(self, among: Sequence[Core] | None = None) -> Core:
        """The worker with the fewest sessions, then with the fewest rooms."""
        return min(self._cores if among is None else among, key=lambda core: (core.sessions, self._rooms[core]))

    def occupy(self, core: Core) -> None:
        """A room, or a part of one, is on this worker."""
        self._rooms[core] += 1

    def leave(self, core: Core) -> None:
        """... and is gone."""
        self._rooms[core] -= 1

    def link(self, one: Core, other: Core) -> None:
        """See that packets can pass between two workers, both ways."""
        pair = frozenset((one, other))
        if pair not in self._links:
            one.link(other)
            self._links.add(pair)
