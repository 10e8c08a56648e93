"""Lines of a session description: splitting, limits, and the small readers that every attribute uses."""

from __future__ import annotations

import re
from typing import Final, TypeVar

from sfu.sdp.types import SdpError, Streams

T = TypeVar("T")

TEXT_MAX: Final = 262_144
LINE_MAX: Final = 4_096
SECTIONS_MAX: Final = 256
RIDS_MAX: Final = 8

Line = tuple[int, str, str]
"""(number, type, value)"""

_TYPES: Final = frozenset("abcdefghijklmnopqrstuvwxyz")
_TOKEN = re.compile(r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]+", re.ASCII)
_STREAMS = re.compile(r"~?[A-Za-z0-9_-]{1,16}(?:[,;]~?[A-Za-z0-9_-]{1,16})*", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")  # all but tab, line feed and carriage return


def split(text: str) -> list[list[Line]]:
    """The session's lines, then each section's, beginning with its ``m=`` line."""
    if len(text) > TEXT_MAX:
        raise SdpError(f"The description is longer than {TEXT_MAX} characters.")
    if _CONTROL.search(text):
        raise SdpError("The description holds control characters.")
    blocks: list[list[Line]] = [[]]
    # Not splitlines(): it breaks at characters that are ordinary text here (U+2028 in a cname, say).
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r")
        if not line:
            continue
        if "\r" in line:
            raise SdpError(f"Line {number} holds a carriage return.")
        if len(line) > LINE_MAX:
            raise SdpError(f"Line {number} is longer than {LINE_MAX} characters.")
        if line[1:2] != "=" or line[0] not in _TYPES:
            raise SdpError(f"Line {number} is not of the form <type>=<value>.")
        if line[0] == "m":
            if len(blocks) > SECTIONS_MAX:
                raise SdpError(f"The description has more than {SECTIONS_MAX} media sections.")
            blocks.append([])
        blocks[-1].append((number, line[0], line[2:]))
    return blocks


def expect(pattern: re.Pattern[str], value: str, number: int, name: str) -> re.Match[str]:
    """The value matched as a whole, or an error that names the attribute."""
    match = pattern.fullmatch(value)
    if match is None:
        raise SdpError(f"Line {number}: malformed {name}.")
    return match


def token(value: str, number: int, name: str, limit: int) -> str:
    """RFC 8866, section 9: ``token``."""
    if len(value) > limit or not _TOKEN.fullmatch(value):
        raise SdpError(f"Line {number}: malformed {name}.")
    return value


def whole_number(value: str, number: int, name: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise SdpError(f"Line {number}: {name} is not a number.")
    return int(value)


def u32(value: str, number: int) -> int:
    """An SSRC, given as digits."""
    ssrc = int(value)
    if ssrc > 0xFFFFFFFF:
        raise SdpError(f"Line {number}: an SSRC is out of range.")
    return ssrc


def streams(value: str, number: int) -> Streams:
    """The list of a simulcast direction (RFC 8853, section 5.1)."""
    if not _STREAMS.fullmatch(value):
        raise SdpError(f"Line {number}: malformed simulcast.")
    found = tuple(tuple(stream.split(",")) for stream in value.split(";"))
    if sum(len(stream) for stream in found) > RIDS_MAX:
        raise SdpError(f"Line {number}: more than {RIDS_MAX} simulcast encodings.")
    return found


def add(items: list[T], item: T, limit: int, number: int) -> None:
    """Append, up to a limit."""
    if len(items) >= limit:
        raise SdpError(f"Line {number}: more than {limit} lines of this kind.")
    items.append(item)
