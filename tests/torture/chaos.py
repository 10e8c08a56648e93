"""What happens to a server and its network during a long run, one disturbance after the other, by chance."""

from __future__ import annotations

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.torture.backup import Cluster
from tests.torture.crew import Crew
from tests.torture.node import BadNode
from tests.torture.settling import arrives
from tests.valkey import Valkey


class Chaos:
    """Disturbs until told to stop.

    :param database: of both nodes
    :param redis: the bus between the nodes
    :param armed: the file by whose being there the fail point is armed
    :param pause_s: between two disturbances
    """

    def __init__(
        self,
        nodes: Sequence[BadNode],
        database: Cluster,
        redis: Valkey,
        crew: Crew,
        chance: random.Random,
        armed: Path,
        pause_s: float,
    ) -> None:
        self._armed = armed
        self._database = database
        self._redis = redis
        self.counts: Counter[str] = Counter()
        self._nodes = nodes
        self._crew = crew
        self._chance = chance
        self._pause_s = pause_s
        self._wanted = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._task: asyncio.Task[None] | None = None
        # How often each comes, relative to the others. Answers lost one by one are what clients suffer most.
        self._kinds: list[tuple[int, str, Callable[[BadNode], Awaitable[None]]]] = [
            (7, "answers swallowed", self._swallow),
            (4, "connections cut", self._cut),
            (2, "connections half-closed", self._half_close),
            (2, "network held", self._hold),
            (2, "readers stalled", self._stall),
            (1, "program killed", self._kill_program),
            (1, "postmaster killed", self._kill_postmaster),
            (1, "database restarted", self._restart_database),
            (1, "redis emptied", self._empty_redis),
            (1, "redis restarted", self._restart_redis),
        ]

    def start(self) -> None:
        self.go_on()
        self._task = asyncio.create_task(self._run(), name="chaos")

    async def pause(self) -> None:
        """Let what is under way end, mend what it broke, and disturb nothing more until :meth:`go_on`."""
        self._armed.unlink(missing_ok=True)
        self._wanted.clear()
        await self._idle.wait()
        await self._mend()

    def go_on(self) -> None:
        self._armed.touch()
        self._wanted.set()

    async def stop(self) -> None:
        await self.pause()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            await self._wanted.wait()
            self._idle.clear()
            try:
                weights = [weight for weight, _, _ in self._kinds]
                [(_, name, disturb)] = self._chance.choices(self._kinds, weights)
                await disturb(self._chance.choice(self._nodes))
                self.counts[name] += 1
                await self._revive()
            finally:
                self._idle.set()
            await asyncio.sleep(self._pause_s * self._chance.uniform(0.3, 1.7))

    async def _mend(self) -> None:
        for node in self._nodes:
            node.proxy.release()
        await self._revive()

    async def _revive(self) -> None:
        """Start again what has died, by us or at its fail point."""
        for node in self._nodes:
            process = node.server.process
            while process is not None and process.poll() is not None:
                # One that starts while the database does not run ends again, and says so.
                with suppress(RuntimeError):
                    await asyncio.to_thread(node.server.start)
                    self.counts["program started again"] += 1
                process = node.server.process

    # --- the disturbances ------------------------------------------------------------------------------------------

    async def _swallow(self, node: BadNode) -> None:
        """Requests arrive and are done, their answers are lost."""
        node.proxy.swallow()
        await arrives(lambda: node.proxy.waiting >= len(self._crew.devices) // 2, 1.5)
        node.proxy.cut()
        node.proxy.release()

    async def _cut(self, node: BadNode) -> None:
        node.proxy.cut()

    async def _half_close(self, node: BadNode) -> None:
        node.proxy.half_close()

    async def _hold(self, node: BadNode) -> None:
        node.proxy.hold()
        await arrives(lambda: node.proxy.waiting >= len(self._crew.devices), 1.0)
        node.proxy.release()

    async def _stall(self, _: BadNode) -> None:
        device = self._crew.stall()
        if device is not None:
            await arrives(lambda: not device.online, self._chance.uniform(1, 12))
            self._crew.flow(device)

    async def _empty_redis(self, _: BadNode) -> None:
        await asyncio.to_thread(self._redis.command, "FLUSHALL")

    async def _restart_redis(self, _: BadNode) -> None:
        self._redis.kill()
        await asyncio.to_thread(self._redis.start)

    async def _kill_program(self, node: BadNode) -> None:
        node.server.kill()

    async def _kill_postmaster(self, _: BadNode) -> None:
        self._database.signal(signal.SIGKILL)

    async def _restart_database(self, _: BadNode) -> None:
        """A fast shutdown in the middle of everything; whoever keeps it running starts it again."""
        self._database.signal(signal.SIGINT)
