"""Old snapshot and events must be a new snapshot: what every change of a conversation is held to."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from chat.fold import fold
from chat.service import ChatService
from tertulia.catalogue import Event, Fill, Frame, History, Message, Sent
from tertulia.tokens import Principal

T = TypeVar("T", bound=Frame)


def an_id() -> str:
    return str(uuid.uuid4())


@dataclass
class Snapshot:
    """Everything one person sees of a conversation, and up to where."""

    seq: int = 0
    messages: dict[int, Message] = field(default_factory=dict)


async def snapshot(chat: ChatService, principal: Principal, conversation: str) -> Snapshot:
    """Read by pages, threads included."""
    head = (await chat.history(principal, History(conversation, limit=1))).head.seq
    messages: dict[int, Message] = {}

    async def line(thread: int | None) -> None:
        before: int | None = None
        more = True
        while more:
            page = await chat.history(principal, History(conversation, before=before, limit=100, thread=thread))
            assert page.head.seq == head, "nobody writes meanwhile"
            messages.update({message.seq: message for message in page.messages})
            more = page.more
            before = page.messages[0].seq if page.messages else 0

    await line(None)
    for seq, message in list(messages.items()):
        if message.reply_count:
            await line(seq)
    return Snapshot(head, messages)


async def replay(chat: ChatService, principal: Principal, conversation: str, old: Snapshot) -> list[Event]:
    """Apply what came after ``old`` and compare with a fresh snapshot; the events."""
    fresh = await snapshot(chat, principal, conversation)
    events: list[Event] = []
    after, more = old.seq, True
    while more:
        filled = await chat.fill(principal, Fill(conversation, after))
        assert filled.status == "events"
        events += filled.events
        more = filled.more
        after = events[-1].seq if events else after
    assert [event.seq for event in events] == list(range(old.seq + 1, fresh.seq + 1))
    folded = dict(old.messages)
    for event in events:
        fold(folded, event, principal.identity)
        fold(folded, event, principal.identity)  # told twice, it changes nothing more
    # What was forgotten meanwhile left stubs, of which a fold makes nothing; only they may be missing.
    stubs = {event.seq for event in events if event.kind == "x"}
    for seq in stubs:
        fresh.messages.pop(seq, None)
    for seq, message in fresh.messages.items():
        if message.deleted_at is None and not (message.version in stubs or message.revision in stubs):
            assert folded.get(seq) == message, f"message {seq} of kind {message.kind}"
    assert folded.keys() == fresh.messages.keys()
    return events


def the_event(answer: Sent, check: Callable[[Event], bool] = lambda _: True) -> Event:
    assert check(answer.event)
    return answer.event
