"""``tertulia bench history``: pages of history at random depth in one large conversation, over HTTP, after a restart.

A real server makes its database; the conversation is loaded into it in bulk, 30 % of its messages followed by an edit
or a reaction; then the server and its database are started anew, with nothing in their own caches (what the kernel
keeps of files stays), and asked for pages one after the other.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import asyncpg

from tertulia.bench_chat import percentile
from tertulia.bench_server import BenchError, BenchServer
from tertulia.postgres import EmbeddedPostgres
from tertulia.settings import Settings
from tertulia.tokens import Tokens

CHUNK = 100_000
ROOM = "bench-history"
PAGE = 50
A_TOKEN = 90
"""Requests by one identity, below the burst that the door allows."""

# The i-th message is at i + i*3/10: where that leaves a number out, it belongs to an event about the message before.
_LOAD = """
WITH m AS (
    SELECT i, i + i * 3 / 10 AS seq, i * 3 / 10 > (i - 1) * 3 / 10 AS after_event,
        (i + 1) * 3 / 10 > i * 3 / 10 AS changed, i * 3 / 10 % 2 = 0 AS reacted,
        now() - make_interval(secs => 2e7 - i) AS at,
        jsonb_build_object('text', 'Message number ' || i || ', as long as such messages usually are: a line of text.') AS body
    FROM generate_series($2::bigint, $3::bigint) AS i
), events AS (
    INSERT INTO chat.event (conversation_id, seq, no, id, kind, sender_id, sender_name, client_id, body, created_at)
    SELECT $1, seq, i, gen_random_uuid(), 'message', 'u' || i % 50, 'User ' || i % 50, gen_random_uuid(), body, at FROM m
), later AS (
    INSERT INTO chat.event (conversation_id, seq, id, kind, target_seq, sender_id, sender_name, client_id, body, created_at)
    SELECT $1, seq + 1, gen_random_uuid(), CASE WHEN reacted THEN 'reaction' ELSE 'edit' END, seq, 'u' || i % 50, 'User',
        gen_random_uuid(), CASE WHEN reacted THEN '{"action":"added","emoji":"👍","count":1}'::jsonb ELSE body END, at
    FROM m WHERE changed
), reactions AS (
    INSERT INTO chat.reaction (conversation_id, seq, emoji, user_id, name, at)
    SELECT $1, seq, '👍', 'u' || i % 50, 'User', at FROM m WHERE changed AND reacted
)
INSERT INTO chat.message (conversation_id, seq, no, version, revision, sender_id, body, reactions, edited_at)
SELECT $1, seq, i, CASE WHEN changed THEN seq + 1 ELSE seq END, CASE WHEN changed AND NOT reacted THEN seq + 1 ELSE seq END,
    'u' || i % 50, body, CASE WHEN changed AND reacted THEN '{"👍": 1}'::jsonb END,
    CASE WHEN changed AND NOT reacted THEN at END
FROM m
"""  # noqa: E501 # a statement is easier to read in its own lines


@dataclass(frozen=True)
class Depths:
    """What a run found."""

    messages: int
    requests: int
    p50_ms: float
    p99_ms: float
    worst_ms: float
    server_cpu_ms: float


async def run(messages: int, requests: int) -> AsyncIterator[str | Depths]:
    """What is being done, and at last what was found. Raises BenchError."""
    with tempfile.TemporaryDirectory(prefix="tertulia-bench-") as name:
        directory = Path(name)
        # As root the database runs as a user without rights, who must get to its own directory.
        os.chmod(directory, 0o711)
        conversation = str(uuid.uuid4())
        began = time.monotonic()
        async with BenchServer(directory, capacity=100):
            await _load(directory, conversation, messages)
        yield f"loaded {messages:,} messages in {time.monotonic() - began:.0f} s"
        async with BenchServer(directory, capacity=100) as server:
            yield await _ask(server, conversation, messages, requests)


async def _load(directory: Path, conversation: str, messages: int) -> None:
    db = await asyncpg.connect(**EmbeddedPostgres(directory / "data" / "postgres").parameters, timeout=10)
    try:
        await db.execute(
            "INSERT INTO chat.conversation (id, kind, room_id, title) VALUES ($1, 'room', $2, 'Bench')",
            conversation,
            ROOM,
        )
        for first in range(1, messages + 1, CHUNK):
            await db.execute(_LOAD, conversation, first, min(messages, first + CHUNK - 1), timeout=600)
        last = await db.fetchval("SELECT max(seq) FROM chat.event WHERE conversation_id = $1", conversation)
        await db.execute(
            "INSERT INTO chat.head (conversation_id, last_seq, last_no) VALUES ($1, $2, $3)",
            conversation,
            last,
            messages,
        )
        await db.execute("ANALYZE chat.event, chat.message, chat.reaction", timeout=600)
        await db.execute("CHECKPOINT", timeout=600)
    finally:
        await db.close()


async def _ask(server: BenchServer, conversation: str, messages: int, requests: int) -> Depths:
    key_id, _, secret = server.key.partition(":")
    tokens = Tokens(Settings(api_keys={key_id: secret}, token_secret=secret))
    chance = random.Random(messages)
    last = messages + messages * 3 // 10
    times = []
    url = f"{server.url}/chat/history/{conversation}"
    async with aiohttp.ClientSession() as http:
        token = ""
        before = server.cpu()
        for number in range(requests):
            if number % A_TOKEN == 0:
                token = tokens.mint(ROOM, f"reader-{number}", "Reader", key_id=key_id)
            depth = chance.randint(PAGE * 2, last)
            began = time.perf_counter()
            async with http.get(
                url, params={"before": str(depth), "limit": str(PAGE)}, headers={"Authorization": f"Bearer {token}"}
            ) as response:
                page = await response.json()
            times.append((time.perf_counter() - began) * 1000)
            if response.status != 200 or len(page["messages"]) != PAGE:
                raise BenchError(f"A page was not answered as it should be ({response.status}).")
        cpu = server.cpu().since(before)
        await asyncio.sleep(0)
    return Depths(
        messages,
        requests,
        percentile(times, 0.5),
        percentile(times, 0.99),
        max(times),
        cpu / requests * 1000,
    )
