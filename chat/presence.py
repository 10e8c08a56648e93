"""Presence of people: who is here, how they want to be seen, and who is told of it.

It is state and in no log. What is true stands in the database (``presence_store.py``): a lease for everybody whom a
process holds a socket of (``leases.py``), and the status each has chosen. Hints over the bus say of whom to look again;
a lost one is made good by the beat, which looks at everybody who is watched here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from chat import presence_store
from chat.access import Connection, acquainted, check_workspace
from chat.checks import check_text
from chat.core import Core
from chat.leases import Leases, Timing
from chat.presence_hint import TOPIC, PeopleHint
from chat.presence_store import Known
from chat.subscription import Sink
from chat.watchers import Watcher, Watchers
from tertulia.bus import Bus
from tertulia.catalogue import Ok, PersonPresence, PresenceList, SetStatus, Watch
from tertulia.tokens import Principal

log = structlog.get_logger("chat.presence")


class PresenceDesk:
    """Who is here, of the people who are logged in."""

    def __init__(self, core: Core, bus: Bus, timing: Timing | None = None) -> None:
        self._core = core
        self._bus = bus
        self._timing = timing or Timing()
        self._leases = Leases(core, self._changed, self._timing)
        self._watchers = Watchers(self._read, self._timing.pause_s)
        self._leave_bus: Callable[[], None] | None = None
        self._beats: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._leave_bus = await self._bus.subscribe(TOPIC, self._heard)
        self._bus.on_loss.append(lambda: self._watchers.look_at(None))
        self._leases.start()
        self._watchers.start()
        self._beats = asyncio.create_task(self._beat(), name="presence-beat")

    async def close(self) -> None:
        if self._leave_bus is None or self._beats is None:
            return
        self._beats.cancel()
        await asyncio.gather(self._beats, return_exceptions=True)
        self._leave_bus()
        await self._watchers.close()
        await self._leases.close()

    # --- sockets -------------------------------------------------------------------------------------------------

    def came(self, principal: Principal) -> None:
        """Somebody has connected; once for each socket."""
        if principal.workspace:
            self._leases.came(principal.identity)

    def went(self, principal: Principal) -> None:
        """A socket of somebody who came is gone."""
        if principal.workspace:
            self._leases.went(principal.identity)

    # --- requests ------------------------------------------------------------------------------------------------

    async def set_status(self, principal: Principal, asked: SetStatus) -> Ok:
        """Keep how the asker wants to be seen. Raises BadRequest ``text-invalid``, Forbidden ``workspace-needed``."""
        me = check_workspace(principal)
        check_text(asked.text, "text")
        await self._core.change(lambda db: presence_store.choose(db, me, asked))
        self._changed([me])
        return Ok()

    async def watch(self, principal: Principal, asked: Watch) -> PresenceList:
        """The presence of those of the people whom the asker may watch. Raises Forbidden ``workspace-needed``."""
        me = check_workspace(principal)

        async def work(db: Connection) -> list[PersonPresence]:
            allowed = await acquainted(db, me, asked.people)
            found = await presence_store.known(db, sorted(allowed))
            return [each.shown_to(me) for each in found.values()]

        return PresenceList(await self._core.read(work))

    async def follow(self, principal: Principal, asked: Watch, sink: Sink) -> tuple[PresenceList, Watcher]:
        """Like :meth:`watch`, with a watcher that is told of changes from :meth:`begin` to :meth:`end`."""
        answer = await self.watch(principal, asked)
        return answer, Watcher(principal.identity, sink, answer.people)

    def begin(self, watcher: Watcher) -> None:
        self._watchers.add(watcher)

    def end(self, watcher: Watcher) -> None:
        self._watchers.remove(watcher)

    # --- changes -------------------------------------------------------------------------------------------------

    def _changed(self, people: Iterable[str]) -> None:
        self._bus.publish(TOPIC, PeopleHint.of(people))

    def _heard(self, hint: PeopleHint) -> None:
        self._watchers.look_at(hint.people)

    async def _read(self, people: Sequence[str]) -> Mapping[str, Known]:
        return await self._core.read(lambda db: presence_store.known(db, people))

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._timing.renew_s)
            try:
                await self._leases.renew()
            except Exception as error:
                log.warning("leases were not renewed", error=type(error).__name__)
            self._watchers.look_at(None)


async def is_invisible(db: Connection, principal: Principal) -> bool:
    """Whether others are not to notice what somebody does: that they write, how far they have read."""
    if not principal.workspace:
        return False
    status: str | None = await db.fetchval("SELECT status FROM chat.status WHERE user_id = $1", principal.identity)
    return status == "invisible"
