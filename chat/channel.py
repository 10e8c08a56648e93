"""The door that does not care which door it is: a chat request, typed, to its answer.

The chat data channel and Socket.IO hand their decoded frames to :func:`dispatch`; they differ only in how much an
answer may hold. :func:`read` decodes what came over the data channel. Nothing here does I/O of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from chat.core import Door
from chat.messages import PAGE_BYTES_MAX
from chat.service import CHANNEL_PAGE_BYTES_MAX, ChatService
from tertulia.catalogue import (
    CHANNEL_REQUESTS,
    DeleteMessage,
    EditMessage,
    Edits,
    Fill,
    Frame,
    GetMessages,
    History,
    PinMessage,
    Pins,
    React,
    Reactions,
    SendMessage,
    Sync,
)
from tertulia.errors import BadRequest, TertuliaError
from tertulia.frames import decode_envelope, decode_request
from tertulia.tokens import Principal

REQUESTS = CHANNEL_REQUESTS["chat"]


@dataclass(frozen=True)
class Request:
    """A readable request. ``number`` is what its answer repeats; None when no answer is wanted."""

    event: str
    number: int | None
    payload: Frame


@dataclass(frozen=True)
class Unreadable:
    """A frame that is no request, and what to tell its sender."""

    number: int | None
    error: TertuliaError


def read(data: bytes, channel: str = "chat") -> Request | Unreadable:
    """Decode what came over a data channel."""
    number = None
    try:
        envelope = decode_envelope(data)
        number = envelope.i
        return Request(envelope.t, number, decode_request(envelope, CHANNEL_REQUESTS[channel]))
    except TertuliaError as error:
        return Unreadable(number, error)


async def dispatch(chat: ChatService, principal: Principal, payload: Frame, door: Door) -> Frame:
    """Do what a chat request asks; its answer. Raises what the service raises."""
    bytes_max = CHANNEL_PAGE_BYTES_MAX if door == "channel" else PAGE_BYTES_MAX
    desk = chat.messages
    match payload:
        case SendMessage():
            return await desk.send(principal, payload, door)
        case EditMessage():
            return await desk.edit(principal, payload)
        case DeleteMessage():
            return await desk.delete(principal, payload)
        case React():
            return await desk.react(principal, payload)
        case PinMessage():
            return await desk.pin(principal, payload)
        case History():
            return await desk.history(principal, payload, bytes_max)
        case GetMessages():
            return await desk.messages(principal, payload, bytes_max)
        case Edits():
            return await desk.edits(principal, payload, bytes_max)
        case Reactions():
            return await desk.reactions(principal, payload)
        case Pins():
            return await desk.pins(principal, payload, bytes_max)
        case Sync():
            return await chat.sync(principal, payload, bytes_max)
        case Fill():
            return await chat.fill(principal, payload, bytes_max)
        case _:
            raise BadRequest("event-unknown", "The chat knows no such request.")
