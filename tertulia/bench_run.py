"""One measurement: a fresh server, a room that fills, a stream that starts, and what all of it cost."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path

import aiohttp

from tertulia.bench_load import Load, Report, build
from tertulia.bench_options import Options, Result
from tertulia.bench_scene import JoinCost, Scene, Window
from tertulia.bench_server import BenchServer, on_core

_IDLE_S = 5.0
_RAMP_STEP_S = 3.0
_RAMP_FACTOR = 1.2
_STEP_BACK = 0.95
_RAMP_LOSS = 0.001
_RAMP_DELAY_US = 100_000


async def run(viewers: int, options: Options) -> Result:
    """Start a server, fill a room, measure it, and take everything down. Raises BenchError."""
    program = await build()
    server_core, load_core = cores() if options.workers == 1 else (None, None)
    with tempfile.TemporaryDirectory(prefix="tertulia-bench-") as directory, on_core(load_core):
        people = viewers + options.publishers
        server = BenchServer(Path(directory), people + 8, server_core, options.workers, -(-people // options.workers))
        async with server, Load(program, load_core) as load, aiohttp.ClientSession() as http:
            scene = Scene(server, load, http, options.cipher, options.audio, options.feedback)
            return await _measure(scene, viewers, options)


async def _measure(scene: Scene, viewers: int, options: Options) -> Result:
    await scene.open()
    await scene.join(options.publishers, publish=True)
    memory = scene.server.memory()
    joins = await scene.join(viewers, publish=False)
    idle = await scene.measure(_IDLE_S) if options.idle else None
    if options.polling:
        scene.poll()
    scene.stream(options.shape, options.pps, options.packet_bytes)
    await scene.wait_until_all_receive()
    pps = options.pps
    if options.saturate:
        pps, window = await _saturate(scene, options)
    else:
        await scene.wait_until_nothing_is_lost()
        window = await scene.measure(options.seconds)
    memory = scene.server.memory() - memory
    await scene.close()
    report, packets = window.report, max(window.report.delivered, 1)
    return Result(
        publishers=options.publishers,
        viewers=viewers,
        pps=pps,
        delivered=report.delivered,
        delivered_per_s=report.delivered / report.seconds,
        bytes_per_packet=report.bytes / packets,
        loss=loss(report),
        verified=report.verified,
        mismatched=report.mismatched,
        cpu_us_per_packet=window.cpu_s * 1e6 / packets,
        worker_us_per_packet=window.worker_s * 1e6 / packets,
        cpu_share=window.cpu_s / report.seconds,
        delay_p50_ms=report.delay_p50_us / 1000,
        delay_p99_ms=report.delay_p99_us / 1000,
        late_ms=report.late_us / 1000,
        idle_share=None if idle is None else idle.cpu_s / idle.report.seconds,
        memory_kib_per_viewer=memory / 1024 / viewers,
        join_describe_ms=joins.describe_s * 1000 / joins.count,
        join_connect_ms=joins.connect_s * 1000 / joins.count,
        joins_per_s=_joins_per_second(joins),
    )


async def _saturate(scene: Scene, options: Options) -> tuple[float, Window]:
    """Raise the rate until packets are lost or late, then lower it until it holds for a whole measurement."""
    pps = options.pps
    while _holds(await _measure_at(scene, options, pps, _RAMP_STEP_S)):
        pps *= _RAMP_FACTOR
    while True:
        pps *= _STEP_BACK
        window = await _measure_at(scene, options, pps, options.seconds)
        if _holds(window) or pps < options.pps:
            return pps, window


async def _measure_at(scene: Scene, options: Options, pps: float, seconds: float) -> Window:
    scene.stream(options.shape, pps, options.packet_bytes)
    await asyncio.sleep(1.0)
    return await scene.measure(seconds)


def _holds(window: Window) -> bool:
    """Fewer than one packet in a thousand is lost, and hardly any is late."""
    return loss(window.report) < _RAMP_LOSS and window.report.delay_p99_us < _RAMP_DELAY_US


def loss(report: Report) -> float:
    return report.lost / max(report.delivered + report.lost, 1)


def _joins_per_second(joins: JoinCost) -> float:
    return joins.count / joins.elapsed_s if joins.elapsed_s > 0 else 0.0


def cores() -> tuple[int | None, int | None]:
    """One core for the server and another for the load, where there are two."""
    cores = sorted(_allcores())
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


def _allcores() -> set[int]:
    return set(range(os.cpu_count() or 1))
