"""The table of calls that go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chat.access import Connection
from chat.ledger_store import instant
from chat.store import millis

OVER_MAX = 100
_COLUMNS = "conversation_id, id, user_id, name, began_at, until"


@dataclass(frozen=True)
class Call:
    """A call. Times in milliseconds since 1970; ``until`` is how long it goes on if nobody says it again."""

    conversation: str
    id: str
    user: str
    name: str
    began_at: int
    until: int


async def take(db: Connection, call: Call, node: str, lease_s: float) -> Call:
    """The conversation's call, now kept by ``node``: one that goes on already, or this one."""
    row = await db.fetchrow(
        "INSERT INTO chat.call (conversation_id, id, node, user_id, name, began_at, until)"
        " VALUES ($1, $2, $3, $4, $5, $6, now() + make_interval(secs => $7)) ON CONFLICT (conversation_id)"
        f" DO UPDATE SET node = excluded.node, until = excluded.until RETURNING {_COLUMNS}",
        call.conversation,
        call.id,
        node,
        call.user,
        call.name,
        instant(call.began_at),
        lease_s,
    )
    return _call_of(row)


async def renew(db: Connection, conversations: Sequence[str], lease_s: float) -> set[str]:
    """Say of these conversations again that their calls go on; those that have one."""
    rows = await db.fetch(
        "UPDATE chat.call SET until = now() + make_interval(secs => $2) WHERE conversation_id = ANY($1::uuid[])"
        " RETURNING conversation_id",
        conversations,
        lease_s,
    )
    return {str(row["conversation_id"]) for row in rows}


async def kept(db: Connection, conversation: str, node: str) -> Call | None:
    """The conversation's call, if ``node`` keeps it."""
    row = await db.fetchrow(
        f"SELECT {_COLUMNS} FROM chat.call WHERE conversation_id = $1 AND node = $2", conversation, node
    )
    return _call_of(row) if row is not None else None


async def over(db: Connection) -> list[Call]:
    """Calls of which nobody has said in time that they go on."""
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM chat.call WHERE until <= now() ORDER BY until LIMIT $1", OVER_MAX)
    return [_call_of(row) for row in rows]


async def forget(db: Connection, call: Call, node: str) -> None:
    """The call's end is in the log. One that another process keeps meanwhile stays."""
    await db.execute(
        "DELETE FROM chat.call WHERE conversation_id = $1 AND id = $2 AND (node = $3 OR until <= now())",
        call.conversation,
        call.id,
        node,
    )


def _call_of(row: Mapping[str, Any]) -> Call:
    return Call(
        str(row["conversation_id"]),
        str(row["id"]),
        row["user_id"],
        row["name"],
        millis(row["began_at"]),
        millis(row["until"]),
    )
