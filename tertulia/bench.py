"""``tertulia bench``: what a forwarded packet, a viewer and a join cost on this machine.

A real server runs on one core and the load on another. Every viewer has its own DTLS keys, sends feedback, and one
packet in 64 is decrypted and compared with what was sent.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import aiohttp
import typer

from tertulia.bench_load import Load, Report, build
from tertulia.bench_scene import Cipher, JoinCost, Scene
from tertulia.bench_server import BenchError, BenchServer

app = typer.Typer(help="Measure this installation.", no_args_is_help=True)

Shape = Literal["frames", "even"]

_IDLE_S = 5.0
_RAMP_STEP_S = 3.0
_RAMP_FACTOR = 1.2
_RAMP_LOSS = 0.001
_RAMP_DELAY_US = 100_000


@app.callback()
def _main() -> None:
    """Measure this installation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is measured; the fields are the command's options."""

    publishers: int = 1
    audio: bool = False
    shape: Shape = "even"
    pps: float = 80.0
    packet_bytes: int = 1100
    seconds: float = 10.0
    cipher: Cipher = "gcm128"
    saturate: bool = False
    idle: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Figures of one number of viewers. Times are of the server process unless they say otherwise."""

    publishers: int
    viewers: int
    pps: float
    """Video packets a second of each publisher."""
    delivered: int
    delivered_per_s: float
    bytes_per_packet: float
    loss: float
    verified: int
    mismatched: int
    cpu_us_per_packet: float
    worker_us_per_packet: float
    cpu_share: float
    """Of one core."""
    delay_p50_ms: float
    delay_p99_ms: float
    late_ms: float
    """How far the load generator was behind its own schedule at worst: its part in the delay."""
    idle_share: float | None
    """Of one core, with everybody connected and nothing sent."""
    memory_kib_per_viewer: float
    join_describe_ms: float
    join_connect_ms: float
    joins_per_s: float


@dataclass(frozen=True, slots=True)
class Machine:
    cpu: str
    cores: int
    kernel: str

    @classmethod
    def here(cls) -> Machine:
        text = Path("/proc/cpuinfo").read_text()
        models = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
        return cls(models[0] if models else platform.machine(), os.cpu_count() or 1, platform.release())


@app.command("sfu")
def sfu(
    publishers: Annotated[int, typer.Option(min=1, help="Publishers of one video each.")] = 1,
    viewers: Annotated[str, typer.Option(help="Numbers of viewers, one measurement each.")] = "10,100,400",
    audio: Annotated[bool, typer.Option("--audio", help="Publishers send sound too; viewers receive it.")] = False,
    shape: Annotated[
        Shape, typer.Option(help="`even`: evenly spaced packets; `frames`: 30 frames a second, packets back to back.")
    ] = "even",
    pps: Annotated[float, typer.Option(min=1, help="Video packets a second of each publisher.")] = 80,
    packet_bytes: Annotated[int, typer.Option(min=200, max=1200, help="RTP packet as the publisher makes it.")] = 1100,
    seconds: Annotated[float, typer.Option(min=1, help="Length of a measurement, after warming up.")] = 10,
    cipher: Annotated[Cipher, typer.Option(help="SRTP profile.")] = "gcm128",
    saturate: Annotated[bool, typer.Option("--saturate", help="Raise --pps until packets are lost.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """CPU a forwarded packet, delay, memory a viewer and the cost of a join, for each number of viewers."""
    try:
        counts = [int(text) for text in viewers.split(",")]
    except ValueError as error:
        raise typer.BadParameter("--viewers is written as 10,100,400.") from error
    options = Options(
        publishers=publishers, audio=audio, shape=shape, pps=pps, packet_bytes=packet_bytes, seconds=seconds,
        cipher=cipher, saturate=saturate,
    )  # fmt: skip
    if not as_json:
        for line in _heading():
            typer.echo(line)
    results = []
    try:
        for count in counts:
            results.append(asyncio.run(run(count, options)))
            if not as_json:
                typer.echo(_row(results[-1]))
    except BenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(_document(results, options), indent=2))


async def run(viewers: int, options: Options) -> Result:
    """Start a server, fill a room, measure it, and take everything down. Raises BenchError."""
    program = await build()
    server_core, load_core = _cores()
    if load_core is not None:
        os.sched_setaffinity(0, {load_core})
    with tempfile.TemporaryDirectory(prefix="tertulia-bench-") as directory:
        server = BenchServer(Path(directory), viewers + options.publishers + 8, server_core)
        async with server, Load(program, load_core) as load, aiohttp.ClientSession() as http:
            scene = Scene(server, load, http, options.cipher, options.audio)
            return await _measure(scene, viewers, options)


async def _measure(scene: Scene, viewers: int, options: Options) -> Result:
    await scene.open()
    await scene.join(options.publishers, publish=True)
    memory = scene.server.memory()
    joins = await scene.join(viewers, publish=False)
    idle = await scene.measure(_IDLE_S) if options.idle else None
    scene.stream(options.shape, options.pps, options.packet_bytes)
    await scene.wait_until_all_receive()
    pps = options.pps
    if options.saturate:
        pps = await _highest_rate(scene, options)
        scene.stream(options.shape, pps, options.packet_bytes)
        await scene.wait_until_all_receive()
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
        loss=_loss(report),
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


async def _highest_rate(scene: Scene, options: Options) -> float:
    """The last rate, rising step by step, at which fewer than one packet in a thousand is lost and none is late."""
    pps = options.pps
    while True:
        scene.stream(options.shape, pps * _RAMP_FACTOR, options.packet_bytes)
        await asyncio.sleep(1.0)
        report = (await scene.measure(_RAMP_STEP_S)).report
        if _loss(report) >= _RAMP_LOSS or report.delay_p99_us >= _RAMP_DELAY_US:
            return pps
        pps *= _RAMP_FACTOR


def _loss(report: Report) -> float:
    return report.lost / max(report.delivered + report.lost, 1)


def _joins_per_second(joins: JoinCost) -> float:
    return joins.count / joins.elapsed_s if joins.elapsed_s > 0 else 0.0


def _cores() -> tuple[int | None, int | None]:
    """One core for the server and another for the load, where there are two."""
    cores = sorted(_all_cores())
    return (cores[0], cores[1]) if len(cores) > 1 else (None, None)


def _all_cores() -> set[int]:
    return set(range(os.cpu_count() or 1))


def _heading() -> Iterator[str]:
    machine = Machine.here()
    yield f"{machine.cpu}, {machine.cores} cores, Linux {machine.kernel}, {datetime.now(UTC):%Y-%m-%d}"
    yield "tertulia " + " ".join(sys.argv[1:])
    yield ""
    yield (
        f"{'viewers':>7} {'packets/s':>10} {'µs a packet':>11} {'(worker)':>8} {'CPU':>6} {'loss':>8} "
        f"{'p50 ms':>7} {'p99 ms':>7} {'compared':>8} {'wrong':>5} {'idle':>6} {'KiB each':>8} "
        f"{'join ms':>7} {'joins/s':>7}"
    )


def _row(result: Result) -> str:
    idle = "" if result.idle_share is None else f"{result.idle_share:.1%}"
    return (
        f"{result.viewers:>7} {result.delivered_per_s:>10,.0f} {result.cpu_us_per_packet:>11.2f} "
        f"{result.worker_us_per_packet:>8.2f} {result.cpu_share:>6.1%} {result.loss:>8.3%} "
        f"{result.delay_p50_ms:>7.2f} {result.delay_p99_ms:>7.2f} {result.verified:>8} {result.mismatched:>5} "
        f"{idle:>6} {result.memory_kib_per_viewer:>8.0f} "
        f"{result.join_describe_ms + result.join_connect_ms:>7.1f} {result.joins_per_s:>7.0f}"
    )


def _document(results: list[Result], options: Options) -> dict[str, object]:
    return {
        "machine": asdict(Machine.here()),
        "date": datetime.now(UTC).date().isoformat(),
        "command": "tertulia " + " ".join(sys.argv[1:]),
        "options": asdict(options),
        "results": [asdict(result) for result in results],
    }
