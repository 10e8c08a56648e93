"""Search: what is found by which words, in every script, and never what is not for the asker."""

from __future__ import annotations

import asyncio
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.consumers import Range
from chat.messages import PAGE_BYTES_MAX
from chat.search import Index
from chat.service import ChatService
from chat.words import WORDS_MAX, query, words
from tertulia.catalogue import (
    DeleteMessage,
    EditMessage,
    HideMessage,
    LeaveConversation,
    MessageBody,
    PinMessage,
    React,
    Search,
)
from tertulia.database import Database
from tertulia.errors import BadRequest, TertuliaError
from tests.chat.conftest import Room
from tests.chat.people import Person, somebody
from tests.chat.replay import an_id


async def index_all(chat: ChatService) -> None:
    """Read the outbox until the index has had everything; transactions that still run keep it from the newest rows."""
    async with asyncio.timeout(60):
        while await chat.index.read() or await chat.index.behind():  # noqa: ASYNC110 - for other transactions to end
            await asyncio.sleep(0.01)


async def find(person: Person, text: str = "", **more: object) -> list[str]:
    chat = person.chat
    await index_all(chat)
    found: list[str] = []
    cursor = None
    while True:
        asked = Search(text, cursor=cursor, limit=2, **more)  # type: ignore[arg-type] # its own fields
        page = await chat.finding.search(person.principal, asked, PAGE_BYTES_MAX)
        found += [message.body.text for message in page.messages if message.body is not None]
        cursor = page.next
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("The quick brown fox", "QUICK fox"),
        ("The quick brown fox", "bro"),
        ("Un café à Paris", "cafe paris"),
        ("Un cafe a Paris", "café"),
        ("Straße", "strasse"),
        ("東京都に住んでいます", "東京"),
        ("東京都に住んでいます", "京都"),
        ("東京都に住んでいます", "都"),
        ("ｶﾀｶﾅ", "カタカナ"),
        ("안녕하세요 여러분", "안녕"),
        ("我们在北京见面", "北京"),
        ("Привет, мир", "привет"),
        ("γειά σου", "γεια"),
        ("שלום עולם", "שלום"),
        ("नमस्ते दुनिया", "नमस्ते"),
        ("version 2.14.3", "2.14"),
        ("C++ & 'quotes' | (brackets):*", "quotes"),
    ],
)
async def test_words_are_found_however_they_are_written(chat: ChatService, text: str, asked: str) -> None:
    ada = await somebody(chat, "Ada")
    made = await ada.create()
    await ada.say(made.id, text)
    await ada.say(made.id, "something else entirely")
    assert await find(ada, asked) == [text]


@pytest.mark.parametrize(
    ("text", "asked"),
    [("The quick fox", "quick dog"), ("東京都", "京東"), ("ばす", "はす"), ("in quick words", "uick")],
)
async def test_what_is_not_there_is_not_found(chat: ChatService, text: str, asked: str) -> None:
    ada = await somebody(chat, "Ada")
    await ada.say((await ada.create()).id, text)
    assert await find(ada, asked) == []


async def test_filters_narrow_and_are_enough_without_words(chat: ChatService) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    one, two = await ada.create("group", bob), await ada.create("group", bob)
    first = await ada.say(one.id, "apple one")
    await bob.say(one.id, "apple two https://example.org")
    last = await bob.say(two.id, "apple three", mentions=[ada.id])
    reply = await ada.say(two.id, "apple four", thread=last.seq)
    await chat.messages.react(ada.principal, React(one.id, an_id(), first.seq, "👍"))
    await chat.messages.pin(ada.principal, PinMessage(two.id, an_id(), last.seq))
    assert await find(ada, "apple") == ["apple four", "apple three", "apple two https://example.org", "apple one"]
    assert await find(ada, "apple", sender=bob.id) == ["apple three", "apple two https://example.org"]
    assert await find(ada, "apple", conversation=one.id) == ["apple two https://example.org", "apple one"]
    assert await find(ada, has=["link"]) == ["apple two https://example.org"]
    assert await find(ada, has=["mention"]) == ["apple three"]
    assert await find(ada, has=["reaction"]) == ["apple one"]
    assert await find(ada, has=["pin", "thread"]) == ["apple three"]
    assert await find(ada, has=["thread"]) == ["apple four", "apple three"]
    assert await find(ada, "apple", before=first.at) == []
    assert await find(ada, "apple", after=reply.at, before=2**53) == []
    assert len(await find(ada, "apple", after=first.at - 1)) == 4
    for asked in (Search(), Search("?!"), Search("  ", has=[])):
        with pytest.raises(BadRequest) as caught:
            await chat.finding.search(ada.principal, asked, PAGE_BYTES_MAX)
        assert caught.value.code == "search-empty"


async def test_only_what_the_asker_may_see_is_found(chat: ChatService, room: Room) -> None:
    ada, bob, cyd = [await somebody(chat, name) for name in ("Ada", "Bob", "Cyd")]
    made = await ada.create("public", history_from_join=True)
    await ada.say(made.id, "pomegranate before")
    await bob.join(made.id)
    await ada.say(made.id, "pomegranate after")
    await chat.send(room.principal("guest"), room.message("pomegranate in a room"), "socket")
    assert await find(bob, "pomegranate") == ["pomegranate after"]
    assert await find(cyd, "pomegranate") == []
    with pytest.raises(TertuliaError):
        await find(cyd, "pomegranate", conversation=made.id)
    asked = Search("pomegranate", conversation=room.conversation)
    found = await chat.finding.search(room.principal("other"), asked, PAGE_BYTES_MAX)
    assert [message.body.text for message in found.messages if message.body] == ["pomegranate in a room"]
    with pytest.raises(TertuliaError) as caught:
        await chat.finding.search(room.principal(ada.id), Search("pomegranate"), PAGE_BYTES_MAX)
    assert caught.value.code == "workspace-needed"
    await chat.conversations.leave(bob.principal, LeaveConversation(made.id, an_id()))
    assert await find(bob, "pomegranate") == []


async def test_edited_deleted_hidden_and_expired_text_is_not_found_any_more(
    chat: ChatService, database: Database
) -> None:
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    made = await ada.create("group", bob)
    said = [await ada.say(made.id, f"quince {n}") for n in range(4)]
    assert len(await find(bob, "quince")) == 4
    edit = EditMessage(made.id, an_id(), said[0].seq, MessageBody("medlar 0"))
    await chat.messages.edit(ada.principal, edit)
    # Before the index is brought up to date too: it counts only while it is of the message's revision.
    asked = Search("quince", limit=10)
    page = await chat.finding.search(bob.principal, asked, PAGE_BYTES_MAX)
    assert "quince 0" not in [message.body.text for message in page.messages if message.body]
    assert await find(bob, "medlar") == ["medlar 0"]
    await chat.messages.delete(ada.principal, DeleteMessage(made.id, an_id(), said[1].seq))
    await chat.personal.hide(bob.principal, HideMessage(made.id, an_id(), said[2].seq))
    async with database.acquire() as db:
        await db.execute(
            "UPDATE chat.message SET expires_at = now() WHERE conversation_id = $1 AND seq = $2", made.id, said[3].seq
        )
    assert await find(bob, "quince") == []
    assert await find(ada, "quince") == ["quince 2"]
    assert await chat.sweeper.sweep() >= 1
    async with database.acquire() as db:
        left = await db.fetch("SELECT tsv::text FROM chat.search_doc WHERE conversation_id = $1", made.id)
        events = await db.fetch("SELECT body::text FROM chat.event WHERE conversation_id = $1", made.id)
    assert "'3'" not in str(left)
    assert "quince 3" not in str(events)
    assert len(left) == 2


async def test_edit_and_index_at_once_end_with_the_newest_text(chat: ChatService) -> None:
    ada = await somebody(chat, "Ada")
    made = await ada.create()
    said = await ada.say(made.id, "word0")

    async def index() -> None:
        for _ in range(20):
            await chat.index.read()

    async def edit() -> None:
        for n in range(1, 20):
            asked = EditMessage(made.id, an_id(), said.seq, MessageBody(f"word{n}"))
            await chat.messages.edit(ada.principal, asked)

    await asyncio.gather(index(), edit())
    assert await find(ada, "word19") == ["word19"]
    assert await find(ada, "word3 ") == []


async def test_text_that_is_indexed_while_it_is_deleted_leaves_the_index(chat: ChatService, database: Database) -> None:
    ada = await somebody(chat, "Ada")
    made = await ada.create()
    said = await ada.say(made.id, "whispered")
    async with database.transaction() as db:
        # The index has read the text and not yet committed when the message is deleted.
        await Index().handle(db, [Range(made.id, said.seq, said.seq)])
        await chat.messages.delete(ada.principal, DeleteMessage(made.id, an_id(), said.seq))
    await index_all(chat)
    async with database.acquire() as db:
        assert await db.fetch("SELECT seq FROM chat.search_doc WHERE conversation_id = $1", made.id) == []


@given(st.text(max_size=200))
def test_every_text_is_taken_apart_into_words_that_can_be_stored(text: str) -> None:
    found = words(text)
    assert len(found) == len(set(found)) <= WORDS_MAX
    assert all(word and "\x00" not in word for word in found)
    for word, _ in query(text):
        assert word


@given(st.lists(st.text(alphabet=st.characters(categories=["Ll", "Lo"]), min_size=1, max_size=8), max_size=5))
def test_every_word_of_a_text_finds_it(parts: list[str]) -> None:
    text = " ".join(parts)
    found = set(words(text))
    for part in parts:
        assert {word for word, prefix in query(part) if not prefix} <= found
        for word, prefix in query(part):
            assert not prefix or any(each.startswith(word) for each in found), unicodedata.name(part[0], "?")
