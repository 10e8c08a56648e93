"""Debian's coturn, started from the configuration that our settings make."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aioice import stun

from tertulia.settings import Settings
from turn.config import render


@contextmanager
def running(settings: Settings, directory: Path) -> Iterator[Path]:
    """coturn, listening; yields its log. Where it keeps its files is all that is said on the command line."""
    config, log = directory / "turnserver.conf", directory / "coturn.log"
    config.write_text(render(settings))
    program = shutil.which("turnserver")
    assert program is not None, "the program turnserver (package coturn) is needed"
    files = [f"--userdb={directory / 'turndb'}", f"--pidfile={directory / 'coturn.pid'}"]
    with log.open("wb") as output:
        process = subprocess.Popen([program, "-c", str(config), *files], stdout=output, stderr=output)
    try:
        wait_until_it_answers((settings.turn_listen[0], settings.turn_port), process)
        yield log
    finally:
        process.terminate()
        process.wait(20)


def wait_until_it_answers(address: tuple[str, int], process: subprocess.Popen[bytes]) -> None:
    """Send Binding requests (RFC 8489) until one is answered."""
    deadline = time.monotonic() + 20
    request = bytes(stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        probe.connect(address)
        while True:
            assert process.poll() is None and time.monotonic() < deadline, "coturn does not answer"
            try:
                probe.send(request)
                if probe.recv(1500):
                    return
            except ConnectionRefusedError:
                time.sleep(0.02)  # not listening yet
            except TimeoutError:
                continue
