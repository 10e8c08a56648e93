"""A server process behind a bad network: a TCP proxy in front of its door, a UDP forwarder in front of its media."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from tertulia.forwarder import Forwarder
from tertulia.impair import Impairment
from tests.server import Server, free_port
from tests.torture.parts import Node
from tests.torture.program import API_KEY
from tests.torture.proxy import Proxy

TOKEN_SECRET = "s" * 64


@dataclass
class BadNode:
    """What a run needs of one."""

    node: Node
    server: Server
    proxy: Proxy
    forwarder: Forwarder


@asynccontextmanager
async def bad_node(
    name: str,
    directory: Path,
    environment: dict[str, str] | None = None,
    loss: float = 0.05,
    seed: int = 1,
    program: tuple[str, ...] = ("-m", "tertulia", "serve"),
) -> AsyncIterator[BadNode]:
    """A running server. Without ``TERTULIA_DATABASE_DSN`` in ``environment`` it has a database of its own."""
    media_port = free_port(socket.SOCK_DGRAM)
    impairment = Impairment(loss=loss)
    with Forwarder(("127.0.0.1", media_port), up=impairment, down=impairment, seed=seed) as forwarder:
        variables = {
            "TERTULIA_MEDIA_ADDRESSES": "127.0.0.1",
            "TERTULIA_MEDIA_ADVERTISED_PORT": str(forwarder.port),
            "TERTULIA_API_KEYS": "=".join(API_KEY),
            "TERTULIA_TOKEN_SECRET": TOKEN_SECRET,
            "TERTULIA_LOG_LEVEL": "warning",
            **(environment or {}),
        }
        directory.mkdir(parents=True, exist_ok=True)
        with Server(directory, variables, media_port, program) as server:
            async with Proxy(server.port) as proxy:
                yield BadNode(Node(name, proxy.url), server, proxy, forwarder)
