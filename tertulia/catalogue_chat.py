"""The frames of the conversation log: events, the folded messages, and what may be asked of a conversation.

What happened is an :class:`Event`, the same for everybody. What a page of history shows is a :class:`Message`: the
event that began it, folded with every later event that named it as its ``target``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from tertulia.catalogue_base import (
    MESSAGE_TEXT_MAX,
    DisplayName,
    Frame,
    Identity,
    Millis,
    Number,
    Ok,
    RoomId,
    Seq,
    Sparse,
    Tag,
    Uuid,
)
from tertulia.catalogue_presence import PRESENCE_NOTICES, PRESENCE_REQUESTS

EventKind = Literal[
    "message",
    "edit",
    "delete",
    "reaction",
    "pin",
    "unpin",
    "member",
    "settings",
    "call-started",
    "call-ended",
    "self",
    "x",
]
ConversationKind = Literal["room", "direct", "group", "public", "private", "announcement", "self"]
MadeKind = Literal["group", "public", "private", "announcement"]
Role = Literal["owner", "moderator", "member", "guest"]
GivenRole = Literal["owner", "moderator", "member"]
MemberAction = Literal["joined", "left", "added", "removed", "role"]
SelfAction = Literal[
    "conversation-added",
    "conversation-removed",
    "conversation-role",
    "marks",
    "arranged",
    "draft",
    "preferences",
    "hidden",
    "blocked",
    "unblocked",
]
Has = Literal["link", "mention", "reaction", "pin", "thread"]

UNREAD_MAX = 100
"""Counts stop here: 100 is shown as 99+."""

Title = Annotated[str, Meta(min_length=1, max_length=80)]
About = Annotated[str, Meta(max_length=500)]
Emoji = Annotated[str, Meta(min_length=1, max_length=16)]
Cursor = Annotated[str, Meta(max_length=1000)]
Retention = Annotated[int, Meta(ge=0, le=10 * 366 * 86_400)]
"""Seconds after which messages disappear; 0 keeps them."""
Limit = Annotated[int, Meta(ge=1, le=100)]


class Position(Frame, frozen=True):
    """Where a client stands: the last ``seq`` it applied and that event's tag (8 hex digits of its id)."""

    conversation: Uuid
    seq: Seq
    tag: Tag | None = None


# --- what happens ------------------------------------------------------------------------------------------------


class MessageBody(Sparse, frozen=True):
    """What somebody wrote: text in Markdown, whom it names, what it answers (``reply_to``), whose thread it is in.

    ``mentions`` are told of it; ``everybody`` tells all members. ``thread`` is the ``seq`` of the thread's first
    message.
    """

    text: Annotated[str, Meta(min_length=1, max_length=MESSAGE_TEXT_MAX)]
    mentions: Annotated[list[Identity], Meta(max_length=50)] = []
    everybody: bool = False
    reply_to: Number | None = None
    thread: Number | None = None


class Change(Sparse, frozen=True):
    """What an event that is no message changes; which fields are there depends on the event's kind.

    - ``reaction``: ``action`` (added, removed), ``emoji``, ``count`` of that emoji afterwards
    - ``member``: ``action``, ``user``, ``name``, ``role``, ``count`` of members afterwards
    - ``settings``: those of ``title``, ``about``, ``retention_s``, ``history_from_join`` that were set
    - ``call-ended``: ``duration_ms``
    - ``self`` (in a person's own log): ``action``, ``conversation`` and what is now kept of it
    """

    action: MemberAction | SelfAction | None = None
    emoji: Emoji | None = None
    count: Annotated[int, Meta(ge=0)] | None = None
    user: Identity | None = None
    name: DisplayName | None = None
    role: Role | None = None
    title: Title | None = None
    about: About | None = None
    retention_s: Retention | None = None
    history_from_join: bool | None = None
    duration_ms: Millis | None = None
    conversation: Uuid | None = None
    seq: Seq | None = None
    delivered_no: Seq | None = None
    read_no: Seq | None = None
    unread_from: Seq | None = None
    """0: nothing is marked unread."""
    muted_until: Millis | None = None
    """0: not muted."""
    archived: bool | None = None
    pinned: bool | None = None
    draft: MessageBody | None = None
    preferences: dict[str, str] | None = None
    """What was set; an empty value: taken away."""


class Event(Frame, frozen=True):
    """One entry of a conversation's log, the same for everybody. ``id`` begins with the event's tag.

    ``target`` is the ``seq`` of the message it changes. ``no`` counts the messages of the conversation's main line.
    Of kind ``x`` is what is not to be seen any more, or never was for the asker: it only keeps the numbers dense.
    """

    conversation: Uuid
    seq: Seq
    id: Uuid
    kind: EventKind
    at: Millis
    sender: Identity | None = None
    sender_name: str | None = None
    client_id: Uuid | None = None
    body: MessageBody | None = None
    target: Seq | None = None
    change: Change | None = None
    no: Seq | None = None
    expires_at: Millis | None = None


class ReactionCount(Frame, frozen=True):
    emoji: Emoji
    count: int


class Message(Event, frozen=True):
    """A message as it is now. An event with ``seq`` above ``version`` that names it as ``target`` changes it further.

    ``revision`` is the event that made its body (itself, or the last edit). ``mine`` are the asker's own reactions,
    ``thread`` is the first message of the thread it is in. Of a deleted message ``body`` is null.
    """

    version: Seq = 0
    revision: Seq = 0
    thread: Seq | None = None
    edited_at: Millis | None = None
    deleted_at: Millis | None = None
    pinned_at: Millis | None = None
    reactions: list[ReactionCount] = []
    mine: list[Emoji] = []
    reply_count: int = 0
    last_reply_at: Millis | None = None


class SendMessage(Frame, frozen=True):
    """``client_id`` is made by the client; sending it again, over any door, answers with the same event."""

    conversation: Uuid
    client_id: Uuid
    body: MessageBody


class EditMessage(Frame, frozen=True):
    """Replaces the body of one's own message. With ``revision`` it is refused when somebody edited it meanwhile."""

    conversation: Uuid
    client_id: Uuid
    seq: Number
    body: MessageBody
    revision: Seq | None = None


class DeleteMessage(Frame, frozen=True):
    """Deletes a message for everybody: one's own, or as a moderator any."""

    conversation: Uuid
    client_id: Uuid
    seq: Number


class HideMessage(Frame, frozen=True):
    """Deletes a message for the asker only."""

    conversation: Uuid
    client_id: Uuid
    seq: Number


class React(Frame, frozen=True):
    """Adds a reaction, or with ``remove`` takes one's own away."""

    conversation: Uuid
    client_id: Uuid
    seq: Number
    emoji: Emoji
    remove: bool = False


class PinMessage(Frame, frozen=True):
    conversation: Uuid
    client_id: Uuid
    seq: Number
    pinned: bool = True


class Sent(Frame, frozen=True):
    """The event that a change has become."""

    event: Event


# --- reading -----------------------------------------------------------------------------------------------------


class History(Frame, frozen=True):
    """A page of messages: the newest, those ``before`` or ``after`` a ``seq``, or those ``around`` one (a permalink).

    With ``thread`` the page is of that thread, without its first message.
    """

    conversation: Uuid
    before: Seq | None = None
    limit: Limit = 50
    after: Seq | None = None
    around: Seq | None = None
    thread: Number | None = None


class HistoryPage(Frame, frozen=True):
    """Messages in rising ``seq``; ``head`` is the newest position in the same snapshot.

    ``more``: there are others in the direction asked for (older ones, or with ``after`` newer ones). ``newer``: there
    may be newer ones than the last.
    """

    conversation: Uuid
    messages: list[Message]
    more: bool
    head: Position
    newer: bool = False


class GetMessages(Frame, frozen=True):
    """Single messages by number: what a reply quotes, a thread's first one."""

    conversation: Uuid
    seqs: Annotated[list[Number], Meta(min_length=1, max_length=50)]


class MessageList(Frame, frozen=True):
    """In rising ``seq``; what is gone or not for the asker is left out."""

    messages: list[Message]


class Edits(Frame, frozen=True):
    conversation: Uuid
    seq: Number


class Revision(Frame, frozen=True):
    seq: Seq
    at: Millis
    body: MessageBody


class EditList(Frame, frozen=True):
    """All bodies a message has had, the oldest first."""

    revisions: list[Revision]


class Reactions(Frame, frozen=True):
    conversation: Uuid
    seq: Number
    emoji: Emoji | None = None
    cursor: Cursor | None = None
    limit: Limit = 50


class Reactor(Frame, frozen=True):
    emoji: Emoji
    user: Identity
    name: str
    at: Millis


class ReactionList(Frame, frozen=True):
    """Who reacted, by emoji and time."""

    reactions: list[Reactor]
    next: Cursor | None = None


class Pins(Frame, frozen=True):
    conversation: Uuid


# --- conversations -----------------------------------------------------------------------------------------------


class Conversation(Frame, frozen=True):
    """A conversation as its asker sees it.

    ``role`` is null where the asker may join and has not. ``other`` is the other one of a ``direct`` conversation.
    ``unread`` and ``mentions`` count at most 100, which is shown as 99+. ``last`` is its newest message.
    """

    id: Uuid
    kind: ConversationKind
    title: str
    about: str = ""
    room: RoomId | None = None
    other: Identity | None = None
    other_name: str | None = None
    role: Role | None = None
    members: int = 0
    retention_s: int = 0
    history_from_join: bool = False
    created_at: Millis = 0
    head: Position | None = None
    last: Message | None = None
    last_at: Millis = 0
    last_no: Seq = 0
    unread: int = 0
    mentions: int = 0
    delivered_no: Seq = 0
    read_no: Seq = 0
    unread_from: Seq = 0
    muted_until: Millis = 0
    archived: bool = False
    pinned: bool = False
    draft: MessageBody | None = None


class Conversations(Frame, frozen=True):
    """One's own conversations, the one with the newest event first."""

    cursor: Cursor | None = None
    limit: Limit = 50
    archived: bool | None = None


class ConversationList(Frame, frozen=True):
    conversations: list[Conversation]
    next: Cursor | None = None


class GetConversation(Frame, frozen=True):
    conversation: Uuid


class CreateConversation(Frame, frozen=True):
    """A group (to 1,000 members) or a channel (to 100,000). In an ``announcement`` channel only moderators write."""

    client_id: Uuid
    kind: MadeKind
    title: Title
    about: About = ""
    members: Annotated[list[Identity], Meta(max_length=100)] = []
    history_from_join: bool = False
    retention_s: Retention = 0


class OpenDirect(Frame, frozen=True):
    """The one-to-one conversation with somebody, which is made if there is none."""

    user: Identity


class UpdateConversation(Frame, frozen=True):
    """Sets what is given."""

    conversation: Uuid
    client_id: Uuid
    title: Title | None = None
    about: About | None = None
    retention_s: Retention | None = None
    history_from_join: bool | None = None


class JoinConversation(Frame, frozen=True):
    """Enter a public or announcement channel."""

    conversation: Uuid
    client_id: Uuid


class LeaveConversation(Frame, frozen=True):
    conversation: Uuid
    client_id: Uuid


class AddMember(Frame, frozen=True):
    conversation: Uuid
    client_id: Uuid
    user: Identity


class RemoveMember(Frame, frozen=True):
    conversation: Uuid
    client_id: Uuid
    user: Identity


class SetRole(Frame, frozen=True):
    conversation: Uuid
    client_id: Uuid
    user: Identity
    role: GivenRole


class Members(Frame, frozen=True):
    conversation: Uuid
    cursor: Cursor | None = None
    limit: Limit = 50


class Member(Frame, frozen=True):
    id: Identity
    name: str
    role: Role
    joined_at: Millis


class MemberList(Frame, frozen=True):
    members: list[Member]
    next: Cursor | None = None


class Browse(Frame, frozen=True):
    """Channels that anybody may join, by title; ``query`` is a part of it."""

    query: Annotated[str, Meta(max_length=80)] = ""
    cursor: Cursor | None = None
    limit: Limit = 50


class FindPeople(Frame, frozen=True):
    """People who are here, by name; ``query`` is a part of it."""

    query: Annotated[str, Meta(max_length=64)] = ""
    cursor: Cursor | None = None
    limit: Limit = 50


class Person(Frame, frozen=True):
    id: Identity
    name: DisplayName


class PersonList(Frame, frozen=True):
    people: list[Person]
    next: Cursor | None = None


class CreateInvite(Frame, frozen=True):
    conversation: Uuid
    ttl_s: Annotated[int, Meta(ge=60, le=90 * 86_400)] = 7 * 86_400
    uses: Annotated[int, Meta(ge=1, le=100_000)] = 100


class Invite(Frame, frozen=True):
    """``token`` belongs into a link; whoever has it may come in until then."""

    token: str
    conversation: Uuid
    expires_at: Millis
    uses: int


class AcceptInvite(Frame, frozen=True):
    token: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{22,64}$")]
    client_id: Uuid


class RevokeInvites(Frame, frozen=True):
    """Makes every link into the conversation worthless."""

    conversation: Uuid


# --- what each keeps of a conversation ------------------------------------------------------------------------------


class MarkRead(Frame, frozen=True):
    """Everything up to ``seq`` is read; with ``delivered`` it has only arrived. Marks move forward only."""

    conversation: Uuid
    seq: Seq
    delivered: bool = False


class MarkUnread(Frame, frozen=True):
    """The conversation counts as unread from this message on, until it is read again."""

    conversation: Uuid
    seq: Number


class Marks(Frame, frozen=True):
    """Where the asker stands in a conversation. ``unread`` and ``mentions`` count at most 100."""

    conversation: Uuid
    delivered_no: Seq
    read_no: Seq
    unread_from: Seq
    unread: int
    mentions: int


class GetUnread(Frame, frozen=True):
    """The conversations with something unread."""


class UnreadList(Frame, frozen=True):
    """``unread`` is the sum; like each count it stops at 100."""

    conversations: list[Marks]
    unread: int
    mentions: int


class Readers(Frame, frozen=True):
    """Who has read, or got, the message ``seq``; only in conversations of up to 100 members."""

    conversation: Uuid
    seq: Number


class ReaderList(Frame, frozen=True):
    read: list[Identity]
    delivered: list[Identity]


class Receipt(Frame, frozen=True):
    """Somebody's marks moved; only in conversations of up to 100 members."""

    conversation: Uuid
    user: Identity
    delivered_no: Seq
    read_no: Seq


class Arrange(Frame, frozen=True):
    """Mute (0: no longer), archive or pin a conversation for oneself; sets what is given."""

    conversation: Uuid
    client_id: Uuid
    muted_until: Millis | None = None
    archived: bool | None = None
    pinned: bool | None = None


class SetDraft(Frame, frozen=True):
    """What is being written in a conversation, on all one's devices; without ``body`` it is dropped."""

    conversation: Uuid
    client_id: Uuid
    body: MessageBody | None = None


class SetPreferences(Frame, frozen=True):
    """Settings of one's own, on all one's devices. An empty value takes a name away."""

    client_id: Uuid
    preferences: Annotated[
        dict[Annotated[str, Meta(pattern=r"^[a-z0-9.-]{1,40}$")], Annotated[str, Meta(max_length=2000)]],
        Meta(min_length=1, max_length=50),
    ]


class SetBlock(Frame, frozen=True):
    user: Identity
    client_id: Uuid
    blocked: bool = True


class GetMe(Frame, frozen=True):
    pass


class Me(Frame, frozen=True):
    """Who the asker is and what is kept for them; ``self`` is the head of their own log."""

    id: Identity
    name: DisplayName
    self: Position | None
    preferences: dict[str, str]
    blocked: list[Identity]


# --- what passes -------------------------------------------------------------------------------------------------


class Typing(Frame, frozen=True):
    conversation: Uuid
    typing: bool = True


class SomebodyTyping(Frame, frozen=True):
    """Somebody writes, or stopped; without another word it counts for 6 seconds."""

    conversation: Uuid
    user: Identity
    name: str
    typing: bool


# --- searching ---------------------------------------------------------------------------------------------------


class Search(Frame, frozen=True):
    """Messages that hold every word of ``query``, newest first; a last word may be the beginning of one.

    ``sender``, ``conversation``, ``has``, ``before`` and ``after`` (a time) narrow it; one of them is enough.
    """

    query: Annotated[str, Meta(max_length=200)] = ""
    conversation: Uuid | None = None
    sender: Identity | None = None
    has: Annotated[list[Has], Meta(max_length=5)] = []
    before: Millis | None = None
    after: Millis | None = None
    cursor: Cursor | None = None
    limit: Limit = 20


class Found(Frame, frozen=True):
    messages: list[Message]
    next: Cursor | None = None


# --- following ---------------------------------------------------------------------------------------------------


class Sync(Frame, frozen=True):
    """Where the client stands in its conversations, its own log among them.

    With ``open`` (over the real-time doors) it follows them all from the answer on, until the connection ends: in full
    those that it names in ``open``, which are on screen, and small ones; of large ones only ``tips``, now and then.
    Asked again, it adds conversations and replaces what is open.
    """

    positions: Annotated[list[Position], Meta(max_length=500)]
    open: Annotated[list[Uuid], Meta(max_length=500)] | None = None


class Synced(Frame, frozen=True):
    """What happened after a position: ``events`` (dense), ``reset`` (drop what you have, read history), ``gone``.

    An answer is bounded by its door. With ``more`` the client applies what it got and asks on with ``fill``.
    """

    conversation: Uuid
    status: Literal["events", "reset", "gone"]
    events: list[Event] = []
    head: Position | None = None
    more: bool = False


class SyncAnswer(Frame, frozen=True):
    conversations: list[Synced]


class Fill(Frame, frozen=True):
    """Asks for what follows ``after``: the answer to a gap, to ``tips`` ahead of the client, to ``lagged``."""

    conversation: Uuid
    after: Seq


class Gone(Frame, frozen=True):
    """The client may not read this conversation any more; nothing of it follows."""

    conversation: Uuid


class Messages(Frame, frozen=True):
    """New entries of one conversation, in rising ``seq``."""

    conversation: Uuid
    events: list[Event]


class Tips(Frame, frozen=True):
    """Heart beat: the newest position of open conversations. A client that is behind asks with ``fill``.

    As ``lagged`` it says that the client was too slow and that frames up to these positions were dropped.
    """

    heads: list[Position]


# --- coming in ---------------------------------------------------------------------------------------------------


class DevelopmentLogIn(Frame, frozen=True):
    """``POST /auth/dev``, on servers for this machine only: the same name is the same person."""

    name: DisplayName


class LoggedIn(Frame, frozen=True):
    """A token that opens the person's conversations, over every door."""

    token: str
    identity: Identity
    name: DisplayName
    expires_at: Millis


# --- doors -------------------------------------------------------------------------------------------------------

CHAT_REQUESTS: dict[str, tuple[type[Frame], type[Frame]]] = {
    "send-message": (SendMessage, Sent),
    "edit-message": (EditMessage, Sent),
    "delete-message": (DeleteMessage, Sent),
    "hide-message": (HideMessage, Ok),
    "react": (React, Sent),
    "pin-message": (PinMessage, Sent),
    "history": (History, HistoryPage),
    "messages": (GetMessages, MessageList),
    "edits": (Edits, EditList),
    "reactions": (Reactions, ReactionList),
    "pins": (Pins, MessageList),
    "conversations": (Conversations, ConversationList),
    "conversation": (GetConversation, Conversation),
    "create-conversation": (CreateConversation, Conversation),
    "open-direct": (OpenDirect, Conversation),
    "update-conversation": (UpdateConversation, Sent),
    "join-conversation": (JoinConversation, Sent),
    "leave-conversation": (LeaveConversation, Sent),
    "add-member": (AddMember, Sent),
    "remove-member": (RemoveMember, Sent),
    "set-role": (SetRole, Sent),
    "members": (Members, MemberList),
    "browse": (Browse, ConversationList),
    "people": (FindPeople, PersonList),
    "create-invite": (CreateInvite, Invite),
    "accept-invite": (AcceptInvite, Conversation),
    "revoke-invites": (RevokeInvites, Ok),
    "mark-read": (MarkRead, Marks),
    "mark-unread": (MarkUnread, Marks),
    "unread": (GetUnread, UnreadList),
    "readers": (Readers, ReaderList),
    "arrange": (Arrange, Ok),
    "set-draft": (SetDraft, Ok),
    "set-preferences": (SetPreferences, Ok),
    "set-block": (SetBlock, Ok),
    "me": (GetMe, Me),
    "typing": (Typing, Ok),
    "search": (Search, Found),
    "sync": (Sync, SyncAnswer),
    "fill": (Fill, Synced),
    **PRESENCE_REQUESTS,
}
"""What may be asked of the chat: event name -> (request, answer)."""

CHAT_NOTICES: dict[str, type[Frame]] = {
    "message": Messages,
    "tips": Tips,
    "lagged": Tips,
    "gone": Gone,
    "receipt": Receipt,
    "somebody-typing": SomebodyTyping,
    **PRESENCE_NOTICES,
}
