"""Refresh tokens: each good once, all of one log-in a family that one of them used twice ends.

A token is a session's id, a number and a MAC of both with the session's salt. The session's row holds the newest number
only, so a number that is smaller and proven was used before: by its owner or by a thief, and since nobody can tell
which, the session ends (RFC 9700, section 4.14.2). A made-up token proves nothing and ends nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import struct
import uuid
from dataclasses import dataclass

_SHAPE = struct.Struct(">16sI")
_MAC_BYTES = 32


@dataclass(frozen=True)
class RefreshToken:
    """What a token says; true only once :meth:`Minter.proves` agreed."""

    session: str
    number: int
    mac: bytes


class Minter:
    """Makes and proves refresh tokens with the server's key."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def make(self, session: str, salt: bytes, number: int) -> str:
        body = _SHAPE.pack(uuid.UUID(session).bytes, number)
        return base64.urlsafe_b64encode(body + self._mac(body, salt)).rstrip(b"=").decode()

    def proves(self, token: RefreshToken, salt: bytes) -> bool:
        """Whether the token is one that :meth:`make` made."""
        body = _SHAPE.pack(uuid.UUID(token.session).bytes, token.number)
        return hmac.compare_digest(token.mac, self._mac(body, salt))

    def _mac(self, body: bytes, salt: bytes) -> bytes:
        return hmac.digest(self._key, salt + body, "sha256")


def read(text: str) -> RefreshToken | None:
    """What a token says, or None for what is none."""
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeError):
        return None
    if len(data) != _SHAPE.size + _MAC_BYTES:
        return None
    session, number = _SHAPE.unpack_from(data)
    return RefreshToken(str(uuid.UUID(bytes=session)), number, data[_SHAPE.size :])
