"""People who are logged in, and what they do with conversations."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from chat.service import ChatService
from tertulia.catalogue import (
    Conversation,
    Conversations,
    CreateConversation,
    Event,
    Grants,
    History,
    JoinConversation,
    MadeKind,
    MessageBody,
    OpenDirect,
    SendMessage,
)
from tertulia.tokens import WORKSPACE_KEY, Principal
from tests.chat.replay import an_id


@dataclass(frozen=True)
class Person:
    """Somebody of one test: no other test knows this identity."""

    chat: ChatService
    principal: Principal

    @property
    def id(self) -> str:
        return self.principal.identity

    async def create(self, kind: MadeKind = "group", *members: Person, **more: object) -> Conversation:
        asked = CreateConversation(
            an_id(),
            kind,
            f"{kind} {uuid.uuid4().hex[:6]}",
            members=[member.id for member in members],
            **more,  # type: ignore[arg-type] # its own fields
        )
        return await self.chat.conversations.create(self.principal, asked)

    async def direct(self, other: Person) -> Conversation:
        return await self.chat.conversations.open_direct(self.principal, OpenDirect(other.id))

    async def join(self, conversation: str) -> Event:
        asked = JoinConversation(conversation, an_id())
        return (await self.chat.conversations.join(self.principal, asked)).event

    async def say(self, conversation: str, text: str, **more: object) -> Event:
        body = MessageBody(text, **more)  # type: ignore[arg-type] # its own fields
        return (await self.chat.send(self.principal, SendMessage(conversation, an_id(), body), "http")).event

    async def texts(self, conversation: str) -> list[str]:
        page = await self.chat.history(self.principal, History(conversation, limit=100))
        return [message.body.text for message in page.messages if message.body is not None]

    async def listed(self) -> list[Conversation]:
        found: list[Conversation] = []
        cursor = None
        while True:
            page = await self.chat.conversations.list(self.principal, Conversations(cursor, limit=3))
            found += page.conversations
            cursor = page.next
            if cursor is None:
                return found


async def somebody(chat: ChatService, name: str) -> Person:
    """A new person, known to the server."""
    principal = Principal(
        f"u:{name.lower().replace(' ', '-')}-{uuid.uuid4().hex[:8]}", name, "", Grants(), WORKSPACE_KEY, 2e9
    )
    await chat.personal.know(principal)
    return Person(chat, principal)
