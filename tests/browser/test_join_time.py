"""Click to first decoded frame, broken down by step. Printed, not judged: the machine is shared."""

from __future__ import annotations

import sys

import pytest

from tests.browser.conftest import Enter


async def test_the_steps_of_a_join_are_measured_in_order(join: Enter, capsys: pytest.CaptureFixture[str]) -> None:
    ana = await join("Ana")
    await ana.until("tertulia.state() === 'connected'")
    runs = []
    for name in ("Ben", "Cyd", "Dan"):
        person = await join(name)
        await person.sees(ana)
        await person.until("tertulia.steps().firstFrame !== undefined")
        runs.append(await person.state("tertulia.steps()"))
    with capsys.disabled():
        sys.stdout.write("\njoin, milliseconds from the click (Chromium, localhost):\n")
        for steps in runs:
            in_order = sorted(steps.items(), key=lambda item: item[1])
            sys.stdout.write("  " + "  ".join(f"{step} {at:.0f}" for step, at in in_order) + "\n")
    for steps in runs:
        assert 0 < steps["offer"] <= steps["answer"] <= steps["connected"] <= steps["firstFrame"]
