"""One client of a run: its doors, its position, what it holds, and everything of it written to the history.

It behaves as a careful client does: it sends with an id of its own until it is answered, over whichever door is open;
resumes from its position, on any node; fills gaps one request at a time; and starts over when it is told to.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import aiohttp

from tests.torture import folding
from tests.torture.http_form import http_form
from tests.torture.media import MediaPeer
from tests.torture.parts import Node, Place, Run
from tests.torture.view import View
from tests.torture.wire import Heard, Lost, Refused, Wire

UNKNOWN = frozenset({"outcome-unknown", "internal"})
"""Refusals after which nobody knows whether it was done."""
TRANSIENT = frozenset(
    {"internal", "outcome-unknown", "database-unavailable", "rate-limited", "room-full", "room-ended", "goaway"}
)
"""Refusals after which the same request may succeed."""


class Device:
    """A client. ``name`` is the device's, ``identity`` the person's; a person may have several devices only over HTTP,
    because a room holds one presence a person."""

    def __init__(self, run: Run, name: str, identity: str, token: str, place: Place) -> None:
        self.run = run
        self.name = name
        self.identity = identity
        self.token = token
        self.place = place
        self.view = View(place.conversation)
        self.node: Node | None = None
        self.session = 0
        self.online = False
        self.media: MediaPeer | None = None
        self._wire: Wire | None = None
        self._filling: asyncio.Task[None] | None = None
        self._early: list[list[dict[str, Any]]] | None = None
        self.unacknowledged: dict[str, dict[str, Any]] = {}
        self.acknowledged: list[dict[str, Any]] = []
        self._unsure: set[str] = set()
        """Client ids of which nobody knows whether they are done."""

    # --- the connection ------------------------------------------------------------------------------------------

    async def connect(self, node: Node, call: bool = False) -> bool:
        """Open a socket and join, from the position held; with ``call`` also a media session. False when it failed."""
        await self.disconnect()
        self.node, self.session = node, self.run.recorder.session()
        session = self.session
        wire = Wire(lambda event, payload: self._notice(session, "socket", event, payload), lambda: self._over(session))
        self._wire = wire
        self._early = []
        media = MediaPeer(lambda event, payload: self._notice(session, "channel", event, payload)) if call else None
        self._write("session", "open", door="socket")
        try:
            await wire.connect(self.run.web, node.url, self.token)
            self.online = True
            self.run.counts.connections += 1
            if self.place.room:
                joining = {"room": self.place.room, "position": self.view.position}
                if media is not None:
                    joining |= {"offer": await media.offer()}
                joined = await self._ask("socket", "join", joining, wire)
                await self._joined(joined)
                if media is not None:
                    self.media = media
                    await media.accept(joined["answer"])
            else:
                await self._follow(wire)
        except (Lost, Refused):
            await self.disconnect()
            return False
        return self.online

    async def _joined(self, joined: dict[str, Any]) -> None:
        if joined.get("history") is not None:
            self.view.begin(joined["history"]["messages"], joined["history"]["head"])
            self._applied("join")
        elif joined.get("chat") is not None:
            if joined["chat"]["status"] == "events" and joined["chat"]["head"]["seq"] > self.view.seq:
                self.run.counts.resumes += 1
            await self._take(joined["chat"], "join")
        self._begin_live()

    async def _follow(self, wire: Wire) -> None:
        """Follow a conversation that has no room, from the position held."""
        position = self.view.position or {"conversation": self.place.conversation, "seq": 0}
        asked = {"positions": [position], "open": [self.place.conversation]}
        answer = await self._ask("socket", "sync", asked, wire)
        if self.view.base is None:
            self.view.base = 0
        await self._take(answer["conversations"][0], "sync")
        self._begin_live()

    def _begin_live(self) -> None:
        early, self._early = self._early or [], None
        for events in early:
            self._live(events)

    async def disconnect(self) -> None:
        """Cut everything, without a goodbye."""
        wire, self._wire = self._wire, None
        media, self.media = self.media, None
        if media is not None:
            await media.close()
        if wire is not None:
            await wire.close()
        if self._filling is not None:
            self._filling.cancel()
            await asyncio.gather(self._filling, return_exceptions=True)
            self._filling = None

    def stall(self) -> None:
        """Stop reading."""
        assert self._wire is not None
        self._write("session", "stall")
        self._wire.stall()

    def flow(self) -> None:
        if self._wire is not None:
            self._write("session", "flow")
            self._wire.flow()

    def _over(self, session: int) -> None:
        if session == self.session and self.online:
            self.online = False
            self._write("session", "closed", door="socket")

    # --- what comes ----------------------------------------------------------------------------------------------

    def _notice(self, session: int, door: str, event: str, payload: Any) -> None:
        if session != self.session:
            return
        if event not in ("message", "tips", "lagged", "goaway", "marks", "session-ended", "typing"):
            return  # presence and media are no part of the log
        self._write("notice", event, payload, door=door)
        if event == "message" and payload["conversation"] == self.place.conversation:
            if self._early is not None:
                self._early.append(payload["events"])
            else:
                self._live(payload["events"])
        elif event in ("tips", "lagged") and self._early is None:
            for head in payload["heads"]:
                if head["conversation"] == self.place.conversation and head["seq"] > self.view.seq:
                    self._fill_soon()

    def _live(self, events: list[dict[str, Any]]) -> None:
        if self.view.base is None or self._filling is not None:
            # What comes during a fill is asked for by it, or by the next.
            self._fill_soon()
        elif self.view.apply(events):
            self._fill_soon()

    def _fill_soon(self) -> None:
        if self._filling is None and self.online:
            self._filling = asyncio.create_task(self._fill(), name="fill")
        else:
            self._again = True

    _again = False

    async def _fill(self) -> None:
        try:
            while True:
                self._again = False
                self.run.counts.fills += 1
                answer = await self._ask(
                    "socket", "fill", {"conversation": self.place.conversation, "after": self.view.seq}, self._wire
                )
                await self._take(answer, "fill")
                if not answer.get("more") and not self._again:
                    return
        except (Lost, Refused):
            return  # the next notice or tip asks again
        finally:
            self._filling = None

    async def _take(self, synced: dict[str, Any], how: str) -> None:
        if synced["status"] == "events":
            self.view.apply(synced["events"])
            if synced.get("more") and how != "fill":
                self._fill_soon()
        elif synced["status"] == "reset":
            self.run.counts.resets += 1
            asked = {"conversation": self.place.conversation, "limit": 100}
            page = await self._ask("socket", "history", asked, self._wire)
            self.view.begin(page["messages"], page["head"])
        self._applied(how)

    def _applied(self, how: str) -> None:
        self._write("session", "applied", {"how": how, "seq": self.view.seq})

    # --- asking --------------------------------------------------------------------------------------------------

    async def send(self, text: str, door: str, thread: int | None = None) -> bool:
        """Send a new message once, perhaps into a thread; True when it was acknowledged. What is not stays in
        ``unacknowledged``."""
        client_id = str(uuid.uuid4())
        self.unacknowledged[client_id] = {
            "conversation": self.place.conversation,
            "client_id": client_id,
            "body": {"text": text} if thread is None else {"text": text, "thread": thread},
        }
        self.view.echo(client_id, text)
        return await self.resend(client_id, door)

    async def resend(self, client_id: str, door: str) -> bool:
        """Send what is not acknowledged, with the same id, over any door."""
        message = self.unacknowledged[client_id]
        try:
            await self.ask(door, "send-message", message)
        except Lost:
            self._unsure.add(client_id)
            return False
        except Refused as refused:
            if refused.code in UNKNOWN:
                self._unsure.add(client_id)
            if refused.code not in TRANSIENT | UNKNOWN:
                self.unacknowledged.pop(client_id, None)
                self.view.drop_echo(client_id)
            return False
        if client_id in self._unsure:
            self._unsure.discard(client_id)
            self.run.counts.retried += 1
        if self.unacknowledged.pop(client_id, None) is not None:
            self.run.counts.acknowledged += 1
            self.acknowledged.append(message)
        return True

    async def change(self, event: str, payload: dict[str, Any], door: str) -> bool:
        """Any other change (edit, delete, react, pin), asked for once, with an id of its own; True when it was done."""
        named = {"conversation": self.place.conversation, "client_id": str(uuid.uuid4()), **payload}
        try:
            await self.ask(door, event, named)
        except (Lost, Refused):
            return False
        return True

    async def mark(self, seq: int, door: str, delivered: bool = False) -> bool:
        """Have read, or got, everything up to ``seq``; True when it was answered. 0 only asks where one stands."""
        asked = {"conversation": self.place.conversation, "seq": seq, "delivered": delivered}
        try:
            await self.ask(door, "mark-read", asked)
        except (Lost, Refused):
            return False
        return True

    async def ask(self, door: str, event: str, payload: dict[str, Any]) -> dict[str, Any]:
        """A request over ``door`` (``http``, ``socket``, ``channel``). Raises Refused, Lost."""
        return await self._ask(door, event, payload, self._wire)

    def has(self, door: str) -> bool:
        """Whether this door is open."""
        if door == "channel":
            return self.media is not None and self.media.open and self.online
        return self.node is not None and (door == "http" or self.online)

    async def _ask(self, door: str, event: str, payload: dict[str, Any], wire: Wire | None) -> dict[str, Any]:
        call = self.run.recorder.call()
        self._write("invoke", event, payload, door=door, call=call)

        def heard(answer: Any) -> None:
            error = answer.get("error") if isinstance(answer, dict) else None
            kind = "ok" if error is None else "unknown" if error["code"] in UNKNOWN else "fail"
            self._write(kind, event, answer if error is None else error, door=door, call=call)

        try:
            if door == "http":
                answer = await self._over_http(event, payload, heard)
            elif door == "channel":
                if self.media is None:
                    raise Lost
                answer = await self.media.call(event, payload, heard)
            else:
                if wire is None:
                    raise Lost
                answer = await wire.call(event, payload, heard)
        except (Lost, asyncio.CancelledError):
            self._write("unknown", event, door=door, call=call)
            raise
        return dict(answer)

    async def _over_http(self, event: str, payload: dict[str, Any], heard: Heard) -> dict[str, Any]:
        assert self.node is not None
        headers = {"Authorization": f"Bearer {self.token}"}
        method, path, query, body = http_form(event, payload)
        try:
            async with self.run.web.request(
                method, self.node.url + path, params=query, json=body, headers=headers
            ) as response:
                answer = await response.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError, json.JSONDecodeError, UnicodeError) as error:
            raise Lost from error
        heard(answer)
        if response.status >= 400:
            raise Refused(answer["error"])
        return dict(answer)

    def _write(self, kind: Any, what: str, value: Any = None, door: str = "", call: int = 0) -> None:
        self.run.recorder.write(
            kind,
            what,
            value,
            client=self.name,
            identity=self.identity,
            session=self.session,
            node=self.node.name if self.node is not None else "",
            door=door,
            call=call,
        )

    def hold(self) -> None:
        """Record what is held now, for the end of a run."""
        view = self.view
        self._write(
            "held",
            "view",
            {
                "conversation": view.conversation,
                "live": self.online,
                "base": view.base,
                "seq": view.seq,
                "tag": view.tag,
                "events": [[seq, event["id"]] for seq, event in sorted(view.events.items())],
                "messages": [folding.shown(message) for message in view.messages.values()],
                "shown": view.shown(),
                "echoes": list(view.echoes),
                "unacknowledged": list(self.unacknowledged),
            },
        )
