"""Which bus the settings ask for: Redis, PostgreSQL's notifications, or none where there is one process only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tertulia.bus import Bus, LocalBus
from tertulia.bus_postgres import PostgresCarrier
from tertulia.bus_redis import RedisCarrier
from tertulia.bus_shared import SharedBus
from tertulia.database import Database
from tertulia.settings import Settings


def choose(settings: Settings, database: Database, readers: Mapping[str, Callable[[bytes], Any]]) -> Bus:
    """A bus that is not started. ``readers``: see :class:`SharedBus`."""
    if settings.redis_url:
        return SharedBus(RedisCarrier(settings.redis_url), readers)
    if settings.database_dsn:
        return SharedBus(PostgresCarrier(database), readers)
    # The embedded database belongs to one process.
    return LocalBus()
