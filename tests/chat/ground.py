"""What the operations of the HTTP interface can be asked about: real people, conversations, rooms and media sessions.

A ground has somebody who asks (``asker``) and values for parameters and fields by their names.
"""

from __future__ import annotations

import json
import uuid
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Union

import requests
import simple_websocket

CORPUS = Path(__file__).parents[1] / "sfu" / "corpus"
KEY = "site:" + "k" * 64
FRAGMENT = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"


Ground = Union["ChatGround", "RoomGround", "MediaGround"]


@dataclass
class Person:
    """Somebody who is logged in."""

    session: requests.Session
    url: str
    identity: str

    def post(self, path: str, **body: Any) -> Any:
        answer = self.session.post(self.url + path, json={"client_id": str(uuid.uuid4()), **body}, timeout=20)
        assert answer.status_code == 200, answer.text
        return answer.json()


def log_in(url: str, name: str) -> Person:
    answer = requests.post(f"{url}/auth/dev", json={"name": name}, timeout=20).json()
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {answer['token']}"
    return Person(session, url, answer["identity"])


class ChatGround:
    """A conversation with messages and people."""

    def __init__(self, url: str, operation: str) -> None:
        people = [log_in(url, f"{name} {operation} {uuid.uuid4().hex[:6]}") for name in ("Owner", "Member", "Newcomer")]
        self.owner, self.member, self.newcomer = people
        kind = "public" if operation == "join-conversation" else "group"
        made = self.owner.post("/chat/conversations", kind=kind, title="Ground", members=[self.member.identity])
        conversation = made["id"]
        sent = [
            self.owner.post("/chat/send", conversation=conversation, body={"text": f"text {n}"})["event"]["seq"]
            for n in range(3)
        ]
        invite = self.owner.post("/chat/invites", conversation=conversation)
        self.asker = {
            "join-conversation": self.newcomer,
            "accept-invite": self.newcomer,
            "leave-conversation": self.member,
        }.get(operation, self.owner)
        self.text = ""
        self.session = self.asker.session
        other = self.newcomer if operation == "add-member" else self.member
        self.values: dict[str, Any] = {
            "conversation": conversation,
            "chatId": conversation,
            "userId": self.asker.identity,
            "user": other.identity,
            "seq": sent[0],
            "seqs": [sent[0]],
            "token": invite["token"],
            "emoji": "👍",
            "title": "A title",
            "name": "Somebody",
            "role": "moderator",
            "kind": "group",
            "body": {"text": "a text"},
            "members": [self.member.identity],
            "preferences": {"theme": "dark"},
            "people": [other.identity],
            "status": "away",
            "positions": [{"conversation": conversation, "seq": sent[0]}],
            "after": 0,
            "client_id": str(uuid.uuid4()),
        }

    def after_success(self) -> None: ...

    def close(self) -> None: ...


class RoomGround:
    """A room, somebody in it, and what opens it; for its owner's site."""

    def __init__(self, url: str, operation: str) -> None:
        self.text = ""
        self.session = bearer(KEY)
        self._url = url
        self.room = self._make()
        self.values: dict[str, Any] = {"room": self.room, "identity": "visitor", "name": "A visitor", "ttl_s": 60}
        self._socket: simple_websocket.Client | None = None
        if operation in ("remove-participant", "add-robot", "remove-robot"):
            self._visit()
        if operation == "remove-robot":
            answer = self.session.post(f"{url}/rooms/{self.room}/robots", timeout=20)
            assert answer.status_code == 201, answer.text
            self.values["identity"] = answer.json()["id"]

    def _make(self) -> str:
        return str(self.session.post(f"{self._url}/rooms", json={"name": "Ground"}, timeout=20).json()["id"])

    def token(self, identity: str) -> str:
        asked = {"name": "A visitor", "identity": identity}
        return str(self.session.post(f"{self._url}/rooms/{self.room}/tokens", json=asked, timeout=20).json()["token"])

    def _visit(self) -> None:
        """Somebody comes, without media."""
        address = self._url.replace("http", "ws", 1) + "/ws/?EIO=4&transport=websocket"
        self._socket = socket = simple_websocket.Client(address)
        socket.send("40" + json.dumps({"token": self.token("visitor")}))
        socket.send("420" + json.dumps(["join", {"room": self.room}]))
        while not str(socket.receive(20)).startswith("430["):
            pass  # the greeting

    def after_success(self) -> None:
        self.values["room"] = self._make()  # where nobody is, so that no more robots come

    def close(self) -> None:
        with suppress(simple_websocket.ConnectionClosed):
            if self._socket is not None:
                self._socket.close()
        self.session.delete(f"{self._url}/rooms/{self.room}", timeout=20)


class MediaGround:
    """A room, a token of it, and a media session of WHIP or WHEP."""

    def __init__(self, url: str, operation: str) -> None:
        door = operation.partition("-")[0]
        rooms = RoomGround(url, "")
        self.session = bearer(rooms.token("camera"))
        self.values: dict[str, Any] = {"room": rooms.room}
        self.text = offer = (CORPUS / f"aiortc-{door}.sdp").read_text()
        if operation != f"{door}-begin":
            answer = self.session.post(
                f"{url}/{door}/{rooms.room}", data=offer, headers={"Content-Type": "application/sdp"}, timeout=20
            )
            assert answer.status_code == 201, answer.text
            self.values["session"] = answer.headers["Location"].rpartition("/")[2]
            self.text = FRAGMENT

    def after_success(self) -> None: ...

    def close(self) -> None: ...


def bearer(credential: str) -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {credential}"
    return session


def ground_of(url: str, operation: str, tag: str) -> Ground:
    """The ground for an operation."""
    if tag == "rooms":
        return RoomGround(url, operation)
    return MediaGround(url, operation) if tag == "media" else ChatGround(url, operation)
