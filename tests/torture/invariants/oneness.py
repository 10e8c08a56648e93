"""One log for everything, which what is deleted leaves: kinds of event, deletion, a call's chat (3, 14 and 15)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture.record import CHANGES, Record, Violation


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


def one_log_for_every_kind(record: Record) -> Iterator[Violation]:
    """3. Every change is an event of its kind in the log, and what clients made of the events they got, beginning with
    the page they had, is what the server shows."""
    for call in record.changes():
        event = call.value["event"]
        log = record.logs.get(event["conversation"])
        kept = log.events.get(event["seq"]) if log is not None else None
        expected = CHANGES[call.asked.what]
        if expected == "pin" and not call.asked.value.get("pinned", True):
            expected = "unpin"
        if log is not None and event["seq"] > log.floor and (kept is None or kept["kind"] != expected):
            yield Violation(3, f"a {expected} was acknowledged and is no such event of the log", (call.ended,))
    for entry in record.of_kind("held"):
        log = record.logs.get(entry.value["conversation"])
        if log is None or entry.value["seq"] != log.head:
            continue
        for message in entry.value["messages"]:
            stored = log.messages.get(message[0])
            if stored != message and not (stored is None and message[2]):
                yield Violation(3, f"{entry.client} came to {message}, the server to {stored}", (entry.n,))


def gone_is_gone(record: Record) -> Iterator[Violation]:
    """14. Once a deletion is acknowledged nobody is answered the text, by whatever way, and it is stored nowhere.

    A notice that was on its way already may still arrive; an answer to what was asked afterwards may not.
    """
    deleted: dict[tuple[str, int], int] = {}
    texts: dict[tuple[str, int], set[str]] = {}
    for call in record.done("delete-message"):
        deleted[call.asked.value["conversation"], call.asked.value["seq"]] = call.ended
    for call in record.changes():
        if call.asked.what in ("send-message", "edit-message"):
            event = call.value["event"]
            place = event["conversation"], event.get("target") or event["seq"]
            texts.setdefault(place, set()).add(call.asked.value["body"]["text"])
    asked_at = {call.ended: call.asked.n for call in record.calls if call.outcome is not None}
    for seen in record.seen:
        place = seen.place[0], seen.event.get("target") or seen.place[1]
        gone = deleted.get(place)
        if gone is not None and seen.event.get("body") is not None and asked_at.get(seen.entry.n, 0) > gone:
            yield Violation(14, f"number {place[1]} was deleted and then answered with its text", (gone, seen.entry.n))
    for place, gone in deleted.items():
        log = record.logs.get(place[0])
        for event in log.events.values() if log is not None else ():
            if (
                (event["target_seq"] or event["seq"]) == place[1]
                and event["kind"] in ("message", "edit")
                and event["body"]
            ):
                yield Violation(14, f"number {place[1]} was deleted and its text is still stored", (gone,))
        for table, conversation, seq in record.audit.value.get("leftovers", []) if record.audit is not None else ():
            if (conversation, seq) == place:
                yield Violation(14, f"number {place[1]} was deleted and is left in {table}", (gone,))
