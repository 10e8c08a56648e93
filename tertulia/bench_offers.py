"""The offers that publishers and viewers of a benchmark make, and what they read from the answers.

They say what a browser's WHIP or WHEP client says: one bundle, Opus and VP8, MID, audio levels, transport-wide
feedback.
"""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass
from typing import Literal

from sfu.sdp.parse import parse
from sfu.sdp.types import Description, Section
from tertulia.bench_server import BenchError

Kind = Literal["audio", "video"]

_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
_TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

_CODECS: dict[Kind, tuple[str, ...]] = {
    "audio": ("a=rtpmap:111 opus/48000/2", "a=rtcp-fb:111 transport-cc", "a=fmtp:111 minptime=10;useinbandfec=1"),
    "video": (
        "a=rtpmap:96 VP8/90000",
        "a=rtcp-fb:96 transport-cc",
        "a=rtcp-fb:96 ccm fir",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:96 nack pli",
        "a=rtpmap:97 rtx/90000",
        "a=fmtp:97 apt=96",
    ),
}
_FORMATS: dict[Kind, str] = {"audio": "111", "video": "96 97"}
_PAYLOAD_TYPE: dict[Kind, int] = {"audio": 111, "video": 96}


@dataclass(frozen=True, slots=True)
class Credentials:
    """One end's ICE credentials (RFC 8839, section 5.4)."""

    ufrag: str
    pwd: str

    @classmethod
    def make(cls) -> Credentials:
        return cls(secrets.token_hex(4), secrets.token_hex(12))


@dataclass(frozen=True, slots=True)
class Offer:
    """An offer and, for a publisher, the SSRC of each of its sections."""

    text: str
    kinds: tuple[Kind, ...]
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """Where the server is, and its sections in the order of the offer."""

    host: str
    port: int
    credentials: Credentials
    fingerprint: str
    sections: tuple[Section, ...]


def make_offer(credentials: Credentials, fingerprint: str, *, audio: bool, publish: bool) -> Offer:
    """The offer of a publisher (sendonly) or a viewer (recvonly)."""
    kinds: tuple[Kind, ...] = ("audio", "video") if audio else ("video",)
    lines = _session(len(kinds))
    ssrcs = []
    for index, kind in enumerate(kinds):
        lines += _section(credentials, fingerprint, index, kind, "sendonly" if publish else "recvonly")
        if publish:
            ssrcs.append(random.randrange(1, 2**32))
            lines += [f"a=msid:- load-{kind}", f"a=ssrc:{ssrcs[-1]} cname:load"]
    return Offer("\r\n".join(lines) + "\r\n", kinds, tuple(ssrcs))


def make_call_offer(credentials: Credentials, fingerprint: str, *, seats: int, extras: int) -> Offer:
    """What a page offers for a call: microphone and camera (sections 0 and 1), seats, audio-only slots."""
    seat: tuple[Kind, ...] = ("audio", "video")
    extra: tuple[Kind, ...] = ("audio",)
    kinds = (*seat, *seat * seats, *extra * extras)
    lines = _session(len(kinds))
    for index, kind in enumerate(kinds):
        lines += _section(credentials, fingerprint, index, kind, "sendonly" if index < 2 else "recvonly")
    return Offer("\r\n".join(lines) + "\r\n", kinds, ())


def _session(sections: int) -> list[str]:
    return [
        "v=0",
        f"o=- {random.getrandbits(62)} 2 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        f"a=group:BUNDLE {' '.join(str(index) for index in range(sections))}",
        "a=extmap-allow-mixed",
        "a=msid-semantic: WMS *",
    ]


def _section(credentials: Credentials, fingerprint: str, index: int, kind: Kind, direction: str) -> list[str]:
    return [
        f"m={kind} 9 UDP/TLS/RTP/SAVPF {_FORMATS[kind]}",
        "c=IN IP4 0.0.0.0",
        "a=rtcp:9 IN IP4 0.0.0.0",
        f"a=ice-ufrag:{credentials.ufrag}",
        f"a=ice-pwd:{credentials.pwd}",
        "a=ice-options:trickle",
        f"a=fingerprint:sha-256 {fingerprint}",
        "a=setup:actpass",
        f"a=mid:{index}",
        f"a=extmap:1 {_MID}",
        f"a=extmap:2 {_TRANSPORT_CC}",
        *([f"a=extmap:3 {_LEVEL}"] if kind == "audio" else []),
        f"a={direction}",
        "a=rtcp-mux",
        "a=rtcp-rsize",
        *_CODECS[kind],
    ]


def read_answer(text: str) -> Answer:
    """What a client takes from the answer. Raises BenchError if something is missing."""
    description = parse(text)
    if not description.sections:
        raise BenchError("The server's answer has no sections.")
    levels = (description.sections[0].transport, description.transport)
    ufrag = next((level.ufrag for level in levels if level.ufrag), None)
    pwd = next((level.pwd for level in levels if level.pwd), None)
    marks = [mark.value for level in levels for mark in level.fingerprints if mark.algorithm == "sha-256"]
    if ufrag is None or pwd is None or not marks:
        raise BenchError("The server's answer lacks ICE credentials or a SHA-256 fingerprint.")
    host, port = _candidate(description)
    return Answer(host, port, Credentials(ufrag, pwd), marks[0], description.sections)


def feedback_command(peer: int, answer: Answer) -> str | None:
    """The line that makes a viewer give transport-wide feedback; None if that was not negotiated."""
    ids = [extension.id for extension in answer.sections[0].extensions if extension.uri == _TRANSPORT_CC]
    return f"feedback {peer} {ids[0]}" if ids else None


def _candidate(description: Description) -> tuple[str, int]:
    """The first UDP candidate over IPv4."""
    texts = [*description.sections[0].transport.candidates, *description.transport.candidates]
    for text in texts:
        parts = text.split()  # foundation, component, transport, priority, address, port, … (RFC 8839, section 5.1)
        if len(parts) > 5 and parts[2].lower() == "udp" and ":" not in parts[4]:
            return parts[4], int(parts[5])
    raise BenchError("The server's answer has no UDP candidate over IPv4.")


def source_command(peer: int, index: int, offer: Offer, answer: Answer) -> str:
    """The load generator's line for one published section."""
    kind, section = offer.kinds[index], answer.sections[index]
    ids = {extension.uri: extension.id for extension in section.extensions}
    mid_id, transport_cc_id, level_id = (ids.get(uri, 0) for uri in (_MID, _TRANSPORT_CC, _LEVEL))
    payload_type = _PAYLOAD_TYPE[kind]
    return f"source {peer} {kind} {offer.ssrcs[index]} {payload_type} {index} {mid_id} {transport_cc_id} {level_id}"


def slot_command(peer: int, index: int, offer: Offer, answer: Answer) -> str:
    """The load generator's line for one received section."""
    section = answer.sections[index]
    if not section.ssrcs:
        raise BenchError("The server's answer names no SSRC for a receiving section.")
    return f"slot {peer} {offer.kinds[index]} {section.ssrcs[0].ssrc}"
