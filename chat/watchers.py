"""Who watches whom at this process, and telling each what has changed, no more often than now and then.

A hint only says of whom to look again; what a watcher is told is what the database says, where it differs from what
that watcher was told before. One read serves all watchers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

import structlog

from chat.presence_store import Known
from chat.subscription import Sink
from tertulia.catalogue import PersonPresence, PresenceList
from tertulia.frames import Notice

log = structlog.get_logger("chat.watchers")

READ_MAX = 2000
"""People read at once."""

Read = Callable[[Sequence[str]], Awaitable[Mapping[str, Known]]]


class Watcher:
    """One connection, whom it watches, and what it was told of them."""

    __slots__ = ("reader", "sink", "told")

    def __init__(self, reader: str, sink: Sink, told: Iterable[PersonPresence]) -> None:
        self.reader = reader
        self.sink = sink
        self.told = {each.id: each for each in told}


class Watchers:
    """All watchers of this process."""

    def __init__(self, read: Read, pause_s: float) -> None:
        self._read = read
        self._pause_s = pause_s
        self._by_person: dict[str, set[Watcher]] = {}
        self._doubtful: set[str] = set()
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="presence-watchers")

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, watcher: Watcher) -> None:
        """Tell a watcher from now on; what changed since it was answered is looked for."""
        for person in watcher.told:
            self._by_person.setdefault(person, set()).add(watcher)
        self.look_at(watcher.told)

    def remove(self, watcher: Watcher) -> None:
        for person in watcher.told:
            watchers = self._by_person.get(person)
            if watchers is not None:
                watchers.discard(watcher)
                if not watchers:
                    del self._by_person[person]

    def look_at(self, people: Iterable[str] | None) -> None:
        """Something may have changed with these people; None: with anybody."""
        found = self._by_person.keys() if people is None else self._by_person.keys() & set(people)
        if found:
            self._doubtful |= found
            self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self.look()
            except Exception as error:
                log.warning("who is here could not be read", error=type(error).__name__)
                self._wake.set()
            # What comes meanwhile is told together.
            await asyncio.sleep(self._pause_s)

    async def look(self) -> None:
        """Read what is in doubt, and tell the watchers what is new to them."""
        doubtful, self._doubtful = list(self._doubtful), set()
        found: dict[str, Known] = {}
        try:
            for start in range(0, len(doubtful), READ_MAX):
                found |= await self._read(doubtful[start : start + READ_MAX])
        except BaseException:
            self._doubtful.update(doubtful)
            raise
        news: dict[Watcher, list[PersonPresence]] = {}
        for person, known in found.items():
            for watcher in self._by_person.get(person, ()):
                shown = known.shown_to(watcher.reader)
                if watcher.told[person] != shown:
                    news.setdefault(watcher, []).append(shown)
        for watcher, changed in news.items():
            # Who is too slow now is told at the next look.
            if watcher.sink.deliver(Notice("presence", PresenceList(changed))):
                watcher.told.update((each.id, each) for each in changed)
