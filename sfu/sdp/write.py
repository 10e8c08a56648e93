"""Types to text: the inverse of :mod:`sfu.sdp.parse`."""

from __future__ import annotations

from collections.abc import Iterator

from sfu.sdp.types import Codec, Description, Section, Streams, Transport


def write(description: Description) -> str:
    """The description as text with CRLF line ends (RFC 8866, section 5)."""
    lines = [
        "v=0",
        f"o=- {description.session_id} {description.session_version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
    ]
    lines += (f"a=group:BUNDLE {' '.join(mids)}".rstrip() for mids in description.bundles)
    if description.ice_lite:
        lines.append("a=ice-lite")
    if description.extmap_allow_mixed:
        lines.append("a=extmap-allow-mixed")
    # RFC 8829, section 5.2.1 wants this line; what it says is carried by a=msid in every section.
    lines.append("a=msid-semantic:WMS *")
    lines += _transport(description.transport)
    for section in description.sections:
        lines += _section(section)
    return "\r\n".join(lines) + "\r\n"


def _transport(transport: Transport) -> Iterator[str]:
    if transport.ufrag is not None:
        yield f"a=ice-ufrag:{transport.ufrag}"
    if transport.pwd is not None:
        yield f"a=ice-pwd:{transport.pwd}"
    for fingerprint in transport.fingerprints:
        yield f"a=fingerprint:{fingerprint.algorithm} {fingerprint.value}"
    if transport.setup is not None:
        yield f"a=setup:{transport.setup}"
    for candidate in transport.candidates:
        yield f"a=candidate:{candidate}"
    if transport.end_of_candidates:
        yield "a=end-of-candidates"


def _section(section: Section) -> Iterator[str]:
    yield f"m={section.kind} {section.port} {section.protocol} {' '.join(section.formats)}"
    yield "c=IN IP4 0.0.0.0"
    if section.mid is not None:
        yield f"a=mid:{section.mid}"
    if section.bundle_only:
        yield "a=bundle-only"
    yield from _transport(section.transport)
    yield f"a={section.direction}"
    if section.rtcp_mux:
        yield "a=rtcp-mux"
    if section.extmap_allow_mixed:
        yield "a=extmap-allow-mixed"
    if section.msid is not None:
        yield f"a=msid:{section.msid}"
    for codec in section.codecs:
        yield from _codec(codec)
    for extension in section.extensions:
        direction = "" if extension.direction is None else f"/{extension.direction}"
        yield f"a=extmap:{extension.id}{direction} {extension.uri}"
    for rid in section.rids:
        yield f"a=rid:{rid.id} {rid.direction} {rid.parameters}".rstrip()
    if section.simulcast_send or section.simulcast_recv:
        both = (("send", section.simulcast_send), ("recv", section.simulcast_recv))
        yield "a=simulcast:" + " ".join(f"{word} {_streams(streams)}" for word, streams in both if streams)
    for group in section.ssrc_groups:
        yield f"a=ssrc-group:{group.semantics} {' '.join(map(str, group.ssrcs))}"
    for ssrc in section.ssrcs:
        yield f"a=ssrc:{ssrc.ssrc}" if ssrc.cname is None else f"a=ssrc:{ssrc.ssrc} cname:{ssrc.cname}"
    if section.sctp_port is not None:
        yield f"a=sctp-port:{section.sctp_port}"
    if section.max_message_size is not None:
        yield f"a=max-message-size:{section.max_message_size}"


def _codec(codec: Codec) -> Iterator[str]:
    if codec.name:
        channels = "" if codec.channels == 1 else f"/{codec.channels}"
        yield f"a=rtpmap:{codec.pt} {codec.name}/{codec.clock_rate}{channels}"
    if codec.parameters:
        yield f"a=fmtp:{codec.pt} {codec.parameters}"
    for feedback in codec.feedback:
        yield f"a=rtcp-fb:{codec.pt} {feedback}"


def _streams(streams: Streams) -> str:
    return ";".join(",".join(alternatives) for alternatives in streams)
