"""A real media server for tests: the core on a free port, over loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sfu.service import SfuService
from tertulia.settings import Settings
from tests.sfu.peers import Peer


@pytest.fixture
async def sfu() -> AsyncIterator[SfuService]:
    """A running service; at the end nothing of it may be left."""
    before = {task for task in asyncio.all_tasks()}
    service = SfuService(Settings(media_port=0, media_addresses=("127.0.0.1", "::1")))
    await service.start()
    yield service
    await service.close()
    assert service.stats() == {"rooms": 0, "sessions": 0, "sources": 0, "slots": 0, "ending": 0}
    left = [task.get_name() for task in asyncio.all_tasks() - before if task.get_name().startswith("sfu-")]
    assert not left


@pytest.fixture
async def peers() -> AsyncIterator[list[Peer]]:
    """Peers appended here are closed at the end."""
    opened: list[Peer] = []
    yield opened
    for peer in opened:
        await peer.close()
