"""Conversations: who is let in, what their roles allow, and what everybody's list says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from chat import admit
from chat.service import ChatService
from tertulia.catalogue import (
    AcceptInvite,
    AddMember,
    Browse,
    CreateConversation,
    CreateInvite,
    EditMessage,
    Fill,
    FindPeople,
    GetConversation,
    Grants,
    History,
    JoinConversation,
    LeaveConversation,
    Members,
    MessageBody,
    OpenDirect,
    PinMessage,
    Position,
    RemoveMember,
    RevokeInvites,
    SetBlock,
    SetRole,
    SomebodyTyping,
    Sync,
    Typing,
    UpdateConversation,
)
from tertulia.database import Database
from tertulia.errors import Conflict, Forbidden, NotFound, TertuliaError
from tertulia.tokens import Principal
from tests.chat.conftest import Reader, Room
from tests.chat.people import Person, somebody
from tests.chat.replay import an_id, replay, snapshot


async def refused(attempt: Awaitable[Any]) -> str:
    """The code with which something is refused."""
    with pytest.raises(TertuliaError) as caught:
        await attempt
    return caught.value.code


async def test_direct_conversation_of_a_pair_is_one_whoever_opens_it(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    opened = await asyncio.gather(ada.direct(bob), bob.direct(ada), ada.direct(bob))
    assert len({conversation.id for conversation in opened}) == 1
    assert (opened[0].kind, opened[0].other, opened[0].other_name) == ("direct", bob.id, "Bob")
    assert opened[1].other == ada.id
    await ada.say(opened[0].id, "hello")
    assert await bob.texts(opened[0].id) == ["hello"]
    cyd = await somebody(chat, "Cyd")
    assert await refused(cyd.say(opened[0].id, "me too")) == "conversation-not-found"
    assert await refused(cyd.texts(opened[0].id)) == "conversation-not-found"
    assert await refused(chat.conversations.open_direct(ada.principal, OpenDirect(ada.id))) == "user-invalid"
    assert await refused(chat.conversations.open_direct(ada.principal, OpenDirect("nobody"))) == "member-not-found"
    leaving = LeaveConversation(opened[0].id, an_id())
    assert await refused(chat.conversations.leave(ada.principal, leaving)) == "kind-unfit"


async def test_created_once_however_often_it_is_asked_for(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    asked = CreateConversation(an_id(), "group", "Gardeners", members=[bob.id])
    made = await asyncio.gather(*(chat.conversations.create(ada.principal, asked) for _ in range(5)))
    assert len({conversation.id for conversation in made}) == 1
    final = await chat.conversations.get(bob.principal, GetConversation(made[0].id))
    assert (final.title, final.members, final.role) == ("Gardeners", 2, "member")
    assert final.head is not None
    assert final.head.seq == 2, "each came in once"
    other = CreateConversation(asked.client_id, "group", "Others")
    assert await refused(chat.conversations.create(ada.principal, other)) == "client-id-reused"
    stranger = CreateConversation(an_id(), "group", "Strangers", members=["u:nobody"])
    assert await refused(chat.conversations.create(ada.principal, stranger)) == "member-not-found"


async def test_room_token_opens_its_room_and_nothing_that_its_identity_belongs_to(
    chat: ChatService, room: Room
) -> None:
    """A site may sign any identity into its room's token: elsewhere that identity means nothing."""
    ada = await somebody(chat, "Ada")
    group = await ada.create()
    posing = Principal(ada.id, "Ada", room.id, Grants(moderate=True), "site", 2e9)
    for attempt in (
        chat.history(posing, History(group.id)),
        chat.fill(posing, Fill(group.id, 0)),
        chat.conversations.get(posing, GetConversation(group.id)),
        chat.conversations.members(posing, Members(group.id)),
        chat.conversations.add(posing, AddMember(group.id, an_id(), ada.id)),
    ):
        assert await refused(attempt) == "conversation-not-found"
    [answer] = (await chat.sync(posing, Sync([Position(group.id, 0)]))).conversations
    assert answer.status == "gone"
    assert await refused(chat.conversations.browse(posing, Browse())) == "workspace-needed"
    assert await refused(chat.conversations.people(posing, FindPeople())) == "workspace-needed"


async def test_private_and_group_are_entered_by_invitation_only(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    for kind in ("group", "private"):
        made = await ada.create(kind)
        assert await refused(bob.join(made.id)) == "conversation-not-found"
        assert (
            await refused(chat.conversations.get(bob.principal, GetConversation(made.id))) == "conversation-not-found"
        )
        page = await chat.conversations.browse(bob.principal, Browse(made.title))
        assert page.conversations == []
        invite = await chat.conversations.create_invite(ada.principal, CreateInvite(made.id, uses=1))
        entered = await chat.conversations.accept_invite(bob.principal, AcceptInvite(invite.token, an_id()))
        assert (entered.id, entered.role, entered.members) == (made.id, "member", 2)
        cyd = await somebody(chat, "Cyd")
        again = chat.conversations.accept_invite(cyd.principal, AcceptInvite(invite.token, an_id()))
        assert await refused(again) == "invite-invalid", "its one use is taken"
        second = await chat.conversations.create_invite(ada.principal, CreateInvite(made.id))
        await chat.conversations.revoke_invites(ada.principal, RevokeInvites(made.id))
        late = chat.conversations.accept_invite(cyd.principal, AcceptInvite(second.token, an_id()))
        assert await refused(late) == "invite-invalid"


async def test_public_channel_is_found_joined_left_and_joined_again(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("public")
    [found] = (await chat.conversations.browse(bob.principal, Browse(made.title[-6:].upper()))).conversations
    assert (found.id, found.role, found.members, found.last) == (made.id, None, 1, None)
    assert await refused(bob.texts(made.id)) == "not-a-member"
    assert await refused(bob.say(made.id, "hello?")) == "not-a-member"
    await ada.say(made.id, "before")
    old = await snapshot(chat, ada.principal, made.id)
    event = await bob.join(made.id)
    assert event.change is not None
    assert (event.kind, event.change.action, event.change.user, event.change.count) == ("member", "joined", bob.id, 2)
    assert await bob.texts(made.id) == ["before"]
    leave = LeaveConversation(made.id, an_id())
    await chat.conversations.leave(bob.principal, leave)
    await chat.conversations.leave(bob.principal, leave)
    assert await refused(bob.texts(made.id)) == "not-a-member"
    [answer] = (await chat.sync(bob.principal, Sync([Position(made.id, 1)]))).conversations
    assert answer.status == "gone"
    assert made.id not in {each.id for each in await bob.listed()}
    await bob.join(made.id)
    assert await bob.texts(made.id) == ["before"]
    await replay(chat, ada.principal, made.id, old)


async def test_newcomer_sees_only_what_follows_where_the_conversation_says_so(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("public", history_from_join=True)
    before = await ada.say(made.id, "before")
    joined = await bob.join(made.id)
    await ada.say(made.id, "after")
    assert await bob.texts(made.id) == ["after"]
    filled = await chat.fill(bob.principal, Fill(made.id, 0))
    assert [event.kind for event in filled.events] == ["x", "x", "member", "message"], "numbers stay dense"
    assert filled.events[1].id == before.id, "and so do tags"
    assert filled.events[1].body is None
    old = PinMessage(made.id, an_id(), before.seq)
    assert await refused(chat.messages.pin(bob.principal, old)) in ("message-not-found", "role-insufficient")
    assert joined.seq == 3


async def test_roles_decide_who_may_what(chat: ChatService) -> None:
    ada, bob, cyd = [await somebody(chat, name) for name in ("Ada", "Bob", "Cyd")]
    made = await ada.create("announcement")
    await bob.join(made.id)
    await cyd.join(made.id)
    assert await refused(bob.say(made.id, "may I?")) == "role-insufficient"
    desk = chat.conversations

    def role(by: Person, of: Person, given: Any) -> Awaitable[Any]:
        return desk.set_role(by.principal, SetRole(made.id, an_id(), of.id, given))

    assert await refused(role(bob, bob, "owner")) == "role-insufficient"
    await role(ada, bob, "moderator")
    await bob.say(made.id, "now I may")
    assert await refused(role(bob, cyd, "moderator")) == "role-insufficient"
    assert await refused(desk.remove(bob.principal, RemoveMember(made.id, an_id(), ada.id))) == "role-insufficient"
    assert await refused(desk.remove(cyd.principal, RemoveMember(made.id, an_id(), bob.id))) == "role-insufficient"
    await desk.remove(bob.principal, RemoveMember(made.id, an_id(), cyd.id))
    assert await refused(desk.remove(bob.principal, RemoveMember(made.id, an_id(), cyd.id))) == "member-not-found"
    assert await refused(cyd.texts(made.id)) == "not-a-member"
    assert await refused(role(ada, ada, "member")) == "last-owner"
    assert await refused(desk.leave(ada.principal, LeaveConversation(made.id, an_id()))) == "last-owner"
    await role(ada, bob, "owner")
    await desk.leave(ada.principal, LeaveConversation(made.id, an_id()))
    update = UpdateConversation(made.id, an_id(), title="News", about="What is new", retention_s=60)
    event = (await desk.update(bob.principal, update)).event
    assert event.change is not None
    assert (event.kind, event.change.title, event.change.retention_s) == ("settings", "News", 60)
    seen = await desk.get(bob.principal, GetConversation(made.id))
    assert (seen.title, seen.about, seen.retention_s, seen.members) == ("News", "What is new", 60, 1)
    said = await bob.say(made.id, "for a minute")
    assert said.expires_at == said.at + 60_000


async def test_removed_member_writes_nothing_more_even_in_the_same_batch(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("group", bob)
    results = await asyncio.gather(
        bob.say(made.id, "one"),
        chat.conversations.remove(ada.principal, RemoveMember(made.id, an_id(), bob.id)),
        bob.say(made.id, "two"),
        ada.say(made.id, "three"),
        return_exceptions=True,
    )
    assert isinstance(results[2], NotFound)
    assert await ada.texts(made.id) == ["one", "three"]


async def test_full_conversation_takes_nobody_more(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admit, "GROUP_MAX", 3)
    ada = await somebody(chat, "Ada")
    others = [await somebody(chat, f"P{n}") for n in range(3)]
    made = await ada.create("group", *others[:2])
    assert (
        await refused(chat.conversations.add(ada.principal, AddMember(made.id, an_id(), others[2].id)))
        == "conversation-full"
    )


async def test_blocked_person_writes_nothing_to_the_one_who_blocked(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    direct = await ada.direct(bob)
    await chat.personal.set_block(bob.principal, SetBlock(ada.id, an_id()))
    assert await refused(ada.say(direct.id, "hello")) == "blocked"
    await bob.say(direct.id, "that is me")
    await chat.personal.set_block(bob.principal, SetBlock(ada.id, an_id(), blocked=False))
    await ada.say(direct.id, "hello again")


async def test_list_is_complete_in_order_and_says_what_is_new(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = [await ada.create("group", bob) for _ in range(7)]
    direct = await bob.direct(ada)
    await ada.say(made[2].id, "to all", everybody=True)
    await ada.say(made[4].id, "to you", mentions=[bob.id])
    await ada.say(direct.id, "between us")
    listed = await bob.listed()
    assert [each.id for each in listed][:3] == [direct.id, made[4].id, made[2].id]
    assert {each.id for each in listed} == {direct.id, *(each.id for each in made)}
    assert len(listed) == 8
    counts = {each.id: (each.unread, each.mentions) for each in listed}
    assert counts[direct.id] == (1, 0)
    assert counts[made[4].id] == counts[made[2].id] == (1, 1)
    assert counts[made[0].id] == (0, 0)
    assert listed[0].last is not None
    assert listed[0].last.body is not None
    assert listed[0].last.body.text == "between us"
    assert listed == [await chat.conversations.get(bob.principal, GetConversation(each.id)) for each in listed]


async def test_listing_needs_the_same_few_queries_however_long_the_list(chat: ChatService, database: Database) -> None:
    ada = await somebody(chat, "Ada")
    for _ in range(12):
        await ada.say((await ada.create()).id, "hello")
    counts = []
    for limit in (1, 12):
        queries = 0

        def count(record: Any) -> None:
            nonlocal queries
            queries += 1

        from tertulia.catalogue import Conversations

        async with database.acquire() as db:
            db.add_query_logger(count)
            from chat import conversation_store

            await conversation_store.listed(db, ada.id, None, None, limit)
            db.remove_query_logger(count)
        assert (await chat.conversations.list(ada.principal, Conversations(limit=limit))).conversations
        counts.append(queries)
    assert counts[0] == counts[1] <= 3


async def test_members_and_people_are_paged_by_name(chat: ChatService) -> None:
    ada = await somebody(chat, "Ada")
    others = [await somebody(chat, f"Person {n:02}") for n in range(12)]
    made = await ada.create("group", *others)
    seen: list[str] = []
    cursor = None
    while True:
        page = await chat.conversations.members(ada.principal, Members(made.id, cursor, limit=5))
        seen += [member.id for member in page.members]
        cursor = page.next
        if cursor is None:
            break
    assert seen == [ada.id, *(other.id for other in others)]
    found = await chat.conversations.people(ada.principal, FindPeople("person 0", limit=100))
    assert {other.id for other in others[:10]} <= {person.id for person in found.people}


async def test_logged_in_people_keep_the_conversation_of_a_room_they_were_in(chat: ChatService, room: Room) -> None:
    ada = await somebody(chat, "Ada")
    visiting = Principal(ada.id, "Ada", room.id, Grants(), "workspace", 2e9)
    for _ in range(2):
        await chat.conversations.enter_room(visiting, room.conversation)
    await chat.send(room.principal("guest"), room.message("from a guest"), "socket")
    [listed] = await ada.listed()
    assert (listed.id, listed.kind, listed.room, listed.unread) == (room.conversation, "room", room.id, 1)
    await ada.say(room.conversation, "from outside of the call")
    assert await ada.texts(room.conversation) == ["from a guest", "from outside of the call"]


async def test_joining_is_refused_where_chat_is_not_granted(chat: ChatService) -> None:
    ada = await somebody(chat, "Ada")
    made = await ada.create("public")
    mute = Principal("u:mute", "Mute", "", Grants(chat=False), "workspace", 2e9)
    with pytest.raises(Forbidden):
        await chat.conversations.join(mute, JoinConversation(made.id, an_id()))
    with pytest.raises(Forbidden):
        await chat.history(mute, History(made.id))


async def test_everybody_is_called_by_moderators_only_where_there_are_many(
    chat: ChatService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admit, "EVERYBODY_MAX", 1)
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("group", bob)
    assert await refused(bob.say(made.id, "all!", everybody=True)) == "role-insufficient"
    await ada.say(made.id, "all!", everybody=True)
    with pytest.raises(Conflict):
        await chat.conversations.update(
            ada.principal, UpdateConversation((await ada.direct(bob)).id, an_id(), title="no")
        )


async def test_typing_is_told_to_who_looks_and_kept_nowhere(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob, cyd = [await somebody(chat, name) for name in ("Ada", "Bob", "Cyd")]
    made = await ada.create("group", bob)
    reader = Reader()
    subscription = await chat.subscribe(made.id, reader)
    subscription.start(2)
    await chat.passing.typing(bob.principal, Typing(made.id))
    await chat.passing.typing(bob.principal, Typing(made.id, typing=False))
    told = [notice.payload for notice in reader.notices if notice.event == "somebody-typing"]
    assert told == [SomebodyTyping(made.id, bob.id, "Bob", True), SomebodyTyping(made.id, bob.id, "Bob", False)]
    assert await refused(chat.passing.typing(cyd.principal, Typing(made.id))) == "conversation-not-found"
    monkeypatch.setattr("chat.marks.RECEIPT_MEMBERS_MAX", 1)
    assert await refused(chat.passing.typing(bob.principal, Typing(made.id))) == "conversation-too-large"
    assert reader.events == []


async def test_messages_disappear_when_their_time_has_come(chat: ChatService, database: Database) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("group", bob, retention_s=3600)
    said = await ada.say(made.id, "for an hour")
    edited = EditMessage(made.id, an_id(), said.seq, MessageBody("for that hour"))
    event = (await chat.messages.edit(ada.principal, edited)).event
    assert event.expires_at == said.expires_at == said.at + 3_600_000
    async with database.acquire() as db:  # the hour passes
        for table in ("event", "message"):
            await db.execute(
                f"UPDATE chat.{table} SET expires_at = now() WHERE conversation_id = $1 AND expires_at IS NOT NULL",
                made.id,
            )
    assert await bob.texts(made.id) == []
    [listed] = await bob.listed()
    assert (listed.unread, listed.last) == (0, None)
    filled = await chat.fill(bob.principal, Fill(made.id, said.seq - 1))
    assert [each.kind for each in filled.events] == ["x", "x"]
    assert await refused(
        chat.messages.edit(ada.principal, EditMessage(made.id, an_id(), said.seq, MessageBody("no")))
    ) == ("message-not-found")
    while await chat.sweeper.sweep():
        pass
    async with database.acquire() as db:
        rows = await db.fetch("SELECT body::text FROM chat.event WHERE conversation_id = $1", made.id)
        rows += await db.fetch("SELECT body::text FROM chat.message WHERE conversation_id = $1", made.id)
    assert "hour" not in str(rows)
