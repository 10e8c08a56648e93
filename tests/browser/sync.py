"""Lip sync in a browser: how far a flash and a click of one moment lie apart where they are seen and heard.

Two people with a clapperboard for camera and microphone, and a viewer with one seat that changes between them and
between layers, over a network that loses packets. ``scripts/measure-sync`` prints the figures.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from playwright.async_api import Browser, async_playwright

from tertulia.impair import Impairment
from tests.browser.measure import make_room
from tests.browser.people import HERE, Person, enter, launch
from tests.impair import impaired_server

PERIOD_MS = 1000.0
LARGE, SMALL = (640, 360), (160, 90)


@dataclass(frozen=True, slots=True)
class Sync:
    """Milliseconds by which sound is later than its picture (negative: earlier), one value a clap."""

    baseline_ms: float
    """The median in a direct call inside the viewer's page: what browser and detectors are off by without a server."""
    during: tuple[float, ...]
    """From the first switch to the last."""
    after: tuple[float, ...]
    """After the last switch."""
    believed: tuple[float, ...]
    """The same as the browser's own statistics have it, once a second (getStats, estimatedPlayoutTimestamp)."""

    def percentile(self, share: float) -> float:
        """Of the distances after the last switch, the baseline taken off."""
        return percentile([abs(skew - self.baseline_ms) for skew in self.after], share)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many of all do not exceed; infinite if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("inf")


def skews(seen: dict[str, Sequence[float]]) -> list[float]:
    """For each flash the click that is nearest, unless there is none within half a period."""
    clicks = seen["clicks"]
    found = []
    for flash in seen["flashes"]:
        nearest = min(clicks, key=lambda click: abs(click - flash), default=None)
        if nearest is not None and abs(nearest - flash) < PERIOD_MS / 2:
            found.append(nearest - flash)
    return found


async def measure(
    browser: Browser, directory: Path, *, switches: int, seconds: float, loss: float, seed: int = 1
) -> Sync:
    """A viewer's one seat changes its source and its layer in turn; measured meanwhile and for some time after."""
    bad = Impairment(loss=loss, delay_ms=30)
    with impaired_server(directory, seed=seed) as (server, forwarder):
        room = make_room(server.url)
        scripts = (HERE / "flash.js",)
        one_seat = "&seats=1&audioSlots=0"
        ana = await enter(browser, server.url, room, "Ana", 1, 0.0, one_seat, scripts=scripts)
        ben = await enter(browser, server.url, room, "Ben", 2, 0.0, one_seat, scripts=scripts)
        viewer = await enter(browser, server.url, room, "Vic", 3, 0.0, one_seat, scripts=(*scripts, HERE / "sync.js"))
        try:
            shown = {person.name: await person.identity() for person in (ana, ben)}
            await _show(viewer, shown["Ana"], LARGE)
            baseline = statistics.median(skews(await viewer.page.evaluate("__sync.calibrate(10000, 10000)")))
            forwarder.impair(up=bad, down=bad)
            await viewer.page.evaluate("__sync.start()")
            during: list[float] = []
            for number in range(switches):
                name = ("Ana", "Ben")[(number // 2 + 1) % 2]  # source, layer, source, layer ...
                await _show(viewer, shown[name], (LARGE, SMALL)[number % 2])
                await asyncio.sleep(2 * PERIOD_MS / 1000)
                during += skews(await viewer.page.evaluate("__sync.take()"))
            believed: list[float] = []
            for _ in range(int(seconds)):
                await asyncio.sleep(1.0)
                apart: float | None = await viewer.page.evaluate("__sync.believed()")
                believed += [] if apart is None else [apart]
            after = skews(await viewer.page.evaluate("__sync.take()"))
            return Sync(baseline, tuple(during), tuple(after), tuple(believed))
        finally:
            for person in (ana, ben, viewer):
                await person.page.context.close()


async def _show(viewer: Person, participant: str, size: tuple[int, int]) -> None:
    want = {"participant": participant, "track": "camera", "width": size[0], "height": size[1]}
    await viewer.page.evaluate("seats => window.tertulia.setView(seats)", [want])
    await viewer.until(
        f"[...document.querySelectorAll('video[data-participant]')]"
        f".some(video => video.dataset.participant === {json.dumps(participant)} && video.readyState >= 2)"
    )


async def _run(switches: int, seconds: float, loss: float, seed: int) -> Sync:
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        with tempfile.TemporaryDirectory(prefix="tertulia-sync-") as directory:
            found = await measure(browser, Path(directory), switches=switches, seconds=seconds, loss=loss, seed=seed)
        await browser.close()
    return found


def describe(sync: Sync) -> dict[str, Any]:
    """Figures for people."""
    return {
        "baseline_ms": round(sync.baseline_ms, 1),
        "claps_after": len(sync.after),
        "median_ms": round(statistics.median(sync.after) - sync.baseline_ms, 1) if sync.after else None,
        "p95_ms": round(sync.percentile(0.95), 1),
        "worst_ms": round(sync.percentile(1.0), 1),
        "believed_median_ms": round(statistics.median(sync.believed)) if sync.believed else None,
        "believed_p95_ms": round(percentile([abs(apart) for apart in sync.believed], 0.95)),
        "claps_during": len(sync.during),
        "median_during_ms": round(statistics.median(sync.during) - sync.baseline_ms, 1) if sync.during else None,
    }


def main(
    switches: Annotated[int, typer.Option(help="Of source and layer, in turn.")] = 20,
    seconds: Annotated[float, typer.Option(help="How long to measure after the last.")] = 30.0,
    loss: Annotated[float, typer.Option(help="Probability of a loss, each direction of each leg.")] = 0.02,
    seed: Annotated[int, typer.Option()] = 1,
) -> None:
    """Measure lip sync in Chromium after switches of source and layer."""
    sys.stdout.write(json.dumps(describe(asyncio.run(_run(switches, seconds, loss, seed)))) + "\n")


if __name__ == "__main__":
    typer.run(main)
