"""Logs name nobody: no token, no message, no identity, no address, whatever goes wrong."""

from __future__ import annotations

import uuid

import pytest
import socketio
import structlog

from tests.signaling.conftest import OFFER, Client, Stack
from tests.waiting import until


async def test_nothing_personal_is_logged(stack: Stack) -> None:
    with structlog.testing.capture_logs() as entries:
        room = await stack.room("A private matter")
        ada = await stack.client(room["id"], "ada-of-kent")
        await ada.join(room["id"], offer=OFFER)
        session = stack.session("ada-of-kent")
        session.open_channel("chat")
        for text in ("a secret of mine", "a\x00secret", "secret" * 1000):
            message = {"conversation": room["conversation"], "client_id": str(uuid.uuid4()), "body": {"text": text}}
            await ada.call("send-message", message)
            session.request("chat", "send-message", message, 1)
        stack.sfu.fail = RuntimeError("a fault of ours")
        answer = await ada.call("join", {"room": room["id"], "offer": OFFER})
        assert answer["error"] == {"code": "internal", "message": "Something went wrong on the server."}
        refused = Client(stack, ada.token[:-3], "x")
        with pytest.raises(socketio.exceptions.ConnectionError):
            await refused.connect()
        assert refused.refused["data"]["code"] == "token-invalid"
        ada.cut()
        await until(lambda: stack.signaling.stats()["participants"] == 0)
    logged = " ".join(str({key: value for key, value in entry.items() if key != "exc_info"}) for entry in entries)
    assert "a request failed" in logged, "faults of ours are logged"
    for personal in ("secret", ada.token, ada.token.split(".")[1], "ada-of-kent", "Ada-Of-Kent", "127.0.0.1"):
        assert personal not in logged
