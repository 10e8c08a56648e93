"""The door that does not care which door it is: a chat request, typed, to its answer.

The chat data channel and Socket.IO hand their decoded frames to :func:`dispatch`; they differ only in how much an
answer may hold. :func:`read` decodes what came over the data channel. Nothing here does I/O of its own.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from chat.core import Door
from chat.messages import PAGE_BYTES_MAX
from chat.service import CHANNEL_PAGE_BYTES_MAX, ChatService
from tertulia import catalogue as frames
from tertulia.catalogue import CHANNEL_REQUESTS, Frame, SendMessage
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
    plain = PLAIN.get(type(payload))
    if plain is not None:
        return await plain(chat)(principal, payload)
    bytes_max = CHANNEL_PAGE_BYTES_MAX if door == "channel" else PAGE_BYTES_MAX
    bounded = BOUNDED.get(type(payload))
    if bounded is not None:
        return await bounded(chat)(principal, payload, bytes_max)
    if isinstance(payload, SendMessage):
        return await chat.messages.send(principal, payload, door)
    raise BadRequest("event-unknown", "The chat knows no such request.")


PLAIN: Mapping[type[Frame], Callable[[ChatService], Callable[..., Awaitable[Frame]]]] = {
    frames.EditMessage: lambda chat: chat.messages.edit,
    frames.DeleteMessage: lambda chat: chat.messages.delete,
    frames.React: lambda chat: chat.messages.react,
    frames.PinMessage: lambda chat: chat.messages.pin,
    frames.Reactions: lambda chat: chat.messages.reactions,
    frames.Conversations: lambda chat: chat.conversations.list,
    frames.GetConversation: lambda chat: chat.conversations.get,
    frames.CreateConversation: lambda chat: chat.conversations.create,
    frames.OpenDirect: lambda chat: chat.conversations.open_direct,
    frames.UpdateConversation: lambda chat: chat.conversations.update,
    frames.JoinConversation: lambda chat: chat.conversations.join,
    frames.LeaveConversation: lambda chat: chat.conversations.leave,
    frames.AddMember: lambda chat: chat.conversations.add,
    frames.RemoveMember: lambda chat: chat.conversations.remove,
    frames.SetRole: lambda chat: chat.conversations.set_role,
    frames.Members: lambda chat: chat.conversations.members,
    frames.Browse: lambda chat: chat.conversations.browse,
    frames.FindPeople: lambda chat: chat.conversations.people,
    frames.CreateInvite: lambda chat: chat.conversations.create_invite,
    frames.AcceptInvite: lambda chat: chat.conversations.accept_invite,
    frames.RevokeInvites: lambda chat: chat.conversations.revoke_invites,
    frames.MarkRead: lambda chat: chat.marks.mark_read,
    frames.MarkUnread: lambda chat: chat.marks.mark_unread,
    frames.GetUnread: lambda chat: chat.marks.unread,
    frames.Readers: lambda chat: chat.marks.readers,
    frames.HideMessage: lambda chat: chat.personal.hide,
    frames.Arrange: lambda chat: chat.personal.arrange,
    frames.SetDraft: lambda chat: chat.personal.set_draft,
    frames.SetPreferences: lambda chat: chat.personal.set_preferences,
    frames.SetBlock: lambda chat: chat.personal.set_block,
    frames.Typing: lambda chat: chat.passing.typing,
    frames.SetStatus: lambda chat: chat.presence.set_status,
    frames.Watch: lambda chat: chat.presence.watch,
    frames.GetMe: lambda chat: chat.personal.me,
}
"""Requests whose answers are small."""

BOUNDED: Mapping[type[Frame], Callable[[ChatService], Callable[..., Awaitable[Frame]]]] = {
    frames.History: lambda chat: chat.messages.history,
    frames.GetMessages: lambda chat: chat.messages.messages,
    frames.Edits: lambda chat: chat.messages.edits,
    frames.Pins: lambda chat: chat.messages.pins,
    frames.Search: lambda chat: chat.finding.search,
    frames.Sync: lambda chat: chat.sync,
    frames.Fill: lambda chat: chat.fill,
}
"""Requests whose answers hold what fits through the door."""
