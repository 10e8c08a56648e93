"""Rooms, groups and people for a run, made over HTTP as a site would make them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from tests.torture.device import Device
from tests.torture.parts import Node, Place, Run
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


async def make_group(run: Run, node: Node, names: Sequence[str], device: str = "") -> list[Device]:
    """People who are logged in, in a group that the first of them owns."""
    tokens, identities = [], []
    for name in names:
        async with run.web.post(f"{node.url}/auth/dev", json={"name": f"{name} {uuid.uuid4().hex[:8]}"}) as response:
            response.raise_for_status()
            logged_in = await response.json()
        tokens.append(logged_in["token"])
        identities.append(logged_in["identity"])
    conversation = await add_group(run, node, tokens[0], identities)
    made = []
    for name, identity, token in zip(names, identities, tokens, strict=True):
        made.append(Device(run, f"{device or 'group'}-{name}", identity, token, Place("", conversation)))
        made[-1].node = node
    return made


async def add_group(run: Run, node: Node, owner_token: str, identities: Sequence[str]) -> str:
    """Another group of these people; its conversation."""
    asked = {"client_id": str(uuid.uuid4()), "kind": "group", "title": "A group", "members": list(identities[1:])}
    headers = {"Authorization": f"Bearer {owner_token}"}
    async with run.web.post(f"{node.url}/chat/conversations", json=asked, headers=headers) as response:
        response.raise_for_status()
        conversation = str((await response.json())["id"])
    for identity in identities:
        may = {"identity": identity, "conversation": conversation, "above": 0, "upto": None}
        run.recorder.write("rule", "may-see", may)
    return conversation
