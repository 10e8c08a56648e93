"""Looks at the core's counters every few seconds: tells clients how good their connection is, and keeps the totals.

A session's quality is worked out of what changed since the last look (``quality.py``) and told when its score changes.
The totals of all sessions go to ``/metrics``, where nothing names a session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import Counter, Gauge, Histogram

from sfu.core import Core, CoreBusy
from sfu.quality import Window, score
from sfu.session import Session
from tertulia.catalogue import Quality

if TYPE_CHECKING:
    from sfu._core import SlotCounters, SourceCounters, Stats

log = structlog.get_logger(__name__)

INTERVAL_S: Final = 4.0
SESSION_COST_S: Final = 0.02
"""A look at many sessions takes milliseconds: the more there are, the rarer it is."""
SLICE: Final = 16
"""Sessions that are looked at before others have their turn: about half a millisecond."""
FEW_PACKETS: Final = 20
"""Fewer than this say nothing about loss."""

QUALITY = Gauge("tertulia_sfu_sessions_by_quality", "Sessions by connection quality, 1 (bad) to 5.", ["score"])
ROUND_TRIP = Histogram(
    "tertulia_sfu_round_trip_seconds",
    "Round trips to clients, one observation a session and look.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2),
)
LOSS = Histogram(
    "tertulia_sfu_loss_ratio",
    "Packets that stayed lost, one observation a session, direction and look.",
    ["direction"],
    buckets=(0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
)
_NOT_ADDED: Final = frozenset({"jitter", "fraction_lost", "round_trip_us", "paused", "spatial", "temporal"})
RECEIVED = Counter("tertulia_sfu_sources", "Counters of everything that clients send, summed.", ["counter"])
SENT = Counter("tertulia_sfu_slots", "Counters of everything that clients are sent, summed.", ["counter"])


@dataclass(slots=True)
class _Seen:
    """What a session's streams had counted at the last look."""

    sources: dict[int, SourceCounters] = field(default_factory=dict)
    slots: dict[int, SlotCounters] = field(default_factory=dict)
    told: int = 0
    at: float = float("-inf")
    """When that was."""


class Observer:
    """One a process. :meth:`run` until cancelled."""

    def __init__(self, interval_s: float = INTERVAL_S) -> None:
        self._interval_s = interval_s
        self._seen: dict[str, _Seen] = {}  # by id: who is gone is not held until the next look
        self._worker: dict[str, float] = {}

    async def run(self, cores: Iterable[Core], sessions: Mapping[str, Session]) -> None:
        """Look again and again. What goes wrong with one look is logged, and the next is tried."""
        cores, loop = list(cores), asyncio.get_running_loop()
        while True:
            await asyncio.sleep(max(self._interval_s, SESSION_COST_S * len(sessions)))
            try:
                await self.look([(core, await core.stats()) for core in cores], list(sessions.values()), loop.time())
            except CoreBusy:
                log.warning("the worker is behind, statistics skipped")
            except Exception:
                log.exception("statistics failed")

    def totals(self) -> dict[str, float]:
        """Counters of all workers, for ``/metrics``."""
        return dict(self._worker)

    async def look(self, stats: list[tuple[Core, Stats]], sessions: list[Session], now: float) -> None:
        """Take in one look at all workers, in slices between which others have their turn.

        :param now: seconds of any clock that runs evenly
        """
        of_core = dict(stats)
        self._worker = {}
        for _, found in stats:
            for name, value in found["worker"].items():
                assert isinstance(value, int | float)
                self._worker[name] = self._worker.get(name, 0) + value
        self._seen = {session.id: self._seen.get(session.id, _Seen()) for session in sessions}
        scores = dict.fromkeys(range(1, 6), 0)
        received, sent = _Sums(RECEIVED), _Sums(SENT)
        for number, session in enumerate(sessions):
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
            seen = self._seen[session.id]
            own = of_core.get(session.core)
            if own is None or session.state != "connected":
                continue
            window = _window(session, seen, own, now, received, sent)
            _observe(window)
            value = score(window)
            scores[value] += 1
            if value != seen.told:
                seen.told = value
                session.tell_quality(_frame(value, window))
        for value, count in scores.items():
            QUALITY.labels(str(value)).set(count)
        received.flush()
        sent.flush()


def _window(session: Session, seen: _Seen, found: Stats, now: float, received: _Sums, sent: _Sums) -> Window:
    sources = {handle: found["sources"][handle] for handle in session.sources if handle in found["sources"]}
    slots = {handle: found["slots"][handle] for handle in session.slots.handles() if handle in found["slots"]}
    elapsed_us, seen.at = (now - seen.at) * 1e6, now
    up, down = _Direction(), _Direction()
    for handle, source in sources.items():
        before = seen.sources.get(handle)
        received.add(source, before)
        again = _grown(source, before, "repaired") + _grown(source, before, "unpacked")
        up.add(_grown(source, before, "packets"), _grown(source, before, "lost"), again)
    round_trips = []
    frozen = 0.0
    for handle, slot in slots.items():
        earlier = seen.slots.get(handle)
        sent.add(slot, earlier)
        packets = _grown(slot, earlier, "packets")
        if packets > 0:  # reports of a slot that carries nothing are old
            down.add(packets, packets * slot["fraction_lost"] / 256, _grown(slot, earlier, "resent"))
            frozen = max(frozen, min(1.0, _grown(slot, earlier, "frozen_us") / elapsed_us))
            if slot["round_trip_us"] >= 0:
                round_trips.append(slot["round_trip_us"])
    seen.sources, seen.slots = sources, slots
    return Window(
        up_loss=up.loss,
        down_loss=down.loss,
        up_late=up.late,
        down_late=down.late,
        round_trip_ms=min(round_trips) / 1000 if round_trips else None,
        frozen=frozen,
    )


@dataclass(slots=True)
class _Direction:
    """Packets of all streams one way: how many, how many were lost at first, and how many of these came again."""

    packets: float = 0.0
    lost: float = 0.0
    again: float = 0.0

    def add(self, packets: float, lost: float, again: float) -> None:
        self.packets += packets
        self.lost += lost
        self.again += again

    @property
    def loss(self) -> float:
        """The share that stayed lost. What came again may have been lost in the window before."""
        lost = max(0.0, self.lost - self.again)
        return lost / (self.packets + lost) if self.packets >= FEW_PACKETS else 0.0

    @property
    def late(self) -> float:
        return min(1.0, self.again / self.packets) if self.packets >= FEW_PACKETS else 0.0


def _grown(now: Mapping[str, object], before: Mapping[str, object] | None, name: str) -> float:
    """How much a counter has grown; a packet that came late after all takes back a loss."""
    value, earlier = now[name], 0 if before is None else before[name]
    assert isinstance(value, int) and isinstance(earlier, int)
    return max(0, value - earlier)


class _Sums:
    """What all streams of one look have counted since the last, until it is added to a counter at once."""

    def __init__(self, counter: Counter) -> None:
        self._counter = counter
        self._sums: dict[str, int] = {}

    def add(self, now: Mapping[str, object], before: Mapping[str, object] | None) -> None:
        if now == before:
            return
        for name, value in now.items():
            earlier = 0 if before is None else before.get(name, 0)
            if name not in _NOT_ADDED and isinstance(value, int) and isinstance(earlier, int) and value > earlier:
                self._sums[name] = self._sums.get(name, 0) + value - earlier

    def flush(self) -> None:
        for name, value in self._sums.items():
            self._counter.labels(name).inc(value)


def _observe(window: Window) -> None:
    LOSS.labels("up").observe(window.up_loss)
    LOSS.labels("down").observe(window.down_loss)
    if window.round_trip_ms is not None:
        ROUND_TRIP.observe(window.round_trip_ms / 1000)


def _frame(value: int, window: Window) -> Quality:
    return Quality(
        score=value,
        up_loss=round(window.up_loss, 4),
        down_loss=round(window.down_loss, 4),
        round_trip_ms=None if window.round_trip_ms is None else round(window.round_trip_ms),
    )
