"""How a publisher's section is declared to a core."""

from __future__ import annotations

from sfu.core import Core, PayloadType
from sfu.sdp.plan import Publication


def declare(core: Core, session: int, publication: Publication, number: int) -> int:
    """The handle of the new source. ``number`` travels as CSRC in every packet of it."""
    return core.add_source(
        session,
        csrc=number,
        mid=publication.mid,
        kind=publication.kind,
        payloads=[
            PayloadType(item.pt, item.codec, item.format, item.clock_rate, item.apt) for item in publication.payloads
        ],
        rids=publication.rids,
        ssrcs=publication.ssrcs,
        rtx_ssrcs=publication.rtx_ssrcs,
        nack=publication.nack,
    )
