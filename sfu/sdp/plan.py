"""What becomes of each section of an offer: a publication, a slot, the data channels, or nothing.

A session has one offer and one answer, so everything it will ever send or receive is decided here: which section
carries which track, and which sections form a *seat* (an audio and a video slot under one msid, because browsers
synchronise sound and picture only inside one).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, cast

from sfu.sdp.profile import (
    EXTENSIONS,
    MediaKind,
    Payload,
    Stamp,
    VideoCodec,
    accepted,
    answer_codec,
    answer_extensions,
    decodable,
    repairs,
    stamp_of,
)
from sfu.sdp.types import Codec, Description, Extension, Fingerprint, Rid, SdpError, Section

TrackKind = Literal["microphone", "camera", "screen", "screen-audio"]

TRACK_MEDIA: Final[dict[TrackKind, MediaKind]] = {
    "microphone": "audio",
    "camera": "video",
    "screen": "video",
    "screen-audio": "audio",
}
DIGESTS: Final = frozenset({"sha-256", "sha-384", "sha-512"})
SLOTS_MAX: Final = 200
DATA_PROTOCOLS: Final = frozenset({"UDP/DTLS/SCTP", "TCP/DTLS/SCTP"})  # RFC 8841, section 4
SCTP_PORT: Final = 5000
MESSAGE_MAX: Final = 16_384


@dataclass(frozen=True, slots=True)
class Remote:
    """The offerer's end of the one transport."""

    ufrag: str
    pwd: str
    fingerprints: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """A section that the client sends in."""

    mid: str
    track: TrackKind
    kind: MediaKind
    rids: tuple[str, ...]
    ssrcs: tuple[int, ...]
    rtx_ssrcs: tuple[tuple[int, int], ...]
    """(SSRC of media, SSRC that repairs it)"""
    payloads: tuple[Payload, ...]
    """Media first, then RTX."""
    nack: bool
    """The client sends again what it is asked for."""


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """A section that the client receives in. ``seat`` is None for audio-only slots."""

    mid: str
    kind: MediaKind
    seat: int | None
    stream: str
    """The msid's stream, and the CNAME: one a seat."""
    payloads: tuple[tuple[int, int], ...]
    """(format, payload type)"""
    rtx: tuple[tuple[int, int], ...]
    """(payload type, the one that repairs it): what the client misses is sent again under it."""
    stamp: Stamp = ""
    """What its packets carry for the viewer's congestion feedback."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The outcome. ``sections`` are the answer's, complete but for transport attributes and slot SSRCs."""

    remote: Remote
    sections: tuple[Section, ...]
    publications: tuple[Publication, ...]
    slots: tuple[SlotPlan, ...]
    data: Section | None
    extensions: Mapping[str, int]
    mixed: bool
    transport_cc: bool
    remb: bool


def infer_tracks(offer: Description) -> dict[str, TrackKind]:
    """Tracks of an offer that does not name them (WHIP): microphone and camera first, then screen and its sound."""
    names: dict[str, list[TrackKind]] = {"audio": ["microphone", "screen-audio"], "video": ["camera", "screen"]}
    tracks: dict[str, TrackKind] = {}
    for section in offer.sections:
        sends = section.direction in ("sendonly", "sendrecv") and not section.rejected
        if sends and section.mid is not None and names.get(section.kind):
            tracks[section.mid] = names[section.kind].pop(0)
    return tracks


def read_remote(offer: Description) -> Remote:
    """The transport of the BUNDLE group. Raises :class:`SdpError` where the offer has none that can be used."""
    members = bundle(offer)
    tagged = next((section for section in offer.sections if section.mid == members[0]), None)
    if tagged is None:
        raise SdpError("The BUNDLE group names a section that is not there.")
    # RFC 8843, section 7.1: the transport of the group is that of its first section.
    ufrag = tagged.transport.ufrag or offer.transport.ufrag
    pwd = tagged.transport.pwd or offer.transport.pwd
    fingerprints = tagged.transport.fingerprints or offer.transport.fingerprints
    setup = tagged.transport.setup or offer.transport.setup or "actpass"
    if ufrag is None or pwd is None:
        raise SdpError("The offer has no ICE credentials.")
    usable = tuple(item for item in fingerprints if item.algorithm in DIGESTS)
    if not usable:
        raise SdpError("The offer has no usable DTLS fingerprint (sha-256).")
    if setup not in ("actpass", "active"):
        raise SdpError("The offerer must be able to be the active side of DTLS (a=setup:actpass).")
    return Remote(ufrag, pwd, usable)


def bundle(offer: Description) -> tuple[str, ...]:
    """The MIDs of the one BUNDLE group."""
    if not offer.bundles or not offer.bundles[0]:
        raise SdpError("The offer must bundle its sections (a=group:BUNDLE).")
    return offer.bundles[0]


def make_plan(
    offer: Description,
    tracks: Mapping[str, TrackKind],
    *,
    publish: bool = True,
    subscribe: bool = True,
    prefer: VideoCodec = "vp8",
) -> Plan:
    """Decide every section.

    :param tracks: MID of a sending section -> what it carries; sending sections not named are answered ``inactive``
    :param publish: whether the client may send
    :param subscribe: whether the client may receive
    :param prefer: the codec that cameras and screens send where they can
    """
    builder = _Builder(offer, tracks, publish, subscribe, prefer)
    remote = read_remote(offer)
    sections = tuple(builder.decide(section) for section in offer.sections)
    missing = [mid for mid in tracks if mid not in builder.offered]
    if missing:
        raise SdpError(f"The offer has no sending section {missing[0][:16]!r}.", "offer-missing-section")
    if not any(section.port for section in sections):
        raise SdpError("The offer has no section that could be used.", "offer-missing-section")
    return Plan(
        remote=remote,
        sections=sections,
        publications=tuple(builder.publications),
        slots=tuple(builder.slots),
        data=builder.data,
        extensions=builder.extensions,
        mixed=builder.mixed,
        transport_cc=builder.has_feedback("transport-cc"),
        remb=builder.has_feedback("goog-remb"),
    )


class _Choice:
    """What is used of a section's codecs."""

    def __init__(self, section: Section, kind: MediaKind, prefer: VideoCodec) -> None:
        pairs = accepted(section, kind, prefer)
        self.payloads = tuple(payload for _, payload in pairs)
        self.decodable = tuple(decodable(list(self.payloads)))
        self.nack = any("nack" in codec.feedback for codec, _ in pairs)
        rtx = repairs(section, self.payloads) if self.nack else []
        self.repairs = tuple(payload for _, payload in rtx)
        self.rtx = tuple((payload.apt, payload.pt) for payload in self.repairs)
        repairing = tuple(replace(codec, feedback=()) for codec, _ in rtx)
        self.received = (*(answer_codec(codec, kind, receiving=True) for codec, _ in pairs), *repairing)
        self.sent = (*(answer_codec(codec, kind, receiving=False) for codec, _ in pairs), *repairing)


class _Builder:
    def __init__(
        self, offer: Description, tracks: Mapping[str, TrackKind], publish: bool, subscribe: bool, prefer: VideoCodec
    ) -> None:
        self.prefer = prefer
        self.members = frozenset(bundle(offer))
        self.tracks = tracks
        self.publish = publish
        self.subscribe = subscribe
        self.mixed = offer.extmap_allow_mixed or any(section.extmap_allow_mixed for section in offer.sections)
        self.offered: set[str] = set()
        self.publications: list[Publication] = []
        self.slots: list[SlotPlan] = []
        self.data: Section | None = None
        self.extensions: dict[str, int] = {}
        self.feedback: set[str] = set()
        self.seats = {"audio": 0, "video": 0}
        self._claimed: set[int] = set()
        self._choices: dict[tuple[MediaKind, VideoCodec, tuple[Codec, ...]], _Choice] = {}
        videos = [section for section in offer.sections if self._is_slot(section) and section.kind == "video"]
        self.seat_count = len(videos)

    def has_feedback(self, name: str) -> bool:
        return name in self.feedback

    def decide(self, section: Section) -> Section:
        """The answer's section. What is refused keeps its place with port 0 (RFC 3264, section 6)."""
        if section.rejected or section.mid is None or section.mid not in self.members:
            return _refused(section)
        if section.kind == "application":
            return self._application(section)
        if section.kind not in ("audio", "video") or "RTP/SAVPF" not in section.protocol or not section.rtcp_mux:
            return _refused(section)
        kind = cast(MediaKind, section.kind)
        track = self.tracks.get(section.mid)
        choice = self._choose(section, kind, track)
        if not choice.payloads:
            return _refused(section)
        if track is not None and section.direction in ("sendonly", "sendrecv"):
            return self._publication(section, kind, track, choice)
        if self._is_slot(section):
            return self._slot(section, kind, choice)
        return _answer(section, "inactive", choice.received)

    def _choose(self, section: Section, kind: MediaKind, track: TrackKind | None) -> _Choice:
        """Slots repeat the same codecs; what was decided for one holds for all."""
        # Encoders in hardware, which H264 is chosen for, are made for cameras and not for text.
        prefer = "vp8" if track == "screen" and self.prefer == "h264" else self.prefer
        key = (kind, prefer, section.codecs)
        if key not in self._choices:
            self._choices[key] = _Choice(section, kind, prefer)
        return self._choices[key]

    def _is_slot(self, section: Section) -> bool:
        sends = section.direction == "sendonly" or section.mid in self.tracks
        return section.direction in ("recvonly", "sendrecv") and not sends and not section.rejected

    def _application(self, section: Section) -> Section:
        known = section.protocol in DATA_PROTOCOLS and section.formats == ("webrtc-datachannel",)
        if not known or self.data is not None:
            return _refused(section)
        self.data = section
        return Section(
            kind="application",
            protocol=section.protocol,
            formats=section.formats,
            mid=section.mid,
            sctp_port=SCTP_PORT,
            max_message_size=MESSAGE_MAX,
        )

    def _publication(self, section: Section, kind: MediaKind, track: TrackKind, choice: _Choice) -> Section:
        assert section.mid is not None
        self.offered.add(section.mid)
        if TRACK_MEDIA[track] != kind:
            raise SdpError(f"Section {section.mid!r} is {kind}, which a {track} is not.", "offer-missing-section")
        if not self.publish:
            return _answer(section, "inactive", choice.received)
        rids = self._rids(section)
        answer = _answer(section, "recvonly", choice.received)
        extensions = answer_extensions(section, kind, receiving=True, mixed=self.mixed)
        self._use(extensions)
        self.feedback.update(item for codec in answer.codecs for item in codec.feedback)
        self.publications.append(
            Publication(
                mid=section.mid,
                track=track,
                kind=kind,
                rids=tuple(rid.id for rid in rids),
                ssrcs=self._claim_ssrcs(section),
                rtx_ssrcs=self._claim_repairs(section) if choice.repairs else (),
                payloads=(*choice.payloads, *choice.repairs),
                nack=choice.nack,
            )
        )
        return replace(
            answer,
            extensions=tuple(extensions),
            rids=rids,
            simulcast_recv=tuple((rid.id,) for rid in rids),
        )

    def _claim_ssrcs(self, section: Section) -> tuple[int, ...]:
        """The section's SSRCs of media; one that two sections name belongs to the first."""
        found = tuple(ssrc for ssrc in _media_ssrcs(section) if ssrc not in self._claimed)
        self._claimed.update(found)
        return found

    def _claim_repairs(self, section: Section) -> tuple[tuple[int, int], ...]:
        """(media, RTX) of the section's FID groups (RFC 5576, section 4.2)."""
        found: list[tuple[int, int]] = []
        for group in section.ssrc_groups:
            if group.semantics == "FID" and len(group.ssrcs) == 2 and group.ssrcs[1] not in self._claimed:
                self._claimed.add(group.ssrcs[1])
                found.append((group.ssrcs[0], group.ssrcs[1]))
        return tuple(found)

    def _rids(self, section: Section) -> tuple[Rid, ...]:
        """RFC 8853, section 5.3.2: what is offered to be sent is accepted to be received, alternatives cut to one."""
        sent = {rid.id for rid in section.rids if rid.direction == "send"}
        wanted = [stream[0].removeprefix("~") for stream in section.simulcast_send]
        return tuple(Rid(rid, "recv") for rid in dict.fromkeys(wanted) if rid in sent)

    def _slot(self, section: Section, kind: MediaKind, choice: _Choice) -> Section:
        assert section.mid is not None
        if not self.subscribe or len(self.slots) >= SLOTS_MAX:
            return _answer(section, "inactive", choice.sent)
        index = self.seats[kind]
        self.seats[kind] += 1
        seat = index if index < self.seat_count else None
        stream = f"seat-{index}" if seat is not None else f"extra-{index - self.seat_count}"
        extensions = answer_extensions(section, kind, receiving=False, mixed=self.mixed)
        self._use(extensions)
        stamp = stamp_of(section, extensions)
        self.slots.append(SlotPlan(section.mid, kind, seat, stream, choice.decodable, choice.rtx, stamp))
        answer = _answer(section, "sendonly", choice.sent)
        return replace(answer, extensions=tuple(extensions), msid=f"{stream} {stream}-{kind}")

    def _use(self, extensions: list[Extension]) -> None:
        for extension in extensions:
            name = EXTENSIONS[extension.uri]
            # RFC 8843, section 9.1: one meaning an id, in the whole group.
            if self.extensions.setdefault(name, extension.id) != extension.id:
                raise SdpError(f"The header extension {name} has two ids in one bundle.")


def _media_ssrcs(section: Section) -> tuple[int, ...]:
    """SSRCs of media, without those of repair streams (all but the first of an FID group; RFC 5576)."""
    repair = {ssrc for group in section.ssrc_groups if group.semantics == "FID" for ssrc in group.ssrcs[1:]}
    return tuple(item.ssrc for item in section.ssrcs if item.ssrc not in repair)


def _answer(
    section: Section, direction: Literal["recvonly", "sendonly", "inactive"], codecs: tuple[Codec, ...]
) -> Section:
    return Section(
        kind=section.kind,
        protocol=section.protocol,
        formats=tuple(str(codec.pt) for codec in codecs),
        mid=section.mid,
        direction=direction,
        codecs=codecs,
        rtcp_mux=True,
    )


def _refused(section: Section) -> Section:
    return Section(
        kind=section.kind,
        port=0,
        protocol=section.protocol,
        formats=section.formats,
        mid=section.mid,
        direction="inactive",
        codecs=tuple(replace(codec, parameters="", feedback=()) for codec in section.codecs),
    )
