"""The offline checker: judges a recorded history against the log's fifteen promises.

``python -m tests.torture.checker history.jsonl`` prints what breaks them, with the entries that show it, and exits
with 1 when something does.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from tests.torture.history import Entry, load
from tests.torture.invariants import durability, marks, oneness, order, permission, resuming, views
from tests.torture.record import Record, Violation, prepare

INVARIANTS: dict[int, Callable[[Record], Iterable[Violation]]] = {
    1: order.one_total_order,
    2: order.gapless,
    3: oneness.one_log_for_every_kind,
    4: durability.idempotent,
    5: durability.durable,
    6: durability.atomic,
    7: resuming.resumes,
    8: resuming.snapshot_then_subscribe,
    9: views.own_writes,
    10: marks.marks,
    11: views.slow_reader,
    12: resuming.loss_is_noticed,
    13: permission.permitted,
    14: oneness.gone_is_gone,
    15: oneness.call_chat_is_the_log,
}


def check(entries: list[Entry]) -> list[Violation]:
    """Everything in the history that breaks a promise. Raises ValueError for a history without an audit."""
    found: list[Violation] = []
    for record in prepare(entries):
        if record.audit is None:
            raise ValueError("the history does not say what is stored at its end")
        for judge in INVARIANTS.values():
            found.extend(judge(record))
    return found


def lines(entries: list[Entry], violations: list[Violation], each: int = 5) -> Iterator[str]:
    """The verdict for people: a line an invariant, and the first offending entries."""
    by_number = {entry.n: entry for entry in entries}
    for number in INVARIANTS:
        broken = [violation for violation in violations if violation.invariant == number]
        yield f"invariant {number:2}: {'holds' if not broken else f'BROKEN {len(broken)} times'}"
        for violation in broken[:each]:
            yield f"  {violation.text}"
            for n in violation.entries:
                entry = by_number[n]
                yield f"    #{n} {entry.at:.3f}s {entry.client} {entry.kind} {entry.what} {str(entry.value)[:200]}"


def main() -> int:
    """For the command line."""
    entries = load(Path(sys.argv[1]))
    violations = check(entries)
    sys.stdout.write("\n".join(lines(entries, violations)) + "\n")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
