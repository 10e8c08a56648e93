"""The end of a run: let everything arrive, then record what each client holds and what the database does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from tests.torture import audit
from tests.torture.device import Device
from tests.torture.parts import Run
from tests.torture.wire import Lost, Refused
from tests.waiting import until


async def arrives(condition: Callable[[], bool], limit_s: float) -> bool:
    """Whether it came about: a faulty server may never get there, and the checker is to say so, not the run."""
    try:
        await until(condition, limit_s)
    except TimeoutError:
        return False
    return True


async def read_all(device: Device, door: str) -> None:
    """The whole history, page by page."""
    before: int | None = None
    while True:
        asked: dict[str, Any] = {"conversation": device.place.conversation, "limit": 100}
        if before is not None:
            asked["before"] = before
        try:
            page = await device.ask(door, "history", asked)
        except (Lost, Refused):
            return
        if not page["more"] or not page["messages"]:
            return
        before = page["messages"][0]["seq"]


async def settle(
    run: Run,
    parameters: dict[str, Any],
    devices: Sequence[Device],
    conversations: Sequence[str],
    patience_s: float,
    beat: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Wait until all who are connected hold the head, at most ``patience_s``: whoever does not is for the checker.

    :param parameters: of ``asyncpg.connect``
    :param beat: makes the heart beat now that would come by itself within 20 s
    """
    found = await audit.read(parameters, conversations)
    head = {one["conversation"]: one["head"] for one in found["conversations"]}
    if beat is not None:
        await beat()
    await arrives(
        lambda: all(not device.online or device.view.seq >= head[device.place.conversation] for device in devices),
        patience_s,
    )
    for place in {device.place.conversation for device in devices}:
        await read_all(next(device for device in devices if device.place.conversation == place), "http")
    for device in devices:
        for door in ("http", "socket"):
            if device.has(door):
                await device.mark(0, door)
    async with asyncio.timeout(60):
        while (await audit.read(parameters, conversations))["unpublished"]:  # noqa: ASYNC110 - in the database
            await asyncio.sleep(0.05)
    run.recorder.write("audit", "log", await audit.read(parameters, conversations))
    for device in devices:
        device.hold()
