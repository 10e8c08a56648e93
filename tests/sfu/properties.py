"""What must hold for every description, checked by the tests with the corpus and by the fuzzer with anything."""

from __future__ import annotations

from sfu.sdp.answer import Local, SlotSsrcs, make_answer, make_fragment
from sfu.sdp.parse import parse
from sfu.sdp.plan import Plan, infer_tracks, make_plan
from sfu.sdp.types import Description, Fingerprint, SdpError
from sfu.sdp.write import write

LOCAL = Local(
    "0123456789ab",
    "0123456789abcdef0123456789abcdef",
    Fingerprint("sha-256", ":".join(["AB"] * 32)),
    ("127.0.0.1", "192.0.2.7", "2001:db8::7"),
    7882,
)


def check_parsed(text: str) -> Description | None:
    """Parsing gives a description or an SdpError, and a description survives being written and read again."""
    try:
        description = parse(text)
    except SdpError:
        return None
    again = parse(write(description))
    assert again == description, "writing and reading again changed the description"
    return description


def check_answered(offer: Description) -> tuple[Plan, Description] | None:
    """An offer has a plan or an SdpError; a plan has an answer that fits the offer."""
    try:
        plan = make_plan(offer, infer_tracks(offer))
    except SdpError:
        return None
    ssrcs = {
        slot.mid: SlotSsrcs(1000 + 2 * number, 1001 + 2 * number if slot.rtx else 0)
        for number, slot in enumerate(plan.slots)
    }
    text = make_answer(plan, LOCAL, ssrcs, 1)
    answer = parse(text)
    assert check_parsed(text) == answer
    assert answer.ice_lite
    assert answer.transport.setup == "passive"
    assert len(answer.sections) == len(offer.sections)
    for offered, answered in zip(offer.sections, answer.sections, strict=True):
        assert (answered.kind, answered.mid) == (offered.kind, offered.mid)
        # RFC 3264, section 6: only formats that were offered, under the same numbers.
        assert set(answered.formats) <= set(offered.formats)
        if answered.port == 0:
            continue
        assert offered.mid in answer.bundles[0]
        pairs = (offered.direction, answered.direction)
        assert answered.direction == "inactive" or pairs in ALLOWED or answered.kind == "application", pairs
        offered_ids = {extension.uri: extension.id for extension in offered.extensions}
        assert all(offered_ids.get(extension.uri) for extension in answered.extensions)
        assert {rid.id for rid in answered.rids} <= {rid.id for rid in offered.rids}
        # RFC 4588, section 8.1: what repairs a payload type repairs one of this section.
        repaired = [codec.parameter("apt") for codec in answered.codecs if codec.name.lower() == "rtx"]
        assert len(set(repaired)) == len(repaired)
        assert set(repaired) <= set(answered.formats)
        for group in answered.ssrc_groups:
            assert group.ssrcs == tuple(item.ssrc for item in answered.ssrcs)
    assert sum(bool(section.transport.candidates) for section in answer.sections) <= 3
    assert make_fragment(plan, LOCAL).startswith("a=ice-lite\r\n")
    return plan, answer


# RFC 3264, section 6.1
ALLOWED = {
    ("sendonly", "recvonly"),
    ("recvonly", "sendonly"),
    ("sendrecv", "recvonly"),
    ("sendrecv", "sendonly"),
}
