"""The payload types and header extensions of a section.

A client's slots repeat the same dozens of lines in every section, and reading them is most of the work of a join; so
what was read once in a description is looked up for the sections that repeat it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, cast

from sfu.sdp.lines import add, expect
from sfu.sdp.types import Codec, Direction, Extension, SdpError

CODECS_MAX: Final = 128
EXTENSIONS_MAX: Final = 64
FEEDBACK_MAX: Final = 32

Attribute = tuple[str, str]
"""(name, value)"""

NAMES: Final = frozenset({"rtpmap", "fmtp", "rtcp-fb"})

_RTPMAP = re.compile(r"(\d{1,3}) ([!-.0-~]{1,64})/(\d{1,9})(?:/(\d{1,2}))?", re.ASCII)
_FMTP = re.compile(r"(\d{1,3}) (\S.*)", re.ASCII)
_FEEDBACK = re.compile(r"(\*|\d{1,3}) (\S(?:.*\S)?)", re.ASCII)
_EXTMAP = re.compile(r"(\d{1,3})(?:/(sendrecv|sendonly|recvonly|inactive))? (\S{1,255})(?: .*)?", re.ASCII)

# RFC 3551, table 4: payload types that need no rtpmap line.
_STATIC: Final = {0: ("PCMU", 8000, 1), 8: ("PCMA", 8000, 1), 9: ("G722", 8000, 1)}
_UNNAMED: Final = ("", 0, 1)


@dataclass
class Memory:
    """What has been read in one description."""

    codecs: dict[tuple[tuple[str, ...], tuple[Attribute, ...]], tuple[Codec, ...]] = field(default_factory=dict)
    extensions: dict[tuple[str, ...], tuple[Extension, ...]] = field(default_factory=dict)


def read_codecs(
    formats: tuple[str, ...], attributes: list[Attribute], numbers: list[int], memory: Memory
) -> tuple[Codec, ...]:
    """Codecs in the order of the ``m=`` line.

    :param attributes: ``rtpmap``, ``fmtp`` and ``rtcp-fb`` in the order of the section
    :param numbers: their line numbers, for errors
    """
    key = (formats, tuple(attributes))
    found = memory.codecs.get(key)
    if found is None:
        found = memory.codecs[key] = _read_codecs(formats, attributes, numbers)
    return found


def payload_types(formats: tuple[str, ...], number: int) -> tuple[str, ...]:
    """The formats of an RTP section, checked and in their shortest form."""
    if len(formats) > CODECS_MAX:
        raise SdpError(f"Line {number}: more than {CODECS_MAX} formats.")
    types: dict[int, None] = {}
    for text in formats:
        if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= 127):
            raise SdpError(f"Line {number}: a payload type is not a number from 0 to 127.")
        if int(text) in types:
            raise SdpError(f"Line {number}: a payload type is listed twice.")
        types[int(text)] = None
    return tuple(str(pt) for pt in types)


def _read_codecs(formats: tuple[str, ...], attributes: list[Attribute], numbers: list[int]) -> tuple[Codec, ...]:
    types = [int(text) for text in formats]
    maps = {pt: _STATIC.get(pt, _UNNAMED) for pt in types}
    parameters: dict[int, str] = {}
    feedback: dict[int, dict[str, None]] = {pt: {} for pt in types}
    for (name, value), number in zip(attributes, numbers, strict=True):
        if name == "rtpmap":
            match = expect(_RTPMAP, value, number, name)
            if int(match[1]) in maps:
                maps[int(match[1])] = (match[2], int(match[3]), int(match[4] or 1) or 1)
        elif name == "fmtp":
            match = expect(_FMTP, value, number, name)
            if int(match[1]) in maps:
                parameters[int(match[1])] = match[2].strip()
        else:
            match = expect(_FEEDBACK, value, number, name)
            for pt in types if match[1] == "*" else (int(match[1]),):
                if pt in feedback:
                    feedback[pt][match[2]] = None
                    if len(feedback[pt]) > FEEDBACK_MAX:
                        raise SdpError(f"Line {number}: more than {FEEDBACK_MAX} feedback lines.")
    return tuple(Codec(pt, *maps[pt], parameters.get(pt, ""), tuple(feedback[pt])) for pt in types)


def read_extensions(values: list[str], numbers: list[int], memory: Memory) -> tuple[Extension, ...]:
    """Header extensions in the order of the section."""
    key = tuple(values)
    found = memory.extensions.get(key)
    if found is None:
        found = memory.extensions[key] = _read_extensions(values, numbers)
    return found


def _read_extensions(values: list[str], numbers: list[int]) -> tuple[Extension, ...]:
    extensions: list[Extension] = []
    ids: set[int] = set()
    for value, number in zip(values, numbers, strict=True):
        match = expect(_EXTMAP, value, number, "extmap")
        extension = Extension(int(match[1]), match[3], cast("Direction | None", match[2]))
        # RFC 8285, section 7: 1-14 in one-byte form, up to 255 in two-byte form.
        if not 1 <= extension.id <= 255 or extension.id in ids:
            raise SdpError(f"Line {number}: the extension id is out of range or used twice.")
        ids.add(extension.id)
        add(extensions, extension, EXTENSIONS_MAX, number)
    return tuple(extensions)
