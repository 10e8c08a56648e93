"""The chat as the rest of the program sees it: its parts wired together, and following conversations live.

What is done with messages and conversations is in the parts (``messages.py`` and its neighbours). Every call takes a
principal and reaches rows only through the gate in ``access.py``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

import structlog

from chat import store
from chat.access import access_conversation
from chat.calls import CallDesk
from chat.consumers import Consumer
from chat.conversations import ConversationDesk
from chat.core import Core, Door
from chat.fanout import Feeds
from chat.hint import Hint, Passing, frames_of, topic_of
from chat.leases import Timing
from chat.loss import LOST
from chat.marks import MarkDesk
from chat.messages import PAGE_BYTES_MAX, MessageDesk
from chat.outbox import DELAY_S, READER, Telling
from chat.own_logs import OwnLogs
from chat.passing import PassingDesk
from chat.personal import PersonalDesk
from chat.presence import PresenceDesk
from chat.resume import Resumer, catch_up
from chat.search import Index, SearchDesk
from chat.store import Head
from chat.subscription import Sink, Subscription
from chat.sweep import Sweeper
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
from tertulia.errors import Unavailable
from tertulia.frames import Notice
from tertulia.tokens import Principal

log = structlog.get_logger("chat.service")

HEARTBEAT_S = 20.0
CHANNEL_PAGE_BYTES_MAX = 15 * 1024
"""What an answer holds over a data channel, whose frames are at most 16 KiB."""


class ChatService:
    """The conversation log of this process: wires its parts together, and follows conversations live."""

    def __init__(self, database: Database, bus: Bus, timing: Timing | None = None) -> None:
        self._bus = bus
        self._core = core = Core(database, self._committed, lambda: self.outbox.wake())
        self.messages = MessageDesk(core)
        self.conversations = ConversationDesk(core)
        self.personal = PersonalDesk(core)
        self.marks = MarkDesk(core, self.personal, self.tell)
        self.calls = CallDesk(core, timing)
        self.passing = PassingDesk(core, self.tell)
        self.presence = PresenceDesk(core, bus, timing)
        self.finding = SearchDesk(core)
        self.sweeper = Sweeper(database)
        self.index = Consumer(database, "search", Index().handle)
        self.own_logs = Consumer(database, "own-logs", OwnLogs(core).handle)
        self._feeds = Feeds(bus, self._read_heads, self._read_events)
        self._resumer = Resumer(core.read, self._feeds.recent)
        self._look = asyncio.Event()
        tell = Telling(lambda conversation, lo, hi: self._tell(conversation, Hint(lo, hi)))
        self.outbox = Consumer(database, READER, tell.handle, DELAY_S)
        self._heart: asyncio.Task[None] | None = None
        self._history: str | None = None
        self.on_restored: list[Callable[[], None]] = []
        """Called when the database was put back from a backup: what anybody holds of it is of another history."""

    async def start(self) -> None:
        self.outbox.start()
        self._bus.on_loss.append(self._look.set)
        self._look.set()
        self.own_logs.start()
        self.index.start()
        self.sweeper.start()
        self.calls.start()
        await self.presence.start()
        self._heart = asyncio.create_task(self._beat(), name="chat-heartbeat")

    async def close(self) -> None:
        """Answer what is queued, then stop."""
        await self.calls.close()
        await self.presence.close()
        for part in (self.sweeper, self.index, self.own_logs):
            await part.close()
        await self._core.close()
        await self._resumer.close()
        if self._heart is not None:
            self._heart.cancel()
            await asyncio.gather(self._heart, return_exceptions=True)
        await self.outbox.close()
        self._feeds.close()

    # --- conversations -------------------------------------------------------------------------------------------

    async def ensure_room_conversation(self, room_id: str, title: str) -> str:
        """The id of the room's conversation, which is made if there is none."""
        async with self._core.database.transaction() as db:
            return await store.create_room_conversation(db, room_id, title)

    async def forget_room_conversation(self, room_id: str) -> None:
        """Delete the room's conversation with everything in it."""
        async with self._core.database.transaction() as db:
            await store.delete_room_conversation(db, room_id)

    # --- writing -------------------------------------------------------------------------------------------------

    async def send(self, principal: Principal, message: SendMessage, door: Door) -> Sent:
        """Add a message to the log; see :meth:`chat.messages.MessageDesk.send`."""
        return await self.messages.send(principal, message, door)

    def _committed(self, conversation: str, events: list[Event]) -> None:
        if events:
            self._tell(conversation, Hint(events[0].seq, events[-1].seq, frames_of(conversation, events)))
        self.outbox.wake()
        kinds = {event.kind for event in events}
        if "member" in kinds or not events:
            self.own_logs.wake()
        if "message" in kinds or "edit" in kinds or not events:
            self.index.wake()

    def tell(self, conversation: str, notice: Notice) -> None:
        """Tell whoever has a conversation open something that passes and is in no log."""
        self._bus.publish(topic_of(conversation), Passing(notice))

    def _tell(self, conversation: str, hint: Hint) -> None:
        self._bus.publish(topic_of(conversation), hint)

    # --- reading -------------------------------------------------------------------------------------------------

    async def history(self, principal: Principal, asked: History, bytes_max: int = PAGE_BYTES_MAX) -> HistoryPage:
        """A page of messages, and the head as of the same moment."""
        return await self.messages.history(principal, asked, bytes_max)

    async def sync(self, principal: Principal, asked: Sync, bytes_max: int = PAGE_BYTES_MAX) -> SyncAnswer:
        """What happened after each of the client's positions, in one snapshot."""
        return SyncAnswer(await self._resumer.ask(principal, asked.positions, bytes_max))

    async def fill(self, principal: Principal, asked: Fill, bytes_max: int = PAGE_BYTES_MAX) -> Synced:
        """What follows ``after``."""
        return await self._core.read_as(
            principal, asked.conversation, lambda db, access: catch_up(db, access, asked.after, bytes_max)
        )

    async def follow(
        self, principal: Principal, asked: Sync, sink: Sink, bytes_max: int = PAGE_BYTES_MAX
    ) -> tuple[SyncAnswer, list[Subscription]]:
        """Snapshot and subscriptions without a gap, for many conversations at once.

        The subscriptions are paused; the caller starts each after the answer was sent, with the ``seq`` it goes up to.
        Those of conversations that are answered as ``gone`` are closed by it.
        """
        subscriptions: list[Subscription] = []
        opened = frozenset(asked.open or ())
        reader = principal.identity if principal.workspace else ""

        async def enter(permitted: Sequence[str]) -> None:
            subscriptions.extend(await self._feeds.join_all(permitted, sink, reader, opened.__contains__))

        try:
            answers = await self._resumer.ask(principal, asked.positions, bytes_max, enter)
        except BaseException:
            for subscription in subscriptions:
                subscription.close()
            raise
        return SyncAnswer(answers), subscriptions

    async def subscribe(self, conversation: str, sink: Sink, reader: str = "", open: bool = True) -> Subscription:
        """Follow a conversation; paused until ``start``, so that what it begins after can be read first."""
        return await self._feeds.join(conversation, sink, reader, open)

    async def open(
        self, principal: Principal, conversation: str, position: Position | None, sink: Sink
    ) -> tuple[Synced | HistoryPage, Subscription]:
        """Snapshot and subscription without a gap: a page of history, or what follows the client's position.

        The subscription is started by the caller, after the snapshot was sent, with the ``seq`` it goes up to.
        """
        await self._core.read(lambda db: access_conversation(db, principal, conversation))
        await self.conversations.enter_room(principal, conversation)
        subscription = await self.subscribe(conversation, sink, principal.identity if principal.workspace else "")
        try:
            if position is None:
                return await self.history(principal, History(conversation)), subscription
            answer = await self.sync(principal, Sync([position]))
            return answer.conversations[0], subscription
        except BaseException:
            subscription.close()
            raise

    async def _read_heads(self, conversations: Sequence[str]) -> Mapping[str, Head]:
        return await self._core.read(lambda db: store.heads(db, conversations))

    async def _read_events(self, conversation: str, after: int, limit: int) -> list[Event]:
        return await self._core.read(lambda db: store.events_after(db, conversation, after, limit))

    # --- heart beat ----------------------------------------------------------------------------------------------

    async def _beat(self) -> None:
        while True:
            try:
                async with asyncio.timeout(
                    HEARTBEAT_S
                ):  # wait_for may swallow a cancellation that comes with the event
                    await self._look.wait()
            except TimeoutError:
                pass
            self._look.clear()
            try:
                await self.beat()
            except (*LOST, Unavailable) as error:
                log.warning("no heart beat: the database is away", error=type(error).__name__)
            except Exception as error:
                log.error("the heart beat failed", exc_info=error)

    async def beat(self) -> None:
        """Tell every open conversation where it stands, by the database: a lost hint shows here."""
        await self._check_history()
        conversations = self._feeds.open()
        if not conversations:
            return
        heads = await self._core.read(lambda db: store.heads(db, conversations))
        for conversation, head in heads.items():
            self._feeds.tips(conversation, head)

    async def _check_history(self) -> None:
        """Notice that a backup was restored under the running program, and let go of everything held."""
        found = str(await self._core.read(lambda db: db.fetchval("SELECT id FROM tertulia.history")))
        if self._history not in (None, found):
            log.warning("the database was restored from a backup; clients are told to come again")
            self._feeds.close()
            for reader in (self.outbox, self.own_logs, self.index):
                reader.wake()
            for then in self.on_restored:
                then()
        self._history = found
