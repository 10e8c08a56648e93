"""``tertulia bench history``: pages of history at random depth in one large conversation, over HTTP, after a restart.

A real server makes its database; the conversation is loaded into it in bulk, 30 % of its messages followed by an edit
or a reaction, and vacuumed as the server does it by and by; then the server and its database are started anew, with
nothing in their own caches (what the kernel keeps of files stays), and asked for pages one after the other.
"""

from __future__ import annotations

import asyncio
import os
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, nullcontext
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


async def run(messages: int, requests: int, keep: Path | None = None) -> AsyncIterator[str | Depths]:
    """What is being done, and at last what was found. Raises BenchError.

    :param keep: a directory that is kept; what an earlier run has loaded into it is used, and the rest is added
    """
    with _directory(keep) as directory:
        began = time.monotonic()
        async with BenchServer(directory, capacity=100):
            conversation, loaded = await _load(directory, messages)
        yield f"loaded {loaded:,} of {messages:,} messages in {time.monotonic() - began:.0f} s"
        async with BenchServer(directory, capacity=100) as server:
            yield await _ask(server, conversation, messages, requests)


@contextmanager
def _directory(keep: Path | None) -> Iterator[Path]:
    with nullcontext(keep) if keep else tempfile.TemporaryDirectory(prefix="tertulia-bench-") as name:
        directory = Path(name)
        directory.mkdir(exist_ok=True)
        # As root the database runs as a user without rights, who must get to its own directory.
        os.chmod(directory, 0o711)
        yield directory


async def _load(directory: Path, messages: int) -> tuple[str, int]:
    """Load what is missing; the conversation, and how many messages were loaded now."""
    db = await asyncpg.connect(**EmbeddedPostgres(directory / "data" / "postgres").parameters, timeout=10)
    try:
        await db.execute(
            "INSERT INTO chat.conversation (kind, room_id, title) VALUES ('room', $1, 'Bench')"
            " ON CONFLICT (room_id) DO NOTHING",
            ROOM,
        )
        conversation = str(await db.fetchval("SELECT id FROM chat.conversation WHERE room_id = $1", ROOM))
        there = await db.fetchval(
            "SELECT coalesce(max(no), 0) FROM chat.message WHERE conversation_id = $1", conversation
        )
        if there > messages:
            raise BenchError(f"There are {there:,} messages already; name another directory, or ask for as many.")
        if there == messages:
            return conversation, 0
        for first in range(there + 1, messages + 1, CHUNK):
            await db.execute(_LOAD, conversation, first, min(messages, first + CHUNK - 1), timeout=600)
        await db.execute(
            "INSERT INTO chat.head (conversation_id, last_seq, last_no)"
            " SELECT $1, max(seq), $2 FROM chat.event WHERE conversation_id = $1"
            " ON CONFLICT (conversation_id) DO UPDATE SET last_seq = excluded.last_seq, last_no = excluded.last_no",
            conversation,
            messages,
            timeout=600,
        )
        await db.execute("VACUUM ANALYZE chat.event, chat.message, chat.reaction", timeout=3600)
        await db.execute("CHECKPOINT", timeout=600)
        return conversation, messages - there
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
