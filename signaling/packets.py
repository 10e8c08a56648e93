"""Engine.IO revision 4 and Socket.IO revision 5 as far as they are spoken here: text packets, one namespace.

An Engine.IO packet is a digit and what follows it; ``4`` carries a Socket.IO packet: a digit, perhaps a namespace,
perhaps the number of an acknowledgement, then JSON (https://socket.io/docs/v4/engine-io-protocol/ and
https://socket.io/docs/v4/socket-io-protocol/).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import msgspec

from tertulia.catalogue import Frame
from tertulia.frames import text_frame

PING = text_frame(b"2")
CLOSE = text_frame(b"1")
DISCONNECT = text_frame(b"41")

_HEAD = re.compile(r"4([0-9])(/[^,]{0,100},)?([0-9]{1,10})?")
_NAMED = re.compile(r'\["([a-z-]{1,40})",(.*)\]', re.DOTALL)
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_NAME = msgspec.json.Decoder(str)


@dataclass(frozen=True, slots=True)
class Pong:
    """The answer to a heart beat."""


@dataclass(frozen=True, slots=True)
class Close:
    """The client goes: an Engine.IO CLOSE, or a Socket.IO DISCONNECT from the only namespace."""


@dataclass(frozen=True, slots=True)
class Connect:
    """The client asks to enter a namespace. ``auth`` is what it brings; ``namespace`` None is the only one here."""

    namespace: str | None
    auth: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Event:
    """A request. ``number`` is what its acknowledgement repeats, ``payload`` the first argument's JSON."""

    name: str
    number: int | None
    payload: msgspec.Raw | None


@dataclass(frozen=True, slots=True)
class Strange:
    """A packet that no client of ours sends: binary, another type or namespace, JSON that is none."""


Packet = Pong | Close | Connect | Event | Strange

_PONG, _CLOSE, _STRANGE = Pong(), Close(), Strange()


def read(text: str) -> Packet:
    """What a text message of a client means. Never raises."""
    if text == "3":
        return _PONG
    if text == "1":
        return _CLOSE
    head = _HEAD.match(text)
    if head is None:
        return _STRANGE
    kind, namespace, number = head.groups()
    rest = text[head.end() :]
    if kind == "2" and namespace is None:
        return _event(rest, number)
    if kind == "0" and number is None:
        # "40/admin" without a payload may end without the comma.
        if namespace is None and rest.startswith("/"):
            return Connect(rest[:100], None)
        return _connect(namespace[:-1] if namespace else None, rest)
    if kind == "1" and namespace is None and not rest and number is None:
        return _CLOSE
    return _STRANGE


def _event(rest: str, number: str | None) -> Packet:
    try:
        data = _ARRAY.decode(rest)
        name = _NAME.decode(data[0])
    except (msgspec.MsgspecError, UnicodeError, RecursionError, IndexError):
        # A payload that is no JSON (one with half a character in it, say) is refused like any other that does not fit.
        named = _NAMED.fullmatch(rest) if number is not None else None
        return _STRANGE if named is None else Event(named[1], int(number or 0), msgspec.Raw(named[2].encode()))
    return Event(name, int(number) if number is not None else None, data[1] if len(data) > 1 else None)


def _connect(namespace: str | None, rest: str) -> Packet:
    try:
        auth = msgspec.json.decode(rest) if rest else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return _STRANGE
    return Connect(namespace, auth if isinstance(auth, dict) else None)


def opening(sid: str, ping_interval_s: int, ping_timeout_s: int, message_bytes_max: int) -> bytes:
    """Engine.IO OPEN."""
    hello = {
        "sid": sid,
        "upgrades": [],
        "pingInterval": ping_interval_s * 1000,
        "pingTimeout": ping_timeout_s * 1000,
        "maxPayload": message_bytes_max,
    }
    return text_frame(b"0" + msgspec.json.encode(hello))


def connected(sid: str) -> bytes:
    """Socket.IO CONNECT: the client is in."""
    return text_frame(b'40{"sid":"%b"}' % sid.encode())


def refused(error: dict[str, str], namespace: str | None = None) -> bytes:
    """Socket.IO CONNECT_ERROR: ``data`` is the error object."""
    where = f"{namespace},".encode() if namespace is not None else b""
    return text_frame(b"44" + where + msgspec.json.encode({"message": error["message"], "data": error}))


def acknowledgement(number: int, answer: Frame | dict[str, Any]) -> bytes:
    """Socket.IO ACK: the answer to request ``number``."""
    return text_frame(b"43%d[%b]" % (number, msgspec.json.encode(answer)))
