"""Read marks and unread counts (invariant 10)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.torture.record import Call, Record, Violation

COUNT_MAX = 100
"""Where counts stop, by the protocol."""


def marks(record: Record) -> Iterator[Violation]:
    """10. A person's marks never move back, whichever of their devices asks, and what is told as unread at the end is
    what counting every message anew comes to."""
    answered = sorted(record.done("mark-read"), key=lambda call: call.ended)
    newest: dict[tuple[str, str], Call] = {}
    reached = 0
    for call in sorted(answered, key=lambda call: call.asked.n):
        while reached < len(answered) and answered[reached].ended < call.asked.n:
            done = answered[reached]
            was = newest.get(_whose(done))
            if was is None or _stand(was) <= _stand(done):
                newest[_whose(done)] = done
            reached += 1
        before = newest.get(_whose(call))
        if before is not None and any(a < b for a, b in zip(_stand(call), _stand(before), strict=True)):
            text = f"{call.asked.identity} had read {before.value['read_no']} and then {call.value['read_no']}"
            yield Violation(10, text, (before.ended, call.ended))
    yield from _recount(record)


def _whose(call: Call) -> tuple[str, str]:
    return call.asked.identity, call.asked.value["conversation"]


def _stand(call: Call) -> tuple[int, int]:
    return call.value["read_no"], call.value["delivered_no"]


def _recount(record: Record) -> Iterator[Violation]:
    """Answers that came after the last change of a conversation must agree with it as it is stored."""
    changed: dict[str, int] = {}
    for call in record.calls:
        if call.asked.what != "mark-read" and isinstance(call.asked.value, dict) and call.outcome is not None:
            conversation = call.asked.value.get("conversation")
            if conversation is not None and call.asked.what not in ("history", "fill"):
                changed[conversation] = max(changed.get(conversation, 0), call.ended)
    for call in record.done("mark-read"):
        identity, conversation = _whose(call)
        log = record.logs.get(conversation)
        if log is None or call.asked.n < changed.get(conversation, 0):
            continue
        told = call.value
        base = min(told["read_no"], told["unread_from"] - 1) if told["unread_from"] else told["read_no"]
        counted = sum(1 for no, sender in log.counted if no > base and sender != identity)
        if told["unread"] != min(counted, COUNT_MAX):
            text = f"{identity} was told of {told['unread']} unread messages and there are {counted}"
            yield Violation(10, text, (call.ended,))
