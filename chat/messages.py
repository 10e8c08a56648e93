"""Messages: write, edit, delete, react, pin; and read them by pages, by number, with their edits and reactions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from chat import refusals, store
from chat.access import Access, Connection
from chat.checks import check_body, check_emoji
from chat.core import Core, Door
from chat.cursor import Cursor, read_cursor, write_cursor
from chat.draft import Draft, body_hash, hash_of
from chat.metrics import REFUSED, SENDS
from chat.store import Reader
from tertulia.catalogue import (
    Change,
    DeleteMessage,
    EditList,
    EditMessage,
    Edits,
    EventKind,
    GetMessages,
    History,
    HistoryPage,
    Message,
    MessageList,
    PinMessage,
    Pins,
    React,
    ReactionList,
    Reactions,
    SendMessage,
    Sent,
)
from tertulia.errors import TertuliaError
from tertulia.tokens import Principal

PAGE_BYTES_MAX = 256 * 1024
PINS_MAX = 100


class MessageDesk:
    """What is done with the messages of a conversation."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # --- writing -------------------------------------------------------------------------------------------------

    async def send(self, principal: Principal, asked: SendMessage, door: Door) -> Sent:
        """Add a message to the log; answered once it is durable.

        Raises what ``judge`` and ``check_body`` raise, Conflict ``client-id-reused``, BadRequest ``thread-invalid``,
        Unavailable ``database-unavailable`` (nothing was written) or ``outcome-unknown`` (send again with the same id).
        """
        try:
            if not principal.grants.chat:
                raise refusals.chat_not_granted()
            check_body(asked.body)
        except TertuliaError as error:
            REFUSED.labels(error.code).inc()
            raise
        draft = Draft(principal, "message", asked.client_id, body_hash(asked.body), body=asked.body)
        event = await self._core.write(asked.conversation, draft)
        SENDS.labels(door).inc()
        return Sent(event)

    async def edit(self, principal: Principal, asked: EditMessage) -> Sent:
        """Replace the body of one's own message. Raises also Conflict ``edit-stale``, NotFound."""
        check_body(asked.body)
        return await self._change(
            principal,
            asked.conversation,
            Draft(
                principal,
                "edit",
                asked.client_id,
                hash_of(asked),
                body=asked.body,
                target=asked.seq,
                revision=asked.revision,
            ),
        )

    async def delete(self, principal: Principal, asked: DeleteMessage) -> Sent:
        """Delete a message for everybody. Raises NotFound, Conflict ``message-deleted``, Forbidden."""
        draft = Draft(principal, "delete", asked.client_id, hash_of(asked), target=asked.seq)
        return await self._change(principal, asked.conversation, draft)

    async def react(self, principal: Principal, asked: React) -> Sent:
        """Add or take away a reaction. Raises BadRequest ``reaction-invalid``, Conflict ``reactions-full``."""
        check_emoji(asked.emoji)
        change = Change(action="removed" if asked.remove else "added", emoji=asked.emoji)
        draft = Draft(principal, "reaction", asked.client_id, hash_of(asked), change=change, target=asked.seq)
        return await self._change(principal, asked.conversation, draft)

    async def pin(self, principal: Principal, asked: PinMessage) -> Sent:
        """Pin or unpin a message. Raises Conflict ``pins-full``, NotFound, Forbidden."""
        kind: EventKind = "pin" if asked.pinned else "unpin"
        draft = Draft(principal, kind, asked.client_id, hash_of(asked), target=asked.seq)
        return await self._change(principal, asked.conversation, draft)

    async def _change(self, principal: Principal, conversation: str, draft: Draft) -> Sent:
        if not principal.grants.chat:
            raise refusals.chat_not_granted()
        return Sent(await self._core.write(conversation, draft))

    # --- reading -------------------------------------------------------------------------------------------------

    async def history(self, principal: Principal, asked: History, bytes_max: int = PAGE_BYTES_MAX) -> HistoryPage:
        """A page of messages, and the head as of the same moment."""

        async def work(db: Connection, access: Access) -> HistoryPage:
            return await _page(db, access, asked, bytes_max)

        return await self._core.read_as(principal, asked.conversation, work)

    async def messages(self, principal: Principal, asked: GetMessages, bytes_max: int = PAGE_BYTES_MAX) -> MessageList:
        """Single messages; those that are not for the asker are left out."""

        async def work(db: Connection, access: Access) -> MessageList:
            found = await store.visible_messages(db, access.conversation, reader_of(access), asked.seqs)
            return MessageList(fitting(found, bytes_max))

        return await self._core.read_as(principal, asked.conversation, work)

    async def edits(self, principal: Principal, asked: Edits, bytes_max: int = PAGE_BYTES_MAX) -> EditList:
        """All bodies a message has had. Raises NotFound ``message-not-found``."""

        async def work(db: Connection, access: Access) -> EditList:
            await _visible(db, access, asked.seq)
            found = await store.revisions(db, access.conversation, asked.seq)
            return EditList(fitting(found, bytes_max))

        return await self._core.read_as(principal, asked.conversation, work)

    async def reactions(self, principal: Principal, asked: Reactions) -> ReactionList:
        """Who reacted. Raises NotFound ``message-not-found``, BadRequest ``cursor-invalid``."""
        after = read_cursor(asked.cursor, ReactorCursor)
        if after is not None and not 0 <= after.at <= 2**53:
            raise refusals.bad_cursor()

        async def work(db: Connection, access: Access) -> ReactionList:
            await _visible(db, access, asked.seq)
            place = (after.emoji, after.at, after.user) if after is not None else None
            found = await store.reactors(db, access.conversation, asked.seq, asked.emoji, place, asked.limit + 1)
            page = found[: asked.limit]
            more = len(found) > len(page)
            last = page[-1] if page else None
            cursor = write_cursor(ReactorCursor(last.emoji, last.at, last.user)) if more and last else None
            return ReactionList(page, cursor)

        return await self._core.read_as(principal, asked.conversation, work)

    async def pins(self, principal: Principal, asked: Pins, bytes_max: int = PAGE_BYTES_MAX) -> MessageList:
        """Pinned messages, the last pinned first."""

        async def work(db: Connection, access: Access) -> MessageList:
            found = await store.pinned_messages(db, access.conversation, reader_of(access), PINS_MAX)
            return MessageList(fitting(found, bytes_max))

        return await self._core.read_as(principal, asked.conversation, work)


E = TypeVar("E", bound=msgspec.Struct)


def fitting(frames: Sequence[E], bytes_max: int) -> list[E]:
    """As many frames from the front as fit; at least one, so that a reader gets on."""
    fit: list[E] = []
    size = 0
    for frame in frames:
        size += len(msgspec.json.encode(frame)) + 1
        if fit and size > bytes_max:
            break
        fit.append(frame)
    return fit


class ReactorCursor(Cursor, frozen=True, array_like=True):
    emoji: str
    at: int
    user: str


def reader_of(access: Access) -> Reader:
    return Reader(access.user, access.visible_from)


async def _visible(db: Connection, access: Access, seq: int) -> Message:
    """The message, if it is there for the asker's eyes. Raises NotFound ``message-not-found``."""
    found = await store.visible_messages(db, access.conversation, reader_of(access), [seq])
    if not found or found[0].kind != "message":
        raise refusals.no_message()
    return found[0]


async def _page(db: Connection, access: Access, asked: History, bytes_max: int) -> HistoryPage:
    conversation, reader = access.conversation, reader_of(access)
    head = (await store.heads(db, [conversation])).get(conversation)
    if head is None:
        raise refusals.no_conversation()
    limit = asked.limit
    if asked.after is not None:
        found = await store.page(db, conversation, reader, limit + 1, after=asked.after, thread=asked.thread)
        page = fitting(found[:limit], bytes_max)
        more = len(page) < len(found)
        return HistoryPage(conversation, page, more, head.position(conversation), more)
    if asked.around is not None:
        after = max(1, limit // 2)
        newer = await store.page(db, conversation, reader, after + 1, after=asked.around - 1, thread=asked.thread)
        half = fitting(newer[:after], bytes_max // 2)
        older = await store.page(
            db, conversation, reader, limit - len(half) + 1, before=asked.around, thread=asked.thread
        )
        rest = fitting(older[: limit - len(half)], bytes_max // 2) if limit > len(half) else []
        more, later = len(rest) < len(older), len(half) < len(newer)
        return HistoryPage(conversation, rest[::-1] + half, more, head.position(conversation), later)
    found = await store.page(db, conversation, reader, limit + 1, before=asked.before, thread=asked.thread)
    page = fitting(found[:limit], bytes_max)[::-1]
    behind = asked.before is not None and asked.before <= head.seq
    return HistoryPage(conversation, page, len(page) < len(found), head.position(conversation), behind)
