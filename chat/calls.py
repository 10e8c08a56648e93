"""Calls in the log: that one began in a room and that it ended, so that a conversation tells of its calls.

A call lasts from the first one who is in a room with media to the last one who leaves it. It is written after the fact
and holds nobody up: a call goes on while the database is away, and what could not be written then is missing.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog

from chat.core import Core, derived
from chat.draft import Draft, hash_of
from tertulia.catalogue import Change, EventKind
from tertulia.errors import TertuliaError
from tertulia.tokens import Principal

log = structlog.get_logger("chat.calls")


@dataclass(frozen=True)
class Call:
    """A call that goes on."""

    id: str
    began_at: float


class CallDesk:
    """The calls of this process."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._calls: dict[str, Call] = {}
        self._writing: dict[str, asyncio.Task[None]] = {}

    def changed(self, conversation: str, principal: Principal, going: bool, now: float | None = None) -> None:
        """Somebody came or went, and a call goes on now or does not."""
        now = time.time() if now is None else now
        call = self._calls.get(conversation)
        if going and call is None:
            call = self._calls[conversation] = Call(derived("call", conversation, str(now)), now)
            self._write(conversation, principal, "call-started", call, Change())
        elif not going and call is not None:
            del self._calls[conversation]
            change = Change(duration_ms=max(0, round((now - call.began_at) * 1000)))
            self._write(conversation, principal, "call-ended", call, change)

    @property
    def busy(self) -> bool:
        """Whether something is still to be written."""
        return bool(self._writing)

    async def close(self) -> None:
        """Wait for what is being written."""
        await asyncio.gather(*self._writing.values(), return_exceptions=True)

    def _write(self, conversation: str, principal: Principal, kind: EventKind, call: Call, change: Change) -> None:
        before = self._writing.get(conversation)
        draft = Draft(principal, kind, derived(kind, call.id), hash_of(change), change=change, trusted=True)
        task = asyncio.create_task(self._put(conversation, draft, before), name="chat-call")
        self._writing[conversation] = task
        task.add_done_callback(lambda done: self._done(conversation, done))

    async def _put(self, conversation: str, draft: Draft, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.gather(before, return_exceptions=True)  # an end after its beginning
        try:
            await self._core.put(conversation, draft)
        except TertuliaError as error:
            log.info("a call is not in the log", kind=draft.kind, code=error.code)

    def _done(self, conversation: str, task: asyncio.Task[None]) -> None:
        if self._writing.get(conversation) is task:
            del self._writing[conversation]
