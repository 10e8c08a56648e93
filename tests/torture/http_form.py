"""How a request is put over HTTP: method, path, query and body. Written by hand from ``docs/protocol.md``, not taken
from the server's own table.
"""

from __future__ import annotations

from typing import Any

POSTS = {
    "send-message": "/chat/send",
    "edit-message": "/chat/edit",
    "delete-message": "/chat/delete",
    "react": "/chat/react",
    "pin-message": "/chat/pin",
    "mark-read": "/chat/mark-read",
    "sync": "/chat/sync",
    "fill": "/chat/fill",
    "remove-member": "/chat/members/remove",
    "leave-conversation": "/chat/conversations/leave",
}
"""Where the HTTP door takes what is asked in a body."""


def http_form(event: str, payload: dict[str, Any]) -> tuple[str, str, dict[str, Any] | None, dict[str, Any] | None]:
    """Method, path, query and body by which the HTTP door takes a request."""
    if event in POSTS:
        return "POST", POSTS[event], None, payload
    if event == "history":
        query = {name: value for name, value in payload.items() if name != "conversation"}
        return "GET", f"/chat/history/{payload['conversation']}", query, None
    if event == "search":
        return "GET", "/chat/search", payload, None
    raise ValueError(f"the HTTP door has no {event}")
