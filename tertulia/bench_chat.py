"""What chat costs, beside stock Socket.IO in Python and in Node doing the same work in the same run.

Fan-out, memory and delay are taken from outside, by a load generator that looks like a browser (it offers
permessage-deflate). In ours a message is durable before anybody hears of it; theirs store nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from tertulia.bench_chat_load import Plan, Report
from tertulia.bench_chat_servers import SERVER_CORE, Target, cpu_seconds, database_seconds, load, memory, stock
from tertulia.bench_server import BenchError, BenchServer

SERVERS = ("tertulia", "node", "python")
FOLLOWED = 50
SENDERS = 100


@dataclass(frozen=True)
class Options:
    sockets: int = 1000
    rates: tuple[float, ...] = (5, 50, 200)
    seconds: float = 5
    storm: int = 2000


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    server: str
    figures: str


@dataclass
class Ours:
    """A running Tertulia and what opens it."""

    target: Target
    server: BenchServer
    conversation: str
    reader: str
    senders: list[str]
    person: str
    followed: list[str]


def percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


@asynccontextmanager
async def ours(senders: int, pinned: bool = True) -> AsyncIterator[Ours]:
    """A fresh server with a room, tokens for senders, and somebody with many conversations."""
    with tempfile.TemporaryDirectory(prefix="tertulia-bench-") as directory:
        core = SERVER_CORE if pinned else None
        async with BenchServer(Path(directory), 10_000, core) as server, aiohttp.ClientSession(server.url) as http:
            key = {"Authorization": f"Bearer {server.key}"}
            room = await ask(http, "/rooms", {"name": "Bench"}, key)

            async def token(identity: str) -> str:
                asked = {"name": identity, "identity": identity}
                return str((await ask(http, f"/rooms/{room['id']}/tokens", asked, key))["token"])

            person = (await ask(http, "/auth/dev", {"name": "Bench"}, {}))["token"]
            yield Ours(
                Target("tertulia", server.pid, int(server.url.rpartition(":")[2]), "/ws/"),
                server,
                room["conversation"],
                await token("reader"),
                [await token(f"sender-{number}") for number in range(senders)],
                person,
                await make_conversations(http, person),
            )


async def make_conversations(http: aiohttp.ClientSession, token: str) -> list[str]:
    """Groups that somebody is in."""
    made = []
    for number in range(FOLLOWED):
        asked = {"client_id": str(uuid.uuid4()), "kind": "group", "title": f"Group {number}"}
        made.append(await ask(http, "/chat/conversations", asked, {"Authorization": f"Bearer {token}"}))
    return [str(one["id"]) for one in made]


async def ask(http: aiohttp.ClientSession, path: str, body: Any, headers: dict[str, str]) -> Any:
    """The answer to a POST; a refusal for its rate is tried again. Raises BenchError."""
    for _ in range(100):
        async with http.post(path, json=body, headers=headers) as answer:
            if answer.status == 429:
                await asyncio.sleep(0.2)
                continue
            if answer.status >= 300:
                raise BenchError(f"POST {path} was answered with {answer.status}: {(await answer.text())[:200]}")
            return await answer.json()
    raise BenchError(f"POST {path} was refused for its rate again and again.")


@asynccontextmanager
async def server_of(name: str, senders: int) -> AsyncIterator[tuple[Target, Ours | None]]:
    if name == "tertulia":
        async with ours(senders) as made:
            yield made.target, made
    else:
        async with stock(name) as target:
            yield target, None


def plan_of(target: Target, made: Ours | None, **more: Any) -> Plan:
    senders = more.get("senders", 0)
    return Plan(
        port=target.port,
        path=target.path,
        token=made.reader if made else "x",
        conversation=made.conversation if made else str(uuid.UUID(int=1)),
        sender_tokens=made.senders[:senders] if made else ["x"] * senders,
        **more,
    )


async def fan_out(options: Options) -> AsyncIterator[Row]:
    """Everybody reads one conversation, at several rates of messages."""
    for name in SERVERS:
        async with server_of(name, SENDERS) as (target, made):
            for rate in options.rates:
                if name == "python" and rate * options.sockets > 10_000:
                    continue  # more than it can deliver
                if name == "node" and rate * options.sockets > 60_000:
                    continue
                plan = plan_of(
                    target, made, kind="steady", readers=options.sockets, senders=SENDERS, rate=rate,
                    seconds=options.seconds,
                )  # fmt: skip
                async with load(plan) as under_way:
                    before = cpu_seconds(target.pid), database_seconds(target.pid)
                    report = await under_way.go()
                    cpu = cpu_seconds(target.pid) - before[0]
                    database = database_seconds(target.pid) - before[1]
                yield Row(
                    f"fan-out, {options.sockets} sockets, {rate:g} messages/s", name, fanned(report, cpu, database)
                )


def fanned(report: Report, cpu: float, database: float) -> str:
    delivered = max(1, report.delivered)
    expected = report.sent
    return (
        f"{delivered / cpu:,.0f} deliveries a CPU second ({cpu / delivered * 1e6:.1f} µs, database "
        f"{database / delivered * 1e6:.1f} µs), {delivered / max(1, report.reads):.1f} a read, "
        f"p50 {percentile(report.delays_ms, 0.5):.1f} p99 {percentile(report.delays_ms, 0.99):.1f} ms, "
        f"{report.delivered:,} delivered of {expected:,} messages, load late {report.late_ms:.0f} ms, "
        f"{report.lost_sockets} sockets lost"
    )


async def memory_each(options: Options) -> AsyncIterator[Row]:
    """Authenticated sockets that follow many conversations and are otherwise idle."""
    for name in SERVERS:
        async with server_of(name, 0) as (target, made):
            followed = made.followed if made else [str(uuid.UUID(int=n)) for n in range(FOLLOWED)]
            token = made.person if made else "x"
            few = plan_of(target, made, kind="hold", readers=20, conversations=followed)
            few.token = token
            async with load(few):
                before = memory(target.pid)
                many = plan_of(target, made, kind="hold", readers=options.sockets, conversations=followed)
                many.token = token
                async with load(many):
                    each = (memory(target.pid) - before) / options.sockets / 1024
        yield Row(f"memory an idle socket, {FOLLOWED} conversations", name, f"{each:.1f} KiB")


async def delay(options: Options) -> AsyncIterator[Row]:
    """From a client's send to another's reception, at 1,000 messages a second, 20 readers."""
    async with ours(200) as made:
        plan = plan_of(made.target, made, kind="steady", readers=25, senders=200, rate=1000, seconds=options.seconds)
        async with load(plan) as under_way:
            report = await under_way.go()
        yield Row(
            "send to delivery, 1,000/s, 25 readers",
            "tertulia",
            f"p50 {percentile(report.delays_ms, 0.5):.1f} ms, p99 {percentile(report.delays_ms, 0.99):.1f} ms, "
            f"{report.delivered:,} of {report.sent * 25:,} delivered, load late {report.late_ms:.0f} ms",
        )


async def durable(options: Options) -> AsyncIterator[Row]:
    """Acknowledged sends a second to one conversation, at the service and through sockets."""
    with tempfile.TemporaryDirectory(prefix="tertulia-bench-") as directory:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tertulia.bench_chat_service", directory, str(options.seconds),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, _ = await process.communicate()
        found = json.loads(output.splitlines()[-1])
        yield Row(
            "durable sends in one conversation, at the service",
            "tertulia",
            f"{found['per_s']:,.0f}/s (CPU {found['cpu_us']:.0f} µs, database {found['database_us']:.0f} µs a send)",
        )
    async with ours(1000, pinned=False) as made:
        plan = plan_of(made.target, made, kind="closed", senders=1000, seconds=options.seconds)
        async with load(plan, pinned=False) as under_way:
            before = cpu_seconds(made.target.pid), database_seconds(made.target.pid)
            report = await under_way.go()
            cpu = cpu_seconds(made.target.pid) - before[0]
            database = database_seconds(made.target.pid) - before[1]
        count = max(1, report.acknowledged)
        yield Row(
            "durable sends in one conversation, through 1,000 sockets",
            "tertulia",
            f"{count / report.seconds:,.0f}/s (CPU {cpu / count * 1e6:.0f} µs, database "
            f"{database / count * 1e6:.0f} µs a send), acknowledged after p50 {percentile(report.delays_ms, 0.5):.0f} "
            f"p99 {percentile(report.delays_ms, 0.99):.0f} ms",
        )


async def storm(options: Options) -> AsyncIterator[Row]:
    """Everybody connects and syncs at once; again with twice as many, to see what grows."""
    async with ours(0) as made:
        for count in (options.storm // 2, options.storm):
            plan = plan_of(made.target, made, kind="storm", readers=count, conversations=made.followed)
            plan.token = made.person
            async with load(plan) as under_way:
                before = cpu_seconds(made.target.pid), database_seconds(made.target.pid)
                batches = await metric(made.server, "tertulia_chat_sync_batch_clients_count")
                report = await under_way.go()
                cpu = cpu_seconds(made.target.pid) - before[0]
                database = database_seconds(made.target.pid) - before[1]
                batches = await metric(made.server, "tertulia_chat_sync_batch_clients_count") - batches
            yield Row(
                f"storm of {count:,} reconnects, {FOLLOWED} positions each",
                "tertulia",
                f"all synced after {report.seconds:.1f} s, {batches:.0f} batches of database queries, "
                f"CPU {cpu / count * 1000:.2f} ms, database {database / count * 1000:.2f} ms a client",
            )


async def metric(server: BenchServer, name: str) -> float:
    async with aiohttp.ClientSession(server.url) as http, http.get("/metrics") as answer:
        for line in (await answer.text()).splitlines():
            if line.startswith(name + " "):
                return float(line.rsplit(" ", 1)[1])
    return 0.0


PARTS = {"durable": durable, "delay": delay, "fan-out": fan_out, "memory": memory_each, "storm": storm}


async def run(parts: Sequence[str], options: Options) -> AsyncIterator[Row]:
    """The rows of these parts, as they are measured. Raises BenchError."""
    for part in parts:
        async for row in PARTS[part](options):
            yield row
