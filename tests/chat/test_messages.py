"""What happens to messages after they were written: edits, deletions, reactions, pins, threads."""

from __future__ import annotations

import asyncio

import pytest

from chat.service import ChatService
from tertulia.catalogue import (
    DeleteMessage,
    EditMessage,
    Edits,
    Event,
    Fill,
    GetMessages,
    Grants,
    History,
    MessageBody,
    PinMessage,
    Pins,
    React,
    ReactionCount,
    Reactions,
    SendMessage,
)
from tertulia.database import Database
from tertulia.errors import BadRequest, Conflict, Forbidden, NotFound, TertuliaError, TooLarge
from tests.chat.conftest import Reader, Room
from tests.chat.replay import an_id, replay, snapshot

THUMB, HEART = "👍", "❤️"


async def say(chat: ChatService, room: Room, text: str, by: str = "ada", **more: object) -> Event:
    body = MessageBody(text, **more)  # type: ignore[arg-type] # its own fields
    return (await chat.messages.send(room.principal(by), SendMessage(room.conversation, an_id(), body), "http")).event


async def edit(
    chat: ChatService, room: Room, seq: int, text: str, by: str = "ada", revision: int | None = None
) -> Event:
    asked = EditMessage(room.conversation, an_id(), seq, MessageBody(text), revision)
    return (await chat.messages.edit(room.principal(by), asked)).event


async def react(chat: ChatService, room: Room, seq: int, emoji: str, by: str = "ada", *, remove: bool = False) -> Event:
    asked = React(room.conversation, an_id(), seq, emoji, remove)
    return (await chat.messages.react(room.principal(by), asked)).event


async def delete(chat: ChatService, room: Room, seq: int, by: str = "ada", grants: Grants | None = None) -> Event:
    asked = DeleteMessage(room.conversation, an_id(), seq)
    return (await chat.messages.delete(room.principal(by, grants), asked)).event


async def pin(chat: ChatService, room: Room, seq: int, pinned: bool = True) -> Event:
    asked = PinMessage(room.conversation, an_id(), seq, pinned)
    return (await chat.messages.pin(room.principal(), asked)).event


async def test_edit_is_an_event_and_history_shows_what_it_made(chat: ChatService, room: Room) -> None:
    first = await say(chat, room, "teh")
    old = await snapshot(chat, room.principal(), room.conversation)
    event = await edit(chat, room, first.seq, "the", revision=first.seq)
    assert (event.kind, event.target, event.seq) == ("edit", 1, 2)
    assert event.no is None
    [message] = (await chat.history(room.principal("bob"), History(room.conversation))).messages
    assert message.body == MessageBody("the")
    assert (message.seq, message.version, message.revision, message.edited_at) == (1, 2, 2, event.at)
    revisions = (await chat.messages.edits(room.principal("bob"), Edits(room.conversation, 1))).revisions
    assert [(revision.seq, revision.body.text) for revision in revisions] == [(1, "teh"), (2, "the")]
    await replay(chat, room.principal(), room.conversation, old)


async def test_edit_from_an_old_revision_is_stale_and_changes_nothing(chat: ChatService, room: Room) -> None:
    first = await say(chat, room, "one")
    await edit(chat, room, first.seq, "two", revision=first.seq)
    with pytest.raises(Conflict) as caught:
        await edit(chat, room, first.seq, "three", revision=first.seq)
    assert caught.value.code == "edit-stale"
    await react(chat, room, first.seq, THUMB, "bob")  # no other body, so no other revision
    assert (await edit(chat, room, first.seq, "three", revision=2)).seq == 4


async def test_two_edits_at_once_from_one_revision_are_one_edit_and_one_refusal(chat: ChatService, room: Room) -> None:
    first = await say(chat, room, "one")
    results = await asyncio.gather(
        *(edit(chat, room, first.seq, text, revision=1) for text in ("two", "three")), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Event"]


async def test_only_the_sender_edits_and_only_sender_or_moderator_deletes(chat: ChatService, room: Room) -> None:
    first = await say(chat, room, "mine")
    with pytest.raises(Forbidden) as caught:
        await edit(chat, room, first.seq, "yours", "bob")
    assert caught.value.code == "role-insufficient"
    with pytest.raises(Forbidden):
        await delete(chat, room, first.seq, "bob")
    await delete(chat, room, first.seq, "bob", Grants(moderate=True))


async def test_deleted_text_is_gone_from_every_answer_and_every_row(
    chat: ChatService, database: Database, room: Room
) -> None:
    first = await say(chat, room, "secret-one", mentions=["bob"])
    await edit(chat, room, first.seq, "secret-two")
    await react(chat, room, first.seq, THUMB, "bob")
    await pin(chat, room, first.seq)
    event = await delete(chat, room, first.seq)
    assert (event.kind, event.target) == ("delete", 1)
    [message] = (await chat.history(room.principal(), History(room.conversation))).messages
    assert (message.body, message.deleted_at, message.reactions, message.pinned_at) == (None, event.at, [], None)
    filled = await chat.fill(room.principal(), Fill(room.conversation, 0))
    assert [each.kind for each in filled.events] == ["x", "x", "reaction", "pin", "delete"]
    assert (await chat.messages.edits(room.principal(), Edits(room.conversation, 1))).revisions == []
    async with database.acquire() as db:
        for table in ("event", "message", "mention", "reaction", "search_doc"):
            rows = await db.fetch(f"SELECT * FROM chat.{table} WHERE conversation_id = $1", room.conversation)
            assert "secret" not in str(rows)
            assert table in ("event", "message") or not rows
    for again in (
        delete(chat, room, 1),
        edit(chat, room, 1, "back"),
        react(chat, room, 1, THUMB),
        pin(chat, room, 1),
    ):
        with pytest.raises(Conflict) as caught:
            await again
        assert caught.value.code == "message-deleted"


async def test_reactions_are_counted_once_a_person_and_emoji(chat: ChatService, room: Room) -> None:
    first = await say(chat, room, "hello")
    old = await snapshot(chat, room.principal("bob"), room.conversation)
    await react(chat, room, 1, THUMB, "bob")
    assert (await react(chat, room, 1, THUMB, "bob")).change.count == 1  # type: ignore[union-attr] # a reaction has one
    await asyncio.gather(*(react(chat, room, 1, THUMB, f"p{n}") for n in range(20)))
    await react(chat, room, 1, HEART, "bob")
    await react(chat, room, 1, THUMB, "p3", remove=True)
    await react(chat, room, 1, THUMB, "p3", remove=True)
    [message] = (await chat.history(room.principal("bob"), History(room.conversation))).messages
    assert message.reactions == [ReactionCount(HEART, 1), ReactionCount(THUMB, 20)]
    assert message.mine == [HEART, THUMB]
    assert (await chat.history(room.principal("ada"), History(room.conversation))).messages[0].mine == []
    await replay(chat, room.principal("bob"), room.conversation, old)
    seen: list[str] = []
    cursor = None
    while True:
        asked = Reactions(room.conversation, first.seq, THUMB, cursor, limit=7)
        page = await chat.messages.reactions(room.principal(), asked)
        seen += [who.user for who in page.reactions]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == 20
    assert set(seen) == {"bob", *(f"p{n}" for n in range(20) if n != 3)}


@pytest.mark.parametrize("emoji", ["a", "ab", " ", "!", "1", "👍 ", "\x00", "\ud800", "x👍", "‮", "‍"])
async def test_reaction_is_an_emoji(chat: ChatService, room: Room, emoji: str) -> None:
    await say(chat, room, "hello")
    with pytest.raises(BadRequest) as caught:
        await react(chat, room, 1, emoji)
    assert caught.value.code == "reaction-invalid"


@pytest.mark.parametrize("emoji", ["👍", "👍🏽", "❤️", "👨‍👩‍👧‍👦", "🇪🇸", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "↔️", "‼️"])
async def test_emoji_of_every_make_are_reactions(chat: ChatService, room: Room, emoji: str) -> None:
    await say(chat, room, "hello")
    assert (await react(chat, room, 1, emoji)).change.emoji == emoji  # type: ignore[union-attr] # a reaction has one


async def test_kinds_of_reactions_are_bounded(chat: ChatService, room: Room) -> None:
    await say(chat, room, "hello")
    for n in range(20):
        await react(chat, room, 1, chr(0x1F600 + n), f"p{n}")
    with pytest.raises(Conflict) as caught:
        await react(chat, room, 1, THUMB, "bob")
    assert caught.value.code == "reactions-full"
    await react(chat, room, 1, chr(0x1F600), "bob")


async def test_pins_are_listed_last_pinned_first_and_bounded(chat: ChatService, room: Room) -> None:
    await asyncio.gather(*(say(chat, room, f"{n}") for n in range(101)))
    old = await snapshot(chat, room.principal(), room.conversation)
    for seq in range(1, 101):
        await pin(chat, room, seq)
    with pytest.raises(Conflict) as caught:
        await pin(chat, room, 101)
    assert caught.value.code == "pins-full"
    await pin(chat, room, 50, False)
    await pin(chat, room, 101)
    pins = (await chat.messages.pins(room.principal(), Pins(room.conversation))).messages
    assert [message.seq for message in pins] == [101, *(n for n in range(100, 0, -1) if n != 50)]
    await replay(chat, room.principal(), room.conversation, old)


async def test_thread_replies_stand_in_the_thread_and_count_on_its_first_message(chat: ChatService, room: Room) -> None:
    root = await say(chat, room, "root")
    old = await snapshot(chat, room.principal(), room.conversation)
    await say(chat, room, "beside")
    replies = [await say(chat, room, f"reply {n}", "bob", thread=root.seq) for n in range(5)]
    assert all(reply.no is None for reply in replies)
    page = await chat.history(room.principal(), History(room.conversation))
    assert [message.seq for message in page.messages] == [1, 2]
    assert (page.messages[0].reply_count, page.messages[0].last_reply_at) == (5, replies[-1].at)
    thread = await chat.history(room.principal(), History(room.conversation, thread=1, limit=3))
    assert [message.seq for message in thread.messages] == [5, 6, 7]
    assert thread.more
    await replay(chat, room.principal(), room.conversation, old)
    for bad in (3, 99):
        with pytest.raises(BadRequest) as caught:
            await say(chat, room, "no", thread=bad)
        assert caught.value.code == "thread-invalid"
    # An edit does not move a message into a thread or out of it.
    asked = EditMessage(room.conversation, an_id(), 3, MessageBody("moved?", thread=2))
    edited = (await chat.messages.edit(room.principal("bob"), asked)).event
    assert edited.body == MessageBody("moved?", thread=1)


async def test_history_goes_both_ways_and_around_a_permalink(chat: ChatService, room: Room) -> None:
    for n in range(20):
        await say(chat, room, f"{n}")

    async def seqs(**asked: int) -> tuple[list[int], bool, bool]:
        page = await chat.history(room.principal(), History(room.conversation, **asked))
        return [message.seq for message in page.messages], page.more, page.newer

    assert await seqs(limit=3) == ([18, 19, 20], True, False)
    assert await seqs(limit=3, before=18) == ([15, 16, 17], True, True)
    assert await seqs(limit=30, before=4) == ([1, 2, 3], False, True)
    assert await seqs(limit=3, after=0) == ([1, 2, 3], True, True)
    assert await seqs(limit=5, after=17) == ([18, 19, 20], False, False)
    assert await seqs(limit=6, around=10) == ([7, 8, 9, 10, 11, 12], True, True)
    assert await seqs(limit=6, around=2) == ([1, 2, 3, 4], False, True)
    assert await seqs(limit=6, around=20) == ([15, 16, 17, 18, 19, 20], True, False)
    assert await seqs(limit=1, around=7) == ([7], True, True)
    found = await chat.messages.messages(room.principal(), GetMessages(room.conversation, [3, 99, 1]))
    assert [message.seq for message in found.messages] == [1, 3]


async def test_repeated_change_is_one_event_and_another_change_of_that_id_a_conflict(
    chat: ChatService, room: Room
) -> None:
    await say(chat, room, "one")
    asked = React(room.conversation, an_id(), 1, THUMB)
    first = await chat.messages.react(room.principal(), asked)
    again = await asyncio.gather(*(chat.messages.react(room.principal(), asked) for _ in range(5)))
    assert all(each == first for each in again)
    for other in (
        chat.messages.delete(room.principal(), DeleteMessage(room.conversation, asked.client_id, 1)),
        chat.messages.react(room.principal(), React(room.conversation, asked.client_id, 1, HEART)),
        chat.messages.react(room.principal(), React(room.conversation, asked.client_id, 1, THUMB, True)),
    ):
        with pytest.raises(Conflict) as caught:
            await other
        assert caught.value.code == "client-id-reused"


async def test_refused_change_takes_no_number_and_fails_no_neighbour(chat: ChatService, room: Room) -> None:
    await say(chat, room, "one")
    results = await asyncio.gather(
        say(chat, room, "two"),
        edit(chat, room, 77, "nothing there"),
        say(chat, room, "three"),
        react(chat, room, 1, "👎", "bob"),
        edit(chat, room, 1, "not mine", "bob"),
        say(chat, room, "four", thread=55),
        say(chat, room, "five"),
        return_exceptions=True,
    )
    assert [type(result).__name__ for result in results] == [
        "Event", "NotFound", "Event", "Event", "Forbidden", "BadRequest", "Event",
    ]  # fmt: skip
    assert sorted(result.seq for result in results if isinstance(result, Event)) == [2, 3, 4, 5]


async def test_change_in_the_batch_of_its_message_is_folded_into_it(chat: ChatService, room: Room) -> None:
    """A message, its edit and its reaction may wait for the same transaction."""
    reader = Reader()
    subscription = await chat.subscribe(room.conversation, reader)
    subscription.start(0)
    jobs = [say(chat, room, "first"), edit(chat, room, 1, "second"), react(chat, room, 1, THUMB, "bob")]
    await asyncio.gather(*jobs)
    [message] = (await chat.history(room.principal(), History(room.conversation))).messages
    assert message.body == MessageBody("second")
    assert message.reactions == [ReactionCount(THUMB, 1)]
    assert [event.kind for event in reader.events] == ["message", "edit", "reaction"]
    assert reader.events[0].body == MessageBody("first")
    await replay(
        chat, room.principal(), room.conversation, type(await snapshot(chat, room.principal(), room.conversation))()
    )


@pytest.mark.parametrize(
    ("text", "error"), [("x" * 4001, TooLarge), (" ", BadRequest), ("a\x00", BadRequest), ("\ud800", BadRequest)]
)
async def test_edit_is_checked_like_a_message(
    chat: ChatService, room: Room, text: str, error: type[TertuliaError]
) -> None:
    await say(chat, room, "one")
    with pytest.raises(error):
        await edit(chat, room, 1, text)


async def test_outsider_learns_nothing_of_messages(chat: ChatService, room: Room) -> None:
    await say(chat, room, "one")
    stranger = Room("another-room", room.conversation)
    for attempt in (
        edit(chat, stranger, 1, "two"),
        delete(chat, stranger, 1),
        react(chat, stranger, 1, THUMB),
        chat.messages.pins(stranger.principal(), Pins(room.conversation)),
        chat.messages.edits(stranger.principal(), Edits(room.conversation, 1)),
        chat.messages.reactions(stranger.principal(), Reactions(room.conversation, 1)),
        chat.messages.messages(stranger.principal(), GetMessages(room.conversation, [1])),
    ):
        with pytest.raises(NotFound) as caught:
            await attempt
        assert caught.value.code == "conversation-not-found"


@pytest.mark.parametrize("cursor", ["x", "WzFd", "!!", "bnVsbA", "W10", "é"])
async def test_bad_cursor_is_refused(chat: ChatService, room: Room, cursor: str) -> None:
    await say(chat, room, "one")
    with pytest.raises(BadRequest) as caught:
        await chat.messages.reactions(room.principal(), Reactions(room.conversation, 1, cursor=cursor))
    assert caught.value.code == "cursor-invalid"
