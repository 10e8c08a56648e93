"""Rooms and people for a run, made over HTTP as a site would make them."""

from __future__ import annotations

from typing import Any

from tests.torture.device import Device, Node, Place, Run
from tests.torture.program import API_KEY

_KEY = {"Authorization": f"Bearer {API_KEY[0]}:{API_KEY[1]}"}


async def make_place(run: Run, node: Node, name: str) -> Place:
    """A room and its conversation."""
    async with run.web.post(f"{node.url}/rooms", json={"name": name}, headers=_KEY) as response:
        response.raise_for_status()
        room = await response.json()
    return Place(room["id"], room["conversation"])


async def make_device(run: Run, node: Node, place: Place, identity: str, device: str = "") -> Device:
    """Somebody with a token of the room, who may see all of its conversation."""
    asked: dict[str, Any] = {"name": identity.title(), "identity": identity, "ttl_s": 7200}
    async with run.web.post(f"{node.url}/rooms/{place.room}/tokens", json=asked, headers=_KEY) as response:
        response.raise_for_status()
        token = (await response.json())["token"]
    may = {"identity": identity, "conversation": place.conversation, "above": 0, "upto": None}
    run.recorder.write("rule", "may-see", may)
    made = Device(run, device or identity, identity, token, place)
    made.node = node
    return made
