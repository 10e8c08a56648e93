"""Coming back: what happened after each of a client's positions, for many clients at once.

After an outage everybody comes back in the same seconds, each with hundreds of positions. Their questions wait in one
line and are answered in batches, each from one snapshot with a handful of queries however many clients are in it, and
what is recent from memory. The line is the admission: the database has one batch of this to do at a time.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from chat import resume_store, store
from chat.access import Access, Connection
from chat.metrics import SYNC_BATCH, SYNCS
from chat.store import Head
from tertulia.catalogue import Event, Position, Synced
from tertulia.errors import RateLimited
from tertulia.tokens import Principal

T = TypeVar("T")

BEHIND_MAX = 500
"""Events after which a client is told to start over rather than to catch up."""
ANSWER_EVENTS_MAX = 2000
BATCH_REQUESTS_MAX = 64
BATCH_POSITIONS_MAX = 4000
WAITING_MAX = 5000

Recent = Callable[[str, int, str | None, int], list[Event] | None]
"""What follows a position (conversation, seq, tag) up to the head, if memory has it."""


class Read(Protocol):
    """Runs work on a snapshot."""

    async def __call__(self, work: Callable[[Connection], Awaitable[T]], /) -> T: ...


Enter = Callable[[Sequence[str]], Awaitable[None]]
"""Called before the snapshot with the conversations that the client may read, to begin following them."""


@dataclass
class Question:
    """One client's positions, and room for the answer."""

    principal: Principal
    positions: Sequence[Position]
    bytes_max: int
    enter: Enter | None = None
    answer: asyncio.Future[list[Synced]] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Resumer:
    """The line of those who come back."""

    def __init__(self, read: Read, recent: Recent) -> None:
        self._read = read
        self._recent = recent
        self._waiting: deque[Question] = deque()
        self._task: asyncio.Task[None] | None = None

    async def ask(
        self, principal: Principal, positions: Sequence[Position], bytes_max: int, enter: Enter | None = None
    ) -> list[Synced]:
        """An answer for each position, in one snapshot. Raises RateLimited when too many wait, Unavailable."""
        if len(self._waiting) >= WAITING_MAX:
            raise RateLimited("rate-limited", "Too many clients come back at once; try again in a moment.")
        question = Question(principal, positions, bytes_max, enter)
        self._waiting.append(question)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="chat-resume")
        return await question.answer

    async def close(self) -> None:
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        try:
            while self._waiting:
                batch = self._take()
                try:
                    answers = await self._answer(batch)
                except BaseException as error:
                    for question in batch:
                        if not question.answer.done():
                            question.answer.set_exception(error)
                            question.answer.exception()  # one that has gone is no reason for a warning
                    if not isinstance(error, Exception):
                        raise
                else:
                    for question, found in zip(batch, answers, strict=True):
                        if not question.answer.done():
                            question.answer.set_result(found)
        finally:
            self._task = None

    async def _answer(self, batch: list[Question]) -> list[list[Synced]]:
        following = [question for question in batch if question.enter is not None]
        if following:
            # Whoever follows is let in before the snapshot and hears everything after it; who is not let in follows
            # nothing, and what is not permitted any more in the snapshot is answered as gone.
            permitted = await self._read(lambda db: resume_store.access_pairs(db, _pairs(following)))
            for question in following:
                assert question.enter is not None
                conversations = {position.conversation for position in question.positions}
                await question.enter([one for one in conversations if (question.principal, one) in permitted])
        return await self._read(lambda db: answer(db, batch, self._recent))

    def _take(self) -> list[Question]:
        batch = [self._waiting.popleft()]
        positions = len(batch[0].positions)
        while self._waiting and len(batch) < BATCH_REQUESTS_MAX:
            positions += len(self._waiting[0].positions)
            if positions > BATCH_POSITIONS_MAX:
                break
            batch.append(self._waiting.popleft())
        SYNCS.inc(len(batch))
        SYNC_BATCH.observe(len(batch))
        return batch


async def answer(db: Connection, batch: Sequence[Question], recent: Recent) -> list[list[Synced]]:
    """The answers to a batch: four queries, or fewer."""
    permitted = await resume_store.access_pairs(db, _pairs(batch))
    conversations = sorted({conversation for _, conversation in permitted})
    heads = await store.heads(db, conversations) if conversations else {}
    plans = [_Plan(question, permitted, heads, recent) for question in batch]
    doubtful = {position for plan in plans for position in plan.doubtful}
    tags = await store.tags(db, list(doubtful)) if doubtful else {}
    wanted = {key for plan in plans for key in plan.settle(tags)}
    events = await resume_store.events_after_many(db, sorted(wanted), BEHIND_MAX) if wanted else {}
    return [plan.answers(events) for plan in plans]


def _pairs(batch: Sequence[Question]) -> list[tuple[Principal, str]]:
    return [(question.principal, position.conversation) for question in batch for position in question.positions]


class _Plan:
    """How one client's question is answered: what is known, what must be read."""

    def __init__(
        self,
        question: Question,
        permitted: Mapping[tuple[Principal, str], Access],
        heads: Mapping[str, Head],
        recent: Recent,
    ) -> None:
        self._question = question
        self._heads = heads
        self._found: dict[Position, Synced | Sequence[Event]] = {}
        self._access: dict[Position, Access] = {}
        self.doubtful: list[Position] = []
        """Those whose tag must be compared with the log."""
        for position in question.positions:
            access = permitted.get((question.principal, position.conversation))
            head = heads.get(position.conversation)
            if access is None or head is None:
                self._found[position] = Synced(position.conversation, "gone")
                continue
            self._access[position] = access
            if position.seq == head.seq and position.tag == head.tag:
                self._found[position] = []
            elif self._hopeless(position, head):
                self._found[position] = self._reset(position)
            else:
                events = recent(position.conversation, position.seq, position.tag, head.seq)
                if events is not None and access.visible_from <= position.seq:
                    self._found[position] = events
                else:
                    self.doubtful.append(position)

    @staticmethod
    def _hopeless(position: Position, head: Head) -> bool:
        """Ahead of the log, below what is kept, or too far behind: another log, or too much to catch up with."""
        ahead = position.seq > head.seq
        return ahead or position.seq < head.floor or head.seq - position.seq > BEHIND_MAX

    def _reset(self, position: Position) -> Synced:
        head = self._heads[position.conversation]
        return Synced(position.conversation, "reset", head=head.position(position.conversation))

    def settle(self, tags: Mapping[tuple[str, int], str | None]) -> list[tuple[str, int]]:
        """With the tags known: what is still to be read, as conversation and ``after``, within the answer's bound."""
        wanted: list[tuple[str, int]] = []
        budget = ANSWER_EVENTS_MAX
        for position in self.doubtful:
            tag = tags.get((position.conversation, position.seq))
            if position.seq > 0 and (position.tag is None or position.tag != tag):
                self._found[position] = self._reset(position)
                continue
            budget -= self._heads[position.conversation].seq - position.seq
            if budget >= 0 or not wanted:
                wanted.append((position.conversation, position.seq))
        return wanted

    def answers(self, read: Mapping[tuple[str, int], list[Event]]) -> list[Synced]:
        bytes_max = self._question.bytes_max
        done: list[Synced] = []
        for position in self._question.positions:
            found = self._found.get(position)
            if isinstance(found, Synced):
                done.append(found)
                continue
            events = found if found is not None else read.get((position.conversation, position.seq), [])
            head = self._heads[position.conversation]
            fit, size = seen_by(self._access[position], events, bytes_max, at_least=0 if done else 1)
            bytes_max = max(0, bytes_max - size)
            last = fit[-1].seq if fit else position.seq
            done.append(
                Synced(position.conversation, "events", fit, head.position(position.conversation), last < head.seq)
            )
        return done


def seen_by(access: Access, events: Sequence[Event], bytes_max: int, at_least: int = 1) -> tuple[list[Event], int]:
    """As many events from the front as fit, as somebody may see them, and about how many bytes they take."""
    fit: list[Event] = []
    size = 0
    for event in events:
        seen = event if event.seq > access.visible_from else store.stub(event)
        size += len(msgspec.json.encode(seen)) + 1
        if len(fit) >= at_least and size > bytes_max:
            break
        fit.append(seen)
    return fit, size


async def catch_up(db: Connection, access: Access, after: int, bytes_max: int) -> Synced:
    """What follows ``after`` in one conversation, for somebody who was let in."""
    conversation = access.conversation
    head = (await store.heads(db, [conversation])).get(conversation)
    if head is None:
        return Synced(conversation, "gone")
    position = head.position(conversation)
    if after > head.seq or after < head.floor or head.seq - after > BEHIND_MAX:
        return Synced(conversation, "reset", head=position)
    events = await store.events_after(db, conversation, after, BEHIND_MAX) if after < head.seq else []
    fit, _ = seen_by(access, events, bytes_max)
    return Synced(conversation, "events", fit, position, len(fit) < len(events))
