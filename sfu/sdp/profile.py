"""Which codecs and header extensions are used, in which order, and under which names the core knows them.

Codecs are compared by *format*: a number for a codec together with the part of its ``fmtp`` that decides whether a
packet can be decoded. A packet may go to a slot only where the slot's viewer offered the same format, or one that
includes it. The numbers are a fixed table, so that no input makes it grow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

from sfu.sdp.types import Codec, Direction, Extension, Section

MediaKind = Literal["audio", "video"]
VideoCodec = Literal["vp8", "h264", "vp9", "av1"]
VIDEO_CODECS: Final[tuple[VideoCodec, ...]] = ("vp8", "h264", "vp9", "av1")
Stamp = Literal["", "transport-cc", "abs-send-time"]

EXTENSIONS: Final[dict[str, str]] = {
    "urn:ietf:params:rtp-hdrext:sdes:mid": "mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": "rid",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": "repaired-rid",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": "audio-level",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": "transport-cc",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": "abs-send-time",
    "urn:3gpp:video-orientation": "orientation",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time": "abs-capture-time",
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay": "playout-delay",
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension": "dependency-descriptor",
}
"""URI -> short name, as the core spells it."""

_RECEIVED: Final = {
    "audio": frozenset({"mid", "audio-level", "transport-cc", "abs-send-time", "abs-capture-time"}),
    "video": frozenset(
        {"mid", "rid", "repaired-rid", "transport-cc", "abs-send-time", "orientation", "abs-capture-time",
         "playout-delay", "dependency-descriptor"}
    ),
}  # fmt: skip
_SENT: Final = {
    "audio": frozenset({"mid", "audio-level", "transport-cc", "abs-send-time", "abs-capture-time"}),
    "video": frozenset(
        {"mid", "transport-cc", "abs-send-time", "orientation", "abs-capture-time", "playout-delay",
         "dependency-descriptor"}
    ),
}  # fmt: skip
_MIRRORED: Final[dict[Direction | None, Direction | None]] = {
    None: None,
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
}

START_BITRATE_KBPS: Final = 2000
"""``x-google-start-bitrate``: a first 720p key frame after 90 ms instead of 220 (Chromium, loopback)."""

OPUS: Final = 1
VP8: Final = 2
RED: Final = 4  # of Opus (RFC 2198)
VP9: Final = 8  # profile 0; browsers send no other
AV1: Final = 16  # profile 0
H264: Final = 32  # + 2 x profile + packetization mode (0 or 1)

_LEVEL_ID: Final = re.compile(r"[0-9A-Fa-f]{6}")
_H264_PROFILES: Final = (
    # RFC 6184, section 8.1, table 5: (profile_idc, mask, value of profile_iop), number.
    (0x42, 0x4F, 0x40, 0),  # constrained baseline
    (0x4D, 0x8F, 0x80, 0),
    (0x58, 0xCF, 0xC0, 0),
    (0x42, 0x4F, 0x00, 1),  # baseline
    (0x58, 0xCF, 0x80, 1),
    (0x4D, 0xAF, 0x00, 2),  # main
    (0x64, 0xFF, 0x0C, 3),  # constrained high
    (0x64, 0xFF, 0x00, 4),  # high
)
# Decoders of a profile (by number) that also decode constrained baseline streams, and those of constrained high.
_H264_INCLUDES: Final = {0: (0,), 1: (1, 0), 2: (2, 0), 3: (3, 2, 0), 4: (4, 3, 2, 0)}


@dataclass(frozen=True, slots=True)
class Payload:
    """A payload type of a section together with its meaning for the core."""

    pt: int
    codec: str
    format: int
    clock_rate: int
    apt: int = 0
    """For RTX: the payload type that it repairs (RFC 4588, section 8.1)."""


def format_of(codec: Codec) -> Payload | None:
    """What this codec line means to us, or None where we do not forward it."""
    name = codec.name.lower()
    if 64 <= codec.pt <= 95:  # RFC 5761, section 4: indistinguishable from RTCP
        return None
    if name == "opus" and codec.clock_rate == 48000 and codec.channels == 2:
        return Payload(codec.pt, "opus", OPUS, 48000)
    if name == "red" and codec.clock_rate == 48000 and codec.channels == 2:
        return Payload(codec.pt, "red", RED, 48000)
    if codec.clock_rate != 90000:
        return None
    if name == "vp8":
        return Payload(codec.pt, "vp8", VP8, 90000)
    if name == "vp9" and codec.parameter("profile-id") in (None, "0"):
        return Payload(codec.pt, "vp9", VP9, 90000)
    if name == "av1" and codec.parameter("profile") in (None, "0"):
        return Payload(codec.pt, "av1", AV1, 90000)
    if name == "h264":
        return _h264(codec)
    return None


def _h264(codec: Codec) -> Payload | None:
    # RFC 6184, section 8.1: without profile-level-id, baseline; without packetization-mode, single NAL units.
    level_id = codec.parameter("profile-level-id") or "42000a"
    mode = {None: 0, "0": 0, "1": 1}.get(codec.parameter("packetization-mode"))
    if mode is None or not _LEVEL_ID.fullmatch(level_id):
        return None
    profile_idc, profile_iop = int(level_id[0:2], 16), int(level_id[2:4], 16)
    for idc, mask, value, number in _H264_PROFILES:
        if profile_idc == idc and profile_iop & mask == value:
            return Payload(codec.pt, "h264", H264 + 2 * number + mode, 90000)
    return None


def accepted(section: Section, kind: MediaKind, prefer: VideoCodec) -> list[tuple[Codec, Payload]]:
    """The codecs of a section that are used, best first: a sender takes the first.

    RED before Opus, so that publishers send it: then a lost packet's sound comes in the next.

    :param prefer: what comes before all others; then what every browser decodes comes before the rest
    """
    pairs = ((codec, format_of(codec)) for codec in section.codecs)
    wanted = {"audio": ("red", "opus"), "video": tuple(dict.fromkeys((prefer, *VIDEO_CODECS)))}[kind]
    known = [(codec, payload) for codec, payload in pairs if payload is not None and payload.codec in wanted]
    opus = {str(payload.pt) for _, payload in known if payload.codec == "opus"}
    # RFC 2198, section 5: the parameters are the payload types of the blocks.
    known = [(codec, item) for codec, item in known if item.codec != "red" or set(codec.parameters.split("/")) <= opus]
    return sorted(known, key=lambda pair: wanted.index(pair[1].codec))


def repairs(section: Section, payloads: Iterable[Payload]) -> list[tuple[Codec, Payload]]:
    """The RTX codecs of a section that repair one of ``payloads``, one each."""
    known = {payload.pt: payload for payload in payloads}
    found: list[tuple[Codec, Payload]] = []
    for codec in section.codecs:
        apt = codec.parameter("apt") or ""
        if codec.name.lower() != "rtx" or not (apt.isascii() and apt.isdecimal() and len(apt) <= 3):
            continue
        repaired = known.pop(int(apt), None)
        if repaired is not None and codec.clock_rate == repaired.clock_rate and not 64 <= codec.pt <= 95:
            found.append((codec, Payload(codec.pt, "rtx", 0, codec.clock_rate, repaired.pt)))
    return found


def decodable(payloads: list[Payload]) -> list[tuple[int, int]]:
    """(format, payload type) pairs of a slot: each format the viewer decodes, under the first type that covers it."""
    table: dict[int, int] = {}
    for payload in payloads:
        table.setdefault(payload.format, payload.pt)
    for payload in payloads:
        if payload.codec == "h264":
            number, mode = divmod(payload.format - H264, 2)
            for included in _H264_INCLUDES[number]:
                # Packetization mode 1 includes single NAL units (RFC 6184, section 6.3).
                for lower in range(mode + 1):
                    table.setdefault(H264 + 2 * included + lower, payload.pt)
    return list(table.items())


def answer_codec(codec: Codec, kind: MediaKind, *, receiving: bool) -> Codec:
    """The codec as our answer states it: what we receive from a publisher, or send to a viewer."""
    offered = set(codec.feedback)
    # Transport-wide feedback where offered; REMB only without it (both at once confuse senders).
    wanted = ["transport-cc"] if "transport-cc" in offered else ["goog-remb"]
    wanted.append("nack")
    if kind == "video":
        wanted += ["ccm fir", "nack pli"]
    parameters = codec.parameters
    if receiving and kind == "video":
        start = f"x-google-start-bitrate={START_BITRATE_KBPS}"
        parameters = f"{parameters};{start}" if parameters else start
    return replace(codec, parameters=parameters, feedback=tuple(item for item in wanted if item in offered))


def stamp_of(section: Section, extensions: list[Extension]) -> Stamp:
    """What packets to a viewer carry so that its feedback can be told: what the answer negotiated, if anything."""
    names = {EXTENSIONS[extension.uri] for extension in extensions}
    feedback = {item for codec in section.codecs for item in codec.feedback}
    if "transport-cc" in names and "transport-cc" in feedback:
        return "transport-cc"
    return "abs-send-time" if "abs-send-time" in names and "goog-remb" in feedback else ""


def answer_extensions(section: Section, kind: MediaKind, *, receiving: bool, mixed: bool) -> list[Extension]:
    """Header extensions of the answer, under the offer's ids.

    ``mixed``: two-byte headers may be used (``extmap-allow-mixed``), so ids above 14 may as well (RFC 8285, 4.3).
    """
    wanted = _RECEIVED[kind] if receiving else _SENT[kind]
    # RFC 8285, section 6: sendonly and recvonly are as the offerer sees them.
    blocked = "recvonly" if receiving else "sendonly"
    transport_cc = any("transport-cc" in codec.feedback for codec in section.codecs)
    unused = "abs-send-time" if transport_cc else "transport-cc"
    chosen: dict[str, Extension] = {}
    for extension in section.extensions:
        name = EXTENSIONS.get(extension.uri)
        if name is None or name in chosen or name not in wanted or name == unused:
            continue
        if name == "dependency-descriptor" and not mixed:
            continue  # with a key frame it is longer than the one-byte form holds
        if extension.direction in (blocked, "inactive") or (extension.id > 14 and not mixed):
            continue
        chosen[name] = Extension(extension.id, extension.uri, _MIRRORED[extension.direction])
    return list(chosen.values())
