"""A history prepared for judging: requests beside their outcomes, every event anybody saw, and the log as stored.

A run in which a backup was restored has one :class:`Record` for the time before and one for the time after: what was
written after the backup is lost by intent, and everything else must hold in both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.torture.history import Entry

Event = dict[str, Any]

CHANGES = {
    "send-message": "message",
    "edit-message": "edit",
    "delete-message": "delete",
    "react": "reaction",
    "pin-message": "pin",
    "remove-member": "member",
}
"""Requests that change the log, and the kind of event they become."""


@dataclass(frozen=True)
class Violation:
    """An invariant that does not hold, and the entries that show it."""

    invariant: int
    text: str
    entries: tuple[int, ...] = ()


@dataclass(frozen=True)
class Call:
    """A request and what came of it (None: the run ended before)."""

    asked: Entry
    outcome: Entry | None

    @property
    def ok(self) -> bool:
        return self.outcome is not None and self.outcome.kind == "ok"

    @property
    def value(self) -> Any:
        return self.outcome.value if self.outcome is not None else None

    @property
    def ended(self) -> int:
        assert self.outcome is not None
        return self.outcome.n


@dataclass(frozen=True)
class Seen:
    """An event in somebody's hands."""

    entry: Entry
    event: Event

    @property
    def place(self) -> tuple[str, int]:
        return self.event["conversation"], self.event["seq"]


@dataclass
class Log:
    """A conversation as stored at the end."""

    conversation: str
    floor: int
    head: int
    events: dict[int, Event]
    messages: dict[int, list[Any]] = field(default_factory=dict)
    """The folded view, by number: what ``folding.shown`` makes of each."""
    counted: list[tuple[int, str]] = field(default_factory=list)
    """Number and sender of every message that counts as unread for others."""


@dataclass
class Record:
    """One stretch of a history."""

    entries: list[Entry]
    calls: list[Call] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    logs: dict[str, Log] = field(default_factory=dict)
    audit: Entry | None = None
    rules: list[Entry] = field(default_factory=list)
    """Rules from before this stretch, which still hold."""
    inherited: list[Call] = field(default_factory=list)
    """Changes acknowledged before the backup that this stretch began from."""
    bounds: dict[str, Any] = field(default_factory=dict)

    def done(self, what: str) -> Iterator[Call]:
        """The requests of this name that were answered."""
        return (call for call in self.calls if call.asked.what == what and call.ok)

    def changes(self) -> Iterator[Call]:
        """The changes that were acknowledged, with the event they became."""
        return (call for call in self.calls if call.asked.what in CHANGES and call.ok)

    def of_kind(self, kind: str, what: str | None = None) -> Iterator[Entry]:
        return (entry for entry in self.entries if entry.kind == kind and what in (None, entry.what))

    def sessions(self) -> dict[tuple[str, int], list[Entry]]:
        """Entries by client and connection."""
        found: dict[tuple[str, int], list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if entry.session:
                found[entry.client, entry.session].append(entry)
        return found


def prepare(entries: list[Entry]) -> list[Record]:
    """Split where a backup was restored, and look everything up that the invariants ask for."""
    stretches: list[list[Entry]] = [[]]
    backup = 0
    for entry in entries:
        stretches[-1].append(entry)
        if entry.kind == "rule" and entry.what == "backup":
            backup = entry.n
        if entry.kind == "rule" and entry.what == "restored":
            stretches.append([])
    records: list[Record] = []
    for stretch in stretches:
        if stretch:
            records.append(_record(stretch, records, backup))
    return records


def _record(entries: list[Entry], earlier: list[Record], backup: int) -> Record:
    record = Record(entries)
    for one in earlier:
        record.rules += one.of_kind("rule")
        record.inherited += [call for call in one.changes() if call.ended < backup]
    asked: dict[int, Entry] = {}
    for entry in entries:
        if entry.kind == "invoke":
            asked[entry.call] = entry
        elif entry.kind in ("ok", "fail", "unknown"):
            # One that was cancelled in the moment of its answer has two outcomes; the first is the one that came.
            begun = asked.pop(entry.call, None)
            if begun is not None:
                record.calls.append(Call(begun, entry))
        elif entry.kind == "audit":
            record.audit = entry
        if entry.kind in ("ok", "notice"):
            record.seen.extend(Seen(entry, event) for event in events_in(entry.what, entry.value))
    record.calls.extend(Call(begun, None) for begun in asked.values())
    if record.audit is not None:
        for found in record.audit.value["conversations"]:
            events = {event["seq"]: event for event in found["events"]}
            messages = {message[0]: message for message in found["messages"]}
            counted = [(no, sender) for no, sender in found["counted"]]
            log = Log(found["conversation"], found["floor"], found["head"], events, messages, counted)
            record.logs[log.conversation] = log
    for rule in (*record.rules, *record.of_kind("rule")):
        if rule.what == "bounds":
            record.bounds |= rule.value
    return record


def events_in(what: str, value: Any) -> list[Event]:
    """The events that an answer or a notice holds."""
    if not isinstance(value, dict):
        return []
    if what == "message":
        return list(value["events"])
    if what == "join":
        held = list((value.get("history") or {}).get("messages", []))
        return held + list((value.get("chat") or {}).get("events", []))
    if what in ("fill", "sync"):
        return [event for synced in synced_in(what, value) for event in synced["events"]]
    if what in ("history", "search"):
        return list(value["messages"])
    return [value["event"]] if isinstance(value.get("event"), dict) else []


def synced_in(what: str, value: Any) -> list[dict[str, Any]]:
    """The answers to positions that an answer holds."""
    if what == "fill":
        return [value]
    if what == "sync":
        return list(value["conversations"])
    return [value["chat"]] if what == "join" and value.get("chat") is not None else []
