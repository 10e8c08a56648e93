"""A backup holds everything, and a running program whose database is put back tells its clients to reload."""

from __future__ import annotations

import stat
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from tertulia.backup import of_dsn
from tests.server import Server
from tests.waiting import until, until_answered

LIMIT_S = 60.0


def tertulia(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tertulia", *words],
        env=server.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


class Person:
    """Somebody at a running server."""

    def __init__(self, server: Server, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session
        self.token = ""
        self.id = ""

    async def log_in(self, name: str) -> Person:
        answer = await self("/auth/dev", {"name": name})
        self.token, self.id = answer["token"], answer["identity"]
        return self

    async def __call__(self, path: str, body: Any = None) -> Any:
        method = "POST" if body is not None else "GET"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        async with self._session.request(method, self._server.url + path, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def say(self, conversation: str, text: str) -> Any:
        asked = {"conversation": conversation, "client_id": str(uuid.uuid4()), "body": {"text": text}}
        return (await self("/chat/send", asked))["event"]


async def test_restored_server_has_the_old_log_and_its_clients_reload(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    with Server(tmp_path) as server:
        async with aiohttp.ClientSession() as session:
            ada = await Person(server, session).log_in("Ada")
            made = await ada("/chat/conversations", {"client_id": str(uuid.uuid4()), "kind": "group", "title": "Kept"})
            place = made["id"]
            await ada.say(place, "kept pomegranate")
            done = tertulia(server, "backup", str(file))
            assert done.returncode == 0, done.stderr
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
            assert tertulia(server, "backup", str(file)).returncode == 1, "nothing is written over"
            for n in range(5):
                await ada.say(place, f"lost {n}")
            last = await ada.say(place, "lost at last")
            client = socketio.AsyncClient(reconnection=False)
            gone: list[str] = []
            client.on("goaway", lambda _: gone.append("goaway"))
            client.on("disconnect", lambda *_: gone.append("disconnect"))
            await client.connect(server.url, auth={"token": ada.token}, socketio_path="/ws", transports=["websocket"])
            position = {"conversation": place, "seq": last["seq"], "tag": last["id"][:8]}
            followed = await client.call("sync", {"positions": [position], "open": [place]})
            assert followed["conversations"][0]["status"] == "events"

            done = tertulia(server, "restore", "--yes", str(file))
            assert done.returncode == 0, done.stderr
            await until(lambda: "goaway" in gone and "disconnect" in gone, LIMIT_S)
            again = socketio.AsyncClient(reconnection=False)
            heard: list[Any] = []
            again.on("message", heard.append)
            await again.connect(server.url, auth={"token": ada.token}, socketio_path="/ws", transports=["websocket"])
            followed = await again.call("sync", {"positions": [position], "open": [place]})
            assert followed["conversations"][0]["status"] == "reset"
            page = await ada(f"/chat/history/{place}")
            assert [message["body"]["text"] for message in page["messages"] if message["body"]] == ["kept pomegranate"]
            # Life goes on, over the same numbers, and is told live.
            said = await ada.say(place, "after")
            assert said["seq"] == 3
            assert said["id"][:8] != position["tag"]
            await until(lambda: any(event["seq"] == 3 for frame in heard for event in frame["events"]), LIMIT_S)

            async def found() -> list[Any]:
                return list((await ada("/chat/search?query=pomegranate"))["messages"])

            await until_answered(found, LIMIT_S)  # the index is made anew
            await client.disconnect()
            await again.disconnect()
        server.stop()
        # Without a running program too, which is started for the while and stopped.
        second = tmp_path / "second"
        assert tertulia(server, "backup", str(second)).returncode == 0
        assert tertulia(server, "restore", "--yes", str(second)).returncode == 0
        broken = tmp_path / "broken"
        broken.write_bytes(b"PGDMP nonsense")
        done = tertulia(server, "restore", "--yes", str(broken))
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        server.start()
        async with aiohttp.ClientSession() as session:
            ada = await Person(server, session).log_in("Ada")
            assert len((await ada(f"/chat/history/{place}"))["messages"]) == 3


@pytest.mark.parametrize(
    ("dsn", "expected"),
    [
        (
            "postgresql://u%40x:p%2Fw@db.example:5433/tertulia?sslmode=require",
            {
                "PGHOST": "db.example",
                "PGPORT": "5433",
                "PGUSER": "u@x",
                "PGPASSWORD": "p/w",
                "PGDATABASE": "tertulia",
                "PGSSLMODE": "require",
            },
        ),
        ("postgresql://u@/db?host=/run/x", {"PGHOST": "/run/x", "PGUSER": "u", "PGDATABASE": "db"}),
    ],
)
def test_dsn_is_told_in_variables(dsn: str, expected: dict[str, str]) -> None:
    assert of_dsn(dsn) == expected
