"""A room's log tells when a call began and when it ended."""

from __future__ import annotations

from typing import Any

from tests.signaling.conftest import OFFER, Stack
from tests.waiting import until


async def test_call_lasts_from_the_first_with_media_to_the_last(stack: Stack) -> None:
    stack.signaling.calls = stack.chat.calls
    room = (await stack.room())["id"]
    ada, bob = await stack.client(room, "ada"), await stack.client(room, "bob")
    conversation = (await ada.join(room))["room"]["conversation"]

    async def events() -> list[dict[str, Any]]:
        filled = await ada.ask("fill", {"conversation": conversation, "after": 0})
        return list(filled["events"])

    assert await events() == [], "who only writes is in no call"
    await bob.join(room, offer=OFFER)
    await ada.wait_for("message")
    await ada.join(room, offer=OFFER)
    await bob.ask("leave", {})
    [started] = await events()
    assert (started["kind"], started["sender"]) == ("call-started", "bob")
    await ada.ask("leave", {})
    again = await stack.client(room, "cyd")
    await again.join(room)

    async def kinds() -> list[str]:
        filled = await again.ask("fill", {"conversation": conversation, "after": 0})
        return [event["kind"] for event in filled["events"]]

    for _ in range(100):
        if len(await kinds()) == 2:
            break
    assert await kinds() == ["call-started", "call-ended"]
    page = await again.ask("history", {"conversation": conversation})
    assert [message["kind"] for message in page["messages"]] == ["call-started", "call-ended"]
    assert page["messages"][1]["change"]["duration_ms"] >= 0
    assert [message["no"] for message in page["messages"]] == [None, None], "no call is an unread message"
    await until(lambda: not stack.chat.calls.busy)
