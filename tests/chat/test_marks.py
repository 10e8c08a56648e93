"""Read marks and counts: forward only, the same on all devices, and what a count from scratch says."""

from __future__ import annotations

import asyncio
import random

import pytest

from chat import consumers
from chat.service import ChatService
from tertulia.bus import LocalBus
from tertulia.catalogue import (
    AddMember,
    Arrange,
    DeleteMessage,
    Fill,
    GetMe,
    GetUnread,
    HideMessage,
    History,
    MarkRead,
    Marks,
    MarkUnread,
    MessageBody,
    Position,
    Readers,
    Receipt,
    SetBlock,
    SetDraft,
    SetPreferences,
)
from tertulia.database import Database
from tertulia.errors import Conflict, TertuliaError
from tests.chat.conftest import Reader, Room
from tests.chat.people import Person, somebody
from tests.chat.replay import an_id


async def recount(chat: ChatService, person: Person, conversation: str) -> tuple[int, int]:
    """Unread and mentions by reading everything there is, as slowly and plainly as can be."""
    [own] = [each for each in await person.listed() if each.id == conversation]
    blocked = set((await chat.personal.me(person.principal, GetMe())).blocked)
    base = min(own.read_no, own.unread_from - 1) if own.unread_from else own.read_no
    unread = mentions = 0
    before: int | None = None
    while True:
        page = await chat.history(person.principal, History(conversation, before=before, limit=100))
        for message in page.messages:
            if message.no is None or message.no <= base or message.sender in {person.id, *blocked}:
                continue
            if message.deleted_at is not None or message.body is None:
                continue
            unread += 1
            mentions += message.body.everybody or person.id in message.body.mentions
        if not page.more:
            return min(100, unread), min(100, mentions)
        before = page.messages[0].seq


async def marks(chat: ChatService, person: Person, conversation: str) -> Marks:
    return await chat.marks.mark_read(person.principal, MarkRead(conversation, 0))


async def test_marks_move_forward_only_in_whatever_order_they_come(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("group", bob)
    said = [await ada.say(made.id, f"{n}") for n in range(10)]
    order = [event.seq for event in said]
    random.Random(3).shuffle(order)
    await asyncio.gather(*(chat.marks.mark_read(bob.principal, MarkRead(made.id, seq)) for seq in order[:5]))
    highest = max(order[:5])
    now = await marks(chat, bob, made.id)
    assert now.read_no == now.delivered_no == highest - said[0].seq + 1
    assert now.unread == 10 - now.read_no
    got = await chat.marks.mark_read(bob.principal, MarkRead(made.id, said[-1].seq, delivered=True))
    assert (got.delivered_no, got.read_no) == (10, now.read_no)
    beyond = await chat.marks.mark_read(bob.principal, MarkRead(made.id, 2**53))
    assert (beyond.read_no, beyond.unread) == (10, 0), "nobody has read what is not there yet"


async def test_marked_unread_counts_until_it_is_read(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("group", bob)
    said = [await ada.say(made.id, f"{n}", mentions=[bob.id]) for n in range(5)]
    await chat.marks.mark_read(bob.principal, MarkRead(made.id, said[-1].seq))
    unread = await chat.marks.mark_unread(bob.principal, MarkUnread(made.id, said[2].seq))
    assert (unread.read_no, unread.unread_from, unread.unread, unread.mentions) == (5, 3, 3, 3)
    assert (await recount(chat, bob, made.id)) == (3, 3)
    read = await chat.marks.mark_read(bob.principal, MarkRead(made.id, said[-1].seq))
    assert (read.unread_from, read.unread) == (0, 0)


async def test_counts_equal_a_recount_after_everything_that_happens(chat: ChatService) -> None:
    """A seeded history of messages, threads, edits, deletions, marks, blocks; the counts are always the same."""
    chance = random.Random(11)
    people = [await somebody(chat, name) for name in ("Ada", "Bob", "Cyd")]
    made = await people[0].create("group", *people[1:])
    seqs: list[tuple[Person, int]] = []
    for step in range(150):
        person = chance.choice(people)
        kind = chance.choices(
            ["say", "thread", "read", "unread", "delete", "hide", "block"], weights=[10, 3, 4, 2, 2, 2, 1]
        )[0]
        try:
            if kind == "say":
                named = [other.id for other in people if chance.random() < 0.3]
                event = await person.say(made.id, f"{step}", mentions=named, everybody=chance.random() < 0.1)
                seqs.append((person, event.seq))
            elif kind == "thread" and seqs:
                await person.say(made.id, f"{step}", thread=chance.choice(seqs)[1])
            elif kind == "read" and seqs:
                asked = MarkRead(made.id, chance.choice(seqs)[1], delivered=chance.random() < 0.3)
                await chat.marks.mark_read(person.principal, asked)
            elif kind == "unread" and seqs:
                await chat.marks.mark_unread(person.principal, MarkUnread(made.id, chance.choice(seqs)[1]))
            elif kind == "delete" and seqs:
                owner, seq = chance.choice(seqs)
                await chat.messages.delete(owner.principal, DeleteMessage(made.id, an_id(), seq))
            elif kind == "hide" and seqs:
                await chat.personal.hide(person.principal, HideMessage(made.id, an_id(), chance.choice(seqs)[1]))
            elif kind == "block":
                other = chance.choice([each for each in people if each is not person])
                blocked = SetBlock(other.id, an_id(), blocked=chance.random() < 0.5)
                await chat.personal.set_block(person.principal, blocked)
        except TertuliaError as error:
            assert error.code in ("message-deleted", "message-not-found", "thread-invalid"), error.code
        if step % 10 == 9:
            for each in people:
                now = await marks(chat, each, made.id)
                unread, mentions = await recount(chat, each, made.id)
                assert now.unread == unread, step
                # A mention in a thread counts too, and a recount of the main line does not see it.
                assert now.mentions >= mentions
                [listed] = [found for found in await each.listed() if found.id == made.id]
                assert (listed.unread, listed.mentions) == (now.unread, now.mentions)
                told = (await chat.marks.unread(each.principal, GetUnread())).conversations
                assert [found.unread for found in told if found.unread] == [n for n in [unread] if n]


async def test_counts_stop_at_a_hundred(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("group", bob)
    await asyncio.gather(*(ada.say(made.id, f"{n}", everybody=True) for n in range(150)))
    now = await marks(chat, bob, made.id)
    assert (now.unread, now.mentions) == (100, 100)
    total = await chat.marks.unread(bob.principal, GetUnread())
    assert (total.unread, total.mentions) == (100, 100)


async def test_readers_are_told_to_small_conversations_only(chat: ChatService, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob, cyd = [await somebody(chat, name) for name in ("Ada", "Bob", "Cyd")]
    made = await ada.create("group", bob, cyd)
    said = await ada.say(made.id, "hello")
    reader = Reader()
    subscription = await chat.subscribe(made.id, reader)
    subscription.start(said.seq)
    await chat.marks.mark_read(bob.principal, MarkRead(made.id, said.seq))
    await chat.marks.mark_read(cyd.principal, MarkRead(made.id, said.seq, delivered=True))
    await chat.marks.mark_read(cyd.principal, MarkRead(made.id, said.seq, delivered=True))
    receipts = [notice.payload for notice in reader.notices if isinstance(notice.payload, Receipt)]
    assert receipts == [Receipt(made.id, bob.id, 1, 1), Receipt(made.id, cyd.id, 1, 0)], "told once a move"
    who = await chat.marks.readers(ada.principal, Readers(made.id, said.seq))
    assert (who.read, who.delivered) == ([bob.id], [cyd.id])
    monkeypatch.setattr("chat.marks.RECEIPT_MEMBERS_MAX", 2)
    with pytest.raises(Conflict) as caught:
        await chat.marks.readers(ada.principal, Readers(made.id, said.seq))
    assert caught.value.code == "conversation-too-large"
    await chat.marks.mark_read(cyd.principal, MarkRead(made.id, said.seq))
    assert len(reader.notices) == 2


async def test_guest_of_a_room_keeps_marks_too(chat: ChatService, room: Room) -> None:
    for n in range(3):
        await chat.send(room.principal("ada"), room.message(f"{n}"), "socket")
    now = await chat.marks.mark_read(room.principal("guest"), MarkRead(room.conversation, 2))
    assert (now.read_no, now.unread) == (2, 1)
    await chat.personal.hide(room.principal("guest"), HideMessage(room.conversation, an_id(), 3))
    page = await chat.history(room.principal("guest"), History(room.conversation))
    assert [message.seq for message in page.messages] == [1, 2]
    assert len((await chat.history(room.principal("ada"), History(room.conversation))).messages) == 3


async def added_to(chat: ChatService, person: Person, start: Position) -> int:
    """To how many conversations somebody's own log says they were brought since then."""
    filled = await chat.fill(person.principal, Fill(start.conversation, start.seq))
    actions = [event.change.action for event in filled.events if event.change is not None]
    return actions.count("conversation-added")


async def test_own_log_tells_every_device_what_changed(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    start = (await chat.personal.me(bob.principal, GetMe())).self
    assert start is not None
    made = await ada.create("group", bob)
    direct = await ada.direct(bob)
    said = await ada.say(made.id, "hello")
    await chat.marks.mark_read(bob.principal, MarkRead(made.id, said.seq))
    await chat.marks.mark_read(bob.principal, MarkRead(made.id, said.seq))
    draft = SetDraft(made.id, an_id(), MessageBody("I was about to"))
    await chat.personal.set_draft(bob.principal, draft)
    await chat.personal.set_draft(bob.principal, draft)
    await chat.personal.arrange(bob.principal, Arrange(made.id, an_id(), muted_until=2**53, pinned=True))
    await chat.personal.set_preferences(bob.principal, SetPreferences(an_id(), {"theme": "dark", "sound": "off"}))
    await chat.personal.set_preferences(bob.principal, SetPreferences(an_id(), {"sound": ""}))
    await chat.personal.hide(bob.principal, HideMessage(made.id, an_id(), said.seq))
    await chat.personal.set_block(bob.principal, SetBlock(ada.id, an_id()))
    # What began earlier is waited for, so one reading may find nothing yet.
    while await added_to(chat, bob, start) < 2:
        await chat.own_logs.read()
    filled = await chat.fill(bob.principal, Fill(start.conversation, start.seq))
    changes = [event.change for event in filled.events if event.change is not None]
    assert all(event.kind == "self" for event in filled.events)
    actions = [str(change.action) for change in changes]
    assert sorted(actions) == sorted(
        ["conversation-added", "conversation-added", "marks", "draft", "arranged", "preferences", "preferences",
         "hidden", "blocked"]
    )  # fmt: skip
    added = {change.conversation for change in changes if change.action == "conversation-added"}
    assert added == {made.id, direct.id}
    me = await chat.personal.me(bob.principal, GetMe())
    assert me.preferences == {"theme": "dark"}
    assert me.blocked == [ada.id]
    [listed] = [each for each in await bob.listed() if each.id == made.id]
    assert (listed.draft, listed.pinned) == (MessageBody("I was about to"), True)
    assert listed.muted_until > 4e12
    await chat.personal.set_draft(bob.principal, SetDraft(made.id, an_id()))
    await chat.personal.arrange(bob.principal, Arrange(made.id, an_id(), muted_until=0))
    [listed] = [each for each in await bob.listed() if each.id == made.id]
    assert (listed.draft, listed.muted_until, listed.pinned) == (None, 0, True)
    with pytest.raises(TertuliaError) as caught:
        await chat.fill(ada.principal, Fill(start.conversation, 0))
    assert caught.value.code == "conversation-not-found", "one's own log is for oneself"
    with pytest.raises(TertuliaError):
        await bob.say(start.conversation, "a note to myself")


async def test_opened_direct_conversation_is_told_without_waiting_for_another_look(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "POLL_S", 3600.0)
    chat = ChatService(database, LocalBus())
    await chat.start()
    try:
        ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
        start = (await chat.personal.me(bob.principal, GetMe())).self
        assert start is not None
        # What woke the readers until now must not be what tells this.
        while await chat.own_logs.behind():
            await chat.own_logs.read()
        await ada.direct(bob)
        async with asyncio.timeout(30):
            while await added_to(chat, bob, start) < 1:  # noqa: ASYNC110 - the log of a person sets no event
                await asyncio.sleep(0.02)
    finally:
        await chat.close()


async def test_own_logs_are_told_once_although_the_outbox_is_read_again(chat: ChatService, database: Database) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    start = (await chat.personal.me(bob.principal, GetMe())).self
    assert start is not None
    made = await ada.create("group", bob)
    while await added_to(chat, bob, start) < 1:
        await chat.own_logs.read()
    async with database.acquire() as db:
        await db.execute(
            "INSERT INTO chat.outbox (conversation_id, seq_lo, seq_hi) VALUES ($1, 1, 2), ($1, 1, 2)", made.id
        )
    cyd = await somebody(chat, "Cyd")
    await chat.conversations.add(ada.principal, AddMember(made.id, an_id(), cyd.id))
    place = (await chat.personal.me(cyd.principal, GetMe())).self
    assert place is not None
    while await added_to(chat, cyd, place) < 1:  # what was put in twice was read before this
        await chat.own_logs.read()
    assert await added_to(chat, bob, start) == 1
