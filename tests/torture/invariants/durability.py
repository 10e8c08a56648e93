"""What was said is so: once, kept, written if published and published if written (invariants 4, 5 and 6)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture.record import Call, Record, Violation


def idempotent(record: Record) -> Iterator[Violation]:
    """4. A client id of a sender is one event, however often and over whatever door it was sent."""
    stored: dict[tuple[str, str, str], int] = {}
    for log in record.logs.values():
        for event in log.events.values():
            if event["client_id"] is None:
                continue
            key = (log.conversation, event["sender"], event["client_id"])
            if key in stored:
                yield Violation(4, f"a client id is stored as numbers {stored[key]} and {event['seq']}")
            stored[key] = event["seq"]
    told: dict[tuple[str, str], Call] = {}
    for call in record.changes():
        earlier = told.setdefault((call.asked.identity, call.asked.value["client_id"]), call)
        if earlier.value["event"]["id"] != call.value["event"]["id"]:
            yield Violation(4, "a repeated send was answered with another event", (earlier.ended, call.ended))


def durable(record: Record) -> Iterator[Violation]:
    """5. Whatever was acknowledged is in the log at the end, under the number that was told; in a log that was put back
    from a backup, whatever was acknowledged before the backup was begun."""
    for call in (*record.inherited, *record.changes()):
        event = call.value["event"]
        log = record.logs.get(event["conversation"])
        if log is None or event["seq"] <= log.floor:
            continue
        kept = log.events.get(event["seq"])
        if kept is None or kept["id"] != event["id"]:
            yield Violation(5, f"number {event['seq']} was acknowledged and is not in the log", (call.ended,))


def atomic(record: Record) -> Iterator[Violation]:
    """6. What anybody was shown is written, and what is written leaves the outbox, which is how it is published."""
    for seen in record.seen:
        log = record.logs.get(seen.place[0])
        if seen.entry.kind != "notice" or log is None or seen.place[1] <= log.floor:
            continue
        kept = log.events.get(seen.place[1])
        if kept is None or kept["id"] != seen.event["id"]:
            yield Violation(6, f"number {seen.place[1]} was published but never written", (seen.entry.n,))
    if record.audit is not None and record.audit.value["unpublished"]:
        yield Violation(6, f"{record.audit.value['unpublished']} batches are written but unpublished")
