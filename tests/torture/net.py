"""HTTP and WebSocket connections for a run, with small kernel buffers: a reader who stalls fills them at once."""

from __future__ import annotations

import socket

import aiohttp

RECEIVE_BYTES = 16 * 1024


def _connected_to(address: aiohttp.AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    made = socket.socket(family, kind, protocol)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    return made


def session(limit_s: float = 30.0) -> aiohttp.ClientSession:
    """A session for any number of connections; ``limit_s`` is how long an HTTP answer may take."""
    connector = aiohttp.TCPConnector(limit=0, socket_factory=_connected_to, force_close=False)
    return aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=limit_s))
