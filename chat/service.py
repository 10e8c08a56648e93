"""What can be done with a conversation, whatever the door: send, history, sync, fill, and following it live.

Every call takes a principal and reaches rows only through :meth:`ChatService.access_conversation`. A room token opens
the conversation of its room, if it grants the chat.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Literal, TypeVar

import msgspec
import structlog

from chat import store
from chat.checks import body_hash, check_body
from chat.fanout import Feeds, Hint, Sink, Subscription, frames_of, topic_of
from chat.loss import LOST
from chat.metrics import REFUSED, SENDS
from chat.outbox import Outbox
from chat.store import Head
from chat.writer import ConversationWriter, Draft
from tertulia.bus import Bus
from tertulia.catalogue import (
    Event,
    Fill,
    History,
    HistoryPage,
    Position,
    SendMessage,
    Sent,
    Sync,
    SyncAnswer,
    Synced,
)
from tertulia.database import Database
from tertulia.errors import Forbidden, NotFound, TertuliaError, Unavailable
from tertulia.tokens import Principal

T = TypeVar("T")

log = structlog.get_logger("chat.service")

Door = Literal["channel", "socket", "http"]

HEARTBEAT_S = 20.0
BEHIND_MAX = 500
"""Events after which a client is told to start over rather than to catch up."""
PAGE_BYTES_MAX = 256 * 1024
CHANNEL_PAGE_BYTES_MAX = 15 * 1024
"""What an answer holds over a data channel, whose frames are at most 16 KiB."""
CACHE_MAX = 10_000


class ChatService:
    """The conversation log of this process."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._bus = bus
        self._rooms: OrderedDict[str, str] = OrderedDict()
        self._writers: dict[str, ConversationWriter] = {}
        self._feeds = Feeds(bus, self._read_head, self._read_events)
        self._outbox = Outbox(database, lambda conversation, lo, hi: self._tell(conversation, Hint(lo, hi)))
        self._heart: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._outbox.start()
        self._heart = asyncio.create_task(self._beat(), name="chat-heartbeat")

    async def close(self) -> None:
        """Answer what is queued, then stop."""
        await asyncio.gather(*(writer.close() for writer in self._writers.values()))
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.gather(self._heart, return_exceptions=True)
        await self._outbox.close()
        self._feeds.close()

    # --- conversations -------------------------------------------------------------------------------------------

    async def ensure_room_conversation(self, room_id: str, title: str) -> str:
        """The id of the room's conversation, which is made if there is none."""
        async with self._database.transaction() as db:
            return await store.create_room_conversation(db, room_id, title)

    async def forget_room_conversation(self, room_id: str) -> None:
        """Delete the room's conversation with everything in it."""
        async with self._database.transaction() as db:
            conversation = await store.delete_room_conversation(db, room_id)
        if conversation is not None:
            self._rooms.pop(conversation, None)

    async def access_conversation(self, principal: Principal, conversation: str) -> str:
        """The conversation's id if this principal may read and write it.

        Raises Forbidden ``chat-not-granted``, NotFound ``conversation-not-found`` (also where it exists, but is not
        for this principal to know of).
        """
        if not principal.grants.chat:
            raise Forbidden("chat-not-granted", "Your token does not allow the chat.")
        room = self._rooms.get(conversation)
        if room is None:
            room = await self._read(lambda db: store.room_of(db, conversation))
            if room is not None:
                self._rooms[conversation] = room
                while len(self._rooms) > CACHE_MAX:
                    self._rooms.popitem(last=False)
        if room is None or room != principal.room:
            raise NotFound("conversation-not-found", "There is no such conversation.", "conversation")
        return conversation

    # --- writing -------------------------------------------------------------------------------------------------

    async def send(self, principal: Principal, message: SendMessage, door: Door) -> Sent:
        """Add a message to the log; answered once it is durable.

        Raises what ``access_conversation`` and ``check_body`` raise, Conflict ``client-id-reused``, Unavailable
        ``database-unavailable`` (nothing was written) or ``outcome-unknown`` (send again with the same id).
        """
        try:
            conversation = await self.access_conversation(principal, message.conversation)
            check_body(message.body)
            draft = Draft(
                sender=principal.identity,
                sender_name=principal.name,
                client_id=message.client_id,
                body=message.body,
                json=msgspec.json.encode(message.body).decode(),
                hash=body_hash(message.body),
            )
            event = await self._writer(conversation).put(draft)
        except TertuliaError as error:
            REFUSED.labels(error.code).inc()
            if error.code == "outcome-unknown":
                self._outbox.wake()
            raise
        SENDS.labels(door).inc()
        return Sent(event)

    def _writer(self, conversation: str) -> ConversationWriter:
        writer = self._writers.get(conversation)
        if writer is None:
            if len(self._writers) >= 256:
                for known, idle in list(self._writers.items()):
                    if idle.idle:
                        del self._writers[known]
            writer = self._writers[conversation] = ConversationWriter(self._database, conversation, self._committed)
        return writer

    def _committed(self, conversation: str, events: list[Event]) -> None:
        if events:
            self._tell(conversation, Hint(events[0].seq, events[-1].seq, frames_of(conversation, events)))
        self._outbox.wake()

    def _tell(self, conversation: str, hint: Hint) -> None:
        self._bus.publish(topic_of(conversation), hint)

    # --- reading -------------------------------------------------------------------------------------------------

    async def history(self, principal: Principal, asked: History, bytes_max: int = PAGE_BYTES_MAX) -> HistoryPage:
        """A page of messages, and the head as of the same moment."""
        conversation = await self.access_conversation(principal, asked.conversation)
        return await self._read(lambda db: self._page(db, conversation, asked.before, asked.limit, bytes_max))

    async def sync(self, principal: Principal, asked: Sync, bytes_max: int = PAGE_BYTES_MAX) -> SyncAnswer:
        """What happened after each of the client's positions, in one snapshot."""
        permitted = set()
        for conversation in {position.conversation for position in asked.positions}:
            try:
                permitted.add(await self.access_conversation(principal, conversation))
            except (NotFound, Forbidden):
                continue  # answered as gone
        return SyncAnswer(await self._read(lambda db: self._after(db, asked.positions, permitted, bytes_max)))

    async def fill(self, principal: Principal, asked: Fill, bytes_max: int = PAGE_BYTES_MAX) -> Synced:
        """What follows ``after``."""
        conversation = await self.access_conversation(principal, asked.conversation)

        async def work(db: store.Connection) -> Synced:
            head = (await store.heads(db, [conversation])).get(conversation)
            if head is None:
                return Synced(conversation, "gone")
            return (await self._catch_up(db, conversation, asked.after, head, bytes_max))[0]

        return await self._read(work)

    async def subscribe(self, conversation: str, sink: Sink) -> Subscription:
        """Follow a conversation; paused until ``start``, so that what it begins after can be read first."""
        return await self._feeds.join(conversation, sink)

    async def open(
        self, principal: Principal, conversation: str, position: Position | None, sink: Sink
    ) -> tuple[Synced | HistoryPage, Subscription]:
        """Snapshot and subscription without a gap: a page of history, or what follows the client's position.

        The subscription is started by the caller, after the snapshot was sent, with the ``seq`` it goes up to.
        """
        conversation = await self.access_conversation(principal, conversation)
        subscription = await self.subscribe(conversation, sink)
        try:
            if position is None:
                return await self.history(principal, History(conversation)), subscription
            answer = await self.sync(principal, Sync([position]))
            return answer.conversations[0], subscription
        except BaseException:
            subscription.close()
            raise

    async def _page(
        self, db: store.Connection, conversation: str, before: int | None, limit: int, bytes_max: int
    ) -> HistoryPage:
        head = (await store.heads(db, [conversation])).get(conversation)
        if head is None:
            raise NotFound("conversation-not-found", "There is no such conversation.", "conversation")
        found = await store.page(db, conversation, before, limit + 1)
        fitting = _fitting(found[:limit], bytes_max)
        return HistoryPage(conversation, fitting[::-1], len(fitting) < len(found), head.position(conversation))

    async def _after(
        self, db: store.Connection, positions: Sequence[Position], permitted: set[str], bytes_max: int
    ) -> list[Synced]:
        heads = await store.heads(db, list(permitted))
        tags = await store.tags(db, [position for position in positions if position.conversation in heads])
        answers = []
        for position in positions:
            head = heads.get(position.conversation)
            if head is None:
                answers.append(Synced(position.conversation, "gone"))
                continue
            tag = tags.get((position.conversation, position.seq))
            strange = position.seq > 0 and (position.tag is None or position.tag != tag)
            if position.seq > head.seq or strange:
                # Not the log this client knew: a restored backup, or a position below what is kept.
                answers.append(Synced(position.conversation, "reset", head=head.position(position.conversation)))
                continue
            answer, size = await self._catch_up(db, position.conversation, position.seq, head, bytes_max)
            bytes_max = max(0, bytes_max - size)
            answers.append(answer)
        return answers

    async def _catch_up(
        self, db: store.Connection, conversation: str, after: int, head: Head, bytes_max: int
    ) -> tuple[Synced, int]:
        """The answer, and roughly how many bytes it takes."""
        position = head.position(conversation)
        if after > head.seq or after < head.floor or head.seq - after > BEHIND_MAX:
            return Synced(conversation, "reset", head=position), 0
        if after == head.seq:
            return Synced(conversation, "events", head=position), 0
        events = await store.events_after(db, conversation, after, BEHIND_MAX)
        fitting = _fitting(events, bytes_max)
        size = sum(len(msgspec.json.encode(event)) + 1 for event in fitting)
        return Synced(conversation, "events", fitting, position, len(fitting) < len(events)), size

    async def _read(self, work: Callable[[store.Connection], Awaitable[T]]) -> T:
        """Run ``work`` on a snapshot: all it reads is of one moment. A connection that breaks is replaced once.

        Raises Unavailable ``database-unavailable``.
        """
        try:
            return await self._read_once(work)
        except LOST:
            try:
                return await self._read_once(work)
            except LOST as error:
                raise Unavailable("database-unavailable", "The database does not answer; try again soon.") from error

    async def _read_once(self, work: Callable[[store.Connection], Awaitable[T]]) -> T:
        async with self._database.acquire() as db, db.transaction(isolation="repeatable_read", readonly=True):
            return await work(db)

    async def _read_head(self, conversation: str) -> Head | None:
        return (await self._read(lambda db: store.heads(db, [conversation]))).get(conversation)

    async def _read_events(self, conversation: str, after: int, limit: int) -> list[Event]:
        return await self._read(lambda db: store.events_after(db, conversation, after, limit))

    # --- heart beat ----------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            try:
                await self.beat()
            except (*LOST, Unavailable) as error:
                log.warning("no heart beat: the database is away", error=type(error).__name__)
            except Exception as error:
                log.error("the heart beat failed", exc_info=error)

    async def beat(self) -> None:
        """Tell every open conversation where it stands, by the database: a lost hint shows here."""
        conversations = self._feeds.open()
        if not conversations:
            return
        heads = await self._read(lambda db: store.heads(db, conversations))
        for conversation, head in heads.items():
            self._feeds.tips(conversation, head)


E = TypeVar("E", bound=Event)


def _fitting(events: list[E], bytes_max: int) -> list[E]:
    """As many events from the front as fit; at least one, so that a reader gets on."""
    fitting: list[E] = []
    size = 0
    for event in events:
        size += len(msgspec.json.encode(event)) + 1
        if fitting and size > bytes_max:
            break
        fitting.append(event)
    return fitting
