"""``tertulia check``: look at everything a server needs before people do, and say how to mend what is wrong."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tertulia.database import Database, DatabaseError
from tertulia.datadir import DataDir, DataDirError
from tertulia.postgres import PostgresError, binaries
from tertulia.server import StartError, check_media_port, claim, media_ports_text
from tertulia.settings import Settings

SOCKET_BUFFER_BYTES = 4 * 1024 * 1024
TURN_LIMIT_S = 3.0


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    ok: bool
    subject: str
    text: str


async def run(settings: Settings) -> list[Finding]:
    """All findings, in the order in which a start would meet them."""
    findings = [*_address(settings), _page(settings)]
    running = False
    try:
        directory = DataDir(settings.data_dir)
        findings.append(Finding(True, "data directory", str(directory.path)))
        try:
            directory.lock()
            directory.unlock()
        except DataDirError:
            running = True
            findings.append(Finding(True, "server", "one is running on this data directory; its ports are not tried"))
    except DataDirError as error:
        findings.append(Finding(False, "data directory", str(error)))
    if not running:
        findings += _ports(settings)
    findings += [_buffers(), *_media(settings), await _database(settings)]
    for url in settings.turn_urls:
        findings.append(await _turn(url))
    return findings


def _address(settings: Settings) -> Iterator[Finding]:
    if settings.development:
        yield Finding(True, "address", f"{settings.base_url}, for this machine only")
    elif settings.base_url.startswith("https://"):
        yield Finding(True, "address", settings.base_url)
    else:
        yield Finding(
            False,
            "address",
            f"{settings.base_url} is not HTTPS, so browsers refuse camera and microphone; put a proxy with a "
            "certificate in front and set public_url to its https:// address",
        )


def _page(settings: Settings) -> Finding:
    if (Path(settings.web_dist) / "index.html").is_file():
        return Finding(True, "page", settings.web_dist)
    return Finding(False, "page", f"{settings.web_dist} holds no index.html; build it with: make web")


def _ports(settings: Settings) -> Iterator[Finding]:
    try:
        for listener in claim(settings):
            listener.close()
        yield Finding(True, "TCP port", f"{settings.http_port} is free")
    except StartError as error:
        yield Finding(False, "TCP port", str(error))
    try:
        check_media_port(settings)
        yield Finding(True, "UDP port", f"{media_ports_text(settings)}: free")
    except StartError as error:
        yield Finding(False, "UDP port", str(error))


def _buffers() -> Finding:
    """A burst of packets must fit while the worker is busy for some milliseconds; Linux's own limit is 208 KiB."""
    path = Path("/proc/sys/net/core/rmem_max")
    limit = int(path.read_text()) if path.exists() else SOCKET_BUFFER_BYTES
    if limit >= SOCKET_BUFFER_BYTES:
        return Finding(True, "socket buffers", f"up to {limit // 1024} KiB")
    return Finding(
        True,
        "socket buffers",
        f"up to {limit // 1024} KiB, enough for a few rooms; for large ones: sysctl -w net.core.rmem_max=4194304",
    )


def _media(settings: Settings) -> Iterator[Finding]:
    from sfu.addresses import advertised

    addresses = [ipaddress.ip_address(address) for address in advertised(settings)]
    listed = ", ".join(str(address) for address in addresses)
    if not addresses:
        yield Finding(False, "media addresses", "none found; name them in media_addresses")
    elif not settings.development and not any(address.is_global for address in addresses):
        yield Finding(
            False,
            "media addresses",
            f"{listed}: none can be reached from the Internet; set media_addresses to the public address (behind NAT "
            f"also forward {media_ports_text(settings)} to this machine)",
        )
    else:
        yield Finding(True, "media addresses", listed)


async def _database(settings: Settings) -> Finding:
    if not settings.database_dsn:
        try:
            return Finding(True, "database", f"embedded, {binaries()}")
        except PostgresError as error:
            return Finding(False, "database", str(error))
    database = Database.from_settings(settings)
    try:
        await database.start()
        return Finding(True, "database", "answers, and keeps what it acknowledges")
    except DatabaseError as error:
        return Finding(False, "database", str(error))
    finally:
        await database.close()


async def _turn(url: str) -> Finding:
    """A Binding request (RFC 8489, 14) over UDP, or a connection for TURN over TCP and TLS."""
    scheme, _, rest = url.partition(":")
    host, port, query = _split(rest, 5349 if scheme.endswith("s") else 3478)
    try:
        if scheme.endswith("s") or "transport=tcp" in query:
            async with asyncio.timeout(TURN_LIMIT_S):
                _, writer = await asyncio.open_connection(host, port)
            writer.close()
        else:
            await _binding(host, port)
        return Finding(True, "TURN", f"{url} answers")
    except (OSError, TimeoutError):
        return Finding(
            False, "TURN", f"{url} does not answer; is coturn running there, and port {port} open in its firewall?"
        )


async def _binding(host: str, port: int) -> None:
    from aioice import stun

    loop = asyncio.get_running_loop()
    request = bytes(stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST))
    async with asyncio.timeout(TURN_LIMIT_S):
        family, _, _, _, address = (await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM))[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.setblocking(False)
            await loop.sock_connect(probe, address)
            await loop.sock_sendall(probe, request)
            await loop.sock_recv(probe, 1500)


def _split(rest: str, port: int) -> tuple[str, int, str]:
    parts = urlsplit("//" + rest)
    return parts.hostname or "", parts.port or port, parts.query
