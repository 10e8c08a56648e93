"""What floods cost the calls that are going on: each kind of hostile packet by itself, beside a room in full swing.

A packet of an attacker must be told apart from a client's and dropped for less than a client's packet costs. The
measure is the loss that viewers see, next to the same room without any flood.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import aiohttp

from tertulia.bench_load import Load, build
from tertulia.bench_options import Case, Flooded, Options
from tertulia.bench_run import cores, loss
from tertulia.bench_scene import Scene, Window
from tertulia.bench_server import BenchServer, on_core

CASES: dict[Case, str] = {
    "none": "no flood",
    "unknown": "RTP from an unknown address",
    "stun": "a session's ufrag with a wrong MAC",
    "srtp": "forged SRTP from a viewer's address",
    "dtls": "forged DTLS from a viewer's address",
}

_SETTLE_S = 1.0


async def run(cases: list[Case], viewers: int, flood_pps: float, options: Options) -> list[Flooded]:
    """One room, one case after the other. Raises BenchError."""
    program = await build()
    server_core, load_core = cores()
    with tempfile.TemporaryDirectory(prefix="tertulia-bench-") as directory, on_core(load_core):
        server = BenchServer(Path(directory), viewers + options.publishers + 8, server_core)
        async with server, Load(program, load_core) as load, aiohttp.ClientSession() as http:
            scene = Scene(server, load, http, options.cipher, options.audio, options.feedback)
            await scene.open()
            await scene.join(options.publishers, publish=True)
            await scene.join(viewers, publish=False)
            scene.stream(options.shape, options.pps, options.packet_bytes)
            await scene.wait_until_all_receive()
            await scene.wait_until_nothing_is_lost()
            found = [await _measure(scene, case, options.publishers, flood_pps, options) for case in cases]
            await scene.close()
            return found


async def _measure(scene: Scene, case: Case, victim: int, flood_pps: float, options: Options) -> Flooded:
    if case != "none":
        scene.flood(case, victim, flood_pps, options.packet_bytes)
    await asyncio.sleep(_SETTLE_S)
    window: Window = await scene.measure(options.seconds)
    if case != "none":
        scene.end_flood()
    report = window.report
    return Flooded(
        case=case,
        flood_per_s=report.flooded / report.seconds,
        delivered=report.delivered,
        lost=report.lost,
        loss=loss(report),
        delay_p50_ms=report.delay_p50_us / 1000,
        delay_p99_ms=report.delay_p99_us / 1000,
        cpu_share=window.cpu_s / report.seconds,
        late_ms=report.late_us / 1000,
    )
