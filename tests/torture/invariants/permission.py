"""Who may see what (invariant 13)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.torture.record import Record, Seen, Violation


def permitted(record: Record) -> Iterator[Violation]:
    """13. Nobody is shown, by any door or way of asking, an event that they may not see at that moment.

    A run says who may see what with rules ``may-see`` ``{identity, conversation, above, upto}``: events with a number
    above ``above`` and, once ``upto`` is given, not above that. Stubs show nothing.
    """
    rules: dict[tuple[str, str], dict[str, Any]] = {
        (rule.value["identity"], rule.value["conversation"]): rule.value
        for rule in record.rules
        if rule.what == "may-see"
    }
    seen_at: dict[int, list[Seen]] = {}
    for seen in record.seen:
        seen_at.setdefault(seen.entry.n, []).append(seen)
    for entry in record.entries:
        if entry.kind == "rule" and entry.what == "may-see":
            rules[entry.value["identity"], entry.value["conversation"]] = entry.value
        for seen in seen_at.get(entry.n, ()):
            if seen.event["kind"] == "x":
                continue
            rule = rules.get((entry.identity, seen.place[0]))
            if rule is None:
                yield Violation(13, f"{entry.identity} was shown a conversation that is not theirs", (entry.n,))
            elif seen.place[1] <= rule["above"] or seen.place[1] > (rule["upto"] or 2**62):
                yield Violation(
                    13, f"{entry.identity} was shown number {seen.place[1]}, which they may not see", (entry.n,)
                )
