"""The ledger: one transaction's way through a conversation, from the head's lock to the rows.

Lock the head, find what was written before, read what the batch is about, admit each draft in turn, write. Numbers
are given only to what is new and admitted, so that nothing refused or repeated leaves a hole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from chat import ledger_store, refusals, store
from chat.access import Connection
from chat.admit import ADMIT, State
from chat.draft import Draft
from chat.ledger_store import Known, Locked, NewRow
from tertulia.catalogue import Event, Message
from tertulia.errors import TertuliaError

Outcome = Event | TertuliaError | None


@dataclass
class Result:
    """What would become of each draft, and the new events in their order."""

    new: list[Event] = field(default_factory=list)
    outcomes: list[tuple[Draft, Outcome]] = field(default_factory=list)


async def write(db: Connection, conversation: str, batch: Sequence[Draft], result: Result) -> None:
    """Write a batch in the transaction that ``db`` is in. Raises NotFound when there is no such conversation."""
    locked = await ledger_store.lock(db, conversation)
    if locked is None:
        raise refusals.no_conversation()
    known = await ledger_store.known_ids(db, conversation, [draft.key for draft in batch])
    earlier = await store.event_at(db, conversation, [was.seq for was in known.values()]) if known else {}
    fresh: dict[tuple[str, str], Draft] = {}
    for draft in batch:
        if draft.key not in known:
            fresh.setdefault(draft.key, draft)
    state = await _read(db, locked, list(fresh.values()))
    first: dict[tuple[str, str], Outcome] = {}
    rows: list[NewRow] = []
    for key, draft in fresh.items():
        first[key] = await _admit(db, state, draft, rows)
    if rows:
        await _write(db, state, rows)
    for draft in batch:
        was = known.get(draft.key)
        if was is not None:
            result.outcomes.append((draft, _repeated(draft, was, earlier.get(was.seq))))
        elif draft is fresh[draft.key] or draft.hash == fresh[draft.key].hash:
            result.outcomes.append((draft, first[draft.key]))
        else:
            result.outcomes.append((draft, refusals.id_reused()))
    result.new = [row.event for row in rows]


async def _admit(db: Connection, state: State, draft: Draft, rows: list[NewRow]) -> Outcome:
    try:
        if draft.effect is not None:
            change = await draft.effect(db)
            if change is None:
                return None  # nothing changed, so nothing happened
            draft.change = change
        event = ADMIT[draft.kind](state, draft)
    except TertuliaError as error:
        return error
    content = draft.json or None
    if event.body is None and event.change is not None:
        content = msgspec.json.encode(event.change).decode()
    rows.append(NewRow(event, content, draft.hash))
    return event


async def _read(db: Connection, locked: Locked, fresh: Sequence[Draft]) -> State:
    """What the batch needs to be judged by; each query only where something in the batch asks for it."""
    conversation = locked.facts.id
    state = State(
        locked=locked,
        seq=locked.seq,
        no=locked.no,
        members={},
        member_count=locked.members,
        messages={},
        retention_s=locked.retention_s,
        history_from_join=locked.history_from_join,
    )
    if locked.facts.kind == "self":
        return state
    kinds = {draft.kind for draft in fresh}
    people = {draft.sender for draft in fresh}
    people |= {draft.change.user for draft in fresh if draft.change is not None and draft.change.user is not None}
    opened = {draft.principal.room for draft in fresh} == {locked.facts.room}
    if people and not (locked.facts.kind == "room" and opened and kinds <= {"message"}):
        state.members = await ledger_store.memberships(db, conversation, sorted(people))
    if "member" in kinds:
        state.owners = await ledger_store.owners(db, conversation)
        state.names = await ledger_store.names(db, sorted(people))
    targets = {draft.target for draft in fresh if draft.target is not None}
    targets |= {draft.body.thread for draft in fresh if draft.body is not None and draft.body.thread is not None}
    if targets:
        state.messages = await store.messages_at(db, conversation, sorted(targets))
    if "reaction" in kinds:
        keys = [
            (draft.target, draft.change.emoji, draft.sender)
            for draft in fresh
            if draft.kind == "reaction" and draft.target and draft.change is not None and draft.change.emoji
        ]
        state.reacted = await ledger_store.reacted(db, conversation, keys)
    if kinds & {"pin", "unpin", "delete"}:
        state.pinned = await ledger_store.pinned(db, conversation)
    if locked.facts.kind == "direct":
        state.blocked = {
            sender
            for sender in {draft.sender for draft in fresh}
            if await ledger_store.blocks(db, conversation, sender)
        }
    return state


async def _write(db: Connection, state: State, rows: Sequence[NewRow]) -> None:
    conversation, since = state.locked.facts.id, state.locked.seq
    new: list[Message] = []
    changed: list[Message] = []
    for message in state.messages.values():
        if message.seq > since:
            new.append(message)
        elif message.version > since:
            changed.append(message)
    await ledger_store.append(db, conversation, rows, new, state.no)
    if changed:
        await ledger_store.update_messages(db, conversation, changed)
    await ledger_store.write_effects(db, conversation, state.effects)


def _repeated(draft: Draft, was: Known, event: Event | None) -> Outcome:
    if draft.hash != was.hash or event is None:
        return refusals.id_reused()
    return event
