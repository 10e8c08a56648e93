"""The people of a long run: rooms full of clients that write, read, change and come back until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Sequence

from tests.torture.device import Device
from tests.torture.parts import Node, Run
from tests.torture.people import make_device, make_place
from tests.torture.wire import Lost, Refused

EMOJI = ("👍", "🎉", "👀")
BACKOFF_S = 0.2
BREATH = 4
"""Messages that are sent in one breath, at most."""


class Crew:
    """All devices of a run and what keeps them busy.

    :param nodes: where they may connect
    :param interval_s: between two requests of one device
    """

    def __init__(self, run: Run, nodes: Sequence[Node], chance: random.Random, interval_s: float) -> None:
        self.run = run
        self.devices: list[Device] = []
        self._nodes = nodes
        self._chance = chance
        self._interval_s = interval_s
        self._stalled: set[Device] = set()
        self._working = asyncio.Event()
        self._stopping = False
        self._busy = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def conversations(self) -> list[str]:
        return sorted({device.place.conversation for device in self.devices})

    async def gather(self, rooms: int) -> None:
        """Make the rooms; in each, three on sockets, one of them in a call, and one who only uses HTTP."""
        for number in range(rooms):
            place = await make_place(self.run, self._nodes[0], f"Room {number}")
            for name in ("ada", "bob", "call", "http"):
                device = await make_device(self.run, self._nodes[0], place, f"{name}-{number}")
                self.devices.append(device)

    def start(self) -> None:
        self._working.set()
        self._tasks = [asyncio.create_task(self._live(device), name="crew") for device in self.devices]

    async def pause(self) -> None:
        """Nobody begins anything new; returns when nothing is under way."""
        self._working.clear()
        await self._quiet.wait()

    def go_on(self) -> None:
        self._working.set()

    async def stop(self) -> None:
        self._stopping = True
        self._working.set()
        await asyncio.gather(*self._tasks)

    def stall(self) -> Device | None:
        """Somebody stops reading."""
        able = [device for device in self.devices if device.online and device.media is None]
        if not able:
            return None
        device = self._chance.choice(able)
        self._stalled.add(device)
        device.stall()
        return device

    def flow(self, device: Device) -> None:
        self._stalled.discard(device)
        device.flow()

    async def bring_back(self) -> None:
        """Everybody who uses a socket is connected, and everything is acknowledged."""
        for device in list(self._stalled):
            self.flow(device)
        for device in self.devices:
            while "http-" not in device.identity and not device.online:
                await device.connect(self._chance.choice(self._nodes))
            for client_id in list(device.unacknowledged):
                await self._insist(device, client_id)

    async def _insist(self, device: Device, client_id: str) -> None:
        """Send until it is answered, a moment between two tries."""
        for _ in range(300):
            if await device.resend(client_id, "http") or client_id not in device.unacknowledged:
                return
            await asyncio.sleep(BACKOFF_S)
        raise TimeoutError("a server that nobody disturbs does not answer")

    async def _live(self, device: Device) -> None:
        while True:
            await self._working.wait()
            if self._stopping:
                return
            if device in self._stalled:
                await asyncio.sleep(self._interval_s)
                continue
            self._busy += 1
            self._quiet.clear()
            try:
                well = await self._step(device)
            finally:
                self._busy -= 1
                if not self._busy:
                    self._quiet.set()
            # The pace of a person, and of a client that failed.
            await asyncio.sleep(self._interval_s * self._chance.uniform(0.5, 1.5) if well else BACKOFF_S)

    async def _step(self, device: Device) -> bool:
        chance = self._chance
        if "http-" in device.identity:
            device.node = chance.choice(self._nodes)
        elif not device.online:
            return await device.connect(chance.choice(self._nodes), call="call-" in device.identity)
        doors = [door for door in ("channel", "socket", "http") if device.has(door)]
        door = doors[0] if chance.random() < 0.7 else chance.choice(doors)
        if device.unacknowledged:
            again = list(device.unacknowledged)[:BREATH]
            return all(await asyncio.gather(*(device.resend(client_id, door) for client_id in again)))
        dice = chance.random()
        if dice < 0.9 or not device.has("socket"):
            texts = [f"{device.name} says {chance.getrandbits(32)}" for _ in range(chance.randint(1, BREATH))]
            return all(await asyncio.gather(*(device.send(text, door) for text in texts)))
        if dice < 0.97:
            return await self._change(device)
        if dice < 0.985:
            return await device.mark(chance.randint(max(0, device.view.seq - 30), device.view.seq), door)
        with contextlib.suppress(Lost, Refused):
            await device.ask(door, "history", {"conversation": device.place.conversation, "limit": 20})
            return True
        return False

    async def _change(self, device: Device) -> bool:
        """Something is done to one of the newest messages."""
        chance = self._chance
        newest = sorted(device.view.messages)[-20:]
        if not newest:
            return True
        seq = chance.choice(newest)
        own = [one for one in newest if device.view.events.get(one, {}).get("sender") == device.identity]
        kind = chance.choice(("react", "react", "pin", "edit", "delete"))
        if kind == "react":
            return await device.change("react", {"seq": seq, "emoji": chance.choice(EMOJI)}, "socket")
        if kind == "pin":
            return await device.change("pin-message", {"seq": seq, "pinned": chance.random() < 0.4}, "socket")
        if own and kind == "edit":
            text = f"edited {chance.getrandbits(32)}"
            return await device.change("edit-message", {"seq": own[0], "body": {"text": text}}, "socket")
        if own:
            return await device.change("delete-message", {"seq": own[0]}, "socket")
        return True
