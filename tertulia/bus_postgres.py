"""The bus over PostgreSQL: ``LISTEN`` and ``NOTIFY`` on a connection of its own.

``NOTIFY`` in a writing transaction would take a lock on the whole cluster until its commit is on disk; told afterwards,
on a connection of its own, it costs the writers nothing. All processes listen on one channel and pass over what nobody
here follows: a notification is a few bytes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import msgspec

from tertulia.bus_shared import Heard, Told
from tertulia.database import Database

CHANNEL = "tertulia_bus"
PAYLOAD_BYTES_MAX = 7900
"""PostgreSQL takes less than 8000."""


class PostgresCarrier:
    """Implements ``bus_shared.Carrier``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: asyncpg.Connection | None = None

    async def run(self, topics: Callable[[], list[str]], ready: Callable[[], None], heard: Heard) -> None:
        lost = asyncio.Event()
        connection = await asyncpg.connect(**self._database.parameters, timeout=10, command_timeout=30)
        try:
            connection.add_termination_listener(lambda _: lost.set())

            def receive(_connection: Any, _pid: int, _channel: str, payload: str) -> None:
                for sender, topic, message in read(payload):
                    heard(sender, topic, message)

            await connection.add_listener(CHANNEL, receive)
            self._connection = connection
            ready()
            await lost.wait()
        finally:
            self._connection = None
            if not connection.is_closed():
                connection.terminate()

    async def follow(self, topic: str) -> None:
        """Everything comes anyway."""

    def leave(self, topic: str) -> None:
        """Everything comes anyway."""

    async def tell(self, sender: str, messages: Told) -> None:
        connection = self._connection
        if connection is None:
            raise ConnectionError("not connected")
        payloads = write(sender, messages)
        await connection.execute("SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload", CHANNEL, payloads)

    async def close(self) -> None:
        """``run`` has closed the connection."""


def write(sender: str, messages: Told) -> list[str]:
    """Messages as payloads, each within the limit."""
    payloads: list[str] = []
    held: list[tuple[str, str]] = []
    size = 0
    for topic, message in messages:
        length = len(topic) + len(message) + 16
        if held and size + length > PAYLOAD_BYTES_MAX - 100:
            payloads.append(msgspec.json.encode((sender, held)).decode())
            held, size = [], 0
        held.append((topic, message.decode()))
        size += length
    payloads.append(msgspec.json.encode((sender, held)).decode())
    return payloads


_PAYLOAD = msgspec.json.Decoder(tuple[str, list[tuple[str, str]]])


def read(payload: str) -> list[tuple[str, str, bytes]]:
    """Sender, topic and message of each; nothing for what is not ours."""
    try:
        sender, messages = _PAYLOAD.decode(payload)
    except msgspec.MsgspecError:
        return []
    return [(sender, topic, message.encode()) for topic, message in messages]
