"""What one client holds of a conversation, as a careful client keeps it: the rules of resuming, without I/O.

Events are applied in turn; older ones are dropped; one that comes too early says that a gap is to be filled. What was
sent shows at once as an echo of its own, which the event with the same client id takes the place of.
"""

from __future__ import annotations

from typing import Any

from tests.torture.folding import Event, Message, begin, fold


class View:
    """One conversation as held by one client."""

    def __init__(self, conversation: str) -> None:
        self.conversation = conversation
        self.seq = 0
        self.tag: str | None = None
        self.base: int | None = None
        """Everything above this number is held."""
        self.events: dict[int, Event] = {}
        self.messages: dict[int, Message] = {}
        """What is shown: the last page that was read, folded with every event since."""
        self.echoes: dict[str, str] = {}

    @property
    def position(self) -> dict[str, Any] | None:
        """Where to resume from; None before the first page."""
        if self.base is None:
            return None
        return {"conversation": self.conversation, "seq": self.seq, "tag": self.tag}

    def echo(self, client_id: str, text: str) -> None:
        """Show what is being sent."""
        self.echoes[client_id] = text

    def drop_echo(self, client_id: str) -> None:
        """It was refused for good."""
        self.echoes.pop(client_id, None)

    def apply(self, events: list[Event]) -> bool:
        """Take in what follows; True when something between is missing."""
        for event in events:
            if event["seq"] <= self.seq:
                continue
            if event["seq"] != self.seq + 1:
                return True
            self._take(event)
            fold(self.messages, event)
            self.seq, self.tag = event["seq"], event["id"][:8]
        return False

    def begin(self, page: list[Event], head: dict[str, Any]) -> None:
        """Start over from a page of history, whose newest position is ``head``."""
        self.events.clear()
        self.messages = {event["seq"]: begin(event) for event in page}
        for event in page:
            self._take(event)
        # Below the page's first message there may be more; between its messages there may be events that are none.
        self.base = page[0]["seq"] - 1 if page else head["seq"]
        self.seq, self.tag = head["seq"], head["tag"]

    def shown(self) -> list[str]:
        """Client ids in the order in which they are shown, echoes last."""
        own = [event["client_id"] for _, event in sorted(self.events.items()) if event.get("client_id")]
        return own + list(self.echoes)

    def _take(self, event: Event) -> None:
        self.events[event["seq"]] = event
        if event.get("client_id"):
            self.echoes.pop(event["client_id"], None)
