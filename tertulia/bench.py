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
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from tertulia.bench_options import Cipher, Flooded, Options, Result, Shape

LATE_MS = 25.0
"""A load generator that is later than this sends in bursts what was meant to be even: its row is marked."""

app = typer.Typer(help="Measure this installation.", no_args_is_help=True)


@app.callback()
def _main() -> None:
    """Measure this installation."""


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
    feedback: Annotated[
        bool, typer.Option("--feedback", help="Viewers give transport-wide feedback every 50 ms, as browsers do.")
    ] = False,
    saturate: Annotated[bool, typer.Option("--saturate", help="Raise --pps until packets are lost.")] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="Workers that the room is spread over; more than one share cores with the load.")
    ] = 1,
    sleeping: Annotated[
        bool, typer.Option("--sleeping", help="Receivers sleep between packets: the server pays for waking them.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw the figures into this file (SVG).", metavar="FILE")] = None,
) -> None:
    """CPU a forwarded packet, delay, memory a viewer and the cost of a join, for each number of viewers."""
    try:
        counts = [int(text) for text in viewers.split(",")]
    except ValueError as error:
        raise typer.BadParameter("--viewers is written as 10,100,400.") from error
    options = Options(
        publishers=publishers, audio=audio, shape=shape, pps=pps, packet_bytes=packet_bytes, seconds=seconds,
        cipher=cipher, feedback=feedback, workers=workers, saturate=saturate, polling=not sleeping,
    )  # fmt: skip
    if not as_json:
        for line in _heading():
            typer.echo(line)
    # Here and not above: the command line of everything else must not pay for it.
    from tertulia.bench_run import run
    from tertulia.bench_server import BenchError

    results = []
    try:
        for count in counts:
            results.append(asyncio.run(run(count, options)))
            if not as_json:
                typer.echo(_row(results[-1]))
    except BenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if not as_json and any(result.late_ms > LATE_MS for result in results):
        typer.echo(f"* The load was up to {max(result.late_ms for result in results):.0f} ms behind its own schedule: ")
        typer.echo("  the machine was busy with other things, and these figures are not to be trusted.")
    if plot is not None:
        from tertulia.bench_plot import render

        plot.write_text(render(results, " · ".join(_where()).removesuffix(" · ")), encoding="utf-8")
    if as_json:
        typer.echo(json.dumps(_document(results, options), indent=2))


@app.command("lives")
def lives(
    joins: Annotated[int, typer.Option(min=20, help="How many come and go.")] = 10_000,
    warm_up: Annotated[int, typer.Option(min=20, help="How many before memory is first looked at.")] = 1_000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of sentences.")] = False,
) -> None:
    """Memory that thousands of joins leave behind, aborted handshakes and silent deaths among them."""
    from tertulia.bench_lives import run
    from tertulia.bench_server import BenchError

    try:
        result = asyncio.run(run(joins, warm_up))
    except BenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps({"machine": asdict(Machine.here()), **asdict(result)}, indent=2))
        return
    for line in _where():
        typer.echo(line)
    typer.echo(f"after {warm_up:,} joins {result.before_bytes / 2**20:.1f} MiB")
    tenths = ", ".join(f"{value / 2**20:.1f}" for value in result.meanwhile)
    typer.echo(f"after each tenth of {joins:,} more: {tenths} MiB")
    typer.echo(f"after {joins:,} more {result.after_bytes / 2**20:.1f} MiB: {result.bytes_per_join:.0f} bytes a join")
    typer.echo(f"{result.cpu_ms_per_join:.1f} ms of the server's CPU a join, all in {result.seconds:.0f} s")


@app.command("rooms")
def rooms(
    people: Annotated[str, typer.Option(help="Sizes of rooms, one measurement each.")] = "5,50,500",
    times: Annotated[int, typer.Option(min=1, help="How often everything happens.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """What a join, a leave, a mute and a new speaker cost in rooms of different sizes."""
    try:
        sizes = [int(text) for text in people.split(",")]
    except ValueError as error:
        raise typer.BadParameter("--people is written as 5,50,500.") from error
    from tertulia.bench_rooms import run

    found = [asyncio.run(run(size, times)) for size in sizes]
    if as_json:
        rows = [asdict(cost) for costs in found for cost in costs]
        typer.echo(json.dumps({"machine": asdict(Machine.here()), "results": rows}, indent=2))
        return
    for line in _where():
        typer.echo(line)
    typer.echo(f"{'people':>7} {'event':<8} {'CPU ms':>8} {'longest ms':>11} {'frames':>7}")
    for costs in found:
        for cost in costs:
            typer.echo(
                f"{cost.people:>7} {cost.what:<8} {cost.cpu_ms:>8.2f} {cost.longest_ms:>11.2f} {cost.told:>7.0f}"
            )


@app.command("flood")
def flood(
    viewers: Annotated[int, typer.Option(min=1, help="Viewers of the room that is to suffer nothing.")] = 20,
    pps: Annotated[float, typer.Option(min=1, help="Hostile packets a second.")] = 100_000,
    seconds: Annotated[float, typer.Option(min=1, help="Length of each case.")] = 5,
    cipher: Annotated[Cipher, typer.Option(help="SRTP profile.")] = "gcm128",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """What hostile packets cost the calls that are going on, each kind by itself."""
    options = Options(audio=True, shape="frames", seconds=seconds, cipher=cipher, feedback=True)
    from tertulia.bench_flood import CASES, run
    from tertulia.bench_server import BenchError

    try:
        found = asyncio.run(run(list(CASES), viewers, pps, options))
    except BenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        typer.echo(json.dumps(_document(found, options), indent=2))
        return
    for line in _where():
        typer.echo(line)
    typer.echo(f"{'case':<38} {'flood/s':>8} {'delivered':>9} {'lost':>6} {'loss':>8} {'p50 ms':>7} {'p99 ms':>7} CPU")
    for result in found:
        typer.echo(
            f"{CASES[result.case]:<38} {result.flood_per_s:>8,.0f} {result.delivered:>9,} {result.lost:>6} "
            f"{result.loss:>8.3%} {result.delay_p50_ms:>7.2f} {result.delay_p99_ms:>7.2f} {result.cpu_share:.1%}"
        )


@app.command("chat")
def chat(
    parts: Annotated[
        str, typer.Option(help="What is measured: durable, delay, fan-out, memory, storm.")
    ] = "durable,delay,fan-out,memory,storm",
    sockets: Annotated[int, typer.Option(min=25, help="Sockets that read, or are idle.")] = 1000,
    rates: Annotated[str, typer.Option(help="Messages a second to be fanned out, one measurement each.")] = "5,50,200",
    seconds: Annotated[float, typer.Option(min=1, help="Length of a measurement.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON lines instead of a table.")] = False,
) -> None:
    """Chat beside stock Socket.IO in Python and in Node, doing the same work in the same run."""
    from tertulia import bench_chat
    from tertulia.bench_server import BenchError

    wanted = parts.split(",")
    if unknown := set(wanted) - bench_chat.PARTS.keys():
        raise typer.BadParameter(f"--parts knows {', '.join(bench_chat.PARTS)}, not {', '.join(unknown)}.")
    try:
        options = bench_chat.Options(sockets, tuple(float(rate) for rate in rates.split(",")), seconds)
    except ValueError as error:
        raise typer.BadParameter("--rates is written as 5,50,200.") from error

    async def measure() -> None:
        async for row in bench_chat.run(wanted, options):
            typer.echo(json.dumps(asdict(row)) if as_json else f"{row.what:<56} {row.server:<9} {row.figures}")

    if not as_json:
        for line in _where():
            typer.echo(line)
    try:
        asyncio.run(measure())
    except BenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


@app.command("history")
def history(
    messages: Annotated[int, typer.Option(min=1000, help="Messages of the conversation.")] = 10_000_000,
    requests: Annotated[int, typer.Option(min=10, help="Pages that are asked for.")] = 2_000,
    keep: Annotated[
        Path | None, typer.Option(help="Load into this directory, keep it, and go on from what it has.")
    ] = None,
) -> None:
    """Pages of history over HTTP, at random depth in a large conversation, after a restart."""
    from tertulia import bench_history
    from tertulia.bench_server import BenchError

    async def measure() -> None:
        async for found in bench_history.run(messages, requests, keep):
            if isinstance(found, str):
                typer.echo(found)
                continue
            typer.echo(
                f"{found.requests} pages of {bench_history.PAGE} in {found.messages:,} messages: "
                f"p50 {found.p50_ms:.1f} p99 {found.p99_ms:.1f} worst {found.worst_ms:.1f} ms; "
                f"server CPU {found.server_cpu_ms:.2f} ms a page"
            )

    for line in _where():
        typer.echo(line)
    try:
        asyncio.run(measure())
    except BenchError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error


def _where() -> Iterator[str]:
    machine = Machine.here()
    yield f"{machine.cpu}, {machine.cores} cores, Linux {machine.kernel}, {datetime.now(UTC):%Y-%m-%d}"
    yield "tertulia " + " ".join(sys.argv[1:])
    yield ""


def _heading() -> Iterator[str]:
    yield from _where()
    yield (
        f"{'viewers':>7} {'packets/s':>10} {'µs a packet':>11} {'(worker)':>8} {'CPU':>6} {'loss':>8} "
        f"{'p50 ms':>7} {'p99 ms':>7} {'compared':>8} {'wrong':>5} {'idle':>6} {'KiB each':>8} "
        f"{'join ms':>7} {'joins/s':>7}"
    )


def _row(result: Result) -> str:
    idle = "" if result.idle_share is None else f"{result.idle_share:.1%}"
    viewers = f"{'*' if result.late_ms > LATE_MS else ''}{result.viewers}"
    return (
        f"{viewers:>7} {result.delivered_per_s:>10,.0f} {result.cpu_us_per_packet:>11.2f} "
        f"{result.worker_us_per_packet:>8.2f} {result.cpu_share:>6.1%} {result.loss:>8.3%} "
        f"{result.delay_p50_ms:>7.2f} {result.delay_p99_ms:>7.2f} {result.verified:>8} {result.mismatched:>5} "
        f"{idle:>6} {result.memory_kib_per_viewer:>8.0f} "
        f"{result.join_describe_ms + result.join_connect_ms:>7.1f} {result.joins_per_s:>7.0f}"
    )


def _document(results: Sequence[Result | Flooded], options: Options) -> dict[str, object]:
    return {
        "machine": asdict(Machine.here()),
        "date": datetime.now(UTC).date().isoformat(),
        "command": "tertulia " + " ".join(sys.argv[1:]),
        "options": asdict(options),
        "results": [asdict(result) for result in results],
    }
