"""Token buckets: what a person does passes, a loop does not."""

from __future__ import annotations

import pytest

from tertulia.errors import RateLimited
from tertulia.limits import Limiter, Limiters, Rate

RATES = {"send": Rate(per_s=2, burst=3)}


def passed(limiter: Limiter, kind: str, now: float, tries: int = 100) -> int:
    """How many requests in a row are let through at one moment."""
    for count in range(tries):
        try:
            limiter.check(kind, now)
        except RateLimited:
            return count
    return tries


def test_burst_passes_and_then_only_the_rate() -> None:
    limiter = Limiter(RATES)
    assert passed(limiter, "send", 0.0) == 3
    assert passed(limiter, "send", 0.4) == 0
    assert passed(limiter, "send", 1.5) == 3
    assert passed(limiter, "send", 2.0) == 1
    assert passed(limiter, "send", 1000.0) == 3


def test_kinds_have_buckets_of_their_own_and_unknown_ones_share_one() -> None:
    limiter = Limiter(RATES)
    assert passed(limiter, "send", 0.0) == 3
    shared = passed(limiter, "made-up", 0.0)
    assert shared > 3
    assert passed(limiter, "made-up-too", 0.0) == 0


def test_callers_do_not_share_and_the_oldest_are_forgotten() -> None:
    limiters = Limiters(RATES, remembered=2)
    for caller in ("ada", "bob"):
        for _ in range(3):
            limiters.check(caller, "send", 0.0)
    with pytest.raises(RateLimited):
        limiters.check("ada", "send", 0.0)
    limiters.check("cy", "send", 0.0)
    with pytest.raises(RateLimited):
        limiters.check("ada", "send", 0.0)
    limiters.check("bob", "send", 0.0)
