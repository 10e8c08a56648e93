"""The outbox's reader that tells: what was committed and not told is published as a hint.

Normally the writer tells the others itself right after its commit. What it could not tell (the connection broke while
committing, the process was killed, another process wrote) is found here; readers drop what they have had. Whichever
process reads a row publishes it on the bus that all of them share.
"""

from __future__ import annotations

from collections.abc import Callable

from chat.access import Connection
from chat.consumers import Range, trim

READER = "fan-out"
DELAY_S = 0.5
"""The writer tells most of it by itself meanwhile, and what is read at once is told at once."""

Publish = Callable[[str, int, int], None]
"""Tell that events ``lo`` to ``hi`` of a conversation are committed."""


class Telling:
    """Handles ranges of the outbox; see :class:`chat.consumers.Consumer`."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish

    async def handle(self, db: Connection, ranges: list[Range]) -> None:
        # These rows are committed whatever becomes of this transaction; if it fails they are told twice.
        for conversation, (lo, hi) in bounds(ranges).items():
            self._publish(conversation, lo, hi)
        await trim(db)


def bounds(ranges: list[Range]) -> dict[str, tuple[int, int]]:
    """The least and the greatest number of each conversation; what is between need not all be new."""
    found: dict[str, tuple[int, int]] = {}
    for each in ranges:
        lo, hi = found.get(each.conversation, (each.lo, each.hi))
        found[each.conversation] = (min(lo, each.lo), max(hi, each.hi))
    return found
