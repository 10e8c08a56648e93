"""Presence of people: who is told that somebody comes, goes, hides, and who is not."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest

from chat import presence_store
from chat.leases import Timing
from chat.presence_hint import PEOPLE_MAX, PeopleHint
from chat.service import ChatService
from chat.watchers import Watcher
from tertulia.bus import LocalBus
from tertulia.catalogue import (
    WATCHED_MAX,
    MarkRead,
    PersonPresence,
    PresenceList,
    Readers,
    Receipt,
    SetBlock,
    SetStatus,
    SomebodyTyping,
    Typing,
    Watch,
)
from tertulia.database import Database
from tertulia.errors import BadRequest, TertuliaError
from tertulia.frames import convert
from tests.chat.conftest import Reader, Room
from tests.chat.people import Person, somebody
from tests.chat.replay import an_id
from tests.waiting import until

QUICK = Timing(lease_s=60, renew_s=0.1, grace_s=0.01, pause_s=0.01)
PATIENT = Timing(lease_s=60, renew_s=0.1, grace_s=3600, pause_s=0.01)
MORTAL = Timing(lease_s=0.5, renew_s=0.1, grace_s=3600, pause_s=0.01)

MakeNode = Callable[[Timing], Awaitable[ChatService]]


@pytest.fixture
async def node(database: Database) -> AsyncIterator[MakeNode]:
    """Makes processes on one database and one bus."""
    bus = LocalBus()
    async with AsyncExitStack() as stack:

        async def make(timing: Timing) -> ChatService:
            service = ChatService(database, bus, timing)
            await service.start()
            stack.push_async_callback(service.close)
            return service

        yield make


class Looker(Reader):
    """Somebody's connection that watches others."""

    def __init__(self, who: Person) -> None:
        super().__init__()
        self.who = who
        self.answer: list[PersonPresence] = []
        self.watcher: Watcher | None = None

    async def watch(self, *people: Person, at: ChatService | None = None) -> None:
        chat = at or self.who.chat
        asked = Watch([each.id for each in people])
        answer, watcher = await chat.presence.follow(self.who.principal, asked, self)
        self.answer, self.watcher = answer.people, watcher
        chat.presence.begin(watcher)

    def told(self, person: Person) -> list[str]:
        """What was said of somebody, in order."""
        notices = [n.payload.people for n in self.notices if isinstance(n.payload, PresenceList)]
        return [each.status for people in [self.answer, *notices] for each in people if each.id == person.id]

    def last(self, person: Person) -> str:
        return self.told(person)[-1]


async def pair(chat: ChatService) -> tuple[Person, Person]:
    """Two people with a conversation."""
    ada, bob = await somebody(chat, "Ada"), await somebody(chat, "Bob")
    await ada.direct(bob)
    return ada, bob


async def looking(who: Person, *at: Person) -> Looker:
    looker = Looker(who)
    await looker.watch(*at)
    return looker


async def test_two_people_see_each_other_come_and_go(node: MakeNode) -> None:
    chat = await node(QUICK)
    ada, bob = await pair(chat)
    of_bob, of_ada = await looking(ada, bob), await looking(bob, ada)
    chat.presence.came(ada.principal)
    chat.presence.came(bob.principal)
    await until(lambda: of_bob.last(bob) == of_ada.last(ada) == "online")
    chat.presence.went(bob.principal)
    await until(lambda: of_bob.last(bob) == "offline")
    assert of_bob.told(bob) == ["offline", "online", "offline"]
    assert of_ada.told(ada) == ["offline", "online"]
    [gone] = (await chat.presence.watch(ada.principal, Watch([bob.id]))).people
    assert gone.last_seen is not None


async def test_lost_socket_that_comes_back_is_no_news(node: MakeNode) -> None:
    chat = await node(PATIENT)
    ada, bob = await pair(chat)
    chat.presence.came(bob.principal)
    looker = await looking(ada, bob)
    await until(lambda: looker.last(bob) == "online")
    for _ in range(3):
        chat.presence.went(bob.principal)
        chat.presence.came(bob.principal)
    chat.presence.went(bob.principal)
    # Told after all that, to the same watcher: nothing of the above was told before it.
    await chat.presence.set_status(bob.principal, SetStatus("away"))
    await until(lambda: looker.last(bob) == "away")
    assert looker.told(bob)[-2:] == ["online", "away"]
    assert looker.told(bob).count("offline") <= 1, "only before bob came"


async def test_several_devices_are_one_person(node: MakeNode) -> None:
    chat = await node(QUICK)
    ada, bob = await pair(chat)
    looker = await looking(ada, bob)
    for _ in range(3):
        chat.presence.came(bob.principal)
    await until(lambda: looker.last(bob) == "online")
    chat.presence.went(bob.principal)
    chat.presence.went(bob.principal)
    await chat.presence.set_status(bob.principal, SetStatus("dnd", "in a lesson"))
    await until(lambda: looker.last(bob) == "dnd")
    chat.presence.went(bob.principal)
    await until(lambda: looker.last(bob) == "offline")
    assert looker.told(bob) == ["offline", "online", "dnd", "offline"]


async def test_two_nodes_are_one_service(node: MakeNode) -> None:
    one, two = await node(QUICK), await node(QUICK)
    ada, bob = await pair(one)
    looker = Looker(ada)
    await looker.watch(bob, at=one)
    two.presence.came(bob.principal)
    await until(lambda: looker.last(bob) == "online")
    one.presence.came(bob.principal)
    await until(lambda: bob.id not in one.presence._leases._changed)
    two.presence.went(bob.principal)
    await until(lambda: bob.id not in two.presence._leases._sockets and not two.presence._leases._changed)
    await one.presence.set_status(bob.principal, SetStatus("away"))
    await until(lambda: looker.last(bob) == "away")
    assert looker.told(bob) == ["offline", "online", "away"], "bob never was away from both nodes"


async def test_lease_of_a_node_that_dies_runs_out(node: MakeNode) -> None:
    one, dying = await node(MORTAL), await node(MORTAL)
    ada, bob = await pair(one)
    eve = await somebody(one, "Eve")
    await ada.direct(eve)
    looker = Looker(ada)
    await looker.watch(bob, eve, at=one)
    dying.presence.came(bob.principal)
    one.presence.came(eve.principal)
    await until(lambda: looker.last(bob) == looker.last(eve) == "online")
    # It neither renews nor says goodbye from here on, as after a kill.
    for task in (dying.presence._beats, dying.presence._leases._task):
        assert task is not None
        task.cancel()
    await until(lambda: looker.last(bob) == "offline")
    assert looker.told(bob) == ["offline", "online", "offline"]
    assert looker.told(eve) == ["offline", "online"], "those of the node that lives are renewed"
    await one._core.change(presence_store.sweep)
    [gone] = (await one.presence.watch(ada.principal, Watch([bob.id]))).people
    assert gone.last_seen is not None


async def test_node_that_stops_leaves_its_people_the_grace_to_come_back(node: MakeNode, database: Database) -> None:
    one, two = await node(MORTAL), await node(QUICK)
    ada, bob = await pair(one)
    looker = Looker(ada)
    await looker.watch(bob, at=one)
    two.presence.came(bob.principal)
    await until(lambda: looker.last(bob) == "online")
    await two.presence.close()
    await until(lambda: looker.last(bob) == "offline")


async def test_invisible_is_offline_to_others_and_leaves_no_traces(node: MakeNode) -> None:
    chat = await node(QUICK)
    ada, bob = await pair(chat)
    talk = (await ada.direct(bob)).id
    chat.presence.came(bob.principal)
    of_bob, of_oneself = await looking(ada, bob), await looking(bob, bob)
    await until(lambda: of_bob.last(bob) == of_oneself.last(bob) == "online")
    await chat.presence.set_status(bob.principal, SetStatus("invisible", "secret"))
    await until(lambda: of_bob.last(bob) == "offline" and of_oneself.last(bob) == "invisible")
    [hidden] = (await chat.presence.watch(ada.principal, Watch([bob.id]))).people
    assert hidden.text == ""
    said = await ada.say(talk, "are you there?")
    reader = Reader()
    (await chat.subscribe(talk, reader)).start(said.seq)
    await chat.passing.typing(bob.principal, Typing(talk))
    marks = await chat.marks.mark_read(bob.principal, MarkRead(talk, said.seq))
    assert (marks.read_no, marks.unread) == (said.no, 0), "one's own count moves"
    assert (await chat.marks.readers(ada.principal, Readers(talk, said.seq))).read == []
    assert (await chat.marks.readers(bob.principal, Readers(talk, said.seq))).read == [bob.id]
    assert not [n for n in reader.notices if isinstance(n.payload, SomebodyTyping | Receipt)]
    # To go is no news of who was not there, nor does it move when they were last seen.
    chat.presence.went(bob.principal)
    await until(lambda: of_oneself.last(bob) == "offline")
    assert (await chat.presence.watch(ada.principal, Watch([bob.id]))).people == [hidden]
    chat.presence.came(bob.principal)
    await until(lambda: of_oneself.last(bob) == "invisible")
    await chat.presence.set_status(bob.principal, SetStatus("online"))
    await until(lambda: of_bob.last(bob) == "online")
    await chat.passing.typing(bob.principal, Typing(talk))
    assert [n.payload.user for n in reader.notices if isinstance(n.payload, SomebodyTyping)] == [bob.id]
    assert of_bob.told(bob)[-3:] == ["online", "offline", "online"]


async def test_only_those_who_share_a_conversation_are_told(node: MakeNode) -> None:
    chat = await node(QUICK)
    ada, bob = await pair(chat)
    eve, mallory = await somebody(chat, "Eve"), await somebody(chat, "Mallory")
    await bob.direct(mallory)
    await chat.personal.set_block(bob.principal, SetBlock(mallory.id, an_id()))
    lookers = [await looking(each, bob) for each in (ada, eve, mallory)]
    chat.presence.came(bob.principal)
    await until(lambda: lookers[0].last(bob) == "online")
    assert [looker.told(bob) for looker in lookers[1:]] == [[], []]
    # A room's token opens its room, whatever its identity is called.
    room = Room("room", str(uuid.uuid4()))
    for ask in (
        chat.presence.watch(room.principal(ada.id), Watch([bob.id])),
        chat.presence.set_status(room.principal(bob.id), SetStatus("away")),
    ):
        with pytest.raises(TertuliaError) as refused:
            await ask
        assert refused.value.code == "workspace-needed"
    chat.presence.came(room.principal(eve.id))
    await eve.direct(ada)
    assert [each.status for each in (await chat.presence.watch(ada.principal, Watch([eve.id]))).people] == ["offline"]


async def test_watching_anew_replaces_and_ends(node: MakeNode) -> None:
    chat = await node(QUICK)
    ada, bob = await pair(chat)
    looker, other = await looking(ada, bob), await looking(ada, bob)
    assert looker.watcher is not None
    chat.presence.end(looker.watcher)
    chat.presence.came(bob.principal)
    await until(lambda: other.last(bob) == "online")
    assert looker.told(bob) == ["offline"]
    assert other.watcher is not None
    chat.presence.end(other.watcher)
    assert not chat.presence._watchers._by_person


async def test_too_slow_watcher_is_told_later_what_is_true_then(node: MakeNode) -> None:
    chat = await node(QUICK)
    ada, bob = await pair(chat)
    slow, other = await looking(ada, bob), await looking(ada, bob)
    slow.open = False
    for status in ("away", "dnd"):
        await chat.presence.set_status(bob.principal, SetStatus(status))
    chat.presence.came(bob.principal)
    await until(lambda: other.last(bob) == "dnd")
    slow.open = True
    await until(lambda: slow.last(bob) == "dnd")
    assert slow.told(bob) == ["offline", "dnd"]


async def test_changes_are_told_together(node: MakeNode) -> None:
    chat = await node(Timing(pause_s=3600))
    ada, bob = await pair(chat)
    eve = await somebody(chat, "Eve")
    await ada.direct(eve)
    looker = await looking(ada, bob, eve)
    watchers = chat.presence._watchers
    await until(lambda: not watchers._doubtful)  # the first look; the next comes in an hour
    for each in (bob, eve):
        chat.presence.came(each.principal)
        await chat.presence.set_status(each.principal, SetStatus("away"))
        await chat.presence.set_status(each.principal, SetStatus("dnd"))
    await until(lambda: not chat.presence._leases._changed and {bob.id, eve.id} <= watchers._doubtful)
    await chat.presence._leases.save()
    assert looker.notices == []
    await watchers.look()
    [notice] = looker.notices
    assert isinstance(notice.payload, PresenceList)
    assert {(each.id, each.status) for each in notice.payload.people} == {(bob.id, "dnd"), (eve.id, "dnd")}


def test_bounds() -> None:
    people = [f"u:{n}" for n in range(WATCHED_MAX)]
    assert convert({"people": people}, Watch).people == people
    for wrong in ({"people": [*people, "u:more"]}, {"people": ["\x00"]}):
        with pytest.raises(BadRequest) as refused:
            convert(wrong, Watch)
        assert refused.value.code == "frame-invalid"
    with pytest.raises(BadRequest):
        convert({"status": "away", "text": "x" * 101}, SetStatus)
    with pytest.raises(BadRequest):
        convert({"status": "offline"}, SetStatus)


async def test_text_that_cannot_be_stored_is_refused(chat: ChatService) -> None:
    ada = await somebody(chat, "Ada")
    with pytest.raises(BadRequest) as refused:
        await chat.presence.set_status(ada.principal, SetStatus("away", "a\x00b"))
    assert refused.value.code == "text-invalid"


def test_hint_stays_small_and_never_forgets_anybody() -> None:
    names = [f"{n:064}" for n in range(PEOPLE_MAX)]
    full = PeopleHint.of(names)
    assert len(full.to_bus()) <= 1024
    assert PeopleHint.from_bus(full.to_bus()) == full
    assert PeopleHint.of(names[:2]).joined(PeopleHint.of(names[1:])) == full
    for everybody in (full.joined(PeopleHint.of(["ada"])), PeopleHint.of([*names, "ada"])):
        assert everybody.people is None
        assert PeopleHint.from_bus(everybody.to_bus()) == everybody
