"""The protocol's fold, written once more for clients of a run: a snapshot's messages and the events after it.

It knows what ``docs/protocol.md`` says and none of the server's code; that both come to the same is what a run checks.
"""

from __future__ import annotations

from typing import Any

Event = dict[str, Any]
Message = dict[str, Any]


def begin(event: Event) -> Message:
    """What is shown of a message: from a page of history (where it has a ``version``) or from its own event."""
    body = event.get("body")
    return {
        "seq": event["seq"],
        "version": event.get("version") or event["seq"],
        "text": body["text"] if body is not None else None,
        "thread": (body or {}).get("thread") or event.get("thread"),
        "deleted": event.get("deleted_at") is not None,
        "pinned": event.get("pinned_at") is not None,
        "reactions": {one["emoji"]: one["count"] for one in event.get("reactions") or []},
    }


def fold(messages: dict[int, Message], event: Event) -> None:
    """Apply what follows; an event that a message has seen already changes nothing."""
    if event["kind"] == "message":
        messages[event["seq"]] = begin(event)
        return
    message = messages.get(event.get("target") or 0)
    if message is None or message["version"] >= event["seq"]:
        return
    kind, change = event["kind"], event.get("change") or {}
    if kind == "edit":
        message["text"] = event["body"]["text"]
    elif kind == "delete":
        message |= {"text": None, "deleted": True, "pinned": False, "reactions": {}}
    elif kind in ("pin", "unpin"):
        message["pinned"] = kind == "pin"
    elif kind == "reaction":
        message["reactions"].pop(change["emoji"], None)
        if change["count"]:
            message["reactions"][change["emoji"]] = change["count"]
    else:
        return
    message["version"] = event["seq"]


def shown(message: Message) -> list[Any]:
    """What two clients that hold the same message must agree on. How many replies it has is not among it: one that was
    deleted left a stub, which does not say whose reply it was."""
    return [
        message["seq"],
        message["text"],
        message["deleted"],
        message["pinned"],
        sorted([emoji, count] for emoji, count in message["reactions"].items()),
    ]
