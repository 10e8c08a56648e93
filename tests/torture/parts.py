"""What the clients of a run share: where servers are reached, what is counted, which conversation they are in."""

from __future__ import annotations

from dataclasses import dataclass, field

import aiohttp

from tests.torture.history import Recorder


@dataclass(frozen=True)
class Node:
    """Where a server is reached, perhaps through a proxy."""

    name: str
    url: str


@dataclass
class Counts:
    """What a run counts."""

    acknowledged: int = 0
    retried: int = 0
    """Messages whose acknowledgement was lost and which were sent again until they had one."""
    resumes: int = 0
    """Connections that resumed from a position behind the head."""
    resets: int = 0
    fills: int = 0
    connections: int = 0


@dataclass
class Place:
    """The conversation that a device is in, and the room whose it is; without one it is a group's."""

    room: str
    conversation: str


@dataclass
class Run:
    """What all devices of a run share."""

    recorder: Recorder
    web: aiohttp.ClientSession
    counts: Counts = field(default_factory=Counts)
