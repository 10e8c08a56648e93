"""The rooms' SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import asyncpg

from tertulia.catalogue import RoomInfo

Connection: TypeAlias = asyncpg.Connection

_COLUMNS = "id, name, conversation_id, created_at"


async def create_room(db: Connection, room_id: str, name: str, conversation: str, created_by: str | None) -> RoomInfo:
    row = await db.fetchrow(
        "INSERT INTO signaling.room (id, name, conversation_id, created_by) VALUES ($1, $2, $3, $4)"
        f" RETURNING {_COLUMNS}",
        room_id,
        name,
        conversation,
        created_by,
    )
    return _room_of(row)


async def get_room(db: Connection, room_id: str) -> RoomInfo | None:
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM signaling.room WHERE id = $1", room_id)
    return _room_of(row) if row else None


async def newest_rooms(db: Connection, limit: int) -> list[RoomInfo]:
    rows = await db.fetch(f"SELECT {_COLUMNS} FROM signaling.room ORDER BY created_at DESC, id LIMIT $1", limit)
    return [_room_of(row) for row in rows]


async def delete_room(db: Connection, room_id: str) -> bool:
    """Whether there was such a room."""
    return await db.fetchval("DELETE FROM signaling.room WHERE id = $1 RETURNING true", room_id) is not None


def _room_of(row: Mapping[str, Any]) -> RoomInfo:
    return RoomInfo(
        id=row["id"],
        name=row["name"],
        conversation=str(row["conversation_id"]),
        created_at=round(row["created_at"].timestamp() * 1000),
    )
