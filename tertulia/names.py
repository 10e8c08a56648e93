"""What people and rooms may be called: any script's letters, and no character that changes a name without being seen.

Two invisible characters are part of names: the zero width joiner and non-joiner shape letters of Persian, Hindi and
other scripts, and join emoji. They are allowed where they do that (RFC 5892, appendix A.1 and A.2; UTS #51, ED-16) and
nowhere else, where they would only make two names look alike.
"""

from __future__ import annotations

import unicodedata

from idna.core import valid_contextj

from tertulia.errors import BadRequest

_JOINER = "\u200d"
_NON_JOINER = "\u200c"
_EMOJI_PRESENTATION = "\ufe0f"
_SKIN_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_BLACK_FLAG = "\U0001f3f4"  # tags after it name a region (UTS #51, ED-14a)


def read_name(text: str, field: str = "name") -> str:
    """The name without spaces around it; every space in it is a plain one. It may be empty.

    Raises BadRequest ``body-invalid`` for what no name should hold.
    """
    name = "".join(" " if unicodedata.category(character) == "Zs" else character for character in text).strip()
    if not all(character.isprintable() or _joins(name, at) or _tags(name, at) for at, character in enumerate(name)):
        raise BadRequest("body-invalid", "A name holds no control characters and nothing invisible.", field)
    return name


def _joins(name: str, at: int) -> bool:
    """Whether a joiner or non-joiner does what it is for."""
    if name[at] not in (_JOINER, _NON_JOINER):
        return False
    return valid_contextj(name, at) or (name[at] == _JOINER and _joins_emoji(name, at))


def _joins_emoji(name: str, at: int) -> bool:
    before = at - 1
    while before > 0 and (name[before] == _EMOJI_PRESENTATION or ord(name[before]) in _SKIN_TONES):
        before -= 1
    return before >= 0 and _is_symbol(name[before]) and at + 1 < len(name) and _is_symbol(name[at + 1])


def _is_symbol(character: str) -> bool:
    return unicodedata.category(character) in ("So", "Sm")


def _tags(name: str, at: int) -> bool:
    """Whether a tag character belongs to a flag."""
    first = at
    while first > 0 and ord(name[first]) in _TAGS:
        first -= 1
    return ord(name[at]) in _TAGS and name[first] == _BLACK_FLAG
