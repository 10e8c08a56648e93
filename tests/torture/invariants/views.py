"""What people see: their own writes, once each; a slow reader nobody waits for (invariants 9 and 11)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from tests.torture.invariants.order import heads_in
from tests.torture.record import Record, Violation


def own_writes(record: Record) -> Iterator[Violation]:
    """9. A read by a person after their write was acknowledged shows it, and nothing is shown twice."""
    newest: dict[tuple[str, str], tuple[int, int]] = {}
    known_at: dict[int, dict[tuple[str, str], tuple[int, int]]] = {}
    for entry in record.entries:
        if entry.kind == "ok" and entry.what == "send-message":
            event = entry.value["event"]
            key = (entry.identity, event["conversation"])
            newest[key] = max(newest.get(key, (0, 0)), (event["seq"], entry.n))
        elif entry.kind == "invoke" and entry.what in ("history", "fill", "sync", "join"):
            known_at[entry.call] = {key: value for key, value in newest.items() if key[0] == entry.identity}
        elif entry.kind == "ok" and entry.call in known_at:
            for conversation, head in heads_in(entry.what, entry.value):
                seq, written = known_at[entry.call].get((entry.identity, conversation), (0, 0))
                if head < seq:
                    yield Violation(9, f"{entry.client} wrote {seq} and then read up to {head}", (written, entry.n))
    yield from _echoes(record)


def _echoes(record: Record) -> Iterator[Violation]:
    clients_of = {call.asked.value["client_id"]: call.value["event"]["seq"] for call in record.done("send-message")}
    for entry in record.of_kind("held"):
        held = entry.value
        twice = [client_id for client_id, count in Counter(held["shown"]).items() if count > 1]
        base = held["base"] if held["base"] is not None else held["seq"]
        # An acknowledged message that is held as an event and still shown as an echo is there twice.
        twice += [one for one in held["echoes"] if base < clients_of.get(one, 0) <= held["seq"]]
        if twice:
            yield Violation(9, f"{entry.client} shows {len(twice)} of its messages twice", (entry.n,))


def slow_reader(record: Record) -> Iterator[Violation]:
    """11. What waits for a reader who stalled is bounded, and others read on meanwhile."""
    bound = record.bounds.get("stalled_bytes")
    for entries in record.sessions().values():
        stalled: int | None = None
        flowing = False
        size = 0
        for entry in entries:
            if entry.what == "stall":
                stalled, flowing, size = entry.n, False, 0
            elif entry.what == "flow" and stalled is not None:
                flowing = True
                if not _others_read(record, entries[0].client, stalled, entry.n):
                    yield Violation(11, f"nobody read on while {entry.client} stalled", (stalled, entry.n))
            elif flowing and entry.kind == "notice" and entry.what == "message":
                size += len(msgspec.json.encode(entry.value))
                if bound is not None and size > bound:
                    yield Violation(11, f"{size} bytes had been kept for a stalled reader", (stalled or 0, entry.n))
                    break
            elif flowing and (entry.what in ("lagged", "closed") or entry.kind == "ok"):
                stalled, flowing = None, False


def _others_read(record: Record, client: str, start: int, end: int) -> bool:
    """Whether somebody else was told of what was acknowledged during the stall, if anything was."""
    first, last = record.entries[0].n, record.entries[-1].n
    between = record.entries[max(start, first) - first : min(end, last) - first]
    acknowledged = {
        entry.value["event"]["id"] for entry in between if entry.kind == "ok" and entry.what == "send-message"
    }
    told = {
        event["id"]
        for entry in between
        if entry.kind == "notice" and entry.what == "message" and entry.client != client
        for event in entry.value["events"]
    }
    return not acknowledged or bool(acknowledged & told)
