"""The whole program in this process, on a database that is already there: for runs whose faults are put into it."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from aiohttp.test_utils import get_port_socket

from tertulia.app import SERVICES, Services, build
from tertulia.settings import Settings
from tests.server import free_port
from tests.torture.parts import Node

API_KEY = ("torture", "k" * 64)


@dataclass
class Program:
    """A running program and what it is made of."""

    node: Node
    services: Services


@asynccontextmanager
async def program(dsn: str, directory: Path, name: str = "a") -> AsyncIterator[Program]:
    """Serve on a free port; kernel buffers are small, so that a reader who stalls is soon noticed."""
    listener = get_port_socket("127.0.0.1", 0, socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16 * 1024)
    port = listener.getsockname()[1]
    settings = Settings(
        http_port=port,
        media_port=free_port(socket.SOCK_DGRAM),
        media_bind=("127.0.0.1",),
        media_addresses=("127.0.0.1",),
        data_dir=str(directory),
        database_dsn=dsn,
        token_secret="s" * 64,
        api_keys=dict([API_KEY]),
    )
    app = await build(settings)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield Program(Node(name, f"http://127.0.0.1:{port}"), app[SERVICES])
    finally:
        await runner.cleanup()
        listener.close()
