"""Two Chromium windows over a bad network: what a person would notice. For longer runs: ``scripts/measure-loss``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, async_playwright

from tests.browser import sync
from tests.browser.measure import watch_loss
from tests.browser.people import launch

pytestmark = pytest.mark.torture  # what is measured needs the machine for itself


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await launch(playwright)
        yield launched
        await launched.close()


async def test_a_clean_network_freezes_nothing_and_conceals_nothing(browser: Browser, tmp_path: Path) -> None:
    both = await watch_loss(browser, tmp_path, loss=0.0, round_trip_ms=60.0, seconds=8.0, seed=1, settle=1.0)
    for quality in both:
        [picture] = quality.pictures
        assert picture.frames > 0
        assert picture.height >= 360
        assert quality.video["packetsLost"] == 0
        assert quality.concealed_share < 0.02


async def test_loss_on_both_legs_is_made_good(browser: Browser, tmp_path: Path) -> None:
    """5 % of all packets each way on either leg.

    Limits are wide, for the machine may be busy; without repair a twentieth of the frames are decoded, three quarters
    of the time is frozen and a tenth of the sound concealed. ``scripts/measure-loss`` measures the figures.
    """
    both = await watch_loss(browser, tmp_path, loss=0.05, round_trip_ms=60.0, seconds=15.0, seed=1, settle=5.0)
    for quality, other in zip(both, reversed(both), strict=True):
        [picture] = quality.pictures
        assert quality.video["retransmittedPacketsReceived"] > 0
        assert quality.decoded_fps > 0.3 * other.encoded_fps
        assert picture.height >= 360
        assert picture.frozen_share < 0.4
        assert quality.concealed_share < 0.04


async def test_lips_and_voice_come_together_again_after_switches_of_source_and_layer(
    browser: Browser, tmp_path: Path
) -> None:
    """As the browser itself accounts for it, for three seconds in a row. A busy machine moves its buffers all the time;
    how it looks and sounds, and how steadily, is for ``scripts/measure-sync`` on a quiet one."""
    found = await sync.measure(browser, tmp_path, switches=4, seconds=25.0, loss=0.02)
    assert found.after
    apart = [abs(value) for value in found.believed]
    assert any(max(three) < 40 for three in zip(apart, apart[1:], apart[2:], strict=False)), apart
