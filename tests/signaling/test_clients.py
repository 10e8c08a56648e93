"""The standard Socket.IO client of JavaScript against the door; Python's is what all other tests here use."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.signaling.conftest import Stack

HERE = Path(__file__).parent
WEB = HERE.parent.parent / "web"


class NodeClient:
    """``client.mjs`` and the lines it says."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def heard(self, event: str) -> Any:
        """The next of this name; what comes before is passed over."""
        assert self._process.stdout is not None
        async with asyncio.timeout(20):
            async for line in self._process.stdout:
                said = json.loads(line)
                if said["event"] == event:
                    return said.get("data")
        raise AssertionError(f"the client ended without {event}")

    def leave(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()


@asynccontextmanager
async def node(stack: Stack, *arguments: str) -> AsyncIterator[NodeClient]:
    # Modules are found from where the script lies.
    script = WEB / "client" / ".socket-io-client.test.mjs"
    script.write_bytes((HERE / "client.mjs").read_bytes())
    process = await asyncio.create_subprocess_exec(
        "node",
        str(script),
        stack.url,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ},
    )
    try:
        yield NodeClient(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        script.unlink()


async def test_socket_io_client_in_node_joins_sends_and_hears(stack: Stack) -> None:
    room = await stack.room()
    ada = await stack.client(room["id"], "ada")
    await ada.join(room["id"])
    token = stack.token(room["id"], "node")
    async with node(stack, token, room["id"], room["conversation"], "websocket") as client:
        assert (await client.heard("joined"))["you"]["id"] == "node"
        sent = await client.heard("sent")
        assert (await ada.wait_for("message"))["events"] == [sent["event"]]
        message = {"conversation": room["conversation"], "client_id": "0" * 8 + "-0000-4000-8000-" + "0" * 12}
        mine = await ada.ask("send-message", {**message, "body": {"text": "x" * 4000}})
        assert (await client.heard("message"))["events"][-1] == mine["event"]
        client.leave()
        assert await client.heard("disconnect") == "io client disconnect"
    await ada.wait_for("participant-updated")


async def test_socket_io_client_over_polling_or_with_a_bad_token_is_told_why(stack: Stack) -> None:
    room = await stack.room()
    async with node(stack, "not-a-token", room["id"], room["conversation"], "websocket") as client:
        assert (await client.heard("refused"))["data"]["code"] == "token-invalid"
    async with node(stack, "x", room["id"], room["conversation"], "polling") as client:
        assert "poll" in (await client.heard("refused"))["message"]
    async with stack.web.get("/ws/?EIO=4&transport=polling") as response:
        assert "WebSocket only" in (await response.json())["error"]["message"]
