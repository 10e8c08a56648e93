"""Faults to be put into a program, one a promise: each a mistake that somebody could really make in this code.

A fault replaces one function of the running program and nothing else; the rest stays what it is, with a real database
and real connections.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import pytest

import chat.access
import chat.fanout
import chat.hint
import chat.marks
import chat.resume
import chat.service
import signaling.socket
from chat import ledger, ledger_store, store
from chat.draft import Draft, body_hash
from chat.fanout import Feed
from chat.ledger_store import Known, Locked, NewRow
from chat.messages import MessageDesk
from chat.service import ChatService
from chat.writer import ConversationWriter
from tertulia.catalogue import Event, MessageBody, React, SendMessage, Sent
from tertulia.tokens import Principal

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Fault:
    """A mistake, the promise that it breaks, and how it is put in."""

    invariant: int
    name: str
    put_in: Callable[[Patch], None]


def stored_in_another_order(patch: Patch) -> None:
    """What is stored has another order than what is told."""
    append = ledger_store.append

    async def reversed_append(db: Any, conversation: str, rows: Sequence[NewRow], *more: Any) -> None:
        ids = [row.event.id for row in rows][::-1]
        turned = [
            row._replace(event=msgspec.structs.replace(row.event, id=other))
            for row, other in zip(rows, ids, strict=True)
        ]
        await append(db, conversation, turned, *more)

    patch.setattr(ledger_store, "append", reversed_append)


def numbers_before_the_conflict(patch: Patch) -> None:
    """A number is taken for what turns out to be a repetition."""
    lock = ledger_store.lock
    count = 0

    async def holed(db: Any, conversation: str) -> Locked | None:
        nonlocal count
        count += 1
        locked = await lock(db, conversation)
        return replace(locked, seq=locked.seq + 1) if locked is not None and count % 5 == 0 else locked

    patch.setattr(ledger_store, "lock", holed)


def reactions_beside_the_log(patch: Patch) -> None:
    """A reaction is a row of a table, and the message shows it; that it happened is in no log."""

    async def aside(self: Any, principal: Principal, asked: React) -> Sent:
        async def work(db: Any) -> Event:
            await db.execute(
                "UPDATE chat.message SET reactions = jsonb_build_object($3::text, 1)"
                " WHERE conversation_id = $1 AND seq = $2",
                asked.conversation,
                asked.seq,
                asked.emoji,
            )
            [event] = (await store.event_at(db, asked.conversation, [asked.seq])).values()
            return msgspec.structs.replace(event, id=str(uuid.uuid4()), kind="reaction", target=asked.seq)

        return Sent(await self._core.change(work))

    patch.setattr(MessageDesk, "react", aside)


def keys_forgotten(patch: Patch) -> None:
    """Client ids are not looked up."""

    async def unknown(db: Any, conversation: str, keys: list[tuple[str, str]]) -> dict[tuple[str, str], Known]:
        await db.execute(
            "DELETE FROM chat.sent WHERE conversation_id = $1 AND client_id = ANY($2::uuid[])",
            conversation,
            [client_id for _, client_id in keys],
        )
        return {}

    patch.setattr(ledger_store, "known_ids", unknown)


def commit_skipped(patch: Patch) -> None:
    """Every third batch is answered and rolled back."""
    write = ledger.write
    count = 0

    async def rolled_back(db: Any, *more: Any) -> None:
        nonlocal count
        count += 1
        if count % 3:
            return await write(db, *more)
        inner = db.transaction()
        await inner.start()
        await write(db, *more)
        await inner.rollback()

    patch.setattr(ledger, "write", rolled_back)


def published_before_the_commit(patch: Patch) -> None:
    """The others are told inside the transaction, which then fails and is done again."""
    write, transact = ledger.write, ConversationWriter._transact
    writers: dict[str, ConversationWriter] = {}
    count = 0

    async def noted(self: ConversationWriter, *more: Any) -> None:
        writers[self._conversation] = self
        await transact(self, *more)

    async def early(db: Any, conversation: str, batch: Any, result: Any) -> None:
        nonlocal count
        count += 1
        await write(db, conversation, batch, result)
        if count % 4 == 0 and result.new:
            writers[conversation]._committed(conversation, result.new)
            raise ConnectionResetError

    patch.setattr(ConversationWriter, "_transact", noted)
    patch.setattr(ledger, "write", early)


def resume_skips_one(patch: Patch) -> None:
    """What follows a position begins one too late."""
    seen_by = chat.resume.seen_by

    def short(access: Any, events: Sequence[Any], *more: Any, **named: Any) -> Any:
        return seen_by(access, events[1:], *more, **named)

    patch.setattr(chat.resume, "seen_by", short)


def subscribed_after_the_snapshot(patch: Patch) -> None:
    """Something happens between the snapshot and the subscription."""
    subscribe, opened = ChatService.subscribe, ChatService.open

    async def late(self: Any, principal: Principal, conversation: str, position: Any, sink: Any) -> Any:
        answer, subscription = await opened(self, principal, conversation, position, sink)
        subscription.close()
        event = await self._core.write(conversation, _draft(principal, "between"))
        again = await subscribe(self, conversation, sink)
        feed: Any = again._feed
        feed._last = max(feed._last or 0, event.seq)
        return answer, again

    patch.setattr(ChatService, "open", late)


def echo_without_its_id(patch: Patch) -> None:
    """What goes out live does not say which send it came of."""
    frames_of = chat.hint.frames_of

    def stripped(conversation: str, events: Any) -> Any:
        return frames_of(conversation, [msgspec.structs.replace(event, client_id=None) for event in events])

    patch.setattr(chat.service, "frames_of", stripped)
    patch.setattr(chat.fanout, "frames_of", stripped)


def marks_as_they_come(patch: Patch) -> None:
    """The last device to speak decides what is read."""
    move = chat.marks._move

    async def back(db: Any, principal: Principal, access: Any, number: int, delivered: bool) -> Any:
        if not delivered:
            await db.execute(
                "UPDATE chat.member SET read_no = $3 WHERE conversation_id = $1 AND user_id = $2",
                access.conversation,
                access.user,
                number,
            )
        return await move(db, principal, access, number, delivered)

    patch.setattr(chat.marks, "_move", back)


def queue_without_bound(patch: Patch) -> None:
    """Everything is kept for a reader who does not read."""
    patch.setattr(signaling.socket, "SOFT_BYTES_MAX", 1 << 40)
    patch.setattr(signaling.socket, "HARD_BYTES_MAX", 1 << 40)


def loss_without_a_heart_beat(patch: Patch) -> None:
    """From some moment on a conversation's readers hear nothing, and no heart beat tells them."""
    pass_on = Feed._pass_on
    count = 0

    def lossy(self: Any, frames: Any) -> None:
        nonlocal count
        count += 1
        if count > 60:
            self._last = frames.hi
        else:
            pass_on(self, frames)

    patch.setattr(Feed, "_pass_on", lossy)
    patch.setattr(Feed, "tips", lambda self, head: None)


def check_forgotten(patch: Patch) -> None:
    """Whoever asks is taken for a member."""
    patch.setattr(chat.access, "role_of", lambda facts, membership, principal: "member")


def deleted_from_the_page_only(patch: Patch) -> None:
    """What is deleted is hidden in the folded message; its event and its edits keep the text."""

    async def nothing(db: Any, conversation: str, seqs: Sequence[int]) -> None:
        pass

    patch.setattr(ledger_store, "forget", nothing)


def side_channel(patch: Patch) -> None:
    """A call's chat goes to a log of its own, as it does in most products."""
    send = MessageDesk.send

    async def aside(self: Any, principal: Principal, asked: SendMessage, door: Any) -> Sent:
        if door != "channel":
            return await send(self, principal, asked, door)
        async with self._core.database.transaction() as db:
            side = await store.create_room_conversation(db, f"side-{principal.room}"[:60], "side")
        event = await self._core.write(side, _draft(principal, asked.body.text, asked.client_id))
        return Sent(msgspec.structs.replace(event, conversation=asked.conversation))

    patch.setattr(MessageDesk, "send", aside)


def _draft(principal: Principal, text: str, client_id: str | None = None) -> Draft:
    body = MessageBody(text)
    return Draft(principal, "message", client_id or str(uuid.uuid4()), body_hash(body), body=body, trusted=True)


FAULTS = (
    Fault(1, "stored in another order", stored_in_another_order),
    Fault(2, "numbers before the conflict", numbers_before_the_conflict),
    Fault(3, "reactions beside the log", reactions_beside_the_log),
    Fault(4, "client ids forgotten", keys_forgotten),
    Fault(5, "commit skipped", commit_skipped),
    Fault(6, "published before the commit", published_before_the_commit),
    Fault(7, "resume skips one", resume_skips_one),
    Fault(8, "subscribed after the snapshot", subscribed_after_the_snapshot),
    Fault(9, "echo without its id", echo_without_its_id),
    Fault(10, "marks as they come", marks_as_they_come),
    Fault(11, "queue without bound", queue_without_bound),
    Fault(12, "loss without a heart beat", loss_without_a_heart_beat),
    Fault(13, "check forgotten", check_forgotten),
    Fault(14, "deleted from the page only", deleted_from_the_page_only),
    Fault(15, "side channel", side_channel),
)
