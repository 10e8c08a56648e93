"""The torture run: ``make torture``, or ``python -m tests.torture.run --minutes 60 --rate 15``.

Two programs on one database with Redis between them, rooms full of clients that never stop, and everything that can
go wrong with programs, databases and networks, for minutes. In between: a storm of reconnects, a backup, the backup put
back. Each time everything settles, the database is read, and at the end the checker judges the history. Prints counts
and verdict; exits with 1 when a promise is broken or the counts stayed below what a full run must reach.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.databases import shared_server
from tests.torture import backup, net
from tests.torture.backup import Cluster
from tests.torture.chaos import Chaos
from tests.torture.checker import check, lines
from tests.torture.crew import Crew
from tests.torture.history import Recorder, load
from tests.torture.node import BadNode, bad_node
from tests.torture.parts import Run
from tests.torture.settling import settle
from tests.torture.storm import Storm, StormResult
from tests.valkey import Valkey

ACKNOWLEDGED_MIN = 20_000
RETRIED_MIN = 500
RESUMES_MIN = 200
STORM_CLIENTS = 2000
STORM_POSITIONS = 50
FULL_MINUTES = 10
DIE_AFTER_COMMIT = 1 / 4000
PATIENCE_S = 60.0


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


class Torture:
    """One run and what it counts.

    :param minutes: how long there is chaos
    :param rate: requests a second, of all clients together
    """

    def __init__(self, directory: Path, minutes: float, rate: float, rooms: int, seed: int, clients: int) -> None:
        self.directory = directory
        self.armed, self.deaths = directory / "armed", directory / "deaths"
        self._minutes = minutes
        self._rate = rate
        self._rooms = rooms
        self._clients = clients
        self._chance = random.Random(seed)
        self._began = 0.0
        self._conversations: list[str] = []
        self.storm: StormResult | None = None
        self.chaos: Counter[str] = Counter()

    async def play(self, recorder: Recorder) -> Run:
        async with AsyncExitStack() as stack:
            redis = stack.enter_context(Valkey(self.directory))
            dsn = stack.enter_context(shared_server(self.directory / "postgres"))
            environment = {
                "TORTURE_DIE_AFTER_COMMIT": str(DIE_AFTER_COMMIT),
                "TORTURE_ARMED": str(self.armed),
                "TORTURE_DEATHS": str(self.deaths),
                "TERTULIA_REDIS_URL": redis.url,
                "TERTULIA_DATABASE_DSN": dsn,
            }
            nodes = [await self._node(stack, name, environment) for name in ("a", "b")]
            database = Cluster(dsn, self.directory / "postgres")
            web = await stack.enter_async_context(net.session())
            run = Run(recorder, web)
            crew = Crew(run, [one.node for one in nodes], self._chance, 4 * self._rooms / self._rate)
            await crew.gather(self._rooms)
            storm = Storm(run)
            await storm.prepare(nodes[0].node, STORM_POSITIONS)
            self._conversations = [*crew.conversations, *storm.conversations]
            chaos = Chaos(nodes, database, redis, crew, self._chance, self.armed, pause_s=2.5)
            self.chaos = chaos.counts
            crew.start()
            chaos.start()
            self._began = time.monotonic()
            await self._until(0.3)
            await self._storm(storm, crew, chaos, nodes)
            await self._until(0.5)
            recorder.write("rule", "backup")
            await self._when_up(chaos, backup.dump(database, self.directory / "backup"))
            await self._until(0.7)
            await self._restore(run, crew, chaos, database, nodes)
            await self._until(1.0)
            await self._settle(run, crew, chaos, database)
            await crew.stop()
            for device in crew.devices:
                await device.disconnect()
            return run

    async def _node(self, stack: AsyncExitStack, name: str, environment: dict[str, str]) -> BadNode:
        program = ("-m", "tests.torture.failpoint", "serve")
        return await stack.enter_async_context(bad_node(name, self.directory / name, environment, program=program))

    async def _until(self, part: float) -> None:
        """Wait until this part of the run is over."""
        end = self._began + part * self._minutes * 60
        while (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(left, 15))
            say(f"  {time.monotonic() - self._began:5.0f} s  {dict(self.chaos)}")

    @staticmethod
    async def _when_up(chaos: Chaos, work: Any) -> None:
        """Do something for which the program must run: nothing is killed meanwhile, everything else goes on."""
        await chaos.pause()
        await work
        chaos.go_on()

    async def _storm(self, storm: Storm, crew: Crew, chaos: Chaos, nodes: list[BadNode]) -> None:
        """Everybody else goes on meanwhile; nothing is killed."""
        await chaos.pause()
        say(f"storm: {self._clients} clients, {STORM_POSITIONS} positions each")
        self.storm = await storm.break_out([node.node for node in nodes], self._clients, self._chance)
        say(f"  {self.storm}")
        chaos.go_on()

    async def _restore(self, run: Run, crew: Crew, chaos: Chaos, database: Cluster, nodes: list[BadNode]) -> None:
        """What is held and stored is judged first; then the backup takes the database's place."""
        await self._settle(run, crew, chaos, database)
        say("restoring the backup")
        for device in crew.devices:
            await device.disconnect()
        for node in reversed(nodes):
            await asyncio.to_thread(node.server.stop)
        await backup.restore(database, self.directory / "backup")
        for node in nodes:
            await asyncio.to_thread(node.server.start)
        run.recorder.write("rule", "restored")
        crew.go_on()
        chaos.go_on()

    async def _settle(self, run: Run, crew: Crew, chaos: Chaos, database: Cluster) -> None:
        say("settling")
        await chaos.pause()
        await crew.pause()
        await crew.bring_back()
        await settle(run, {"dsn": database.dsn}, crew.devices, self._conversations, PATIENCE_S)


def report(torture: Torture, run: Run, full: bool) -> bool:
    """Print the counts; True when they suffice."""
    counts = run.counts
    deaths = torture.deaths.stat().st_size if torture.deaths.exists() else 0
    say(f"acknowledged sends               {counts.acknowledged}")
    say(f"lost acknowledgements retried    {counts.retried}")
    say(f"resumes over a gap               {counts.resumes}")
    say(f"answered with reset              {counts.resets}")
    say(f"gaps filled                      {counts.fills}")
    say(f"connections                      {counts.connections}")
    say(f"deaths between commit and telling {deaths}")
    for name, count in sorted(torture.chaos.items()):
        say(f"{name:32} {count}")
    if torture.storm is not None:
        say(f"storm                            {torture.storm}")
    enough = (counts.acknowledged, counts.retried, counts.resumes) >= (0, 0, 0) and not full
    return enough or (
        counts.acknowledged >= ACKNOWLEDGED_MIN and counts.retried >= RETRIED_MIN and counts.resumes >= RESUMES_MIN
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=FULL_MINUTES)
    parser.add_argument("--rate", type=float, default=60.0, help="requests a second, of all clients together")
    parser.add_argument("--rooms", type=int, default=5)
    parser.add_argument("--clients", type=int, default=STORM_CLIENTS, help="of the storm")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 2**32))
    parser.add_argument("--keep", type=Path, help="directory for data, log and history; by default they are removed")
    asked = parser.parse_args()
    say(f"seed {asked.seed}, {asked.minutes:g} minutes")
    with tempfile.TemporaryDirectory(prefix="tertulia-torture-") as temporary:
        directory = asked.keep or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        directory.chmod(0o755)  # the database's own user goes through it
        history = directory / "history.jsonl"
        torture = Torture(directory, asked.minutes, asked.rate, asked.rooms, asked.seed, asked.clients)
        with Recorder(history, keep=False) as recorder:
            run = asyncio.run(torture.play(recorder))
        enough = report(torture, run, asked.minutes >= FULL_MINUTES)
        entries = load(history)
        say(f"history: {len(entries)} entries")
        violations = check(entries)
        for line in lines(entries, violations):
            say(line)
        say(
            "verdict: "
            + ("every promise held" if not violations else "BROKEN")
            + ("" if enough else "; too little done")
        )
        return 0 if enough and not violations else 1


if __name__ == "__main__":
    sys.exit(main())
