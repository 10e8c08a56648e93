"""One embedded PostgreSQL for all tests of a session that only need a database; each test has a pool of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tertulia.database import Database
from tertulia.postgres import ROLE, EmbeddedPostgres


@contextmanager
def shared_server(directory: Path) -> Iterator[str]:
    """A server with all migrations applied; its DSN. It is watched over by a loop of its own, on a thread."""
    server = EmbeddedPostgres(directory)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="postgres")
    thread.start()

    async def start() -> str:
        await server.start()
        dsn = f"postgresql://{ROLE}@/tertulia?host={server.socket_dir}"
        database = Database(dsn, directory)
        await database.start()
        await database.migrate()
        await database.close()
        return dsn

    try:
        yield asyncio.run_coroutine_threadsafe(start(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(server.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
