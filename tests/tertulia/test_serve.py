"""``tertulia serve`` as a process: what it prints, how it ends, and one sentence for every mistake of an operator."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.server import Server, free_port
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]


def serve(tmp_path: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Start a server that is expected to end by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
    environment |= {
        "TERTULIA_HTTP_PORT": str(free_port()),
        "TERTULIA_MEDIA_PORT": str(free_port(socket.SOCK_DGRAM)),
        "TERTULIA_DATA_DIR": str(tmp_path / "data"),
    }
    environment |= {f"TERTULIA_{name.upper()}": value for name, value in settings.items()}
    command = [sys.executable, "-m", "tertulia", "serve"]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)


def complaint(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence it ended with."""
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    [line] = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert line.startswith("tertulia: ") and line.endswith(".")
    return line


def test_it_says_where_it_is_and_ends_when_asked(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/healthz", timeout=5) as answer:
            assert answer.status == 200
        postmaster = server.postmaster_pid()
        server.stop()
        assert server.process is not None and server.process.returncode == 0
        assert not (tmp_path / "data" / "postgres" / "cluster" / "postmaster.pid").exists()
        assert postmaster > 0
    output = server.log.read_text()
    assert f"Tertulia is running at http://localhost:{server.port}" in output
    assert "Stop with Ctrl-C." in output
    assert "Traceback" not in output


async def test_a_signal_during_the_start_ends_it_too(tmp_path: Path) -> None:
    server = Server(tmp_path)
    with server.log.open("ab") as log:
        environment = {
            **os.environ,
            "TERTULIA_HTTP_PORT": str(server.port),
            "TERTULIA_DATA_DIR": str(tmp_path / "data"),
        }
        environment["TERTULIA_MEDIA_PORT"] = str(server.media_port)
        process = subprocess.Popen([sys.executable, "-m", "tertulia", "serve"], env=environment, stdout=log, stderr=log)
    await until(lambda: "making the database" in server.log.read_text())
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0
    assert "Traceback" not in server.log.read_text()


def test_a_taken_tcp_port_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        text = complaint(serve(tmp_path, http_port=str(port)))
    assert f"TCP port {port} is in use" in text and "TERTULIA_HTTP_PORT=" in text


def test_a_taken_udp_port_is_named(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        port = other.getsockname()[1]
        text = complaint(serve(tmp_path, media_port=str(port)))
    assert f"UDP port {port} is in use" in text and "TERTULIA_MEDIA_PORT=" in text
    assert not (tmp_path / "data" / "postgres").exists()  # nothing was begun


def test_no_database_is_named_without_its_password(tmp_path: Path) -> None:
    text = complaint(serve(tmp_path, database_dsn="postgresql://user:hunter2@127.0.0.1:1/none"))
    assert "TERTULIA_DATABASE_DSN" in text and "hunter2" not in text


def test_an_unusable_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    text = complaint(serve(tmp_path, data_dir=str(tmp_path / "file")))
    assert str(tmp_path / "file") in text and "TERTULIA_DATA_DIR" in text


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with Server(tmp_path):
        text = complaint(serve(tmp_path))
    assert "Another server" in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("http_port", "99999", "TERTULIA_HTTP_PORT"),
        ("http_host", "0.0.0.0", "token_secret"),
        ("htp_port", "1", "TERTULIA_HTP_PORT"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, name: str, value: str, words: str) -> None:
    assert words in complaint(serve(tmp_path, **{name: value}))


def test_check_finds_a_taken_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        environment = {**os.environ, "TERTULIA_DATA_DIR": str(tmp_path), "TERTULIA_HTTP_PORT": str(port)}
        command = [sys.executable, "-m", "tertulia", "check"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"FAIL  TCP port: TCP port {port} is in use" in done.stdout


def test_token_prints_one_that_the_server_believes(tmp_path: Path) -> None:
    environment = {**os.environ, "TERTULIA_DATA_DIR": str(tmp_path / "data")}
    command = [sys.executable, "-m", "tertulia", "token", "--room", "calm-river", "--identity", "ann"]
    token = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()
    with Server(tmp_path) as server:
        request = urllib.request.Request(
            f"http://127.0.0.1:{server.port}/turn/credentials", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=5) as answer:
            assert answer.status == 200
