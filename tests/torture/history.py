"""The history of a run: what every client asked, was answered, heard and held, one entry a line.

An entry's ``kind`` says what it is:

``invoke``   a client asks; ``call`` pairs it with its outcome
``ok``       the answer came; ``value`` is it
``fail``     it was refused, and nothing was done; ``value`` is the error
``unknown``  the connection or the database went away: it may or may not have been done
``notice``   something came unasked
``session``  a connection was opened (``what`` is ``open``), stalled, let flow again or closed
``held``     what a client holds at the end, once everything should have arrived
``rule``     what the run itself knows: who may see which conversation, that a backup was restored
``audit``    what the database holds at the end

The order of entries is the order in which this process saw them happen; all clients of a run live in one process, so an
answer recorded before a request really came before it.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal

import msgspec

Kind = Literal["invoke", "ok", "fail", "unknown", "notice", "session", "held", "rule", "audit"]


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line. ``at`` is seconds since the run began."""

    n: int
    at: float
    kind: Kind
    what: str
    client: str = ""
    identity: str = ""
    session: int = 0
    node: str = ""
    door: str = ""
    call: int = 0
    value: Any = None


class Recorder:
    """Writes a history; use as a context manager.

    :param path: where to; None: it is only kept in memory
    :param keep: whether it is kept in memory
    """

    def __init__(self, path: Path | None = None, keep: bool = True) -> None:
        self.entries: list[Entry] = []
        self._keep = keep
        self._numbers = itertools.count()
        self._path = path
        self._file: BinaryIO | None = None
        self._began = time.monotonic()
        self._calls = itertools.count(1)
        self._sessions = itertools.count(1)

    def call(self) -> int:
        """A number for a request and its outcome."""
        return next(self._calls)

    def session(self) -> int:
        """A number for a connection."""
        return next(self._sessions)

    def write(self, kind: Kind, what: str, value: Any = None, **who: Any) -> Entry:
        at = round(time.monotonic() - self._began, 6)
        entry = Entry(n=next(self._numbers), at=at, kind=kind, what=what, value=value, **who)
        if self._keep:
            self.entries.append(entry)
        if self._file is not None:
            self._file.write(msgspec.json.encode(entry) + b"\n")
        return entry

    def __enter__(self) -> Recorder:
        if self._path is not None:
            self._file = self._path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def load(path: Path) -> list[Entry]:
    """A recorded history. Raises msgspec.DecodeError for a line that is none."""
    decoder = msgspec.json.Decoder(Entry)
    with path.open("rb") as file:
        return [decoder.decode(line) for line in file]
