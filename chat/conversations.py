"""Conversations: make, find, enter and leave them; who is in them, as what; invitations; who there is to write to."""

from __future__ import annotations

import hashlib
import secrets
import time

from chat import conversation_store as store
from chat import refusals
from chat.access import OPEN, Access, Connection, Right, access_conversation, check_workspace
from chat.checks import check_line, check_text, plain
from chat.conversation_store import Making
from chat.core import Core, derived
from chat.cursor import Cursor, is_uuid, read_cursor, write_cursor
from chat.draft import Draft, hash_of
from chat.ledger_store import instant
from chat.store import facts as facts_of
from tertulia.catalogue import (
    AcceptInvite,
    AddMember,
    Browse,
    Change,
    Conversation,
    ConversationList,
    Conversations,
    CreateConversation,
    CreateInvite,
    Event,
    FindPeople,
    GetConversation,
    Invite,
    JoinConversation,
    LeaveConversation,
    MemberList,
    Members,
    Ok,
    OpenDirect,
    PersonList,
    RemoveMember,
    RevokeInvites,
    Sent,
    SetRole,
    UpdateConversation,
)
from tertulia.tokens import Principal


class ActivityCursor(Cursor, frozen=True, array_like=True):
    at: int
    id: str


class NameCursor(Cursor, frozen=True, array_like=True):
    key: str
    id: str


class ConversationDesk:
    """What is done with conversations as a whole."""

    def __init__(self, core: Core) -> None:
        self._core = core

    # --- finding -------------------------------------------------------------------------------------------------

    async def list(self, principal: Principal, asked: Conversations) -> ConversationList:
        """One's own conversations, the one with the newest event first. Raises Forbidden, BadRequest."""
        me = check_workspace(principal)
        place = _activity(asked.cursor)
        found = await self._core.read(lambda db: store.listed(db, me, asked.archived, place, asked.limit + 1))
        page = found[: asked.limit]
        more = len(found) > len(page)
        return ConversationList(page, write_cursor(ActivityCursor(page[-1].last_at, page[-1].id)) if more else None)

    async def get(self, principal: Principal, asked: GetConversation) -> Conversation:
        """One conversation: one's own, one's room's, or a channel that may be joined. Raises NotFound."""
        return await self._core.read(lambda db: self._seen(db, principal, asked.conversation))

    async def browse(self, principal: Principal, asked: Browse) -> ConversationList:
        """Channels that anybody may join, by title. Raises Forbidden, BadRequest ``cursor-invalid``."""
        me = check_workspace(principal)
        place = _name(asked.cursor)
        found = await self._core.read(lambda db: store.browsed(db, me, plain(asked.query), place, asked.limit + 1))
        page = found[: asked.limit]
        more = len(found) > len(page)
        cursor = write_cursor(NameCursor(page[-1][0], page[-1][1].id)) if more else None
        return ConversationList([each for _, each in page], cursor)

    async def members(self, principal: Principal, asked: Members) -> MemberList:
        """Who is in a conversation, by name."""
        place = _name(asked.cursor, uuid=False)

        async def work(db: Connection, access: Access) -> MemberList:
            found = await store.members(db, access.conversation, place, asked.limit + 1)
            page = found[: asked.limit]
            more = len(found) > len(page)
            cursor = write_cursor(NameCursor(page[-1][0], page[-1][1].id)) if more else None
            return MemberList([member for _, member in page], cursor)

        return await self._core.read_as(principal, asked.conversation, work)

    async def people(self, principal: Principal, asked: FindPeople) -> PersonList:
        """Who there is to write to, by name."""
        check_workspace(principal)
        place = _name(asked.cursor, uuid=False)
        found = await self._core.read(lambda db: store.people(db, plain(asked.query), place, asked.limit + 1))
        page = found[: asked.limit]
        more = len(found) > len(page)
        cursor = write_cursor(NameCursor(page[-1][0], page[-1][1].id)) if more else None
        return PersonList([person for _, person in page], cursor)

    async def _seen(self, db: Connection, principal: Principal, conversation: str) -> Conversation:
        facts = await facts_of(db, conversation)
        if facts is None or facts.kind not in OPEN or not principal.workspace:
            await access_conversation(db, principal, conversation)
        found = await store.one(db, principal.identity, conversation)
        if found is None:
            raise refusals.no_conversation()
        return found

    # --- making --------------------------------------------------------------------------------------------------

    async def create(self, principal: Principal, asked: CreateConversation) -> Conversation:
        """A new group or channel with its maker as owner. The same client id makes it once.

        Raises Forbidden ``workspace-needed``, BadRequest, Conflict ``client-id-reused``, NotFound
        ``member-not-found``.
        """
        me = check_workspace(principal)
        check_line(asked.title, "title")
        check_text(asked.about, "about")
        users = list(dict.fromkeys(user for user in asked.members if user != me))
        conversation = derived("conversation", me, asked.client_id)
        making = Making(
            id=conversation,
            kind=asked.kind,
            title=asked.title,
            about=asked.about,
            retention_s=asked.retention_s,
            history_from_join=asked.history_from_join,
            created_by=me,
            hash=hash_of(asked),
        )

        async def make(db: Connection) -> None:
            for user in users:
                if await store.person_name(db, user) is None:
                    raise refusals.nobody("members")
            if await store.make(db, making) != making.hash:
                raise refusals.id_reused()

        await self._core.change(make)
        # Each of these is done once, however often the whole is begun again.
        await self._enter(principal, conversation, asked.client_id, Change(action="joined", role="owner"))
        for user in users:
            draft = Draft(
                principal,
                "member",
                derived("add", asked.client_id, user),
                hash_of(asked),
                change=Change(action="added", user=user),
            )
            await self._core.write(conversation, draft)
        return await self.get(principal, GetConversation(conversation))

    async def open_direct(self, principal: Principal, asked: OpenDirect) -> Conversation:
        """The one conversation of two people. Raises NotFound ``member-not-found``, BadRequest ``user-invalid``."""
        me = check_workspace(principal)
        if asked.user == me:
            raise refusals.not_oneself()
        conversation = derived("direct", *sorted((me, asked.user)))

        async def make(db: Connection) -> None:
            name = await store.person_name(db, asked.user)
            if name is None:
                raise refusals.nobody()
            await store.make(db, Making(conversation, "direct", created_by=me))
            for user, called in sorted([(me, principal.name), (asked.user, name)]):
                await store.seat(db, conversation, user, called, "member")

        await self._core.change(make)
        self._core.made(conversation)
        return await self.get(principal, GetConversation(conversation))

    async def update(self, principal: Principal, asked: UpdateConversation) -> Sent:
        """Change title, description or rules. Raises Forbidden, BadRequest, Conflict ``kind-unfit``."""
        if asked.title is not None:
            check_line(asked.title, "title")
        if asked.about is not None:
            check_text(asked.about, "about")
        change = Change(
            title=asked.title,
            about=asked.about,
            retention_s=asked.retention_s,
            history_from_join=asked.history_from_join,
        )
        return await self._change(principal, asked.conversation, "settings", asked.client_id, hash_of(asked), change)

    # --- coming and going ----------------------------------------------------------------------------------------

    async def join(self, principal: Principal, asked: JoinConversation) -> Sent:
        """Enter an open channel. Raises NotFound, Conflict ``conversation-full``."""
        check_workspace(principal)
        change = Change(action="joined")
        return await self._change(principal, asked.conversation, "member", asked.client_id, hash_of(asked), change)

    async def leave(self, principal: Principal, asked: LeaveConversation) -> Sent:
        """Leave. Raises NotFound, Conflict ``last-owner`` or ``kind-unfit``."""
        check_workspace(principal)
        change = Change(action="left")
        return await self._change(principal, asked.conversation, "member", asked.client_id, hash_of(asked), change)

    async def add(self, principal: Principal, asked: AddMember) -> Sent:
        """Bring somebody in. Raises Forbidden, NotFound ``member-not-found``, Conflict ``conversation-full``."""
        change = Change(action="added", user=asked.user)
        return await self._change(principal, asked.conversation, "member", asked.client_id, hash_of(asked), change)

    async def remove(self, principal: Principal, asked: RemoveMember) -> Sent:
        """Show somebody out. Raises Forbidden, NotFound ``member-not-found``."""
        change = Change(action="removed", user=asked.user)
        return await self._change(principal, asked.conversation, "member", asked.client_id, hash_of(asked), change)

    async def set_role(self, principal: Principal, asked: SetRole) -> Sent:
        """Make somebody owner, moderator or member. Raises Forbidden, NotFound, Conflict ``last-owner``."""
        change = Change(action="role", user=asked.user, role=asked.role)
        return await self._change(principal, asked.conversation, "member", asked.client_id, hash_of(asked), change)

    async def enter_room(self, principal: Principal, conversation: str) -> None:
        """Somebody who is logged in is in a room: its conversation is among theirs from now on."""

        async def here(db: Connection) -> bool:
            found: bool = await db.fetchval(
                "SELECT EXISTS (SELECT 1 FROM chat.member WHERE conversation_id = $1 AND user_id = $2"
                " AND visible_to IS NULL AND role <> 'guest')",
                conversation,
                principal.identity,
            )
            return found

        if principal.workspace and not await self._core.read(here):
            client_id = derived("enter", conversation, principal.identity, str(time.time_ns()))
            await self._enter(principal, conversation, client_id, Change(action="joined"))

    async def _enter(self, principal: Principal, conversation: str, client_id: str, change: Change) -> Event:
        digest = hashlib.sha256(b"enter").digest()
        draft = Draft(principal, "member", client_id, digest, change=change, trusted=True)
        return await self._core.write(conversation, draft)

    async def _change(
        self, principal: Principal, conversation: str, kind: str, client_id: str, digest: bytes, change: Change
    ) -> Sent:
        draft = Draft(principal, "settings" if kind == "settings" else "member", client_id, digest, change=change)
        return Sent(await self._core.write(conversation, draft))

    # --- invitations ---------------------------------------------------------------------------------------------

    async def create_invite(self, principal: Principal, asked: CreateInvite) -> Invite:
        """A link into the conversation. Raises Forbidden, NotFound, Conflict ``kind-unfit``."""
        check_workspace(principal)
        token = secrets.token_urlsafe(24)
        expires_at = int(time.time() * 1000) + asked.ttl_s * 1000
        when = instant(expires_at)
        assert when is not None

        async def work(db: Connection) -> None:
            await self._may_invite(db, principal, asked.conversation, "invite")
            await store.add_invite(db, _digest(token), asked.conversation, principal.identity, when, asked.uses)

        await self._core.change(work)
        return Invite(token, asked.conversation, expires_at, asked.uses)

    async def accept_invite(self, principal: Principal, asked: AcceptInvite) -> Conversation:
        """Come in by a link. Raises NotFound ``invite-invalid``, Conflict ``conversation-full``."""
        me = check_workspace(principal)
        conversation = await self._core.change(lambda db: store.use_invite(db, _digest(asked.token), me))
        if conversation is None:
            raise refusals.bad_invite()
        await self._enter(principal, conversation, asked.client_id, Change(action="joined"))
        return await self.get(principal, GetConversation(conversation))

    async def revoke_invites(self, principal: Principal, asked: RevokeInvites) -> Ok:
        """Make every link into the conversation worthless. Raises Forbidden, NotFound."""
        check_workspace(principal)

        async def work(db: Connection) -> None:
            await self._may_invite(db, principal, asked.conversation, "moderate")
            await store.revoke_invites(db, asked.conversation)

        await self._core.change(work)
        return Ok()

    async def _may_invite(self, db: Connection, principal: Principal, conversation: str, right: Right) -> None:
        access = await access_conversation(db, principal, conversation, "read")
        if access.kind in ("direct", "self", "room"):
            raise refusals.wrong_kind("takes no invitations")
        await access_conversation(db, principal, conversation, right)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def _activity(text: str | None) -> tuple[int, str] | None:
    cursor = read_cursor(text, ActivityCursor)
    if cursor is None:
        return None
    if not 0 <= cursor.at <= 2**53 or not is_uuid(cursor.id):
        raise refusals.bad_cursor()
    return (cursor.at, cursor.id)


def _name(text: str | None, uuid: bool = True) -> tuple[str, str] | None:
    cursor = read_cursor(text, NameCursor)
    if cursor is None:
        return None
    if uuid and not is_uuid(cursor.id):
        raise refusals.bad_cursor()
    return (cursor.key, cursor.id)
