"""Two people in a call over a bad network, for a while; what each of them saw and heard.

As a program (``scripts/measure-loss``) it prints a line a seed and the whole as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from playwright.async_api import Browser, async_playwright

from tertulia.forwarder import Forwarder
from tertulia.impair import Impairment
from tests.browser.people import Camera, Person, enter, launch
from tests.browser.quality import Quality, judge
from tests.impair import impaired_server

CAMERA = Camera(width=640, height=360, fps=25, noise=0.1)


@dataclass(frozen=True, slots=True)
class Call:
    """A call of two that is up: each sees the other."""

    people: tuple[Person, Person]
    forwarder: Forwarder

    async def measure(self, seconds: float) -> list[Quality]:
        """Watch for so long, in both pages at once."""
        await asyncio.gather(*(person.page.evaluate("__meter.start()") for person in self.people))
        await asyncio.sleep(seconds)
        seen = await asyncio.gather(*(person.page.evaluate("__meter.stop()") for person in self.people))
        return [judge(raw) for raw in seen]


@asynccontextmanager
async def call(browser: Browser, directory: Path, seed: int, camera: Camera = CAMERA) -> AsyncIterator[Call]:
    """Two people on a clean network; the forwarder makes it a bad one when it is told to."""
    with impaired_server(directory, seed=seed) as (server, forwarder):
        room = make_room(server.url)
        ana = await enter(browser, server.url, room, "Ana", 1, 450.0, camera=camera)
        ben = await enter(browser, server.url, room, "Ben", 2, 600.0, camera=camera)
        try:
            await asyncio.gather(ana.sees(ben), ben.sees(ana))
            yield Call((ana, ben), forwarder)
        finally:
            for person in (ana, ben):
                await person.page.context.close()


async def watch_loss(
    browser: Browser, directory: Path, *, loss: float, round_trip_ms: float, seconds: float, seed: int, settle: float
) -> list[Quality]:
    """A call with this loss and this round trip on either leg, both directions, measured after ``settle`` seconds."""
    bad = Impairment(loss=loss, delay_ms=round_trip_ms / 2)
    async with call(browser, directory, seed) as two:
        two.forwarder.impair(up=bad, down=bad)
        await asyncio.sleep(settle)
        return await two.measure(seconds)


def make_room(url: str) -> str:
    """A fresh room's id."""
    request = urllib.request.Request(
        f"{url}/rooms", data=b'{"name": "Test"}', headers={"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        created: str = json.load(answer)["id"]
    return created


def describe(quality: Quality, other: Quality) -> str:
    """One line for people. ``other`` is the page at the far end, which made the picture."""
    [picture] = quality.pictures
    limits = ", ".join(f"{reason} {s:.0f} s" for reason, s in other.limited.items() if s >= 1 and reason != "none")
    return (
        f"frames/s encoded {other.encoded_fps:4.1f} decoded {quality.decoded_fps:4.1f} seen {picture.fps:4.1f}  "
        f"{picture.height:4}p  frozen {picture.frozen_share:6.2%} "
        f"(browser {quality.browser_frozen_share:6.2%})  longest gap {picture.longest_gap_ms:5.0f} ms  "
        f"concealed {quality.concealed_share:6.2%}  resent {quality.video['retransmittedPacketsReceived']:5.0f}  "
        f"lost {quality.video['packetsLost']:4.0f}  PLI {quality.video['pliCount']:3.0f}  "
        f"{quality.bit_rate(0, 1e12) / 1000:5.0f} kbit/s  sender limited: {limits or 'no'}"
    )


async def _run(loss: float, round_trip_ms: float, seconds: float, seeds: range) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for seed in seeds:
        async with async_playwright() as playwright:
            browser = await launch(playwright)
            with tempfile.TemporaryDirectory(prefix="tertulia-loss-") as directory:
                began = time.process_time()
                both = await watch_loss(
                    browser, Path(directory), loss=loss, round_trip_ms=round_trip_ms, seconds=seconds, seed=seed,
                    settle=5.0,
                )  # fmt: skip
                busy = (time.process_time() - began) / seconds
            await browser.close()
        for name, quality, other in zip(("Ana", "Ben"), both, reversed(both), strict=True):
            sys.stdout.write(f"seed {seed}  {name}  {describe(quality, other)}\n")
            sys.stdout.flush()
            found.append({"seed": seed, "name": name, "load": os.getloadavg()[0], "own_cpu": busy, **asdict(quality)})
    return found


def main(
    loss: Annotated[float, typer.Option(help="Probability of a loss, each direction of each leg.")] = 0.05,
    round_trip_ms: Annotated[float, typer.Option(help="Round trip of each leg.")] = 60.0,
    seconds: Annotated[float, typer.Option(help="Length of a measurement.")] = 120.0,
    seeds: Annotated[int, typer.Option(help="How many.")] = 5,
    first_seed: Annotated[int, typer.Option(help="The first of them.")] = 1,
    output: Annotated[Path | None, typer.Option("--json", help="Write everything here.")] = None,
) -> None:
    """Measure a call of two Chromium windows over a bad network."""
    found = asyncio.run(_run(loss, round_trip_ms, seconds, range(first_seed, first_seed + seeds)))
    if output is not None:
        output.write_text(json.dumps(found))


if __name__ == "__main__":
    typer.run(main)
