"""One change on its way into a log: who wants what, under which id, and the answer that waits for it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tertulia.catalogue import Change, Event, EventKind, MessageBody
from tertulia.errors import TertuliaError
from tertulia.tokens import Principal

Effect = Callable[[Any], Awaitable[Change | None]]
"""What an entry of a person's own log does besides, on the connection and in the transaction that writes it: the
change to log, or None when nothing changed."""


@dataclass
class Draft:
    """One event to be.

    :param principal: who wants it; with ``trusted`` they were let in elsewhere (an invitation, the program itself)
    :param hash: by this a retry is told from another request that reuses the client id
    :param revision: of an edit, the revision it began from
    """

    principal: Principal
    kind: EventKind
    client_id: str
    hash: bytes
    body: MessageBody | None = None
    change: Change | None = None
    target: int | None = None
    revision: int | None = None
    trusted: bool = False
    effect: Effect | None = None
    done: asyncio.Future[Event | None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    sender_name: str = ""
    json: str = ""
    """The body as it is stored, where there is one."""

    def __post_init__(self) -> None:
        self.sender_name = self.sender_name or self.principal.name
        if self.body is not None and not self.json:
            self.json = msgspec.json.encode(self.body).decode()

    @property
    def sender(self) -> str:
        return self.principal.identity

    @property
    def key(self) -> tuple[str, str]:
        return (self.sender, self.client_id)

    def answer(self, event: Event | None) -> None:
        if not self.done.done():
            self.done.set_result(event)

    def refuse(self, error: TertuliaError) -> None:
        if not self.done.done():
            self.done.set_exception(error)
            self.done.exception()  # a sender that has gone is no reason for a warning


def hash_of(request: msgspec.Struct) -> bytes:
    """The digest of a request by which a retry is recognised, whatever door it came through."""
    digest = hashlib.sha256(type(request).__name__.encode())
    digest.update(msgspec.json.encode(request, order="sorted"))
    return digest.digest()


def body_hash(body: MessageBody) -> bytes:
    """The digest of a message."""
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).digest()
