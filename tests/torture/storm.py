"""A reconnect storm: thousands of clients come back in the same moment, each with positions in many conversations."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.torture.device import Device
from tests.torture.parts import Node, Run
from tests.torture.people import add_group, make_group
from tests.torture.wire import Lost, Refused, Wire

TRIES = 20
PEOPLE = 20


@dataclass
class StormResult:
    """What became of it."""

    synced: int
    seconds: float
    refused: int


@dataclass
class Storm:
    """The people who will come back, and where each of them stands: one message behind in every conversation."""

    run: Run
    people: list[Device] = field(default_factory=list)
    positions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def conversations(self) -> list[str]:
        return [position["conversation"] for position in self.positions]

    async def prepare(self, node: Node, conversations: int) -> None:
        """Groups of the same people, with two messages in each."""
        self.people = await make_group(self.run, node, [f"storm {n}" for n in range(PEOPLE)], "storm")
        owner, identities = self.people[0], [device.identity for device in self.people]
        groups = [owner.place.conversation]
        while len(groups) < conversations:
            groups.append(await add_group(self.run, node, owner.token, identities))
        for n, conversation in enumerate(groups):
            # Each of them says something, so that nobody says too much.
            speaker = self.people[n % PEOPLE]
            events = []
            for text in ("before the storm", "missed"):
                message = {"conversation": conversation, "client_id": str(uuid.uuid4()), "body": {"text": text}}
                events.append((await speaker.ask("http", "send-message", message))["event"])
            first = events[0]
            self.positions.append({"conversation": conversation, "seq": first["seq"], "tag": first["id"][:8]})

    async def break_out(self, nodes: Sequence[Node], clients: int, chance: random.Random) -> StormResult:
        """All come at once, follow everything from their positions on, and go when the last one is there.

        What is refused comes again, as a client would.
        """
        began = time.monotonic()
        refused = 0
        wires: list[Wire] = []

        async def client(number: int) -> bool:
            nonlocal refused
            device, node = self.people[number % PEOPLE], nodes[number % len(nodes)]
            for _ in range(TRIES):
                wire = Wire(lambda event, payload: None, lambda: None)
                try:
                    await wire.connect(self.run.web, node.url, device.token, 60)
                    await self._sync(device, wire, node)
                    wires.append(wire)
                    return True
                except (Lost, Refused):
                    refused += 1
                    await wire.close()
                    await asyncio.sleep(chance.uniform(0.1, 1.0))
            return False

        done = await asyncio.gather(*(client(number) for number in range(clients)))
        result = StormResult(sum(done), round(time.monotonic() - began, 1), refused)
        await asyncio.gather(*(wire.close() for wire in wires))
        return result

    async def _sync(self, device: Device, wire: Wire, node: Node) -> None:
        asked = {"positions": self.positions, "open": []}
        who: dict[str, Any] = {
            "client": f"{device.name}/storm",
            "identity": device.identity,
            "session": self.run.recorder.session(),
            "node": node.name,
            "door": "socket",
            "call": self.run.recorder.call(),
        }
        self.run.recorder.write("invoke", "sync", asked, **who)

        def heard(answer: Any) -> None:
            error = answer.get("error") if isinstance(answer, dict) else None
            self.run.recorder.write(
                "ok" if error is None else "fail", "sync", answer if error is None else error, **who
            )

        try:
            await wire.call("sync", asked, heard, 60)
        except Lost:
            self.run.recorder.write("unknown", "sync", **who)
            raise
