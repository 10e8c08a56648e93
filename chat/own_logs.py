"""Tells people's own logs what others did that concerns them: who brought them where, and what they are there.

It reads the outbox after the fact, so that no transaction locks the heads of two conversations. The ids of what it
writes are derived from the events, so that reading one twice writes once.
"""

from __future__ import annotations

import msgspec
import structlog

from chat import store
from chat.access import Connection
from chat.consumers import Range
from chat.core import Core, derived
from chat.draft import Draft, hash_of
from chat.personal import own_log
from tertulia.catalogue import Change, Event, Grants, SelfAction
from tertulia.errors import NotFound
from tertulia.tokens import WORKSPACE_KEY, Principal

log = structlog.get_logger("chat.own_logs")


class OwnLogs:
    """Handles ranges of the outbox; see :class:`chat.consumers.Consumer`."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def handle(self, db: Connection, ranges: list[Range]) -> None:
        for each in ranges:
            if each.hi < each.lo:
                await self._made(db, each.conversation)
                continue
            for event in await _memberships(db, each):
                await self._tell(event)

    async def _made(self, db: Connection, conversation: str) -> None:
        rows = await db.fetch(
            "SELECT m.user_id, m.name FROM chat.member m JOIN chat.conversation c ON c.id = m.conversation_id"
            " WHERE c.id = $1 AND c.kind = 'direct'",
            conversation,
        )
        for row in rows:
            change = Change(action="conversation-added", conversation=conversation, role="member")
            await self._write(row["user_id"], row["name"], derived("made", conversation, row["user_id"]), change)

    async def _tell(self, event: Event) -> None:
        change = event.change
        if change is None or change.user is None:
            return
        actions: dict[str | None, SelfAction] = {
            "joined": "conversation-added",
            "added": "conversation-added",
            "left": "conversation-removed",
            "removed": "conversation-removed",
            "role": "conversation-role",
        }
        told = Change(
            action=actions[change.action], conversation=event.conversation, role=change.role, user=event.sender
        )
        await self._write(change.user, change.name or change.user, derived("told", event.id), told)

    async def _write(self, user: str, name: str, client_id: str, change: Change) -> None:
        principal = Principal(user, name[:64], "", Grants(), WORKSPACE_KEY, 0)
        draft = Draft(principal, "self", client_id, hash_of(change), change=change, trusted=True)
        try:
            await self._core.put(own_log(user), draft)
        except NotFound:
            return  # somebody who has never been here finds everything in their list when they come


async def _memberships(db: Connection, each: Range) -> list[Event]:
    # Asked for by kind: a full search again after a restore goes over millions of events.
    rows = await db.fetch(
        f"SELECT {store.EVENT_COLUMNS}, true AS live FROM chat.event"
        " WHERE conversation_id = $1 AND seq BETWEEN $2 AND $3 AND kind = 'member' ORDER BY seq",
        each.conversation,
        each.lo,
        each.hi,
    )
    events = []
    for row in rows:
        try:
            events.append(store.event_of(each.conversation, row))
        except msgspec.ValidationError:
            # One that cannot be read must not keep all that follow from being told.
            log.error("an event cannot be read", seq=row["seq"])
    return events
