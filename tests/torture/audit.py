"""What the database holds, read beside the program: the truth that a history is judged by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import asyncpg


async def stored(db: asyncpg.Connection, client_id: str) -> bool:
    """Whether a send with this client id is committed."""
    return bool(await db.fetchval("SELECT true FROM chat.sent WHERE client_id = $1", client_id))


async def read(parameters: dict[str, Any], conversations: Sequence[str]) -> dict[str, Any]:
    """Heads and events of these conversations, and how much is written but not published, in one snapshot.

    ``parameters`` are those of ``asyncpg.connect``.
    """
    db = await asyncpg.connect(**parameters)
    try:
        async with db.transaction(isolation="repeatable_read", readonly=True):
            heads = await db.fetch(
                "SELECT conversation_id, last_seq, floor_seq FROM chat.head WHERE conversation_id = ANY($1::uuid[])",
                conversations,
            )
            rows = await db.fetch(
                "SELECT conversation_id, seq, id, kind, sender_id, client_id, target_seq, body::text AS body"
                " FROM chat.event WHERE conversation_id = ANY($1::uuid[]) ORDER BY seq",
                conversations,
            )
            folded = await db.fetch(
                "SELECT conversation_id, seq, body::text AS body, deleted_at, pinned_at, reactions::text AS reactions,"
                " no, sender_id FROM chat.message WHERE conversation_id = ANY($1::uuid[]) ORDER BY seq",
                conversations,
            )
            leftovers = [
                [table, str(row["conversation_id"]), row["seq"]]
                for table in ("search_doc", "reaction", "mention")
                for row in await db.fetch(
                    f"SELECT DISTINCT conversation_id, seq FROM chat.{table} JOIN chat.message USING"
                    " (conversation_id, seq) WHERE deleted_at IS NOT NULL AND conversation_id = ANY($1::uuid[])",
                    conversations,
                )
            ]
            unpublished = await db.fetchval(
                "SELECT count(*) FROM chat.outbox WHERE conversation_id = ANY($1::uuid[]) AND xid >="
                " coalesce((SELECT upto FROM chat.outbox_reader WHERE name = 'fan-out'), '0'::xid8)",
                conversations,
            )
    finally:
        await db.close()
    events: dict[str, list[dict[str, Any]]] = {conversation: [] for conversation in conversations}
    for row in rows:
        events[str(row["conversation_id"])].append(
            {
                "seq": row["seq"],
                "id": str(row["id"]),
                "kind": row["kind"],
                "sender": row["sender_id"],
                "client_id": str(row["client_id"]) if row["client_id"] else None,
                "target_seq": row["target_seq"],
                "body": row["body"],
            }
        )
    messages: dict[str, list[list[Any]]] = {conversation: [] for conversation in conversations}
    counted: dict[str, list[list[Any]]] = {conversation: [] for conversation in conversations}
    for row in folded:
        if row["no"] is not None and row["deleted_at"] is None:
            counted[str(row["conversation_id"])].append([row["no"], row["sender_id"]])
        body = json.loads(row["body"]) if row["body"] is not None else {}
        reactions = json.loads(row["reactions"]) if row["reactions"] is not None else {}
        messages[str(row["conversation_id"])].append(
            [
                row["seq"],
                body.get("text"),
                row["deleted_at"] is not None,
                row["pinned_at"] is not None,
                sorted([emoji, count] for emoji, count in reactions.items() if count),
            ]
        )
    return {
        "unpublished": unpublished,
        "leftovers": leftovers,
        "conversations": [
            {
                "conversation": str(row["conversation_id"]),
                "head": row["last_seq"],
                "floor": row["floor_seq"],
                "events": events[str(row["conversation_id"])],
                "messages": messages[str(row["conversation_id"])],
                "counted": counted[str(row["conversation_id"])],
            }
            for row in heads
        ],
    }
