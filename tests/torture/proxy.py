"""A TCP proxy that treats its connections as bad networks do: it cuts, delays, half-closes, and swallows answers."""

from __future__ import annotations

import asyncio
import socket
import struct
from types import TracebackType

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing sends RST instead of FIN."""
CHUNK = 64 * 1024


class _Link:
    """One proxied connection: two pumps and two gates."""

    def __init__(self, client: asyncio.StreamWriter, server: asyncio.StreamWriter) -> None:
        self.client = client
        self.server = server
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        self.waiting = 0

    def open(self, up: bool, down: bool) -> None:
        (self.up.set if up else self.up.clear)()
        (self.down.set if down else self.down.clear)()

    async def pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, gate: asyncio.Event) -> None:
        """Pass bytes on until one side ends; an end in good order is passed on too."""
        try:
            while chunk := await reader.read(CHUNK):
                self.waiting += 1
                await gate.wait()
                self.waiting -= 1
                writer.write(chunk)
                await writer.drain()
            if writer.can_write_eof() and not writer.is_closing():
                writer.write_eof()
        except (OSError, RuntimeError):
            writer.transport.abort()

    def cut(self) -> None:
        for writer in (self.client, self.server):
            made: socket.socket | None = writer.get_extra_info("socket")
            if made is not None and made.fileno() >= 0:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


class Proxy:
    """Listens on a port of its own for a server's; use as an async context manager."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._links: set[_Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._open = (True, True)

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def waiting(self) -> int:
        """How many directions have something to pass on and may not."""
        return sum(link.waiting for link in self._links)

    async def __aenter__(self) -> Proxy:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=CHUNK, backlog=4096)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.release()
        self.cut()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def cut(self) -> None:
        """Every connection ends with a reset, in both directions."""
        for link in tuple(self._links):
            link.cut()

    def hold(self) -> None:
        """Nothing gets through any more in either direction, and nothing ends: a delay, until :meth:`release`."""
        self._set(False, False)

    def swallow(self) -> None:
        """Requests get through, their answers do not, until :meth:`release`."""
        self._set(True, False)

    def release(self) -> None:
        self._set(True, True)

    def _set(self, up: bool, down: bool) -> None:
        self._open = (up, down)
        for link in self._links:
            link.open(up, down)

    def half_close(self) -> None:
        """The server hears that its clients will say nothing more; the other direction stays open."""
        for link in tuple(self._links):
            if not link.server.is_closing() and link.server.can_write_eof():
                link.server.write_eof()

    def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, client), name="proxy")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        try:
            back, server = await asyncio.open_connection("127.0.0.1", self._target, limit=CHUNK)
        except OSError:
            client.transport.abort()
            return
        link = _Link(client, server)
        link.open(*self._open)
        self._links.add(link)
        try:
            await asyncio.gather(link.pump(reader, server, link.up), link.pump(back, client, link.down))
        finally:
            self._links.discard(link)
            link.cut()
