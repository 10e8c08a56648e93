"""One log for everything: every kind of event, and a call's chat (invariants 3 and 15)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture.record import Record, Violation


def call_chat_is_the_log(record: Record) -> Iterator[Violation]:
    """15. What is sent over a call's data channel is an event of the room's conversation, which every door reads."""
    over_http = {seen.event["id"] for seen in record.seen if seen.entry.door == "http" and seen.entry.what == "history"}
    for call in record.done("send-message"):
        if call.asked.door != "channel":
            continue
        asked, event = call.asked.value["conversation"], call.value["event"]
        log = record.logs.get(asked)
        kept = log.events.get(event["seq"]) if log is not None else None
        if log is not None and event["seq"] > log.floor and (kept is None or kept["id"] != event["id"]):
            yield Violation(15, f"number {event['seq']} of a call is not in the room's log", (call.ended,))
        elif over_http and record.bounds.get("read_all_over_http") and event["id"] not in over_http:
            yield Violation(15, f"number {event['seq']} of a call is not read over HTTP", (call.ended,))
