from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from sfu.core import Core
from tests.sfu.core.peers import MediaSettings, Socket

OpenPeer = Callable[..., Awaitable[Socket]]


@pytest.fixture
async def core() -> AsyncIterator[Core]:
    """A running core on free ports of the loopback addresses."""
    core = Core(MediaSettings())
    core.start()
    yield core
    core.close()


@pytest.fixture
async def open_peer() -> AsyncIterator[OpenPeer]:
    """Makes a client's socket, connected to the core's port, and closes it at the end."""
    peers: list[Socket] = []

    async def open_peer(core: Core, family: socket.AddressFamily = socket.AF_INET) -> Socket:
        peer = await Socket.open(core.port, family)
        peers.append(peer)
        return peer

    yield open_peer
    for peer in peers:
        peer.transport.close()
    await asyncio.sleep(0)  # a transport closes its socket in the loop's next turn
