"""Faults to be put into a program, one a promise: each a mistake that somebody could really make in this code.

A fault replaces one function of the running program and nothing else; the rest stays what it is, with a real database
and real connections.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

import chat.fanout
import chat.service
import chat.writer
import signaling.socket
from chat import store
from chat.checks import body_hash
from chat.fanout import Feed
from chat.service import ChatService
from chat.writer import ConversationWriter
from tertulia.catalogue import MessageBody, Sent
from tertulia.tokens import Principal

Patch = pytest.MonkeyPatch


@dataclass(frozen=True)
class Fault:
    """A mistake, the promise that it breaks, and how it is put in."""

    invariant: int
    name: str
    put_in: Callable[[Patch], None]


def numbers_by_arrival_in_memory(patch: Patch) -> None:
    """What is stored has another order than what is told."""
    append = store.append

    async def reversed_append(db: Any, conversation: str, events: list[store.NewEvent], at: Any) -> None:
        ids = [event.id for event in events][::-1]
        await append(
            db,
            conversation,
            [store.NewEvent(**{**vars(event), "id": other}) for event, other in zip(events, ids, strict=True)],
            at,
        )

    patch.setattr(store, "append", reversed_append)


def numbers_before_the_conflict(patch: Patch) -> None:
    """A number is taken for what turns out to be a repetition."""
    lock_head = store.lock_head
    count = 0

    async def holed(db: Any, conversation: str) -> Any:
        nonlocal count
        count += 1
        head = await lock_head(db, conversation)
        return (head[0] + 1, *head[1:]) if head is not None and count % 5 == 0 else head

    patch.setattr(store, "lock_head", holed)


def keys_forgotten(patch: Patch) -> None:
    """Client ids are not looked up."""

    async def unknown(db: Any, conversation: str, keys: list[tuple[str, str]]) -> dict[tuple[str, str], store.Known]:
        await db.execute(
            "DELETE FROM chat.sent WHERE conversation_id = $1 AND client_id = ANY($2::uuid[])",
            conversation,
            [client_id for _, client_id in keys],
        )
        return {}

    patch.setattr(store, "known_ids", unknown)


def commit_skipped(patch: Patch) -> None:
    """Every third batch is answered and rolled back."""
    number = ConversationWriter._number
    count = 0

    async def rolled_back(self: Any, db: Any, batch: Any, attempt: Any) -> None:
        nonlocal count
        count += 1
        if count % 3:
            return await number(self, db, batch, attempt)
        inner = db.transaction()
        await inner.start()
        await number(self, db, batch, attempt)
        await inner.rollback()

    patch.setattr(ConversationWriter, "_number", rolled_back)


def published_before_the_commit(patch: Patch) -> None:
    """The others are told inside the transaction, which then fails and is done again."""
    number = ConversationWriter._number
    count = 0

    async def early(self: Any, db: Any, batch: Any, attempt: Any) -> None:
        nonlocal count
        count += 1
        await number(self, db, batch, attempt)
        if count % 4 == 0 and attempt.new:
            self._committed(self._conversation, attempt.new)
            raise ConnectionResetError

    patch.setattr(ConversationWriter, "_number", early)


def resume_skips_one(patch: Patch) -> None:
    """What follows a position begins one too late."""
    catch_up = ChatService._catch_up

    async def short(self: Any, *more: Any) -> Any:
        answer, size = await catch_up(self, *more)
        return msgspec.structs.replace(answer, events=answer.events[1:]), size

    patch.setattr(ChatService, "_catch_up", short)


def subscribed_after_the_snapshot(patch: Patch) -> None:
    """Something happens between the snapshot and the subscription."""
    subscribe, opened = ChatService.subscribe, ChatService.open

    async def late(self: Any, principal: Principal, conversation: str, position: Any, sink: Any) -> Any:
        answer, subscription = await opened(self, principal, conversation, position, sink)
        subscription.close()
        writer = self._writer(conversation)
        event = await writer.put(_draft(principal, "between"))
        again = await subscribe(self, conversation, sink)
        again._feed._last = max(again._feed._last or 0, event.seq)
        return answer, again

    patch.setattr(ChatService, "open", late)


def echo_without_its_id(patch: Patch) -> None:
    """What goes out live does not say which send it came of."""
    frames_of = chat.fanout.frames_of

    def stripped(conversation: str, events: Any) -> Any:
        return frames_of(conversation, [msgspec.structs.replace(event, client_id=None) for event in events])

    patch.setattr(chat.service, "frames_of", stripped)
    patch.setattr(chat.fanout, "frames_of", stripped)


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
    """Reading does not ask whose conversation it is."""

    async def everybody(self: Any, principal: Principal, conversation: str) -> str:
        return conversation

    patch.setattr(ChatService, "access_conversation", everybody)


def side_channel(patch: Patch) -> None:
    """A call's chat goes to a log of its own, as it does in most products."""
    send = ChatService.send

    async def aside(self: Any, principal: Principal, message: Any, door: Any) -> Any:
        if door != "channel":
            return await send(self, principal, message, door)
        side = await self.ensure_room_conversation(f"side-{principal.room}"[:60], "side")
        event = await self._writer(side).put(_draft(principal, message.body.text, message.client_id))
        return Sent(msgspec.structs.replace(event, conversation=message.conversation))

    patch.setattr(ChatService, "send", aside)


def _draft(principal: Principal, text: str, client_id: str | None = None) -> chat.writer.Draft:
    body = MessageBody(text)
    return chat.writer.Draft(
        sender=principal.identity,
        sender_name=principal.name,
        client_id=client_id or str(uuid.uuid4()),
        body=body,
        json=msgspec.json.encode(body).decode(),
        hash=body_hash(body),
    )


FAULTS = (
    Fault(1, "numbers by arrival in memory", numbers_by_arrival_in_memory),
    Fault(2, "numbers before the conflict", numbers_before_the_conflict),
    Fault(4, "client ids forgotten", keys_forgotten),
    Fault(5, "commit skipped", commit_skipped),
    Fault(6, "published before the commit", published_before_the_commit),
    Fault(7, "resume skips one", resume_skips_one),
    Fault(8, "subscribed after the snapshot", subscribed_after_the_snapshot),
    Fault(9, "echo without its id", echo_without_its_id),
    Fault(11, "queue without bound", queue_without_bound),
    Fault(12, "loss without a heart beat", loss_without_a_heart_beat),
    Fault(13, "check forgotten", check_forgotten),
    Fault(15, "side channel", side_channel),
)
