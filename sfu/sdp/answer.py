"""The answer to an offer: a plan, our transport and the slots' SSRCs, as text."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sfu.sdp.plan import Plan
from sfu.sdp.types import Description, Fingerprint, Section, Ssrc, SsrcGroup, Transport
from sfu.sdp.write import write

ADDRESSES_MAX: Final = 16


@dataclass(frozen=True, slots=True)
class Local:
    """Our end of the transport: the same for the whole bundle."""

    ufrag: str
    pwd: str
    fingerprint: Fingerprint
    addresses: tuple[str, ...]
    port: int


@dataclass(frozen=True, slots=True)
class SlotSsrcs:
    """What a slot sends on. ``rtx`` is 0 where nothing is sent again."""

    media: int
    rtx: int = 0


def make_answer(plan: Plan, local: Local, ssrcs: Mapping[str, SlotSsrcs], session_id: int, version: int = 1) -> str:
    """The answer's text.

    :param ssrcs: MID of each slot -> its SSRCs
    :param session_id: the number of the ``o=`` line, the same for all answers of one session
    :param version: of the answer, higher after an ICE restart (RFC 3264, section 8)
    """
    cnames = {slot.mid: slot.stream for slot in plan.slots}
    transport = Transport(
        ufrag=local.ufrag,
        pwd=local.pwd,
        fingerprints=(local.fingerprint,),
        setup="passive",  # RFC 8842, section 5.3: so the client begins, and can do so before the answer arrives
    )
    bearers = _candidate_bearers(plan)
    sections: list[Section] = []
    for section in plan.sections:
        if section.mid in cnames and section.mid is not None:
            section = _with_ssrcs(section, ssrcs[section.mid], cnames[section.mid])
        if section.mid in bearers:
            candidates = Transport(candidates=tuple(_candidates(local)), end_of_candidates=True)
            section = replace(section, transport=candidates)
        sections.append(section)
    return write(
        Description(
            session_id=str(session_id),
            session_version=str(version),
            bundles=(tuple(section.mid for section in plan.sections if section.port and section.mid is not None),),
            ice_lite=True,
            extmap_allow_mixed=plan.mixed,
            # At session level, where they hold for every section (RFC 8839, section 5.4; RFC 8842, section 5.1).
            transport=transport,
            sections=tuple(sections),
        )
    )


def _with_ssrcs(section: Section, ssrcs: SlotSsrcs, cname: str) -> Section:
    if not ssrcs.rtx:
        return replace(section, ssrcs=(Ssrc(ssrcs.media, cname),))
    return replace(
        section,
        ssrcs=(Ssrc(ssrcs.media, cname), Ssrc(ssrcs.rtx, cname)),
        ssrc_groups=(SsrcGroup("FID", (ssrcs.media, ssrcs.rtx)),),  # RFC 4588, section 8.8
    )


def make_fragment(plan: Plan, local: Local) -> str:
    """The body that answers a PATCH with new ICE credentials (RFC 8840, section 9; RFC 9725, section 4.3.3)."""
    tagged = next(section for section in plan.sections if section.port)
    lines = [
        "a=ice-lite",
        f"a=group:BUNDLE {' '.join(section.mid for section in plan.sections if section.port and section.mid)}",
        f"a=ice-ufrag:{local.ufrag}",
        f"a=ice-pwd:{local.pwd}",
        f"m={tagged.kind} 9 {tagged.protocol} {tagged.formats[0]}",
        f"a=mid:{tagged.mid}",
        *(f"a=candidate:{candidate}" for candidate in _candidates(local)),
        "a=end-of-candidates",
    ]
    return "\r\n".join(lines) + "\r\n"


def _candidate_bearers(plan: Plan) -> set[str | None]:
    """The sections with candidates: the group's first (RFC 8843, section 7.1.3), where browsers look for them.

    aiortc keeps those of the last section that it reads into a transport (of the same kind, or with its policy
    max-bundle of all), so they stand there as well; browsers do not mind.
    """
    used = [section for section in plan.sections if section.port]
    same = [section for section in used if section.kind == used[0].kind]
    return {used[0].mid, same[-1].mid, used[-1].mid}


def _candidates(local: Local) -> Iterable[str]:
    """Host candidates, the reachable first: global before private before loopback (RFC 8445, section 5.1.2.1)."""
    addresses = sorted((ipaddress.ip_address(text) for text in local.addresses), key=_rank)
    for number, address in enumerate(addresses[:ADDRESSES_MAX]):
        preference = 65535 - number
        priority = (126 << 24) + (preference << 8) + 255
        yield f"{number + 1} 1 udp {priority} {address} {local.port} typ host"


def _rank(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> tuple[bool, bool, int]:
    return address.is_loopback, not address.is_global, address.version
