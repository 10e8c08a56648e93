"""How good a connection is, as one number from 1 to 5, from what was counted in the last seconds. Pure.

The number says how talking feels: the E-model (ITU-T G.107) turns delay and loss into a rating of speech, which
G.107's annex B turns into a mean opinion score; the score is cut into five steps. The worse of the two directions
counts. A packet that had to be sent again is a quarter of a lost one: it comes a round trip late, and the receiver
waits longer for everything or does without it. A picture that stands still cannot be better than "fair".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

BUFFERS_MS: Final = 60.0
"""Delay that no counter shows: capture, the receiver's jitter buffer, playout."""

ROBUSTNESS: Final = 20.0
"""G.107's Bpl: packet loss (per cent) that costs half of what can be lost; Opus with in-band FEC and concealment."""

BEST_RATING: Final = 93.2
_STEPS: Final = ((4.2, 5), (3.9, 4), (3.4, 3), (2.6, 2))

LATE_WEIGHT: Final = 0.25
"""What a packet that was sent again costs, in lost ones."""

FROZEN_FAIR: Final = 0.02
FROZEN_POOR: Final = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What one session had over some seconds. Shares are between 0 and 1."""

    up_loss: float = 0.0
    """Of what the client sent, never received."""
    down_loss: float = 0.0
    """Of what was sent to the client, as it reports itself, and not sent again."""
    up_late: float = 0.0
    """Of what the client sent, received only when it was asked for again."""
    down_late: float = 0.0
    """Of what was sent to the client, sent again."""
    round_trip_ms: float | None = None
    """None: not known (a client that receives nothing reports nothing)."""
    frozen: float = 0.0
    """Share of the time in which the worst picture stood still although its sender sent."""


def opinion_score(loss: float, round_trip_ms: float) -> float:
    """Mean opinion score (1 to 4.5) of speech with this loss (0 to 1) and round trip."""
    delay = round_trip_ms / 2 + BUFFERS_MS
    delay_impairment = 0.024 * delay + (0.11 * (delay - 177.3) if delay > 177.3 else 0.0)
    percent = 100 * loss
    rating = BEST_RATING - delay_impairment - 95 * percent / (percent + ROBUSTNESS)
    if rating <= 0:
        return 1.0
    return max(1.0, 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating))


def score(window: Window) -> int:
    """5 excellent, 4 good, 3 fair, 2 poor, 1 bad."""
    up = window.up_loss + LATE_WEIGHT * window.up_late
    down = window.down_loss + LATE_WEIGHT * window.down_late
    opinion = opinion_score(min(1.0, max(up, down)), window.round_trip_ms or 0.0)
    steps = next((step for least, step in _STEPS if opinion >= least), 1)
    if window.frozen >= FROZEN_POOR:
        return min(steps, 2)
    return min(steps, 3) if window.frozen >= FROZEN_FAIR else steps
