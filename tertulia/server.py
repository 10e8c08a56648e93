"""``tertulia serve``: claim what the program needs, run until told to stop, and say in one sentence what is wrong.

Ports are claimed before anything is started, so that a second start by mistake ends at once and touches nothing.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import signal
import socket
from collections.abc import Callable

import msgspec
import structlog
from aiohttp import web

from tertulia import app as composition
from tertulia import http
from tertulia.database import DatabaseError
from tertulia.datadir import DataDir, DataDirError
from tertulia.settings import Settings, is_loopback

log = structlog.get_logger("tertulia.server")

SHUTDOWN_LIMIT_S = 5.0
IDLE_LIMIT_S = 75.0
"""How long a connection may go without a whole request, from its first byte or its last answer on; more than a proxy
keeps its idle ones (nginx: 60 s), so that it is the proxy that closes them."""
BACKLOG = 1024

Announce = Callable[[Settings, str | None], None]
"""Tells that people can come, and by which address the first owner makes their account while there is none."""


class StartError(Exception):
    """The program cannot run here; the text is one sentence that says what to do."""


async def serve(settings: Settings, announce: Announce) -> None:
    """Run until SIGTERM, SIGINT or SIGHUP. ``announce`` is called when people can come. Raises StartError."""
    try:
        data_dir = DataDir(settings.data_dir)
        data_dir.lock()
    except DataDirError as error:
        raise StartError(str(error)) from error
    try:
        if not settings.token_secret:
            settings = msgspec.structs.replace(settings, token_secret=data_dir.secret("token-secret"))
        sockets = claim(settings)
        check_media_port(settings)
        await _run(settings, sockets, announce)
    finally:
        data_dir.unlock()


async def _run(
    settings: Settings, sockets: list[socket.socket], announce: Callable[[Settings, str | None], None]
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, stop.set)
    app = await composition.build(settings)
    runner = web.AppRunner(
        app,
        access_log_class=http.AccessLogger,
        shutdown_timeout=SHUTDOWN_LIMIT_S,
        keepalive_timeout=IDLE_LIMIT_S,
        handle_signals=False,
    )
    try:
        await _start_unless(stop, runner, settings)
        if stop.is_set():
            return
        for listener in sockets:
            await web.SockSite(runner, listener, backlog=BACKLOG).start()
        # What was made up to here lives as long as the program; the collector need not look at it again.
        gc.collect()
        gc.freeze()
        log.info("serving", port=settings.http_port, media_port=settings.media_port, development=settings.development)
        announce(settings, app[composition.SERVICES].accounts.owner_link)
        await stop.wait()
        log.info("stopping")
    finally:
        await runner.cleanup()
        for listener in sockets:
            listener.close()


async def _start_unless(stop: asyncio.Event, runner: web.AppRunner, settings: Settings) -> None:
    """Start the services; a signal meanwhile ends that too, instead of being noticed only afterwards."""
    setup = asyncio.ensure_future(runner.setup())
    stopped = asyncio.ensure_future(stop.wait())
    await asyncio.wait((setup, stopped), return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    if not setup.done():
        setup.cancel()
    try:
        await setup
    except asyncio.CancelledError:
        if not stop.is_set():
            raise
    except DatabaseError as error:
        raise StartError(str(error)) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise StartError(media_port_taken(settings, settings.media_port)) from error
        raise


def claim(settings: Settings) -> list[socket.socket]:
    """Sockets on the HTTP port; who connects before the services run waits a moment. Raises StartError."""
    host, port = settings.http_host or "0.0.0.0", settings.http_port
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise StartError(f"TERTULIA_HTTP_HOST is {host!r}, which is no address of this machine.") from error
    sockets: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in found:
            listener = socket.socket(family, kind, protocol)
            sockets.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.bind(address)
            # With SO_REUSEADDR Linux tells of another listener only now.
            listener.listen(BACKLOG)
    except OSError as error:
        for listener in sockets:
            listener.close()
        raise StartError(_why_not(error, host, port)) from error
    return sockets


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"TCP port {port} is in use by another program; stop that one, or choose another port: "
            f"TERTULIA_HTTP_PORT={port + 1 if port < 65535 else 8080}."
        )
    if error.errno == errno.EACCES:
        return f"Only root may listen on TCP port {port}; choose one above 1023 with TERTULIA_HTTP_PORT."
    if error.errno == errno.EADDRNOTAVAIL:
        return f"TERTULIA_HTTP_HOST is {host!r}, which is no address of this machine."
    return f"Cannot listen on TCP port {port}: {error.strerror}."


def check_media_port(settings: Settings) -> None:
    """Raises StartError when a media port is taken; asked before the database is started."""
    for port in settings.media_ports if settings.media_port else ():
        probe = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            probe.bind(("", port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise StartError(media_port_taken(settings, port)) from error
            raise StartError(f"Cannot use UDP port {port}: {error.strerror}.") from error
        finally:
            probe.close()


def media_port_taken(settings: Settings, port: int) -> str:
    """The sentence for a taken UDP port."""
    last = settings.media_ports[-1]
    return (
        f"UDP port {port} is in use by another program; stop that one, or choose another port: "
        f"TERTULIA_MEDIA_PORT={last + 1 if last + settings.media_workers <= 65535 else 7882}."
    )


def media_ports_text(settings: Settings) -> str:
    """The workers' ports, for a sentence: ``UDP port 7882`` or ``UDP ports 7882-7885``."""
    first, last = settings.media_ports[0], settings.media_ports[-1]
    return f"UDP port {first}" if first == last else f"UDP ports {first}-{last}"


def welcome(settings: Settings, owner_link: str | None = None) -> str:
    """What ``serve`` prints: the address, what to do there, what to expect."""
    lines = [
        f"Tertulia is running at {settings.base_url}",
        "",
        "  1. Open it in a browser, give yourself a name and make a room.",
        "  2. Open the room's address in a second window, or press “Add a robot”, and you are two.",
        "  You should see and hear each other within a second, share a screen, and write messages that are",
        "  still there after a restart. The browser asks once for camera and microphone; a call works without.",
        "",
        f"  Sound and pictures use {media_ports_text(settings)}. Data is kept in {settings.data_dir}.",
    ]
    if settings.development:
        lines.append(
            "  Only this machine can connect. For others see docs/operating.md: they need HTTPS for the camera."
        )
    elif not settings.public_url.startswith("https://") and not is_loopback(settings.http_host):
        lines.append("  Browsers give camera and microphone to HTTPS pages only: see docs/operating.md, TLS.")
    if owner_link is not None:
        lines.append(
            "  There are no accounts yet. This link makes the owner's, within a day (docs/operating.md, Accounts):"
        )
        lines.append(f"  {owner_link}")
    lines.append("  Stop with Ctrl-C.")
    return "\n".join(lines)
