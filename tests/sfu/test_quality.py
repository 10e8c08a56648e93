"""Connection quality: what people would say of known networks, and properties over all of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.quality import Window, opinion_score, score

LOSS = st.floats(0, 1)
ROUND_TRIP = st.floats(0, 10_000)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (Window(), 5),
        (Window(round_trip_ms=60), 5),
        (Window(round_trip_ms=60, down_loss=0.02), 4),
        (Window(round_trip_ms=60, up_loss=0.05), 3),
        (Window(round_trip_ms=60, down_loss=0.10), 2),
        (Window(down_loss=0.30), 1),
        (Window(round_trip_ms=300), 4),
        (Window(round_trip_ms=600), 2),
        (Window(round_trip_ms=60, up_late=0.05, down_late=0.05), 5),
        (Window(round_trip_ms=60, up_late=0.20), 3),
        (Window(frozen=0.01), 5),
        (Window(frozen=0.05), 3),
        (Window(frozen=0.5), 2),
    ],
)
def test_known_networks_get_the_score_that_people_would_give(window: Window, expected: int) -> None:
    assert score(window) == expected


@given(LOSS, LOSS, ROUND_TRIP, ROUND_TRIP)
def test_more_loss_or_a_longer_round_trip_is_never_better(
    loss: float, more_loss: float, round_trip: float, longer: float
) -> None:
    loss, more_loss = sorted((loss, more_loss))
    round_trip, longer = sorted((round_trip, longer))
    assert 1 <= opinion_score(more_loss, longer) <= opinion_score(loss, round_trip) + 1e-9 <= 4.5
    better = Window(up_loss=loss, round_trip_ms=round_trip)
    worse = Window(up_loss=more_loss, round_trip_ms=longer)
    assert 1 <= score(worse) <= score(better) <= 5


@given(LOSS, LOSS, ROUND_TRIP)
def test_the_worse_direction_counts(up: float, down: float, round_trip: float) -> None:
    both = score(Window(up_loss=up, down_loss=down, round_trip_ms=round_trip))
    assert both == score(Window(up_loss=down, down_loss=up, round_trip_ms=round_trip))
    assert both == score(Window(up_loss=max(up, down), round_trip_ms=round_trip))
