"""Frames on the wire: the catalogue's structures as text for each door, encoded once however many people get them.

A data channel message is an :class:`~tertulia.catalogue.Envelope`; a Socket.IO event is a packet of its own format
(``42["event",{…}]``, in a WebSocket frame). Both hold the same payload.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, TypeVar

import msgspec

from tertulia.catalogue import FRAME_BYTES_MAX, REQUESTS, Envelope, Frame
from tertulia.errors import BadRequest, TooLarge, to_client
from tertulia.unreadable import no_json, unfit

T = TypeVar("T", bound=Frame)


class Notice:
    """One notice to any number of people; each door's form of it is made at most once."""

    def __init__(self, event: str, payload: Frame) -> None:
        self.event = event
        self.payload = payload

    @cached_property
    def json(self) -> bytes:
        return msgspec.json.encode(self.payload)

    @cached_property
    def envelope(self) -> bytes:
        """What a data channel carries."""
        return b'{"t":"%b","d":%b}' % (self.event.encode(), self.json)

    @cached_property
    def packet(self) -> bytes:
        """What goes to a Socket.IO client as it stands: the frame of an EVENT packet of the default namespace."""
        return text_frame(b'42["%b",%b]' % (self.event.encode(), self.json))

    @property
    def size(self) -> int:
        """Bytes of the payload, near enough for bounds."""
        return len(self.json)

    def __repr__(self) -> str:
        return f"Notice({self.event!r}, {self.size} bytes)"


def text_frame(payload: bytes) -> bytes:
    """A server's WebSocket frame of text (RFC 6455, section 5.2): final, not masked."""
    length = len(payload)
    if length < 126:
        return bytes((0x81, length)) + payload
    if length < 1 << 16:
        return b"\x81\x7e" + length.to_bytes(2, "big") + payload
    return b"\x81\x7f" + length.to_bytes(8, "big") + payload


def convert(value: object, kind: type[T], *, strict: bool = True) -> T:
    """A decoded payload as ``kind``; what is not ``strict`` may say numbers in text, as an address does.

    Raises BadRequest ``frame-invalid`` naming the field.
    """
    try:
        return msgspec.convert(value, kind, strict=strict)
    except msgspec.ValidationError as error:
        raise unfit(error, "frame-invalid") from error


def decode(payload: bytes | msgspec.Raw, kind: type[T]) -> T:
    """JSON as ``kind``. Raises BadRequest ``frame-invalid`` or what is wrong with a text."""
    try:
        return msgspec.json.decode(payload, type=kind)
    except msgspec.ValidationError as error:
        raise unfit(error, "frame-invalid") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise no_json(payload, "frame-invalid", "frame") from error


def decode_envelope(data: bytes) -> Envelope:
    """What came over a data channel. Raises TooLarge ``frame-too-large``, BadRequest ``frame-invalid``."""
    if len(data) > FRAME_BYTES_MAX:
        raise TooLarge("frame-too-large", f"A frame holds at most {FRAME_BYTES_MAX} bytes.")
    return decode(data, Envelope)


def decode_request(envelope: Envelope, allowed: frozenset[str]) -> Frame:
    """The typed request in an envelope. Raises BadRequest ``event-unknown`` or ``frame-invalid``."""
    if envelope.t not in allowed:
        raise BadRequest("event-unknown", "This channel does not take such an event.")
    return decode(envelope.d, REQUESTS[envelope.t][0])


def answer(number: int, payload: Frame) -> bytes:
    """The envelope that answers request ``number``."""
    return b'{"t":"ok","i":%d,"d":%b}' % (number, msgspec.json.encode(payload))


def refusal(number: int | None, error: BaseException) -> bytes:
    """The envelope that refuses request ``number``; without one (the frame was unreadable) it is only a notice."""
    body: dict[str, Any] = {"t": "error", "d": to_client(error)}
    if number is not None:
        body["i"] = number
    return msgspec.json.encode(body)
