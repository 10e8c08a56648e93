"""What it looks like when the database goes away in the middle of something."""

from __future__ import annotations

import asyncpg

from tertulia import database

LOST = (
    *database.LOST,
    asyncpg.InterfaceError,  # work on a connection that was closed meanwhile
    asyncpg.InternalClientError,  # what the connection said before it broke made no sense
    asyncpg.IdleInTransactionSessionTimeoutError,
    TimeoutError,
)


def is_lost(error: BaseException) -> bool:
    """Whether the connection, and not the request, was at fault."""
    # A value that asyncpg cannot encode is an InterfaceError too, but also a ValueError.
    return isinstance(error, LOST) and not isinstance(error, ValueError)
