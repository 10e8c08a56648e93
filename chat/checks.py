"""What a text must be before it may join a batch: one that the database refuses would fail its neighbours too."""

from __future__ import annotations

import unicodedata

import msgspec

from chat import refusals
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


def check_draft(body: MessageBody) -> str:
    """What is being written need only be storable; its JSON. Raises BadRequest ``text-invalid``, TooLarge."""
    check_text(body.text, "body.text")
    json = msgspec.json.encode(body)
    if len(json) > MESSAGE_BYTES_MAX:
        raise refusals.text_too_long(f"A draft takes at most {MESSAGE_BYTES_MAX} bytes.", "body.text")
    return json.decode()


def check_line(text: str, field: str) -> None:
    """A title, a name: one line that shows something. Raises BadRequest ``text-invalid`` or ``text-blank``."""
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise refusals.bad_text(field)
    if all(unicodedata.category(character) in _INVISIBLE for character in text):
        raise BadRequest("text-blank", "There is nothing to read in it.", field)


def check_text(text: str, field: str) -> None:
    """Any text that may be empty. Raises BadRequest ``text-invalid``."""
    for character in text:
        if (character < " " and character not in _PLAIN_CONTROLS) or "\ud800" <= character <= "\udfff":
            raise refusals.bad_text(field)


def check_emoji(emoji: str) -> None:
    """One emoji: symbols with what joins and colours them (UTS #51), no letters. Raises ``reaction-invalid``."""
    categories = [unicodedata.category(character) for character in emoji]
    keycap = "\u20e3" in emoji
    allowed = {"So", "Sk", "Mn", "Me", "Cf", "Sm", "Po"} | ({"Nd"} if keycap else set())
    shows = keycap or any(category in ("So", "Sm", "Po") for category in categories)
    if not shows or not set(categories) <= allowed or emoji.isascii():
        raise refusals.bad_reaction()


def plain(text: str) -> str:
    """Text for a query: what cannot be stored cannot be found either."""
    return "".join(character for character in text if character >= " " and not "\ud800" <= character <= "\udfff")
