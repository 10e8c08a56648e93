"""Stock python-socketio doing what the chat's benchmark asks of every server: tell a room what somebody sent."""

from __future__ import annotations

import sys
import time
import uuid
from typing import Any

import socketio
import uvloop
from aiohttp import web


def main() -> None:
    """Serve on the port given until killed."""
    server = socketio.AsyncServer(async_mode="aiohttp")
    seq = 0

    async def sync(sid: str, request: Any) -> Any:
        for position in request["positions"]:
            await server.enter_room(sid, position["conversation"])
        return {"conversations": []}

    async def send(sid: str, request: Any) -> Any:
        nonlocal seq
        seq += 1
        event = {
            **request,
            "seq": seq,
            "id": str(uuid.uuid4()),
            "kind": "message",
            "at": round(time.time() * 1000),
            "sender": sid,
        }
        frame = {"conversation": request["conversation"], "events": [event]}
        await server.emit("message", frame, room=request["conversation"])
        return {"event": event}

    server.on("sync", sync)
    server.on("send-message", send)
    app = web.Application()
    server.attach(app)
    uvloop.install()
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)


if __name__ == "__main__":
    main()
