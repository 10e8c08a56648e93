"""Cursors: where the next page of a list begins. What is in one is the server's own matter."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TypeVar

import msgspec

from chat import refusals

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Base of what a cursor holds: the sort key of the last row shown."""


C = TypeVar("C", bound=Cursor)


def write_cursor(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def read_cursor(text: str | None, kind: type[C]) -> C | None:
    """Raises BadRequest ``cursor-invalid``."""
    if text is None:
        return None
    try:
        decoded = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(decoded, type=kind)
    except (binascii.Error, UnicodeError, msgspec.MsgspecError, RecursionError) as error:
        raise refusals.bad_cursor() from error
    if "\\u0000" in decoded.decode(errors="replace") or b"\x00" in decoded:
        raise refusals.bad_cursor()
    return found


def is_uuid(text: str) -> bool:
    """Whether the database takes it for an id."""
    return _UUID.fullmatch(text) is not None
