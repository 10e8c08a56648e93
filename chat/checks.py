"""What a message must be before it may join a batch: one that the database refuses would fail its neighbours too."""

from __future__ import annotations

import hashlib
import unicodedata

import msgspec

from tertulia.catalogue import MESSAGE_BYTES_MAX, MESSAGE_TEXT_MAX, MessageBody
from tertulia.errors import BadRequest, TooLarge

_PLAIN_CONTROLS = frozenset("\t\n\r")
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Me"})
"""Unicode categories that alone show nothing: controls, formats (zero width), spaces, marks without a letter."""


def check_body(body: MessageBody) -> None:
    """Raises BadRequest ``text-invalid`` or ``text-blank``, TooLarge ``text-too-long``."""
    text = body.text
    if len(text) > MESSAGE_TEXT_MAX:
        raise TooLarge("text-too-long", f"A message holds at most {MESSAGE_TEXT_MAX} characters.", "body.text")
    for character in text:
        # PostgreSQL stores no NUL, UTF-8 has no surrogates; other controls would only mislead a terminal or a log.
        if (character < " " and character not in _PLAIN_CONTROLS) or "\ud800" <= character <= "\udfff":
            raise BadRequest("text-invalid", "The message holds characters that cannot be stored.", "body.text")
    if all(unicodedata.category(character) in _INVISIBLE for character in text):
        raise BadRequest("text-blank", "The message is empty.", "body.text")
    if len(msgspec.json.encode(body)) > MESSAGE_BYTES_MAX:
        raise TooLarge("text-too-long", f"A message takes at most {MESSAGE_BYTES_MAX} bytes.", "body.text")


def body_hash(body: MessageBody) -> bytes:
    """By this a retry is told from another message that reuses its id."""
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).digest()
