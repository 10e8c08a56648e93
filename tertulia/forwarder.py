"""A UDP forwarder that makes a good network a bad one: between clients and a media port, on one machine, without root.

A server is told to advertise the forwarder's port (``media_advertised_port``). Each client that sends to it gets a
socket of its own towards the server, which therefore sees clients with different addresses, and a link of its own in
either direction: two clients do not share a bottleneck. The forwarder runs on a thread and an event loop of its own, so
that whoever measures with it may block.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from types import TracebackType
from typing import Final, TypeVar

import uvloop

from tertulia.impair import Impairment, Link, LinkCounts

SOCKET_BUFFER: Final = 1 << 20
CLIENTS_MAX: Final = 256
BATCH: Final = 64

Address = tuple[str, int]
T = TypeVar("T")


@dataclass(slots=True)
class _Client:
    """One client address: its links, and the socket that stands for it at the server."""

    up: Link
    down: Link
    socket: socket.socket


class Forwarder:
    """Use as a context manager, or :meth:`start` and :meth:`close`.

    :param target: address of the media port
    :param up: what happens on the way from a client to the server
    :param down: ... and back
    :param seed: all chance comes from it; clients are told apart by the order in which they appear
    :param port: where clients are awaited; 0: a free port
    :param tap: sees every datagram that arrives here, from either side; called on the forwarder's thread
    """

    def __init__(
        self,
        target: Address,
        *,
        up: Impairment | None = None,
        down: Impairment | None = None,
        seed: int = 1,
        host: str = "127.0.0.1",
        port: int = 0,
        tap: Callable[[bytes], None] | None = None,
    ) -> None:
        self._target = target
        self._up = up or Impairment()
        self._down = down or Impairment()
        self._seed = seed
        self._tap = tap
        # Taken now, so that the port is known before the server starts.
        self._listener = _socket((host, port))
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="impairment", daemon=True)
        self._clients: dict[Address, _Client] = {}

    @property
    def port(self) -> int:
        """The port that clients shall send to."""
        port: int = self._listener.getsockname()[1]
        return port

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Nothing is forwarded any more, and the ports are free."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        self._listener.close()

    def impair(self, *, up: Impairment | None = None, down: Impairment | None = None) -> None:
        """From now on it is so, for the clients that are there and for those that come. None: as before."""

        def change() -> None:
            self._up = up or self._up
            self._down = down or self._down
            for client in self._clients.values():
                client.up.impairment = self._up
                client.down.impairment = self._down

        self._on_loop(change)

    def counts(self) -> tuple[LinkCounts, LinkCounts]:
        """What became of the datagrams of all clients so far: (up, down)."""
        return self._on_loop(
            lambda: (
                _total([client.up.counts for client in self._clients.values()]),
                _total([client.down.counts for client in self._clients.values()]),
            )
        )

    def client_counts(self) -> list[tuple[LinkCounts, LinkCounts]]:
        """The same a client, in the order in which they appeared."""
        return self._on_loop(
            lambda: [(replace(client.up.counts), replace(client.down.counts)) for client in self._clients.values()]
        )

    # --- on the loop's thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.add_reader(self._listener, self._from_clients)
        self._loop.run_forever()
        for client in self._clients.values():
            client.socket.close()

    def _on_loop(self, call: Callable[[], T]) -> T:
        result: Future[T] = Future()
        self._loop.call_soon_threadsafe(lambda: result.set_result(call()))
        return result.result()

    def _from_clients(self) -> None:
        for datagram, source in _received(self._listener):
            client = self._clients.get(source)
            if client is None and len(self._clients) < CLIENTS_MAX:
                client = self._admit(source)
            if client is not None:
                self._pass(client.up, datagram, client.socket, self._target)

    def _admit(self, source: Address) -> _Client:
        number = len(self._clients)
        up, down = Link(self._up, f"{self._seed} up {number}"), Link(self._down, f"{self._seed} down {number}")
        client = self._clients[source] = _Client(up, down, _socket(("", 0)))
        self._loop.add_reader(client.socket, self._from_server, client, source)
        return client

    def _from_server(self, client: _Client, destination: Address) -> None:
        for datagram, _ in _received(client.socket):
            self._pass(client.down, datagram, self._listener, destination)

    def _pass(self, link: Link, datagram: bytes, way: socket.socket, destination: Address) -> None:
        if self._tap is not None:
            self._tap(datagram)
        now = self._loop.time()
        arrival = link.send(len(datagram), now)
        if arrival is None:
            return
        if arrival <= now:
            _send(way, datagram, destination)
        else:
            self._loop.call_at(arrival, _send, way, datagram, destination)

    # --- context -----------------------------------------------------------------------------------------------

    def __enter__(self) -> Forwarder:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _received(way: socket.socket) -> Iterator[tuple[bytes, Address]]:
    """What has arrived, a bounded number at once so that timers have their turn."""
    for _ in range(BATCH):
        try:
            yield way.recvfrom(65_536)
        except OSError:  # nothing more, or the other end's port is closed: a network says nothing of it either
            return


def _send(way: socket.socket, datagram: bytes, destination: Address) -> None:
    with suppress(OSError):  # closed meanwhile, or the buffer is full: lost
        way.sendto(datagram, destination)


def _socket(address: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER)
    made.bind(address)
    return made


def _total(counts: list[LinkCounts]) -> LinkCounts:
    return LinkCounts(**{item.name: sum(getattr(one, item.name) for one in counts) for item in fields(LinkCounts)})
