"""How often what costs or can be guessed may be asked, by address, by account and by both.

Guessing one person's password from everywhere is slowed by the account's own bucket; so that it does not slow the
person, a browser that logged in before has a bucket of its own (OWASP, device cookies). A refusal says when to come
again, and never whether there is such an account: buckets are named by what was asked, not by what there is.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Protocol

from tertulia.limits import Limiters, Rate

RATES: Mapping[str, Rate] = {
    "address": Rate(2, 60),  # everything that is asked here without being logged in, of one address
    "log-in": Rate(1 / 30, 10),  # one account, from one address
    "log-in-account": Rate(1 / 20, 40),  # one account, from all browsers that are new to it
    "log-in-device": Rate(1 / 30, 10),  # one account, from a browser that it knows
    "second-factor": Rate(1 / 60, 10),  # one account
    "mail": Rate(1 / 600, 4),  # to one address
    "account": Rate(5, 60),  # everything that somebody does who is logged in
    "password": Rate(1 / 30, 10),  # one's own password, asked again
}

clock = time.monotonic


class Gate(Protocol):
    """Counts; where the buckets are is its own matter."""

    async def check(self, kind: str, *key: str) -> None:
        """Count one request of ``kind``, a name in ``RATES``. Raises RateLimited with the time to wait."""

    async def close(self) -> None: ...


class LocalGate:
    """The buckets of one process."""

    def __init__(self, rates: Mapping[str, Rate] = RATES) -> None:
        self._limiters = Limiters(rates, remembered=50_000)

    async def check(self, kind: str, *key: str) -> None:
        self._limiters.check(digest(kind, *key), kind, clock())

    async def close(self) -> None:
        """Nothing is left."""


def digest(*key: str) -> str:
    """A bucket's name, which tells nothing of address or account."""
    return hashlib.sha256("\x00".join(key).encode()).hexdigest()[:32]
