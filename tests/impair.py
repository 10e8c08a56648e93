"""A server whose media goes through a bad network: the forwarder is the only address that clients are told."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tertulia.forwarder import Forwarder
from tertulia.impair import Impairment
from tests.server import Server, free_port


@contextmanager
def impaired_server(
    directory: Path, *, up: Impairment | None = None, down: Impairment | None = None, seed: int = 1
) -> Iterator[tuple[Server, Forwarder]]:
    """The server and the network in front of it, both running. HTTP and Socket.IO are not impaired."""
    media_port = free_port(socket.SOCK_DGRAM)
    with Forwarder(("127.0.0.1", media_port), up=up, down=down, seed=seed) as forwarder:
        environment = {
            "TERTULIA_MEDIA_ADDRESSES": "127.0.0.1",
            "TERTULIA_MEDIA_ADVERTISED_PORT": str(forwarder.port),
        }
        with Server(directory, environment, media_port) as server:
            yield server, forwarder
