"""Calls in the log: that one began in a room and that it ended, so that a conversation tells of its calls.

A call lasts from the first one who is in a room with media to the last one who leaves it. It is written after the fact
and holds nobody up: a call goes on while the database is away, and is written when that is back. What goes on stands in
the database under a lease (``call_store.py``): a program that comes back in time goes on with its calls, and of those
that nobody goes on with, after a kill or a stop for good, the end is written by whichever process sees it first.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable

import structlog

from chat import call_store
from chat.call_store import Call
from chat.core import Core, derived
from chat.draft import Draft, hash_of
from chat.leases import Timing
from tertulia.catalogue import Change, EventKind, Grants
from tertulia.errors import TertuliaError, Unavailable
from tertulia.tokens import Principal

log = structlog.get_logger("chat.calls")


class CallDesk:
    """The calls of this process, and the ends of those that no process has any more."""

    def __init__(self, core: Core, timing: Timing | None = None) -> None:
        self._core = core
        self._timing = timing or Timing()
        self._node = secrets.token_hex(8)
        self._going: dict[str, Call] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._looking = asyncio.create_task(self._look_now_and_then(), name="chat-calls")

    async def close(self) -> None:
        """Wait for what is being written. Calls that go on are left to whoever comes back."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await asyncio.gather(*self._writing.values(), return_exceptions=True)

    def changed(self, conversation: str, principal: Principal, going: bool, now: float | None = None) -> None:
        """Somebody came or went, and a call goes on now or does not."""
        at = round((time.time() if now is None else now) * 1000)
        if going and conversation not in self._going:
            call = Call(
                conversation, derived("call", conversation, str(at)), principal.identity, principal.name, at, at
            )
            self._going[conversation] = call
            self._do(conversation, self._begin(call))
        elif not going and self._going.pop(conversation, None) is not None:
            self._do(conversation, self._end(conversation, at))

    @property
    def busy(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._writing)

    async def look(self) -> None:
        """Say again which calls go on here, and write the ends of those that nobody says so of."""
        going = dict(self._going)
        lease_s = self._timing.lease_s
        known = await self._core.change(lambda db: call_store.renew(db, sorted(going), lease_s))
        for conversation in going.keys() - known:
            if conversation not in self._writing:
                self._do(conversation, self._begin(going[conversation]))
        for call in await self._core.read(call_store.over):
            if call.conversation not in self._going:
                await self._write_end(call, max(call.began_at, call.until - round(lease_s * 1000)))

    async def _look_now_and_then(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as error:
                log.warning("calls could not be looked after", error=type(error).__name__)
            await asyncio.sleep(self._timing.renew_s)

    async def _begin(self, call: Call) -> None:
        taken = await self._core.change(lambda db: call_store.take(db, call, self._node, self._timing.lease_s))
        if taken.id == call.id:
            await self._put(taken, "call-started", Change())

    async def _end(self, conversation: str, at: int) -> None:
        call = await self._core.read(lambda db: call_store.kept(db, conversation, self._node))
        if call is not None:
            await self._write_end(call, at)

    async def _write_end(self, call: Call, at: int) -> None:
        try:
            # Its beginning may be missing; one that is there is not written twice.
            await self._put(call, "call-started", Change())
            await self._put(call, "call-ended", Change(duration_ms=max(0, at - call.began_at)))
        except Unavailable:
            raise  # the next look does it
        except TertuliaError as error:
            log.info("a call is not in the log", code=error.code)
        await self._core.change(lambda db: call_store.forget(db, call, self._node))

    async def _put(self, call: Call, kind: EventKind, change: Change) -> None:
        principal = Principal(call.user, call.name, "", Grants(), "", 0)
        draft = Draft(principal, kind, derived(kind, call.id), hash_of(change), change=change, trusted=True)
        await self._core.put(call.conversation, draft)

    def _do(self, conversation: str, work: Awaitable[None]) -> None:
        before = self._writing.get(conversation)
        task = asyncio.create_task(self._after(before, work), name="chat-call")
        self._writing[conversation] = task
        task.add_done_callback(lambda done: self._done(conversation, done))

    async def _after(self, before: asyncio.Task[None] | None, work: Awaitable[None]) -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)  # an end after its beginning
        try:
            await work
        except TertuliaError as error:
            log.info("a call is not in the log yet", code=error.code)
        except Exception as error:
            log.error("a call could not be written", exc_info=error)

    def _done(self, conversation: str, task: asyncio.Task[None]) -> None:
        if self._writing.get(conversation) is task:
            del self._writing[conversation]
