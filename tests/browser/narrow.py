"""Two people in a call whose way down becomes narrow: how soon a viewer settles, on what, and how much of it is used.

``scripts/measure-narrow`` prints the figures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from playwright.async_api import Browser, async_playwright

from tertulia.impair import Impairment
from tests.browser.measure import CAMERA, call
from tests.browser.people import launch

SETTLE_S = 3.0
WATCH_S = 30.0
WARM_S = 8.0
"""Before it becomes narrow: time for the viewers to be on the best layer."""


@dataclass(frozen=True, slots=True)
class Narrow:
    """One viewer. Times count from the moment at which the way became narrow."""

    name: str
    used_share: float
    """Of the capacity, headers included, after SETTLE_S."""
    dropped: int
    """Datagrams that found the queue full, in all."""
    heights: tuple[tuple[float, int], ...]
    """(seconds, height) of the picture: the first and each change."""
    changes_after: int
    """Changes of height after SETTLE_S."""
    settled_height: int
    fps_after: float
    frozen_share_after: float

    @property
    def good(self) -> bool:
        """Settled in time on what fits, at least 60 % used, at most one change afterwards."""
        return self.changes_after <= 1 and self.used_share >= 0.6 and self.frozen_share_after < 0.05


async def watch(browser: Browser, directory: Path, *, rate_bps: float, seed: int = 1) -> list[Narrow]:
    """Both viewers of a call of two; each has this rate to itself, with 200 ms of queue and 60 ms round trip."""
    free = Impairment(delay_ms=30)
    narrow = Impairment(delay_ms=30, rate_bps=rate_bps, queue_ms=200)
    async with call(browser, directory, seed, CAMERA) as two:
        two.forwarder.impair(up=free, down=free)
        await asyncio.sleep(WARM_S)
        began = [counts for _, counts in two.forwarder.client_counts()]
        two.forwarder.impair(down=narrow)
        first = await two.measure(SETTLE_S)
        settled = [counts for _, counts in two.forwarder.client_counts()]
        later = await two.measure(WATCH_S)
        ended = [counts for _, counts in two.forwarder.client_counts()]
    found = []
    for number, person in enumerate(two.people):
        [before_picture], [picture] = first[number].pictures, later[number].pictures
        used = ended[number].wire_bytes - settled[number].wire_bytes
        heights = [(at / 1000, height) for at, height in before_picture.heights]
        heights += [(SETTLE_S + at / 1000, height) for at, height in picture.heights[1:]]
        found.append(
            Narrow(
                name=person.name,
                used_share=used * 8 / later[number].seconds / rate_bps,
                dropped=ended[number].dropped - began[number].dropped,
                heights=tuple(heights),
                changes_after=len(picture.heights[1:]),
                settled_height=picture.height,
                fps_after=picture.fps,
                frozen_share_after=picture.frozen_share,
            )
        )
    return found


async def _run(rate_bps: float, seeds: int) -> list[dict[str, object]]:
    found: list[dict[str, object]] = []
    for seed in range(1, seeds + 1):
        async with async_playwright() as playwright:
            browser = await launch(playwright)
            with tempfile.TemporaryDirectory(prefix="tertulia-narrow-") as directory:
                for viewer in await watch(browser, Path(directory), rate_bps=rate_bps, seed=seed):
                    sys.stdout.write(f"seed {seed}  {describe(viewer)}\n")
                    found.append({"seed": seed, **asdict(viewer)})
            await browser.close()
    return found


def describe(viewer: Narrow) -> str:
    """One line for people."""
    heights = " ".join(f"{height}p@{at:.1f}s" for at, height in viewer.heights)
    return (
        f"{viewer.name}  used {viewer.used_share:6.1%}  changes after {SETTLE_S:.0f} s {viewer.changes_after}  "
        f"{viewer.settled_height}p {viewer.fps_after:.1f} frames/s  frozen {viewer.frozen_share_after:.2%}  "
        f"dropped {viewer.dropped}  {heights}  {'good' if viewer.good else 'NOT GOOD'}"
    )


def main(
    kbps: Annotated[float, typer.Option(help="Kilobits a second down to each viewer.")] = 500.0,
    seeds: Annotated[int, typer.Option(help="How many, beginning with 1.")] = 1,
    output: Annotated[Path | None, typer.Option("--json", help="Write everything here.")] = None,
) -> None:
    """Measure what viewers see when their way down becomes narrow."""
    found = asyncio.run(_run(kbps * 1000, seeds))
    if output is not None:
        output.write_text(json.dumps(found))


if __name__ == "__main__":
    typer.run(main)
