"""The values a session description is made of (RFC 8866, and RFC 8829 for its use by WebRTC).

Frozen, comparable, and complete for what this program needs: ``parse(write(d)) == d`` holds for every value that the
parser can produce. Attributes that nothing here uses are dropped by the parser.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["sendrecv", "sendonly", "recvonly", "inactive"]
Setup = Literal["actpass", "active", "passive", "holdconn"]


class SdpError(Exception):
    """A description that cannot be used.

    :param code: ``offer-invalid`` (malformed, or over a limit) or ``offer-missing-section`` (well-formed, but without
        something that is needed)
    :param message: one sentence that names the line or the section
    """

    def __init__(self, message: str, code: str = "offer-invalid") -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """RFC 8122: ``value`` is upper-case hexadecimal with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class Transport:
    """ICE and DTLS attributes, at the level they were written (session or section)."""

    ufrag: str | None = None
    pwd: str | None = None
    fingerprints: tuple[Fingerprint, ...] = ()
    setup: Setup | None = None
    candidates: tuple[str, ...] = ()
    end_of_candidates: bool = False


@dataclass(frozen=True, slots=True)
class Codec:
    """One payload type. ``parameters`` is the text of ``a=fmtp``, ``feedback`` the texts of ``a=rtcp-fb``."""

    pt: int
    name: str = ""
    clock_rate: int = 0
    channels: int = 1
    parameters: str = ""
    feedback: tuple[str, ...] = ()

    def parameter(self, name: str) -> str | None:
        """The value of one ``fmtp`` parameter (names compare without case), "" for a bare word."""
        for part in self.parameters.split(";"):
            key, _, value = part.strip().partition("=")
            if key.lower() == name:
                return value.strip()
        return None


@dataclass(frozen=True, slots=True)
class Extension:
    """RFC 8285 header extension."""

    id: int
    uri: str
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class Rid:
    """RFC 8851 restriction identifier; ``parameters`` is kept as text."""

    id: str
    direction: Literal["send", "recv"]
    parameters: str = ""


@dataclass(frozen=True, slots=True)
class Ssrc:
    ssrc: int
    cname: str | None = None


@dataclass(frozen=True, slots=True)
class SsrcGroup:
    semantics: str
    ssrcs: tuple[int, ...]


Streams = tuple[tuple[str, ...], ...]
"""RFC 8853 list: encodings, each a tuple of alternatives; ``~`` marks an initially paused one."""


@dataclass(frozen=True, slots=True)
class Section:
    """One ``m=`` section."""

    kind: str
    port: int = 9
    protocol: str = "UDP/TLS/RTP/SAVPF"
    formats: tuple[str, ...] = ()
    mid: str | None = None
    direction: Direction = "sendrecv"
    codecs: tuple[Codec, ...] = ()
    extensions: tuple[Extension, ...] = ()
    rids: tuple[Rid, ...] = ()
    simulcast_send: Streams = ()
    simulcast_recv: Streams = ()
    ssrcs: tuple[Ssrc, ...] = ()
    ssrc_groups: tuple[SsrcGroup, ...] = ()
    msid: str | None = None
    rtcp_mux: bool = False
    bundle_only: bool = False
    extmap_allow_mixed: bool = False
    sctp_port: int | None = None
    max_message_size: int | None = None
    transport: Transport = field(default_factory=Transport)

    @property
    def rejected(self) -> bool:
        """Port 0 without ``bundle-only`` means "not used" (RFC 8843, section 6)."""
        return self.port == 0 and not self.bundle_only


@dataclass(frozen=True, slots=True)
class Description:
    """A whole offer or answer."""

    session_id: str = "0"
    session_version: str = "0"
    bundles: tuple[tuple[str, ...], ...] = ()
    ice_lite: bool = False
    extmap_allow_mixed: bool = False
    transport: Transport = field(default_factory=Transport)
    sections: tuple[Section, ...] = ()
