"""A reconnect storm: thousands of clients come back in the same moment, each with positions in many conversations."""

from __future__ import annotations

import asyncio
import random
import time
from dataclasses import dataclass
from typing import Any

from tests.torture.device import Device, Node, Run
from tests.torture.wire import Lost, Refused, Wire

TRIES = 20


@dataclass
class StormResult:
    """What became of it."""

    synced: int
    seconds: float
    slowest_s: float
    refused: int


async def storm(
    run: Run, node: Node, devices: list[Device], clients: int, positions: int, chance: random.Random
) -> StormResult:
    """Connect ``clients`` sockets at once with the tokens of ``devices`` and sync ``positions`` positions each.

    A client resumes from a position its device holds; the other positions are of conversations that are not its own,
    which is answered ``gone``. What is refused comes again, as a client would.
    """
    strangers = [device.view.position for device in devices if device.view.position is not None]
    began = time.monotonic()
    refused = 0
    slowest = 0.0

    async def client(number: int) -> bool:
        nonlocal refused, slowest
        device = devices[number % len(devices)]
        own = device.view.position
        wanted: dict[str, Any] = {position["conversation"]: position for position in strangers}
        if own is not None:
            wanted[own["conversation"]] = own
        asked = list(wanted.values())[:positions]
        made = [f"00000000-0000-4000-8000-{number:06x}{n:06x}" for n in range(positions - len(asked))]
        asked += [{"conversation": one, "seq": 1, "tag": "00000000"} for one in made]
        for _ in range(TRIES):
            wire = Wire(lambda event, payload: None, lambda: None)
            try:
                await wire.connect(run.web, node.url, device.token, 60)
                await _sync(run, device, wire, node, {"positions": asked})
                slowest = max(slowest, time.monotonic() - began)
                return True
            except (Lost, Refused):
                refused += 1
                await asyncio.sleep(chance.uniform(0.1, 1.0))
            finally:
                await wire.close()
        return False

    done = await asyncio.gather(*(client(number) for number in range(clients)))
    return StormResult(sum(done), round(time.monotonic() - began, 1), round(slowest, 1), refused)


async def _sync(run: Run, device: Device, wire: Wire, node: Node, asked: dict[str, Any]) -> None:
    who: dict[str, Any] = {
        "client": f"{device.name}/storm",
        "identity": device.identity,
        "session": run.recorder.session(),
        "node": node.name,
        "door": "socket",
        "call": run.recorder.call(),
    }
    run.recorder.write("invoke", "sync", asked, **who)

    def heard(answer: Any) -> None:
        error = answer.get("error") if isinstance(answer, dict) else None
        run.recorder.write("ok" if error is None else "fail", "sync", answer if error is None else error, **who)

    try:
        await wire.call("sync", asked, heard, 60)
    except Lost:
        run.recorder.write("unknown", "sync", **who)
        raise
