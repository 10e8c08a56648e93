"""The chat's benchmark on a small scale: the same load gets the same messages from each server, compressed or not."""

from __future__ import annotations

from tertulia.bench_chat import Options, ours, percentile, plan_of, server_of, storm
from tertulia.bench_chat_client import frame
from tertulia.bench_chat_servers import cpu_seconds, load, memory


async def test_every_message_and_every_acknowledgement_is_counted_once_from_ours() -> None:
    async with ours(5, pinned=False) as made:
        plan = plan_of(made.target, made, kind="steady", readers=30, senders=2, rate=10, seconds=1)
        async with load(plan, pinned=False) as under_way:
            before = cpu_seconds(made.target.pid)
            report = await under_way.go()
            assert cpu_seconds(made.target.pid) > before
        assert memory(made.target.pid) > 10_000_000
        plan = plan_of(made.target, made, kind="closed", senders=5, seconds=0.5)
        async with load(plan, pinned=False) as under_way:
            closed = await under_way.go()
    assert closed.acknowledged == len(closed.delays_ms) > 0
    assert (report.sent, report.delivered, report.lost_sockets) == (10, 300, 0)
    assert len(report.delays_ms) == 20, "two of the readers note the time"
    assert min(report.delays_ms) > 0


async def test_every_message_is_counted_once_from_a_server_that_compresses() -> None:
    async with server_of("python", 2) as (target, made):
        plan = plan_of(target, made, kind="steady", readers=30, senders=2, rate=10, seconds=1)
        async with load(plan, pinned=False) as under_way:
            report = await under_way.go()
    assert (report.sent, report.delivered, report.lost_sockets) == (10, 300, 0)


async def test_storm_is_answered_in_fewer_batches_than_there_are_clients() -> None:
    rows = [row async for row in storm(Options(storm=60))]
    assert [row.what for row in rows] == [
        "storm of 30 reconnects, 50 positions each",
        "storm of 60 reconnects, 50 positions each",
    ]
    assert all("all synced" in row.figures for row in rows)


def test_percentiles_and_frames() -> None:
    assert percentile([], 0.5) == 0
    assert percentile(range(100), 0.99) == 99
    assert frame("x" * 200)[:8] == b"\x81\xfe\x00\xc8\0\0\0\0"
    assert frame("x" * 70_000)[:14] == b"\x81\xff" + (70_000).to_bytes(8, "big") + b"\0\0\0\0"
