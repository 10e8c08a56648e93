"""Text to types: a strict, bounded reader of session descriptions (RFC 8866).

Whatever the input, the outcome is a :class:`Description` or an :class:`SdpError`. Simulcast and RID lines are kept
(aiortc's own parser drops them). Unknown attributes are skipped, as RFC 8866, section 5.13 asks; known ones that are
malformed are errors, because a description half understood makes a call that half works.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar, cast

from sfu.sdp.types import (
    Codec,
    Description,
    Direction,
    Extension,
    Fingerprint,
    Rid,
    SdpError,
    Section,
    Setup,
    Ssrc,
    SsrcGroup,
    Streams,
    Transport,
)

T = TypeVar("T")

TEXT_MAX: Final = 262_144
LINE_MAX: Final = 4_096
SECTIONS_MAX: Final = 256
CODECS_MAX: Final = 128
EXTENSIONS_MAX: Final = 64
RIDS_MAX: Final = 8
SSRCS_MAX: Final = 64
CANDIDATES_MAX: Final = 256
FINGERPRINTS_MAX: Final = 8
FEEDBACK_MAX: Final = 32

_LINE = re.compile(r"([a-z])=(.*)", re.ASCII)
_ORIGIN = re.compile(r"\S+ (\d{1,20}) (\d{1,20}) IN IP[46] \S+", re.ASCII)
_MEDIA = re.compile(r"([a-z]{1,16}) (\d{1,5})(?:/\d{1,3})? ([A-Za-z0-9/_.-]{1,40}) (\S+(?: \S+)*)", re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`{|}~0-9A-Za-z-]+", re.ASCII)
_RTPMAP = re.compile(r"(\d{1,3}) ([!-.0-~]{1,64})/(\d{1,9})(?:/(\d{1,2}))?", re.ASCII)
_FMTP = re.compile(r"(\d{1,3}) (\S.*)", re.ASCII)
_FEEDBACK = re.compile(r"(\*|\d{1,3}) (\S(?:.*\S)?)", re.ASCII)
_EXTMAP = re.compile(r"(\d{1,3})(?:/(sendrecv|sendonly|recvonly|inactive))? (\S{1,255})(?: .*)?", re.ASCII)
_RID = re.compile(r"([A-Za-z0-9_-]{1,16}) (send|recv)(?: (\S.*))?", re.ASCII)
_SIMULCAST = re.compile(r"(send|recv) (\S+)(?: (send|recv) (\S+))?", re.ASCII)
_STREAMS = re.compile(r"~?[A-Za-z0-9_-]{1,16}(?:[,;]~?[A-Za-z0-9_-]{1,16})*", re.ASCII)
_SSRC = re.compile(r"(\d{1,10})(?: ([a-z-]{1,32})(?::(.*))?)?", re.ASCII)
_SSRC_GROUP = re.compile(r"([A-Z-]{1,16})((?: \d{1,10})+)", re.ASCII)
_FINGERPRINT = re.compile(r"([A-Za-z0-9-]{3,16}) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7,127})", re.ASCII)
_ICE = re.compile(r"[A-Za-z0-9+/=_-]{4,256}", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", re.ASCII)

# RFC 3551, table 4: payload types that need no rtpmap line.
_STATIC: Final = {0: ("PCMU", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000)}
_DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_SETUPS: Final = frozenset({"actpass", "active", "passive", "holdconn"})


def parse(text: str) -> Description:
    """Read an offer or an answer. Raises :class:`SdpError` and nothing else."""
    if len(text) > TEXT_MAX:
        raise SdpError(f"The description is longer than {TEXT_MAX} characters.")
    if _CONTROL.search(text):
        raise SdpError("The description holds control characters.")
    blocks = _split(text)
    description = _session(blocks[0])
    if len(blocks) - 1 > SECTIONS_MAX:
        raise SdpError(f"The description has more than {SECTIONS_MAX} media sections.")
    sections = tuple(_Section(block).finish() for block in blocks[1:])
    mids = [section.mid for section in sections if section.mid is not None]
    if len(mids) != len(set(mids)):
        raise SdpError("Two media sections have the same mid.")
    return replace(description, sections=sections)


Line = tuple[int, str, str]


def _split(text: str) -> list[list[Line]]:
    """Lines as (number, type, value), grouped: the session's, then each section's."""
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
        match = _LINE.fullmatch(line)
        if match is None:
            raise SdpError(f"Line {number} is not of the form <type>=<value>.")
        if match[1] == "m":
            blocks.append([])
        blocks[-1].append((number, match[1], match[2]))
    return blocks


def _session(lines: list[Line]) -> Description:
    if not lines or lines[0][1:] != ("v", "0"):
        raise SdpError("A description begins with v=0.")
    transport = _Transport()
    description = Description()
    for number, kind, value in lines[1:]:
        if kind == "o":
            match = _expect(_ORIGIN, value, number, "o=")
            description = replace(description, session_id=match[1], session_version=match[2])
        if kind != "a":
            continue
        name, _, rest = value.partition(":")
        if transport.take(name, rest, number):
            continue
        if name == "group" and rest.split(" ")[0] == "BUNDLE":
            mids = tuple(_token(mid, number, "group", 64) for mid in rest.split()[1:])
            if len(mids) > SECTIONS_MAX:
                raise SdpError(f"Line {number}: too many sections in one group.")
            description = replace(description, bundles=(*description.bundles[:7], mids))
        elif name == "ice-lite":
            description = replace(description, ice_lite=True)
        elif name == "extmap-allow-mixed":
            description = replace(description, extmap_allow_mixed=True)
    return replace(description, transport=transport.finish())


class _Transport:
    """Collects ICE and DTLS attributes of one level."""

    def __init__(self) -> None:
        self.value = Transport()
        self._fingerprints: list[Fingerprint] = []
        self._candidates: list[str] = []

    def take(self, name: str, value: str, number: int) -> bool:
        if name == "ice-ufrag":
            self.value = replace(self.value, ufrag=_expect(_ICE, value, number, name)[0])
        elif name == "ice-pwd":
            pwd = _expect(_ICE, value, number, name)[0]
            if len(pwd) < 22:  # RFC 8839, section 5.4
                raise SdpError(f"Line {number}: the ice-pwd is shorter than 22 characters.")
            self.value = replace(self.value, pwd=pwd)
        elif name == "fingerprint":
            match = _expect(_FINGERPRINT, value, number, name)
            _append(self._fingerprints, Fingerprint(match[1].lower(), match[2].upper()), FINGERPRINTS_MAX, number)
        elif name == "setup":
            if value not in _SETUPS:
                raise SdpError(f"Line {number}: unknown setup.")
            self.value = replace(self.value, setup=cast(Setup, value))
        elif name == "candidate":
            _append(self._candidates, value, CANDIDATES_MAX, number)
        elif name == "end-of-candidates":
            self.value = replace(self.value, end_of_candidates=True)
        else:
            return False
        return True

    def finish(self) -> Transport:
        return replace(self.value, fingerprints=tuple(self._fingerprints), candidates=tuple(self._candidates))


class _Section:
    """Reads one section: the ``m=`` line first, then a table of attribute readers."""

    def __init__(self, lines: list[Line]) -> None:
        number, _, value = lines[0]
        match = _expect(_MEDIA, value, number, "m=")
        port = int(match[2])
        if port > 65535:
            raise SdpError(f"Line {number}: the port is out of range.")
        formats = tuple(match[4].split())
        self.rtp = match[1] in ("audio", "video") and "RTP/" in match[3]
        if len(formats) > CODECS_MAX:
            raise SdpError(f"Line {number}: more than {CODECS_MAX} formats.")
        self.section = Section(kind=match[1], port=port, protocol=match[3], formats=formats)
        self.transport = _Transport()
        self.codecs: dict[int, Codec] = {}
        if self.rtp:
            for text in formats:
                if not (text.isascii() and text.isdecimal() and len(text) <= 3 and int(text) <= 127):
                    raise SdpError(f"Line {number}: a payload type is not a number from 0 to 127.")
                name, clock_rate = _STATIC.get(int(text), ("", 0))
                self.codecs[int(text)] = Codec(int(text), name, clock_rate)
            if len(self.codecs) != len(formats):
                raise SdpError(f"Line {number}: a payload type is listed twice.")
            self.section = replace(self.section, formats=tuple(str(pt) for pt in self.codecs))
        self.extensions: list[Extension] = []
        self.rids: dict[str, Rid] = {}
        self.ssrcs: dict[int, str | None] = {}
        self.groups: list[SsrcGroup] = []
        self.feedback: list[tuple[str, str]] = []
        for number, kind, value in lines[1:]:
            if kind == "a":
                name, _, rest = value.partition(":")
                reader = _READERS.get(name)
                if reader is not None:
                    reader(self, rest, number)
                elif name in _DIRECTIONS:
                    self.section = replace(self.section, direction=cast(Direction, name))
                elif name == "rtcp-mux":
                    self.section = replace(self.section, rtcp_mux=True)
                elif name == "bundle-only":
                    self.section = replace(self.section, bundle_only=True)
                elif name == "extmap-allow-mixed":
                    self.section = replace(self.section, extmap_allow_mixed=True)
                else:
                    self.transport.take(name, rest, number)

    def finish(self) -> Section:
        for target, feedback in self.feedback:
            for pt in self.codecs if target == "*" else (int(target),):
                if pt in self.codecs and feedback not in self.codecs[pt].feedback:
                    codec = self.codecs[pt]
                    if len(codec.feedback) >= FEEDBACK_MAX:
                        raise SdpError(f"Payload type {pt} has more than {FEEDBACK_MAX} feedback lines.")
                    self.codecs[pt] = replace(codec, feedback=(*codec.feedback, feedback))
        return replace(
            self.section,
            codecs=tuple(self.codecs.values()),
            extensions=tuple(self.extensions),
            rids=tuple(self.rids.values()),
            ssrcs=tuple(Ssrc(ssrc, cname) for ssrc, cname in self.ssrcs.items()),
            ssrc_groups=tuple(self.groups),
            transport=self.transport.finish(),
        )

    def mid(self, value: str, number: int) -> None:
        self.section = replace(self.section, mid=_token(value, number, "mid", 64))

    def msid(self, value: str, number: int) -> None:
        if not value.strip():
            raise SdpError(f"Line {number}: the msid is empty.")
        self.section = replace(self.section, msid=value.strip())

    def rtpmap(self, value: str, number: int) -> None:
        match = _expect(_RTPMAP, value, number, "rtpmap")
        pt = int(match[1])
        if pt in self.codecs:
            channels = int(match[4]) if match[4] else 1
            self.codecs[pt] = replace(self.codecs[pt], name=match[2], clock_rate=int(match[3]), channels=channels or 1)

    def fmtp(self, value: str, number: int) -> None:
        if not self.rtp:
            return
        match = _expect(_FMTP, value, number, "fmtp")
        pt = int(match[1])
        if pt in self.codecs:
            self.codecs[pt] = replace(self.codecs[pt], parameters=match[2].strip())

    def rtcp_fb(self, value: str, number: int) -> None:
        match = _expect(_FEEDBACK, value, number, "rtcp-fb")
        _append(self.feedback, (match[1], match[2]), CODECS_MAX * FEEDBACK_MAX, number)

    def extmap(self, value: str, number: int) -> None:
        match = _expect(_EXTMAP, value, number, "extmap")
        extension = Extension(int(match[1]), match[3], cast("Direction | None", match[2]))
        # RFC 8285, section 7: 1-14 in one-byte form, up to 255 in two-byte form.
        if not 1 <= extension.id <= 255 or any(other.id == extension.id for other in self.extensions):
            raise SdpError(f"Line {number}: the extension id is out of range or used twice.")
        _append(self.extensions, extension, EXTENSIONS_MAX, number)

    def rid(self, value: str, number: int) -> None:
        match = _expect(_RID, value, number, "rid")
        if match[1] in self.rids:
            raise SdpError(f"Line {number}: the rid is used twice.")
        if len(self.rids) >= RIDS_MAX:
            raise SdpError(f"Line {number}: more than {RIDS_MAX} rids.")
        rid = Rid(match[1], "send" if match[2] == "send" else "recv", (match[3] or "").strip())
        self.rids[rid.id] = rid

    def simulcast(self, value: str, number: int) -> None:
        # RFC 8853, section 5.1: at most one line a section.
        if self.section.simulcast_send or self.section.simulcast_recv:
            raise SdpError(f"Line {number}: a second simulcast line.")
        match = _expect(_SIMULCAST, value, number, "simulcast")
        if match[1] == match[3]:
            raise SdpError(f"Line {number}: the same simulcast direction twice.")
        for direction, streams in ((match[1], match[2]), (match[3], match[4])):
            if direction == "send":
                self.section = replace(self.section, simulcast_send=_streams(streams, number))
            elif direction == "recv":
                self.section = replace(self.section, simulcast_recv=_streams(streams, number))

    def ssrc(self, value: str, number: int) -> None:
        match = _expect(_SSRC, value, number, "ssrc")
        ssrc = _u32(match[1], number)
        if ssrc not in self.ssrcs and len(self.ssrcs) >= SSRCS_MAX:
            raise SdpError(f"Line {number}: more than {SSRCS_MAX} SSRCs in one section.")
        self.ssrcs.setdefault(ssrc, None)
        if match[2] == "cname" and match[3]:
            self.ssrcs[ssrc] = match[3]

    def ssrc_group(self, value: str, number: int) -> None:
        match = _expect(_SSRC_GROUP, value, number, "ssrc-group")
        group = SsrcGroup(match[1], tuple(_u32(text, number) for text in match[2].split()))
        _append(self.groups, group, SSRCS_MAX, number)

    def sctp_port(self, value: str, number: int) -> None:
        port = _number(value, number, "sctp-port")
        if not 0 < port <= 65535:
            raise SdpError(f"Line {number}: the sctp-port is out of range.")
        self.section = replace(self.section, sctp_port=port)

    def max_message_size(self, value: str, number: int) -> None:
        self.section = replace(self.section, max_message_size=_number(value, number, "max-message-size"))


_READERS: Final[dict[str, Callable[[_Section, str, int], None]]] = {
    "mid": _Section.mid,
    "msid": _Section.msid,
    "rtpmap": _Section.rtpmap,
    "fmtp": _Section.fmtp,
    "rtcp-fb": _Section.rtcp_fb,
    "extmap": _Section.extmap,
    "rid": _Section.rid,
    "simulcast": _Section.simulcast,
    "ssrc": _Section.ssrc,
    "ssrc-group": _Section.ssrc_group,
    "sctp-port": _Section.sctp_port,
    "max-message-size": _Section.max_message_size,
}


def _expect(pattern: re.Pattern[str], value: str, number: int, name: str) -> re.Match[str]:
    match = pattern.fullmatch(value)
    if match is None:
        raise SdpError(f"Line {number}: malformed {name}.")
    return match


def _token(value: str, number: int, name: str, limit: int) -> str:
    if len(value) > limit or not _TOKEN.fullmatch(value):
        raise SdpError(f"Line {number}: malformed {name}.")
    return value


def _number(value: str, number: int, name: str) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise SdpError(f"Line {number}: {name} is not a number.")
    return int(value)


def _u32(value: str, number: int) -> int:
    ssrc = int(value)
    if ssrc > 0xFFFFFFFF:
        raise SdpError(f"Line {number}: an SSRC is out of range.")
    return ssrc


def _streams(value: str, number: int) -> Streams:
    if not _STREAMS.fullmatch(value):
        raise SdpError(f"Line {number}: malformed simulcast.")
    streams = tuple(tuple(stream.split(",")) for stream in value.split(";"))
    if sum(len(stream) for stream in streams) > RIDS_MAX:
        raise SdpError(f"Line {number}: more than {RIDS_MAX} simulcast encodings.")
    return streams


def _append(items: list[T], item: T, limit: int, number: int) -> None:
    if len(items) >= limit:
        raise SdpError(f"Line {number}: more than {limit} lines of this kind.")
    items.append(item)
