"""A chat service on a real database, and people with tokens."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field

import pytest

from chat.service import ChatService
from tertulia.bus import LocalBus
from tertulia.catalogue import Event, Grants, Message, MessageBody, Messages, SendMessage, Tips
from tertulia.database import Database
from tertulia.frames import Notice
from tertulia.tokens import Principal
from tests.databases import shared_server


@pytest.fixture(scope="session")
def dsn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with shared_server(tmp_path_factory.mktemp("chat-postgres")) as dsn:
        yield dsn


@pytest.fixture
async def database(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Database]:
    database = Database(dsn, tmp_path_factory.getbasetemp())
    await database.start()
    yield database
    await database.close()


@pytest.fixture
async def chat(database: Database) -> AsyncIterator[ChatService]:
    service = ChatService(database, LocalBus())
    await service.start()
    yield service
    await service.close()


@dataclass
class Room:
    """A room's conversation and how to make principals of it."""

    id: str
    conversation: str

    def principal(self, identity: str = "ada", grants: Grants | None = None) -> Principal:
        return Principal(identity, identity.title(), self.id, grants or Grants(), "guest", 2e9)

    def message(self, text: str, client_id: str | None = None) -> SendMessage:
        return SendMessage(self.conversation, client_id or str(uuid.uuid4()), MessageBody(text))


def events_of(messages: Sequence[Message]) -> list[Event]:
    """The events by which messages came, as long as nothing changed them."""
    fields = Event.__struct_fields__
    return [Event(**{name: getattr(message, name) for name in fields}) for message in messages]


async def make_room(chat: ChatService) -> Room:
    room_id = f"room-{uuid.uuid4().hex[:12]}"
    return Room(room_id, await chat.ensure_room_conversation(room_id, "A room"))


@pytest.fixture
async def room(chat: ChatService) -> Room:
    return await make_room(chat)


@dataclass
class Reader:
    """A sink that keeps what it gets; ``open`` is whether it takes anything."""

    notices: list[Notice] = field(default_factory=list)
    open: bool = True

    def deliver(self, notice: Notice) -> bool:
        if self.open:
            self.notices.append(notice)
        return self.open

    @property
    def events(self) -> list[Event]:
        return [event for n in self.notices if isinstance(n.payload, Messages) for event in n.payload.events]

    @property
    def seqs(self) -> list[int]:
        return [event.seq for event in self.events]

    def tips(self, event: str = "tips") -> list[Tips]:
        return [n.payload for n in self.notices if n.event == event and isinstance(n.payload, Tips)]
