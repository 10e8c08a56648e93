"""A bad network as a model: what a link does to each datagram. No I/O and no clock: a seed tells the whole story.

One :class:`Link` is one direction. A datagram is lost at random, or dropped because the queue in front of the slowest
hop is full; otherwise it waits for that hop (``rate_bps``), travels (``delay_ms``) and arrives a little early or late
(``jitter_ms``) without overtaking another, as on a real path.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

HEADERS = 28
"""Bytes of IPv4 and UDP in front of each datagram: they take time on a link as well."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """What is wrong with one direction. The defaults change nothing."""

    loss: float = 0.0
    """Probability that a datagram is lost, independent of all others."""
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    """Added to the delay, evenly distributed between 0 and this."""
    rate_bps: float = 0.0
    """Bits a second of the slowest hop, IP and UDP headers included; 0: no limit."""
    queue_ms: float = 200.0
    """How long a datagram may wait for the slowest hop; one that would wait longer is dropped."""
    queue_bytes: int = 0
    """The same limit in bytes (with headers), for queues that are built so; 0: only ``queue_ms`` counts."""


@dataclass(slots=True)
class LinkCounts:
    """What became of the datagrams of one direction."""

    delivered: int = 0
    delivered_bytes: int = 0
    lost: int = 0
    """At random."""
    dropped: int = 0
    """By a full queue."""

    @property
    def wire_bytes(self) -> int:
        """Delivered bytes with those of IP and UDP."""
        return self.delivered_bytes + HEADERS * self.delivered


class Link:
    """One direction between two hosts.

    :param seed: the same seed and the same datagrams at the same times give the same losses and delays
    """

    def __init__(self, impairment: Impairment, seed: int | str) -> None:
        self.impairment = impairment
        self.counts = LinkCounts()
        self._random = random.Random(seed)
        self._free_at = 0.0
        self._last_arrival = 0.0

    def send(self, size: int, now: float) -> float | None:
        """When a datagram of ``size`` bytes that is sent ``now`` (seconds) arrives; None if it never does."""
        how = self.impairment
        # Drawn for every datagram, so that a changed rate does not change which ones are lost.
        luck, shake = self._random.random(), self._random.random()
        if luck < how.loss:
            self.counts.lost += 1
            return None
        departure = now
        if how.rate_bps > 0:
            begin = max(now, self._free_at)
            waiting_s = begin - now
            waiting_bytes = waiting_s * how.rate_bps / 8
            if waiting_s * 1000 > how.queue_ms or 0 < how.queue_bytes < waiting_bytes + size + HEADERS:
                self.counts.dropped += 1
                return None
            departure = begin + (size + HEADERS) * 8 / how.rate_bps
            self._free_at = departure
        arrival = max(departure + (how.delay_ms + shake * how.jitter_ms) / 1000, self._last_arrival)
        self._last_arrival = arrival
        self.counts.delivered += 1
        self.counts.delivered_bytes += size
        return arrival
