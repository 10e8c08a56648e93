"""Durable sends at the service, without any door: ``python -m tertulia.bench_chat_service DIRECTORY SECONDS``."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
import uuid
from pathlib import Path

import uvloop

from chat.service import ChatService
from tertulia.bench_chat_servers import cpu_seconds, database_seconds
from tertulia.bus import LocalBus
from tertulia.catalogue import Grants, MessageBody, SendMessage
from tertulia.database import Database
from tertulia.tokens import Principal

SENDERS = 500


async def run(directory: Path, seconds: float) -> dict[str, float]:
    """Many senders to one conversation, each waiting for its acknowledgement."""
    database = Database("", directory / "postgres")
    await database.start()
    await database.migrate()
    chat = ChatService(database, LocalBus())
    await chat.start()
    conversation = await chat.ensure_room_conversation("bench", "Bench")
    acknowledged = 0
    until = 0.0

    async def sender(number: int) -> None:
        nonlocal acknowledged
        principal = Principal(f"sender-{number}", "Sender", "bench", Grants(), "guest", 4e9)
        while time.monotonic() < until:
            body = MessageBody("x" * 100)
            await chat.send(principal, SendMessage(conversation, str(uuid.uuid4()), body), "socket")
            acknowledged += 1

    async def measure(length: float) -> dict[str, float]:
        nonlocal acknowledged, until
        acknowledged = 0
        before = cpu_seconds(os.getpid()), database_seconds(os.getpid())
        started = time.monotonic()
        until = started + length
        await asyncio.gather(*(sender(number) for number in range(SENDERS)))
        took = time.monotonic() - started
        return {
            "per_s": acknowledged / took,
            "cpu_us": (cpu_seconds(os.getpid()) - before[0]) / acknowledged * 1e6,
            "database_us": (database_seconds(os.getpid()) - before[1]) / acknowledged * 1e6,
        }

    await measure(min(1.0, seconds))  # to warm up
    found = await measure(seconds)
    await chat.close()
    await database.close()
    return found


def main() -> None:
    sys.stdout.write(json.dumps(uvloop.run(run(Path(sys.argv[1]), float(sys.argv[2])))) + "\n")


if __name__ == "__main__":
    main()
