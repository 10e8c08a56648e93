"""Order: one for everybody, without holes, and commits in it (invariants 1 and 2)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from tests.torture.record import Record, Seen, Violation, synced_in


def one_total_order(record: Record) -> Iterator[Violation]:
    """1. Whoever looks, over whatever door: a number is the same event, each frame rises, and what was asked for
    after something had been acknowledged comes after it."""
    first: dict[tuple[str, int], Seen] = {}
    for seen in record.seen:
        known = first.setdefault(seen.place, seen)
        if known.event["id"] != seen.event["id"]:
            yield Violation(1, f"number {seen.place[1]} is two events", (known.entry.n, seen.entry.n))
    at: dict[int, list[int]] = {}
    for seen in record.seen:
        at.setdefault(seen.entry.n, []).append(seen.event["seq"])
    for entry in record.entries:
        if entry.what in ("message", "history", "fill") and at.get(entry.n, []) != sorted(set(at.get(entry.n, []))):
            yield Violation(1, "the numbers of one frame do not rise", (entry.n,))
    yield from _real_time(record)


def _real_time(record: Record) -> Iterator[Violation]:
    begun: dict[tuple[str, str], int] = {}
    for call in record.calls:
        if call.asked.what == "send-message":
            key = (call.asked.value["conversation"], call.asked.value["client_id"])
            begun[key] = min(begun.get(key, call.asked.n), call.asked.n)
    # Walk through time: at every first request, the newest number acknowledged by then must stay below its own.
    acknowledged = sorted(record.done("send-message"), key=lambda call: call.ended)
    told: dict[tuple[str, str], int] = {}
    for call in acknowledged:
        told.setdefault((call.asked.value["conversation"], call.asked.value["client_id"]), call.value["event"]["seq"])
    newest: dict[str, tuple[int, int]] = {}
    reached = 0
    for key, start in sorted(begun.items(), key=lambda item: item[1]):
        while reached < len(acknowledged) and acknowledged[reached].ended < start:
            event = acknowledged[reached].value["event"]
            was = newest.get(event["conversation"], (0, 0))
            newest[event["conversation"]] = max(was, (event["seq"], acknowledged[reached].ended))
            reached += 1
        seq, entry = newest.get(key[0], (0, 0))
        if told.get(key, seq) < seq:
            yield Violation(1, f"number {told[key]} was given after {seq} was acknowledged", (entry, start))


def gapless(record: Record) -> Iterator[Violation]:
    """2. The stored numbers have no hole, answers that claim to be dense are, and a head never falls."""
    for log in record.logs.values():
        missing = [seq for seq in range(log.floor + 1, log.head + 1) if seq not in log.events]
        if missing:
            yield Violation(2, f"{len(missing)} numbers are missing, the first is {missing[0]}")
        if log.events and max(log.events) > log.head:
            yield Violation(2, "there is an event above the head")
    for call in record.calls:
        if not call.ok or call.asked.what not in ("fill", "sync", "join"):
            continue
        for synced in synced_in(call.asked.what, call.value):
            numbers = [event["seq"] for event in synced["events"]]
            if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
                yield Violation(2, f"an answer has a hole after {_hole(numbers)}", (call.asked.n, call.ended))
    yield from _rising_heads(record)


def _hole(numbers: list[int]) -> int:
    return next(a for a, b in pairwise(numbers) if b != a + 1)


def heads_in(what: str, value: object) -> list[tuple[str, int]]:
    """Conversations and the heads that an answer claims for them."""
    if not isinstance(value, dict):
        return []
    pages = [value] if what == "history" else [value["history"]] if what == "join" and value.get("history") else []
    found = [*pages, *(synced for synced in synced_in(what, value) if synced.get("head"))]
    return [(one["head"]["conversation"], one["head"]["seq"]) for one in found]


def _rising_heads(record: Record) -> Iterator[Violation]:
    """Commit order is number order, so a read that begins after another has ended sees at least as much."""
    reads = [call for call in record.calls if call.ok and call.asked.what in ("history", "fill", "sync", "join")]
    ends = sorted(reads, key=lambda call: call.ended)
    newest: dict[str, tuple[int, int]] = {}
    reached = 0
    for call in sorted(reads, key=lambda call: call.asked.n):
        while reached < len(ends) and ends[reached].ended < call.asked.n:
            for conversation, seq in heads_in(ends[reached].asked.what, ends[reached].value):
                newest[conversation] = max(newest.get(conversation, (0, 0)), (seq, ends[reached].ended))
            reached += 1
        for conversation, seq in heads_in(call.asked.what, call.value):
            before, entry = newest.get(conversation, (0, 0))
            if seq < before:
                yield Violation(2, f"the head fell from {before} to {seq}", (entry, call.ended))
