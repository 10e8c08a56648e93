"""Clients over all doors and both nodes of a server, through a network that cuts, delays, half-closes and swallows.

Hypothesis chooses what happens; the model is small: what was acknowledged is in the conversation once, what is not yet
is sent until it is. The checker judges the rest. A failure shows its ``seed``; ``MODEL_SEED`` repeats it.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import asyncpg
import hypothesis
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from tests.torture import audit, net
from tests.torture.checker import check, lines
from tests.torture.device import Device
from tests.torture.history import Recorder
from tests.torture.node import BadNode, bad_node
from tests.torture.parts import Counts, Run
from tests.torture.people import make_device, make_place
from tests.torture.settling import arrives, settle
from tests.torture.wire import Lost, Refused

T = TypeVar("T")

NODES = ("a", "b")
PEOPLE = ("ada", "bob", "cy", "dan")
RUNS = int(os.environ.get("MODEL_RUNS", "5"))
STEPS = int(os.environ.get("MODEL_STEPS", "50"))
SEED = int(os.environ.get("MODEL_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)

who = st.integers(0, len(PEOPLE) - 1)
node = st.integers(0, len(NODES) - 1)
door = st.sampled_from(("http", "socket", "socket", "channel"))


class World:
    """What outlives an example: the nodes and the loop that everything runs on."""

    def __init__(self, dsn: str, directory: Path) -> None:
        self.dsn = dsn
        self.runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._directory = directory
        self.nodes: list[BadNode] = []
        self.counts = Counts()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    async def start(self) -> None:
        environment = {"TERTULIA_DATABASE_DSN": self.dsn}
        for name in NODES:
            made = bad_node(name, self._directory / name, environment)
            self.nodes.append(await self._stack.enter_async_context(made))
        self.db = await asyncpg.connect(self.dsn)

    async def stop(self) -> None:
        await self.db.close()
        await self._stack.aclose()


class Conversation(RuleBasedStateMachine):
    """One room, its people, and everything that may happen to them."""

    world: ClassVar[World]

    @initialize()
    def begin(self) -> None:
        self.recorder = Recorder()
        self.texts: set[str] = set()
        self.world.do(self._begin())

    async def _begin(self) -> None:
        self.run = Run(self.recorder, net.session(10.0), self.world.counts)
        first = self.world.nodes[0].node
        place = await make_place(self.run, first, "Model")
        self.people = [await make_device(self.run, first, place, name) for name in PEOPLE]
        for number, device in enumerate(self.people[:-1]):
            await device.connect(self.world.nodes[number % len(NODES)].node)

    # --- what clients do -------------------------------------------------------------------------------------------

    @rule(who=who, node=node, call=st.sampled_from((False, False, False, True)))
    def connect(self, who: int, node: int, call: bool) -> None:
        self.world.do(self.people[who].connect(self.world.nodes[node].node, call))

    @rule(who=who, door=door, count=st.integers(1, 5))
    def send(self, who: int, door: str, count: int) -> None:
        self.world.do(self._send_many(who, door, count))

    async def _send_many(self, who: int, door: str, count: int) -> None:
        await asyncio.gather(*(self._send(who, door) for _ in range(count)))

    async def _send(self, who: int, door: str, thread: int | None = None) -> None:
        device = self.people[who]
        text = f"text {len(self.texts)}"
        self.texts.add(text)
        await device.send(text, door if device.has(door) else "http", thread)

    @precondition(lambda self: any(device.unacknowledged for device in self.people))
    @rule(door=door, node=node)
    def resend(self, door: str, node: int) -> None:
        """What got no answer goes again with the same id, over any door and node."""
        device = next(device for device in self.people if device.unacknowledged)
        if not device.online:
            device.node = self.world.nodes[node].node
        client_id = next(iter(device.unacknowledged))
        self.world.do(device.resend(client_id, door if device.has(door) else "http"))

    @precondition(lambda self: any(device.acknowledged for device in self.people))
    @rule(door=door, which=st.integers(0, 1000))
    def repeat(self, door: str, which: int) -> None:
        """A request that was answered arrives once more, as from a network that doubles."""
        device = next(device for device in self.people if device.acknowledged)
        message = device.acknowledged[which % len(device.acknowledged)]
        self.world.do(self._ask(device, door, "send-message", message))

    @rule(who=who, door=door)
    def read(self, who: int, door: str) -> None:
        self.world.do(self._ask(self.people[who], door, "history", {"conversation": self.people[0].place.conversation}))

    @rule(who=who, back=st.integers(0, 600))
    def sync_from_before(self, who: int, back: int) -> None:
        """Resume from any position once held."""
        view = self.people[who].view
        known = [event for seq, event in view.events.items() if seq >= view.seq - back]
        if known and self.people[who].has("socket"):
            position = {"conversation": view.conversation, "seq": known[0]["seq"], "tag": known[0]["id"][:8]}
            self.world.do(self._ask(self.people[who], "socket", "sync", {"positions": [position]}))

    async def _ask(self, device: Device, door: str, event: str, payload: dict[str, Any]) -> None:
        try:
            await device.ask(door if device.has(door) else "http", event, payload)
        except (Lost, Refused):
            pass  # recorded

    @rule(
        who=who,
        door=door,
        kind=st.sampled_from(("react", "reply", "reply", "edit", "delete", "pin")),
        back=st.integers(0, 9),
    )
    def change(self, who: int, door: str, kind: str, back: int) -> None:
        """Something is done to one of the newest messages that somebody shows."""
        self.world.do(self._change(self.people[who], door, kind, back))

    async def _change(self, device: Device, door: str, kind: str, back: int) -> None:
        shown = [seq for seq, message in sorted(device.view.messages.items()) if not message["deleted"]]
        own = [seq for seq in shown if device.view.events.get(seq, {}).get("sender") == device.identity]
        candidates = own if kind in ("edit", "delete") else shown
        if not candidates:
            return
        seq = candidates[-1 - back % len(candidates)]
        door = door if device.has(door) else "http"
        if kind == "reply":
            if device.view.messages[seq]["thread"] is None:
                await self._send(self.people.index(device), door, seq)
        elif kind == "react":
            await device.change("react", {"seq": seq, "emoji": "👍", "remove": back % 3 == 0}, door)
        elif kind == "pin":
            await device.change("pin-message", {"seq": seq, "pinned": back % 3 > 0}, door)
        elif kind == "edit":
            await device.change("edit-message", {"seq": seq, "body": {"text": f"edited {len(self.texts)}"}}, door)
        else:
            await device.change("delete-message", {"seq": seq}, door)

    @rule(who=who, door=door, back=st.integers(0, 20))
    def mark(self, who: int, door: str, back: int) -> None:
        device = self.people[who]
        door = door if device.has(door) else "http"
        self.world.do(device.mark(max(0, device.view.seq - back), door, delivered=back % 4 == 0))

    # --- what the network does -------------------------------------------------------------------------------------

    @rule(node=node, other=node)
    def cut(self, node: int, other: int) -> None:
        self.world.nodes[node].proxy.cut()
        self.world.do(self._come_back(other))

    @rule(node=node, other=node)
    def half_close(self, node: int, other: int) -> None:
        self.world.nodes[node].proxy.half_close()
        self.world.do(self._come_back(other))

    async def _come_back(self, node: int) -> None:
        """Whoever was cut off comes back, perhaps to the other node, after something has been written."""
        writer = next((device for device in self.people if device.node is not None), self.people[0])
        await self._send(self.people.index(writer), "http")
        # A half-closed connection ends once the server has noticed.
        await arrives(lambda: any(not device.online for device in self.people), 0.5)
        for device in self.people[:-1]:
            if not device.online:
                await device.connect(self.world.nodes[node].node)

    @rule(who=who, node=node, door=st.sampled_from(("http", "socket")))
    def lose_the_answer(self, who: int, node: int, door: str) -> None:
        """A send arrives and is stored; its acknowledgement never comes."""
        self.world.do(self._lose_the_answer(self.people[who], self.world.nodes[node], door))

    async def _lose_the_answer(self, device: Device, node: BadNode, door: str) -> None:
        if device.node is not node.node or not device.has(door):
            return
        node.proxy.swallow()
        known = set(device.unacknowledged)
        sending = asyncio.create_task(self._send(self.people.index(device), door))
        await arrives(lambda: bool(set(device.unacknowledged) - known), 5)
        [client_id] = set(device.unacknowledged) - known
        async with asyncio.timeout(10):
            while not sending.done() and not await audit.stored(self.world.db, client_id):  # noqa: ASYNC110 - database
                await asyncio.sleep(0.005)
        node.proxy.cut()
        await sending
        node.proxy.release()

    @rule(who=who, node=node)
    def delay(self, who: int, node: int) -> None:
        """Nothing gets through for a while, then everything at once."""
        self.world.do(self._delay(self.people[who], self.world.nodes[node]))

    async def _delay(self, device: Device, node: BadNode) -> None:
        node.proxy.hold()
        sending = [asyncio.create_task(self._send(self.people.index(device), "socket")) for _ in range(3)]
        others = [asyncio.create_task(self._send(0, "http"))]
        # A device of another node, or without a connection, has nothing to wait for.
        await arrives(lambda: node.proxy.waiting > 0 or all(task.done() for task in sending), 5)
        node.proxy.release()
        await asyncio.gather(*sending, *others)

    # --- the end ---------------------------------------------------------------------------------------------------

    def teardown(self) -> None:
        if hasattr(self, "people"):
            self.world.do(self._end())

    async def _end(self) -> None:
        for node in self.world.nodes:
            node.proxy.release()
        for number, device in enumerate(self.people):
            for _ in range(10):
                if not device.online:
                    await device.connect(self.world.nodes[number % len(NODES)].node)
            assert device.online
        for device in self.people:
            for client_id in list(device.unacknowledged):
                # A connection that was cut or half-closed before may still be tried first.
                for _ in range(10):
                    if client_id in device.unacknowledged:
                        await device.resend(client_id, "http")
                assert client_id not in device.unacknowledged, "a good network and a good server answer"
        conversation = self.people[0].place.conversation
        await settle(self.run, {"dsn": self.world.dsn}, self.people, [conversation], 45)
        for device in self.people:
            await device.disconnect()
        await self.run.web.close()
        violations = check(self.recorder.entries)
        assert not violations, "\n".join(lines(self.recorder.entries, violations))
        count = await self.world.db.fetchval(
            "SELECT count(*) FROM chat.event WHERE conversation_id = $1 AND kind = 'message'", conversation
        )
        assert count == len(self.texts), "what was sent is there, each once"


@pytest.mark.parametrize("seed", [SEED], ids=["random"])  # the name is the same in all processes
@pytest.mark.timeout(300)
def test_clients_over_a_bad_network_lose_double_and_reorder_nothing(seed: int, dsn: str, tmp_path: Path) -> None:
    world = Conversation.world = World(dsn, tmp_path)
    with world.runner:
        world.do(world.start())
        try:
            machine = hypothesis.seed(seed)(Conversation)
            run_state_machine_as_test(
                machine,
                settings=settings(
                    max_examples=RUNS,
                    stateful_step_count=STEPS,
                    deadline=None,
                    database=None,
                    # What a network does is not the same the next time, so smaller examples would not be found.
                    phases=(Phase.generate,),
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            world.do(world.stop())
    print(f"seed {seed}: {world.counts}")  # noqa: T201 - shown with -s and on failure
    assert min(world.counts.acknowledged, world.counts.resumes) > 0
