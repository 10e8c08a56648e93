"""A real server in a process of its own, for tests that need the whole program: ``tertulia serve`` on free ports
with a data directory of its own. It can be killed without mercy and started again on the same ports and data.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port that nobody listens on now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Server:
    """``tertulia serve``; use as a context manager.

    :param directory: where data and the log go; kept between :meth:`kill` and :meth:`start`
    :param environment: further ``TERTULIA_*`` variables
    :param media_port: where media is awaited; a free port if none is given
    :param program: Python's arguments, for a program that is ours but for something a test puts into it
    """

    def __init__(
        self,
        directory: Path,
        environment: dict[str, str] | None = None,
        media_port: int | None = None,
        program: tuple[str, ...] = ("-m", "tertulia", "serve"),
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.media_port = free_port(socket.SOCK_DGRAM) if media_port is None else media_port
        self.log = directory / "server.log"
        self._program = program
        self.process: subprocess.Popen[bytes] | None = None
        self._environment = {
            **os.environ,
            "TERTULIA_HTTP_PORT": str(self.port),
            "TERTULIA_MEDIA_PORT": str(self.media_port),
            "TERTULIA_DATA_DIR": str(directory / "data"),
            **(environment or {}),
        }

    @property
    def environment(self) -> dict[str, str]:
        """What another of its commands needs to find its data."""
        return dict(self._environment)

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self, limit_s: float = 60.0) -> None:
        """Start the program and wait until ``/readyz`` answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._program], env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + limit_s
        while not self._ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the server did not start:\n{self.log.read_text()[-4000:]}")
            time.sleep(0.05)  # between two questions to a server that is starting

    def _ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    def metric(self, name: str) -> float:
        """The value of one sample of ``/metrics``, named with its labels as it stands there."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.rsplit(" ", 1)[1])
        return 0.0

    def kill(self) -> None:
        """``kill -9``: no goodbye, no clean-up."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, as an operator would; a server that does not end in time is a failed test."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def postmaster_pid(self) -> int:
        """Process id of the embedded PostgreSQL."""
        [pid_file] = list((self.directory / "data").rglob("postmaster.pid"))
        return int(pid_file.read_text().split()[0])

    def __enter__(self) -> Server:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
