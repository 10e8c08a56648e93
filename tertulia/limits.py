"""How often a client may ask: a token bucket for each kind of request that costs something.

A bucket holds ``burst`` requests and fills at ``per_s``; the figures leave a person and their client far behind and
stop a loop. Over the limit a request is refused with ``rate-limited`` and costs nothing more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from tertulia.errors import RateLimited


@dataclass(frozen=True)
class Rate:
    per_s: float
    burst: float


RATES: Mapping[str, Rate] = {
    "join": Rate(0.5, 6),
    "restart-ice": Rate(0.5, 6),
    "add-robot": Rate(0.2, 4),
    "send-message": Rate(10, 40),
    "edit-message": Rate(10, 40),
    "react": Rate(10, 40),
    "mark-read": Rate(10, 40),
    "typing": Rate(2, 10),
    "set-status": Rate(0.5, 10),
    "watch": Rate(2, 20),
    "search": Rate(2, 20),
    "create-conversation": Rate(1, 20),
    "accept-invite": Rate(1, 20),
    "history": Rate(10, 40),
    "sync": Rate(4, 20),
    "fill": Rate(10, 40),
    "view": Rate(20, 60),
    "set-track": Rate(10, 40),
}
OTHER = Rate(10, 40)


class Limiter:
    """The buckets of one client."""

    __slots__ = ("_buckets", "_rates")

    def __init__(self, rates: Mapping[str, Rate] = RATES) -> None:
        self._rates = rates
        self._buckets: dict[str, tuple[float, float]] = {}

    def check(self, kind: str, now: float) -> None:
        """Count one request of ``kind`` at ``now`` (seconds, any clock that only rises). Raises RateLimited."""
        # What is in no table shares one bucket, so that made-up names do not make buckets.
        kind = kind if kind in self._rates else ""
        rate = self._rates.get(kind, OTHER)
        level, at = self._buckets.get(kind, (rate.burst, now))
        level = min(rate.burst, level + (now - at) * rate.per_s)
        if level < 1:
            self._buckets[kind] = (level, now)
            wait_s = (1 - level) / rate.per_s
            raise RateLimited("rate-limited", "That was too often; wait a moment and try again.", retry_after_s=wait_s)
        self._buckets[kind] = (level - 1, now)


class Limiters:
    """Buckets for callers that have no connection to keep them in. Those not heard of for longest are forgotten."""

    def __init__(self, rates: Mapping[str, Rate], remembered: int = 10_000) -> None:
        self._rates = rates
        self._remembered = remembered
        self._limiters: OrderedDict[Hashable, Limiter] = OrderedDict()

    def check(self, caller: Hashable, kind: str, now: float) -> None:
        """Count one request of ``caller``. Raises RateLimited."""
        limiter = self._limiters.setdefault(caller, Limiter(self._rates))
        self._limiters.move_to_end(caller)
        while len(self._limiters) > self._remembered:
            self._limiters.popitem(last=False)
        limiter.check(kind, now)
