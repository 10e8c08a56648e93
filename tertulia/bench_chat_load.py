"""The load of the chat's benchmark, in a process of its own: ``python -m tertulia.bench_chat_load``.

Reads one plan (JSON) from standard input, connects, says so, and does the work when told ``go``. What it found is
printed as JSON. Nothing of the server is used here.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
import uuid
from dataclasses import asdict, dataclass, field
from typing import Literal

import msgspec
import uvloop

from tertulia.bench_chat_client import Client

Kind = Literal["hold", "steady", "closed", "storm"]
CONNECTING = 50
TIMED_EVERY = 25
DRAIN_S = 3.0


class Plan(msgspec.Struct, kw_only=True):
    """What to do.

    - ``hold``: readers connect and stay
    - ``steady``: senders send ``rate`` messages a second together, readers count what arrives
    - ``closed``: each sender sends again as soon as its last message is acknowledged
    - ``storm``: readers connect and sync all at once
    """

    kind: Kind
    port: int
    path: str
    token: str
    conversation: str
    conversations: list[str] = []
    readers: int = 0
    senders: int = 0
    sender_tokens: list[str] = []
    rate: float = 0
    seconds: float = 0
    text_bytes: int = 100


@dataclass
class Report:
    """What was seen from outside."""

    seconds: float = 0
    sent: int = 0
    acknowledged: int = 0
    delivered: int = 0
    reads: int = 0
    lost_sockets: int = 0
    delays_ms: list[float] = field(default_factory=list)
    late_ms: float = 0
    """How far the senders were behind their own schedule at worst."""


def text(size: int) -> str:
    head = f"@@T{time.monotonic_ns()}@@"
    return head + "x" * max(0, size - len(head))


def message(number: int, conversation: str, size: int) -> str:
    body = {"conversation": conversation, "client_id": str(uuid.uuid4()), "body": {"text": text(size)}}
    return f'42{number}["send-message",{json.dumps(body, separators=(",", ":"))}]'


async def enter(client: Client, plan: Plan, token: str, follow: list[str]) -> None:
    """Connect, show the token, follow; returns when the server has answered."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def heard(packet: bytes) -> None:
        if packet.startswith(b"0"):
            client.send("40" + json.dumps({"token": token}))
        elif packet.startswith(b"44") and not done.done():
            done.set_exception(ConnectionError(packet[:200].decode()))
        elif packet.startswith(b"40") and follow:
            positions = [{"conversation": conversation, "seq": 0} for conversation in follow]
            client.send("421" + json.dumps(["sync", {"positions": positions, "open": follow[:1]}]))
        elif packet.startswith((b"40", b"431")) and not done.done():
            if b'"error"' in packet[:20]:
                done.set_exception(ConnectionError(packet[:200].decode()))
            else:
                done.set_result(None)

    client.on_text = heard
    await client.open(plan.port, plan.path)
    await asyncio.wait_for(done, 60)
    client.on_text = None


async def connect(plan: Plan, clients: list[Client], tokens: list[str], follow: list[str], at_once: int) -> None:
    gate = asyncio.Semaphore(at_once)

    async def one(client: Client, token: str) -> None:
        async with gate:
            await enter(client, plan, token, follow)

    await asyncio.gather(*(one(client, token) for client, token in zip(clients, tokens, strict=True)))


async def steady(plan: Plan, senders: list[Client], report: Report) -> None:
    started = time.monotonic()
    total = round(plan.rate * plan.seconds)
    for number in range(total):
        due = started + number / plan.rate
        wait = due - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        else:
            report.late_ms = max(report.late_ms, -wait * 1000)
        senders[number % len(senders)].send(message(number + 2, plan.conversation, plan.text_bytes))
        report.sent += 1
    report.seconds = time.monotonic() - started


async def closed(plan: Plan, senders: list[Client], report: Report) -> None:
    started = time.monotonic()
    until = started + plan.seconds

    async def one(client: Client) -> None:
        number = 1
        while time.monotonic() < until and not client.closed:
            number += 1
            answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

            def heard(packet: bytes, answered: asyncio.Future[bytes] = answered) -> None:
                if packet.startswith(b"43") and not answered.done():
                    answered.set_result(packet)

            client.on_text = heard
            sent_at = time.monotonic()
            client.send(message(number, plan.conversation, plan.text_bytes))
            report.sent += 1
            packet = await asyncio.wait_for(answered, 30)
            if b'{"error"' in packet[:40]:
                await asyncio.sleep(0.2)  # over its rate; not counted
            else:
                report.acknowledged += 1
                report.delays_ms.append((time.monotonic() - sent_at) * 1000)

    await asyncio.gather(*(one(client) for client in senders))
    report.seconds = time.monotonic() - started


async def settle(readers: list[Client], expected: int) -> None:
    """Wait until everything has arrived, or nothing more does."""
    last, quiet_since = -1, time.monotonic()
    while True:
        now = sum(client.delivered for client in readers)
        if now != last:
            last, quiet_since = now, time.monotonic()
        if now >= expected or time.monotonic() - quiet_since > DRAIN_S:
            return
        await asyncio.sleep(0.02)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


async def run(plan: Plan) -> None:
    report = Report()
    readers = [Client(timed=number % TIMED_EVERY == 0) for number in range(plan.readers)]
    senders = [Client() for _ in range(plan.senders)]
    follow = plan.conversations or [plan.conversation]
    if plan.kind != "storm":
        await connect(plan, readers, [plan.token] * plan.readers, follow, CONNECTING)
        await connect(plan, senders, plan.sender_tokens, [], CONNECTING)
    say("ready")
    await asyncio.to_thread(sys.stdin.readline)
    reads = sum(client.reads for client in readers)
    if plan.kind == "steady":
        await steady(plan, senders, report)
        await settle(readers, report.sent * len(readers))
    elif plan.kind == "closed":
        await closed(plan, senders, report)
    elif plan.kind == "storm":
        started = time.monotonic()
        await connect(plan, readers, [plan.token] * plan.readers, follow, plan.readers)
        report.seconds = time.monotonic() - started
    report.delivered = sum(client.delivered for client in readers)
    report.reads = sum(client.reads for client in readers) - reads
    report.lost_sockets = sum(client.closed for client in readers + senders)
    for client in readers:
        report.delays_ms += client.delays
    say(json.dumps(asdict(report)))
    await asyncio.to_thread(sys.stdin.readline)


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    uvloop.run(run(plan))


if __name__ == "__main__":
    main()
