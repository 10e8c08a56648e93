"""The SQL of coming back: for many clients and conversations in one statement each."""

from __future__ import annotations

from collections.abc import Sequence

from chat.access import RIGHTS, Access, Connection, Facts, judge, membership_of, role_of
from chat.store import EVENT_COLUMNS, LIVE, event_of
from tertulia.catalogue import Event
from tertulia.tokens import Principal


async def access_pairs(db: Connection, pairs: Sequence[tuple[Principal, str]]) -> dict[tuple[Principal, str], Access]:
    """Who of these may read which conversation. Each is judged by the token they came with."""
    asked = list(dict.fromkeys(pairs))
    rows = await db.fetch(
        "SELECT p.at, c.kind, c.room_id, m.role, m.visible_from, m.visible_to"
        " FROM unnest($1::int[], $2::text[], $3::uuid[]) AS p(at, user_id, conversation_id)"
        " JOIN chat.conversation c ON c.id = p.conversation_id"
        " LEFT JOIN chat.member m ON m.conversation_id = c.id AND m.user_id = p.user_id",
        list(range(len(asked))),
        [principal.identity for principal, _ in asked],
        [conversation for _, conversation in asked],
    )
    found: dict[tuple[Principal, str], Access] = {}
    for row in rows:
        principal, conversation = asked[row["at"]]
        facts = Facts(conversation, row["kind"], row["room_id"])
        membership = membership_of(row)
        role = role_of(facts, membership, principal)
        if principal.grants.chat and role is not None and "read" in RIGHTS[facts.kind][role]:
            found[principal, conversation] = judge(facts, membership, principal, "read")
    return found


async def events_after_many(
    db: Connection, positions: Sequence[tuple[str, int]], limit: int
) -> dict[tuple[str, int], list[Event]]:
    """What follows each (conversation, seq), at most ``limit`` events each, rising."""
    rows = await db.fetch(
        f"SELECT p.at, e.* FROM unnest($1::int[], $2::uuid[], $3::bigint[]) AS p(at, conversation_id, after)"
        f" CROSS JOIN LATERAL (SELECT {EVENT_COLUMNS}, {LIVE} AS live FROM chat.event"
        " WHERE event.conversation_id = p.conversation_id AND seq > p.after ORDER BY seq LIMIT $4) e"
        " ORDER BY p.at, e.seq",
        list(range(len(positions))),
        [conversation for conversation, _ in positions],
        [seq for _, seq in positions],
        limit,
    )
    found: dict[tuple[str, int], list[Event]] = {position: [] for position in positions}
    for row in rows:
        position = positions[row["at"]]
        found[position].append(event_of(position[0], row))
    return found
