"""What every frame of the catalogue is made of: the base of all payloads, and bounded words and numbers."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

RoomId = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{2,63}$")]
Identity = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.:@-]{1,64}$")]
DisplayName = Annotated[str, Meta(min_length=1, max_length=64)]
Uuid = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")]
Tag = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}$")]
Mid = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,16}$")]
Seq = Annotated[int, Meta(ge=0, le=2**53)]
Number = Annotated[int, Meta(ge=1, le=2**53)]
Millis = Annotated[int, Meta(ge=0, le=2**53)]
Pixels = Annotated[int, Meta(ge=0, le=16384)]
Sdp = Annotated[str, Meta(max_length=262_144)]

MESSAGE_TEXT_MAX = 4000
"""Characters (code points) in one message."""
MESSAGE_BYTES_MAX = 12_000
"""Bytes of a message body as JSON: with it, every event fits into one data channel frame."""
FRAME_BYTES_MAX = 16_384
CONTROL_CHANNEL_ID = 0
CHAT_CHANNEL_ID = 1


class Frame(msgspec.Struct, frozen=True):
    """Base of all payloads: requests may leave out what has a default, answers hold every field.

    Unknown fields are ignored, so that newer clients may talk to older servers.
    """


class Sparse(Frame, frozen=True, omit_defaults=True):
    """Base of the payloads of which most fields are empty mostly: those are left out in answers too."""


class ErrorBody(Frame, frozen=True):
    """Why a request was refused. ``code`` is stable, ``message`` is for people."""

    code: str
    message: str
    field: str | None = None


class Envelope(Frame, frozen=True):
    """What a data channel message holds: ``t`` the event's name, ``d`` its payload.

    A request carries ``i``, chosen by the sender; its answer is ``{"t": "ok", "i", "d"}`` or
    ``{"t": "error", "i", "d": ErrorBody}``. Without ``i`` no answer is sent.
    """

    t: Annotated[str, Meta(max_length=32)]
    i: Annotated[int, Meta(ge=0, le=2**31)] | None = None
    d: msgspec.Raw = msgspec.Raw(b"{}")


class Ok(Frame, frozen=True):
    pass
