"""The HTTP door's table: which address asks which of the chat's requests. The door and ``/openapi.json`` follow it.

A ``GET`` takes its request from the address, everything else from the body, which is the request's frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tertulia.catalogue import CHAT_REQUESTS, Frame
from tertulia.openapi import Operation


@dataclass(frozen=True)
class Route:
    """One operation. ``{chatId}`` in the path is the request's ``conversation``, ``{userId}`` must be the asker."""

    method: Literal["GET", "POST"]
    path: str
    event: str
    about: str

    @property
    def request(self) -> type[Frame]:
        return CHAT_REQUESTS[self.event][0]

    @property
    def answer(self) -> type[Frame]:
        return CHAT_REQUESTS[self.event][1]

    @property
    def writes(self) -> bool:
        return self.method == "POST" and self.event not in ("sync", "fill")


ROUTES: tuple[Route, ...] = (
    Route("POST", "/chat/send", "send-message", "Send a message."),
    Route("GET", "/chat/history/{chatId}", "history", "A page of messages."),
    Route("GET", "/chat/unread/{userId}", "unread", "One's own conversations with something unread."),
    Route("POST", "/chat/mark-read", "mark-read", "Everything up to a message is read, or has arrived."),
    Route("POST", "/chat/mark-unread", "mark-unread", "Count from a message on as unread."),
    Route("GET", "/chat/readers/{chatId}/{seq}", "readers", "Who has read a message."),
    Route("POST", "/chat/edit", "edit-message", "Edit one's own message."),
    Route("POST", "/chat/delete", "delete-message", "Delete a message for everybody."),
    Route("POST", "/chat/hide", "hide-message", "Delete a message for oneself."),
    Route("POST", "/chat/react", "react", "Add or take away a reaction."),
    Route("POST", "/chat/pin", "pin-message", "Pin or unpin a message."),
    Route("GET", "/chat/messages/{chatId}", "messages", "Single messages by number."),
    Route("GET", "/chat/edits/{chatId}/{seq}", "edits", "All bodies a message has had."),
    Route("GET", "/chat/reactions/{chatId}/{seq}", "reactions", "Who reacted to a message."),
    Route("GET", "/chat/pins/{chatId}", "pins", "Pinned messages."),
    Route("GET", "/chat/conversations", "conversations", "One's own conversations."),
    Route("POST", "/chat/conversations", "create-conversation", "Make a group or a channel."),
    Route("GET", "/chat/conversations/{chatId}", "conversation", "One conversation."),
    Route("POST", "/chat/direct", "open-direct", "The one-to-one conversation with somebody."),
    Route("POST", "/chat/conversations/update", "update-conversation", "Change title, description or rules."),
    Route("POST", "/chat/conversations/join", "join-conversation", "Enter a public channel."),
    Route("POST", "/chat/conversations/leave", "leave-conversation", "Leave a conversation."),
    Route("GET", "/chat/members/{chatId}", "members", "Who is in a conversation."),
    Route("POST", "/chat/members/add", "add-member", "Bring somebody in."),
    Route("POST", "/chat/members/remove", "remove-member", "Show somebody out."),
    Route("POST", "/chat/members/role", "set-role", "Make somebody owner, moderator or member."),
    Route("GET", "/chat/browse", "browse", "Channels that anybody may join."),
    Route("GET", "/chat/people", "people", "People to write to."),
    Route("POST", "/chat/invites", "create-invite", "Make a link into a conversation."),
    Route("POST", "/chat/invites/accept", "accept-invite", "Come in by a link."),
    Route("POST", "/chat/invites/revoke", "revoke-invites", "Make all links into a conversation worthless."),
    Route("POST", "/chat/arrange", "arrange", "Mute, archive or pin a conversation for oneself."),
    Route("POST", "/chat/draft", "set-draft", "Keep what is being written."),
    Route("POST", "/chat/preferences", "set-preferences", "Keep settings of one's own."),
    Route("POST", "/chat/block", "set-block", "Block somebody, or no longer."),
    Route("GET", "/chat/me", "me", "Who the asker is, and what is kept for them."),
    Route("GET", "/chat/search", "search", "Find messages."),
    Route("POST", "/chat/typing", "typing", "Tell the others that one is writing."),
    Route("POST", "/chat/status", "set-status", "How one wants to be seen."),
    Route("GET", "/chat/presence", "watch", "Who of some people is here now."),
    Route("POST", "/chat/sync", "sync", "What happened after one's positions."),
    Route("POST", "/chat/fill", "fill", "What follows a number."),
)


def operations() -> list[Operation]:
    """The table as ``/openapi.json`` describes it."""
    return [
        Operation(
            method=route.method,
            path=route.path,
            name=route.event,
            about=route.about,
            tag="chat",
            request=route.request,
            answer=route.answer,
            in_address=route.method == "GET",
            path_names={"chatId": "conversation", "userId": None},
        )
        for route in ROUTES
    ]
