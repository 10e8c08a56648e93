"""Debian's nginx with the configuration that compose mounts, in front of a running server."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
import socketio

from tests.server import Server, free_port

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "deploy" / "nginx" / "tertulia.conf.template"

# What surrounds the mounted file in the official image, with files where an ordinary user may write.
SURROUNDINGS = """
{user}
pid {here}/nginx.pid;
error_log {here}/error.log warn;
events {{ worker_connections 256; }}
http {{
    include /etc/nginx/mime.types;
    access_log {here}/access.log;
    client_body_temp_path {here}/body;
    proxy_temp_path {here}/proxy;
    fastcgi_temp_path {here}/fastcgi;
    uwsgi_temp_path {here}/uwsgi;
    scgi_temp_path {here}/scgi;
    include {here}/default.conf;
}}
"""


@dataclass
class Front:
    """A running nginx and the server behind it."""

    http_port: int
    https_port: int
    server: Server
    tls: ssl.SSLContext

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https_port}"


def fill_in(text: str, values: dict[str, str]) -> str:
    """What the image's envsubst does: defined variables are replaced, nginx's own are not."""
    return re.sub(r"\$\{(\w+)\}", lambda found: values.get(found[1], found[0]), text)


def certificate(directory: Path) -> tuple[Path, Path]:
    chain, key = directory / "fullchain.pem", directory / "privkey.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*words, *names, "-keyout", str(key), "-out", str(chain)], check=True, capture_output=True)
    return chain, key


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    here = tmp_path_factory.mktemp("nginx")
    here.chmod(0o711)
    chain, key = certificate(here)
    http_port, https_port = free_port(), free_port()
    server = Server(
        here,
        {
            "TERTULIA_PUBLIC_URL": f"https://localhost:{https_port}",
            "TERTULIA_TOKEN_SECRET": "0123456789abcdef0123456789abcdef",
        },
    )
    values = {
        "SERVER_NAME": "localhost",
        "UPSTREAM": f"127.0.0.1:{server.port}",
        "HTTP_PORT": str(http_port),
        "HTTPS_PORT": str(https_port),
        "CERTIFICATE": str(chain),
        "CERTIFICATE_KEY": str(key),
    }
    text = fill_in(TEMPLATE.read_text(), values)
    assert "${" not in text
    (here / "default.conf").write_text(text)
    user = "user root;" if os.geteuid() == 0 else ""
    (here / "nginx.conf").write_text(SURROUNDINGS.format(here=here, user=user))
    program = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert program is not None, "the program nginx (package nginx-light) is needed"
    with server:
        command = [program, "-c", str(here / "nginx.conf"), "-g", "daemon off;", "-e", str(here / "start.log")]
        process = subprocess.Popen(command)
        try:
            wait_for(https_port, process)
            yield Front(http_port, https_port, server, ssl.create_default_context(cafile=chain))
        finally:
            process.send_signal(signal.SIGQUIT)
            process.wait(30)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except ConnectionRefusedError:
            assert process.poll() is None and time.monotonic() < deadline, "nginx does not start"
            time.sleep(0.02)  # not listening yet


@pytest.mark.stack
async def test_the_page_and_the_http_interface_come_through(front: Front) -> None:
    connector = aiohttp.TCPConnector(ssl=front.tls)
    async with aiohttp.ClientSession(front.url, connector=connector) as http:
        async with http.get("/r/calm-river-4821") as answer:
            assert answer.status == 200 and "<!doctype html>" in (await answer.text()).lower()
            assert "frame-ancestors" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Strict-Transport-Security"]
        async with http.post("/rooms", json={"name": "Demo"}) as answer:
            assert answer.status == 201
            room = (await answer.json())["id"]
        async with http.post(f"/rooms/{room}/tokens", json={"name": "Ann"}) as answer:
            assert answer.status == 201
        async with http.get("/metrics") as answer:
            assert answer.status == 404
        async with http.post("/rooms", data=b" " * 600_000) as answer:
            assert answer.status == 413


@pytest.mark.stack
async def test_http_is_sent_on_to_https(front: Front) -> None:
    async with (
        aiohttp.ClientSession() as http,
        http.get(f"http://localhost:{front.http_port}/r/x?y=1", allow_redirects=False) as answer,
    ):
        assert (answer.status, answer.headers["Location"]) == (308, "https://localhost/r/x?y=1")


@pytest.mark.stack
async def test_socket_io_comes_through_as_a_websocket(front: Front) -> None:
    connector = aiohttp.TCPConnector(ssl=front.tls)
    async with aiohttp.ClientSession(connector=connector) as http:
        async with http.post(f"{front.url}/rooms", json={}) as answer:
            room = (await answer.json())["id"]
        async with http.post(f"{front.url}/rooms/{room}/tokens", json={"name": "Ann"}) as answer:
            token = (await answer.json())["token"]
        client = socketio.AsyncClient(http_session=http, reconnection=False)
        await client.connect(
            front.url,
            headers={"Origin": front.url},  # as a page opened through the proxy says
            auth={"token": token},
            transports=["websocket"],
            socketio_path="ws",
        )
        joined = await client.call("join", {"room": room}, timeout=10)
        assert joined["room"]["id"] == room, json.dumps(joined)
        await client.disconnect()


@pytest.mark.stack
async def test_one_address_cannot_make_rooms_without_end(front: Front) -> None:
    connector = aiohttp.TCPConnector(ssl=front.tls)
    statuses = []
    async with aiohttp.ClientSession(front.url, connector=connector) as http:
        for _ in range(120):
            async with http.post("/rooms", data=b"nonsense") as answer:
                statuses.append(answer.status)
            if answer.status == 429:
                break
    assert statuses[0] == 400 and statuses[-1] == 429
