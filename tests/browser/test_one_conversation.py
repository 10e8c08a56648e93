"""One conversation, five clients: two browser windows, one of the size of a phone, a program over HTTP, and the
standard Socket.IO client in Node. Each writes, and all hold the same messages in the same order.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.browser.conftest import Enter
from tests.server import Server
from tests.waiting import until

HERE = Path(__file__).parent
SCRIPT = HERE.parent / "signaling" / "client.mjs"
WEB = HERE.parent.parent / "web"
LIMIT_S = 60.0


class NodeClient:
    """The standard client in a process of its own; it writes one message when it has joined."""

    def __init__(self) -> None:
        self.events: dict[int, dict[str, Any]] = {}

    def take(self, line: bytes) -> None:
        said = json.loads(line)
        data = said.get("data")
        if said["event"] == "joined":
            self._hold(data["history"]["messages"])
        elif said["event"] == "sent":
            self._hold([data["event"]])
        elif said["event"] == "message":
            self._hold(data["events"])

    def _hold(self, events: list[dict[str, Any]]) -> None:
        self.events |= {event["seq"]: event for event in events}

    @property
    def texts(self) -> list[str]:
        return [event["body"]["text"] for _, event in sorted(self.events.items()) if event["kind"] == "message"]


@asynccontextmanager
async def node_client(url: str, token: str, room: str, conversation: str) -> AsyncIterator[NodeClient]:
    # Modules are found from where the script lies.
    script = WEB / "client" / f".{uuid.uuid4().hex}.test.mjs"
    script.write_bytes(SCRIPT.read_bytes())
    process = await asyncio.create_subprocess_exec(
        *("node", str(script), url, token, room, conversation, "websocket"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    client = NodeClient()

    async def read() -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            client.take(line)

    reading = asyncio.create_task(read())
    try:
        yield client
    finally:
        process.kill()
        await process.wait()
        await reading
        script.unlink()


class HttpClient:
    """A program that writes and reads over HTTP only."""

    def __init__(self, web: aiohttp.ClientSession, token: str, conversation: str) -> None:
        self._web = web
        self._headers = {"Authorization": f"Bearer {token}"}
        self._conversation = conversation

    async def write(self, text: str) -> None:
        message = {"conversation": self._conversation, "client_id": str(uuid.uuid4()), "body": {"text": text}}
        async with self._web.post("/chat/send", json=message, headers=self._headers) as response:
            assert response.status == 200, await response.text()

    async def texts(self) -> list[str]:
        async with self._web.get(f"/chat/history/{self._conversation}?limit=100", headers=self._headers) as response:
            page = await response.json()
        return [event["body"]["text"] for event in page["messages"] if event["kind"] == "message"]


async def test_browsers_a_phone_http_and_node_show_the_same_conversation(
    join: Enter, server: Server, room: str
) -> None:
    ana, ben = await join("Ana"), await join("Ben")
    phone = await join("Cyd", width=390, height=760)
    await phone.page.get_by_test_id("toggle-chat").click()  # wide windows show it from the start
    windows = (ana, ben, phone)
    async with aiohttp.ClientSession(server.url) as web:

        async def token(name: str) -> str:
            async with web.post(f"/rooms/{room}/tokens", json={"name": name}) as response:
                return str((await response.json())["token"])

        async with web.get(f"/rooms/{room}") as response:
            conversation = (await response.json())["conversation"]
        program = HttpClient(web, await token("Program"), conversation)
        await asyncio.gather(
            ana.write("one from Ana"), program.write("two from a program"), phone.write("three from a phone")
        )
        async with node_client(server.url, await token("Node"), room, conversation) as node:
            await until(lambda: any(text.startswith("from Node") for text in node.texts), LIMIT_S)
            await asyncio.gather(
                ben.write("four from Ben"), program.write("five from a program"), ana.write("six from Ana")
            )
            await until(lambda: len(node.texts) == 7, LIMIT_S)
            expected = await program.texts()
            assert len(expected) == 7
            assert node.texts == expected
            async with asyncio.timeout(LIMIT_S):
                for person in windows:
                    for text in expected:
                        await person.reads(text)
            for person in windows:
                assert await person.messages() == expected, person.name
