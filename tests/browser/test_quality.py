"""The figures of a call, from made-up frames whose truth is known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.quality import judge


def seen(frames: list[tuple[float, int, int]], ms: float = 1000.0) -> dict[str, Any]:
    return {
        "ms": ms,
        "videos": [{"participant": "p", "frames": frames}],
        "streams": [
            {"kind": "video", "totalFreezesDuration": 0.0},
            {"kind": "audio", "concealedSamples": 480.0, "totalSamplesReceived": 48_000.0},
        ],
        "samples": [[0.0, 0.0], [250.0, 25_000.0], [500.0, 50_000.0]],
        "limited": {"none": 1.0},
        "sent": {"camera": 25, "encoded": 24},
    }


def test_even_frames_are_a_rate_without_a_freeze() -> None:
    quality = judge(seen([(number * 40.0, 360, number) for number in range(25)]))
    [picture] = quality.pictures
    assert (picture.fps, picture.height, picture.frozen_share) == (25.0, 360, 0.0)
    assert quality.concealed_share == 0.01
    assert quality.bit_rate(0, 1000) == 800_000
    assert (quality.camera_fps, quality.encoded_fps) == (25.0, 24.0)


def test_a_gap_is_a_freeze_even_if_the_old_picture_is_presented_again_meanwhile() -> None:
    moving = [(number * 40.0, 360, number) for number in range(10)]
    held = [(400.0 + number * 40.0, 360, 9) for number in range(10)]
    later = [(800.0 + number * 40.0, 360, 10 + number) for number in range(5)]
    [picture] = judge(seen([*moving, *held, *later])).pictures
    assert picture.frozen_share == pytest.approx((800 - 360) / 1000)
    assert picture.repeated == 10


def test_no_frames_at_all_are_one_long_freeze() -> None:
    [picture] = judge(seen([])).pictures
    assert (picture.frames, picture.height, picture.longest_gap_ms, picture.frozen_share) == (0, 0, 1000.0, 1.0)


def test_changes_of_height_are_listed_with_their_time() -> None:
    frames = [(0.0, 180, 0), (40.0, 180, 1), (80.0, 360, 2), (120.0, 360, 3)]
    assert judge(seen(frames)).pictures[0].heights == ((0.0, 180), (80.0, 360))
