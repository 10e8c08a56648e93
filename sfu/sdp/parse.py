"""Text to types: a strict, bounded reader of session descriptions (RFC 8866).

Whatever the input, the outcome is a :class:`Description` or an :class:`SdpError`. Simulcast and RID lines are kept
(aiortc's own parser drops them). Unknown attributes are skipped, as RFC 8866, section 5.13 asks; known ones that are
malformed are errors, because a description half understood makes a call that half works.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from sfu.sdp.codecs import (
    CODECS_MAX,
    EXTENSIONS_MAX,
    FEEDBACK_MAX,
    Attribute,
    Memory,
    payload_types,
    read_codecs,
    read_extensions,
)
from sfu.sdp.codecs import NAMES as CODEC_ATTRIBUTES
from sfu.sdp.lines import RIDS_MAX, SECTIONS_MAX, Line, add, expect, split, streams, token, u32, whole_number
from sfu.sdp.types import (
    Description,
    Fingerprint,
    Rid,
    SdpError,
    Section,
    Ssrc,
    SsrcGroup,
    Transport,
)

SSRCS_MAX: Final = 64
CANDIDATES_MAX: Final = 256
FINGERPRINTS_MAX: Final = 8
BUNDLES_MAX: Final = 8

_ORIGIN = re.compile(r"\S+ (\d{1,20}) (\d{1,20}) IN IP[46] \S+", re.ASCII)
_MEDIA = re.compile(r"([a-z]{1,16}) (\d{1,5})(?:/\d{1,3})? ([A-Za-z0-9/_.-]{1,40}) (\S+(?: \S+)*)", re.ASCII)
_RID = re.compile(r"([A-Za-z0-9_-]{1,16}) (send|recv)(?: (\S.*))?", re.ASCII)
_SIMULCAST = re.compile(r"(send|recv) (\S+)(?: (send|recv) (\S+))?", re.ASCII)
_SSRC = re.compile(r"(\d{1,10})(?: ([a-z-]{1,32})(?::(.*))?)?", re.ASCII)
_SSRC_GROUP = re.compile(r"([A-Z-]{1,16})((?: \d{1,10})+)", re.ASCII)
_FINGERPRINT = re.compile(r"([A-Za-z0-9-]{3,16}) ([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){7,127})", re.ASCII)
_ICE = re.compile(r"[A-Za-z0-9+/=_-]{4,256}", re.ASCII)

_DIRECTIONS: Final = frozenset({"sendrecv", "sendonly", "recvonly", "inactive"})
_SETUPS: Final = frozenset({"actpass", "active", "passive", "holdconn"})

Fields = dict[str, Any]
"""Keyword arguments of the value that is being read."""


def parse(text: str) -> Description:
    """Read an offer or an answer. Raises :class:`SdpError` and nothing else."""
    blocks = split(text)
    fields = _session(blocks[0])
    memory = Memory()
    sections = tuple(_Section(block, memory).finish() for block in blocks[1:])
    mids = [section.mid for section in sections if section.mid is not None]
    if len(mids) != len(set(mids)):
        raise SdpError("Two media sections have the same mid.")
    return Description(**fields, sections=sections)


def _session(lines: list[Line]) -> Fields:
    if not lines or lines[0][1:] != ("v", "0"):
        raise SdpError("A description begins with v=0.")
    transport = _Transport()
    fields: Fields = {}
    bundles: list[tuple[str, ...]] = []
    for number, kind, value in lines[1:]:
        if kind == "o":
            match = expect(_ORIGIN, value, number, "o=")
            fields["session_id"], fields["session_version"] = match[1], match[2]
        if kind != "a":
            continue
        name, _, rest = value.partition(":")
        if transport.take(name, rest, number):
            continue
        if name == "group" and rest.split(" ")[0] == "BUNDLE":
            mids = tuple(token(mid, number, "group", 64) for mid in rest.split()[1:])
            if len(mids) > SECTIONS_MAX:
                raise SdpError(f"Line {number}: too many sections in one group.")
            add(bundles, mids, BUNDLES_MAX, number)
        elif name == "ice-lite":
            fields["ice_lite"] = True
        elif name == "extmap-allow-mixed":
            fields["extmap_allow_mixed"] = True
    return {**fields, "bundles": tuple(bundles), "transport": transport.finish()}


class _Transport:
    """Collects ICE and DTLS attributes of one level."""

    def __init__(self) -> None:
        self._fields: Fields = {}
        self._fingerprints: list[Fingerprint] = []
        self._candidates: list[str] = []

    def take(self, name: str, value: str, number: int) -> bool:
        """Whether the attribute belongs here."""
        if name == "ice-ufrag":
            self._fields["ufrag"] = expect(_ICE, value, number, name)[0]
        elif name == "ice-pwd":
            if len(value) < 22:  # RFC 8839, section 5.4
                raise SdpError(f"Line {number}: the ice-pwd is shorter than 22 characters.")
            self._fields["pwd"] = expect(_ICE, value, number, name)[0]
        elif name == "fingerprint":
            match = expect(_FINGERPRINT, value, number, name)
            add(self._fingerprints, Fingerprint(match[1].lower(), match[2].upper()), FINGERPRINTS_MAX, number)
        elif name == "setup":
            if value not in _SETUPS:
                raise SdpError(f"Line {number}: unknown setup.")
            self._fields["setup"] = value
        elif name == "candidate":
            add(self._candidates, value, CANDIDATES_MAX, number)
        elif name == "end-of-candidates":
            self._fields["end_of_candidates"] = True
        else:
            return False
        return True

    def finish(self) -> Transport:
        return Transport(**self._fields, fingerprints=tuple(self._fingerprints), candidates=tuple(self._candidates))


class _Section:
    """Reads one section: the ``m=`` line first, then a table of attribute readers."""

    def __init__(self, lines: list[Line], memory: Memory) -> None:
        number, _, value = lines[0]
        match = expect(_MEDIA, value, number, "m=")
        if int(match[2]) > 65535:
            raise SdpError(f"Line {number}: the port is out of range.")
        formats = tuple(match[4].split())
        self._rtp = match[1] in ("audio", "video") and "RTP/" in match[3]
        if self._rtp:
            formats = payload_types(formats, number)
        elif len(formats) > CODECS_MAX:
            raise SdpError(f"Line {number}: more than {CODECS_MAX} formats.")
        self.fields: Fields = {"kind": match[1], "port": int(match[2]), "protocol": match[3], "formats": formats}
        self._formats = formats
        self._memory = memory
        self._transport = _Transport()
        self._codecs: list[Attribute] = []
        self._codec_numbers: list[int] = []
        self._extensions: list[str] = []
        self._extension_numbers: list[int] = []
        self.rids: dict[str, Rid] = {}
        self.ssrcs: dict[int, str | None] = {}
        self.groups: list[SsrcGroup] = []
        for number, kind, value in lines[1:]:
            if kind == "a":
                name, _, rest = value.partition(":")
                self._take(name, rest, number)

    def _take(self, name: str, value: str, number: int) -> None:
        if name in CODEC_ATTRIBUTES:
            add(self._codecs, (name, value), CODECS_MAX * FEEDBACK_MAX, number)
            self._codec_numbers.append(number)
        elif name == "extmap":
            add(self._extensions, value, EXTENSIONS_MAX, number)
            self._extension_numbers.append(number)
        elif name in _READERS:
            _READERS[name](self, value, number)
        elif name in _DIRECTIONS:
            self.fields["direction"] = name
        elif name in _FLAGS:
            self.fields[_FLAGS[name]] = True
        else:
            self._transport.take(name, value, number)

    def finish(self) -> Section:
        codecs = read_codecs(self._formats, self._codecs, self._codec_numbers, self._memory) if self._rtp else ()
        return Section(
            **self.fields,
            codecs=codecs,
            extensions=read_extensions(self._extensions, self._extension_numbers, self._memory),
            rids=tuple(self.rids.values()),
            ssrcs=tuple(Ssrc(ssrc, cname) for ssrc, cname in self.ssrcs.items()),
            ssrc_groups=tuple(self.groups),
            transport=self._transport.finish(),
        )

    def mid(self, value: str, number: int) -> None:
        self.fields["mid"] = token(value, number, "mid", 64)

    def msid(self, value: str, number: int) -> None:
        if not value.strip():
            raise SdpError(f"Line {number}: the msid is empty.")
        self.fields["msid"] = value.strip()

    def rid(self, value: str, number: int) -> None:
        match = expect(_RID, value, number, "rid")
        if match[1] in self.rids:
            raise SdpError(f"Line {number}: the rid is used twice.")
        if len(self.rids) >= RIDS_MAX:
            raise SdpError(f"Line {number}: more than {RIDS_MAX} rids.")
        rid = Rid(match[1], "send" if match[2] == "send" else "recv", (match[3] or "").strip())
        self.rids[rid.id] = rid

    def simulcast(self, value: str, number: int) -> None:
        # RFC 8853, section 5.1: at most one line a section.
        if "simulcast_send" in self.fields or "simulcast_recv" in self.fields:
            raise SdpError(f"Line {number}: a second simulcast line.")
        match = expect(_SIMULCAST, value, number, "simulcast")
        if match[1] == match[3]:
            raise SdpError(f"Line {number}: the same simulcast direction twice.")
        self.fields[f"simulcast_{match[1]}"] = streams(match[2], number)
        if match[3]:
            self.fields[f"simulcast_{match[3]}"] = streams(match[4], number)

    def ssrc(self, value: str, number: int) -> None:
        match = expect(_SSRC, value, number, "ssrc")
        ssrc = u32(match[1], number)
        if ssrc not in self.ssrcs and len(self.ssrcs) >= SSRCS_MAX:
            raise SdpError(f"Line {number}: more than {SSRCS_MAX} SSRCs in one section.")
        self.ssrcs.setdefault(ssrc, None)
        if match[2] == "cname" and match[3]:
            self.ssrcs[ssrc] = match[3]

    def ssrc_group(self, value: str, number: int) -> None:
        match = expect(_SSRC_GROUP, value, number, "ssrc-group")
        group = SsrcGroup(match[1], tuple(u32(text, number) for text in match[2].split()))
        add(self.groups, group, SSRCS_MAX, number)

    def sctp_port(self, value: str, number: int) -> None:
        port = whole_number(value, number, "sctp-port")
        if not 0 < port <= 65535:
            raise SdpError(f"Line {number}: the sctp-port is out of range.")
        self.fields["sctp_port"] = port

    def max_message_size(self, value: str, number: int) -> None:
        self.fields["max_message_size"] = whole_number(value, number, "max-message-size")


_READERS: Final[dict[str, Callable[[_Section, str, int], None]]] = {
    "mid": _Section.mid,
    "msid": _Section.msid,
    "rid": _Section.rid,
    "simulcast": _Section.simulcast,
    "ssrc": _Section.ssrc,
    "ssrc-group": _Section.ssrc_group,
    "sctp-port": _Section.sctp_port,
    "max-message-size": _Section.max_message_size,
}
_FLAGS: Final = {
    "rtcp-mux": "rtcp_mux",
    "bundle-only": "bundle_only",
    "extmap-allow-mixed": "extmap_allow_mixed",
}
