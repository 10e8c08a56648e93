"""Coming back and keeping up: resume, snapshot and subscription, silent loss (invariants 7, 8 and 12)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.torture.record import Call, Record, Violation, synced_in

BEHIND_MAX = 500
"""Events a client may be behind and still catch up, by the protocol."""


def resumes(record: Record) -> Iterator[Violation]:
    """7. A position is answered with exactly what follows it, or with a plain ``reset`` where it cannot be."""
    for call in record.calls:
        if call.ok:
            for position, synced in _asked_and_answered(call):
                yield from _judge(record, call, position, synced)


def _asked_and_answered(call: Call) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    asked, answers = call.asked.value, synced_in(call.asked.what, call.value)
    if call.asked.what == "fill":
        return [({"conversation": asked["conversation"], "seq": asked["after"]}, answer) for answer in answers]
    if call.asked.what == "join":
        return [(asked["position"], answer) for answer in answers if asked.get("position")]
    if call.asked.what == "sync":
        by_conversation = {answer["conversation"]: answer for answer in answers}
        return [
            (position, by_conversation[position["conversation"]])
            for position in asked["positions"]
            if position["conversation"] in by_conversation
        ]
    return []


def _judge(record: Record, call: Call, position: dict[str, Any], synced: dict[str, Any]) -> Iterator[Violation]:
    log = record.logs.get(position["conversation"])
    entries = (call.asked.n, call.ended)
    if synced["status"] == "gone" or log is None:
        return
    seq, head = position["seq"], synced["head"]["seq"] if synced.get("head") else 0
    known = log.events.get(seq)
    strange = (
        "tag" in position and seq > 0 and (known is None or position["tag"] != known["id"][:8]) and seq > log.floor
    )
    if synced["status"] == "reset":
        behind = head - seq
        if not strange and log.floor <= seq <= head and behind <= BEHIND_MAX:
            yield Violation(7, f"position {seq} could have been resumed, but was answered with reset", entries)
        return
    if strange:
        yield Violation(7, f"position {seq} is not of this log, but was resumed", entries)
    numbers = [event["seq"] for event in synced["events"]]
    last = seq + len(numbers) if synced.get("more") else head
    if numbers != list(range(seq + 1, last + 1)):
        yield Violation(7, f"what follows {seq} up to {last} was answered with {len(numbers)} events", entries)


def snapshot_then_subscribe(record: Record) -> Iterator[Violation]:
    """8. The first live event of a connection follows on the snapshot it began with, or overlaps with it."""
    for entries in record.sessions().values():
        head: int | None = None
        for entry in entries:
            if entry.kind == "ok" and entry.what == "join":
                found = entry.value.get("history") or entry.value.get("chat")
                # An answer that holds only part ends where its events do.
                more = found is not None and found.get("more") and "events" in found
                head = (found["events"][-1]["seq"] if more else found["head"]["seq"]) if found else None
            elif head is not None and entry.what in ("lagged", "tips"):
                break
            elif head is not None and entry.kind == "notice" and entry.what == "message" and entry.value["events"]:
                first = entry.value["events"][0]["seq"]
                if first > head + 1:
                    yield Violation(8, f"the snapshot ended at {head} and live events began at {first}", (entry.n,))
                break


def loss_is_noticed(record: Record) -> Iterator[Violation]:
    """12. At the end, after a heart beat, every client that is connected holds the newest event."""
    for entry in record.of_kind("held"):
        log = record.logs.get(entry.value["conversation"])
        if log is not None and entry.value["live"] and entry.value["seq"] != log.head:
            yield Violation(
                12, f"{entry.client} holds {entry.value['seq']} of {log.head} and knows of no loss", (entry.n,)
            )
