"""Session descriptions: real offers of browsers, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aiortc.sdp import SessionDescription
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.sdp.lines import TEXT_MAX
from sfu.sdp.parse import parse
from sfu.sdp.plan import Plan, TrackKind, infer_tracks, make_plan
from sfu.sdp.profile import H264, OPUS, RED, VP8, decodable, format_of
from sfu.sdp.types import Codec, Description, SdpError
from sfu.sdp.write import write
from tests.sfu.properties import check_answered, check_parsed

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.sdp"))
NAMES = [path.stem for path in CORPUS]


def load(name: str) -> str:
    return (Path(__file__).parent / "corpus" / f"{name}.sdp").read_bytes().decode()


def answered(name: str) -> tuple[Plan, Description]:
    offer = check_parsed(load(name))
    assert offer is not None
    result = check_answered(offer)
    assert result is not None
    return result


@pytest.mark.parametrize("name", NAMES)
def test_every_offer_of_the_corpus_is_answered(name: str) -> None:
    _, answer = answered(name)
    assert all(section.port for section in answer.sections)


@pytest.mark.parametrize("name", NAMES)
def test_aiortc_reads_every_answer(name: str) -> None:
    _, answer = answered(name)
    text = write(answer)
    read = SessionDescription.parse(text)
    assert len(read.media) == len(answer.sections)
    assert all(media.dtls is not None and media.dtls.role == "server" for media in read.media)
    assert all(media.ice and media.ice.iceLite and media.ice.usernameFragment for media in read.media)
    assert read.media[0].ice_candidates and read.media[0].ice_candidates_complete


@pytest.mark.parametrize("browser", ["chromium", "firefox"])
def test_our_own_offer_shape(browser: str) -> None:
    """Four senders, nine seats, three audio-only slots, data channels."""
    plan, answer = answered(f"{browser}-call")
    assert [item.track for item in plan.publications] == ["microphone", "camera", "screen", "screen-audio"]
    camera = plan.publications[1]
    assert camera.rids == ("q", "h", "f")
    assert answer.sections[1].simulcast_recv == (("q",), ("h",), ("f",))
    assert [rid.direction for rid in answer.sections[1].rids] == ["recv"] * 3
    assert [slot.seat for slot in plan.slots if slot.kind == "video"] == list(range(9))
    assert [slot.seat for slot in plan.slots if slot.kind == "audio"] == [*range(9), None, None, None]
    assert plan.transport_cc and not plan.remb
    assert plan.data is not None
    for seat in range(9):
        both = [section for section in answer.sections if section.msid and section.msid.split()[0] == f"seat-{seat}"]
        assert [section.kind for section in both] == ["audio", "video"]
        assert {section.ssrcs[0].cname for section in both} == {f"seat-{seat}"}
    application = answer.sections[-1]
    assert (application.kind, application.max_message_size, application.sctp_port) == ("application", 16384, 5000)


def test_publishers_are_asked_for_vp8_first_and_to_begin_fast() -> None:
    _, answer = answered("safari-sendrecv")  # offers H264 before VP8
    video = answer.sections[1]
    assert video.codecs[0].name == "VP8"
    assert video.codecs[0].feedback == ("transport-cc", "nack", "ccm fir", "nack pli")
    assert video.codecs[0].parameter("x-google-start-bitrate") == "2000"
    assert {codec.name for codec in video.codecs} == {"VP8", "H264", "rtx"}


def test_without_transport_wide_feedback_there_is_remb() -> None:
    plan, answer = answered("aiortc-whip")
    assert plan.remb and not plan.transport_cc
    assert answer.sections[1].codecs[0].feedback == ("goog-remb", "nack", "nack pli")
    assert "abs-send-time" in plan.extensions


def test_viewers_are_asked_for_transport_wide_feedback() -> None:
    plan, answer = answered("chromium-whep")
    video = answer.sections[1]
    assert "transport-cc" in video.codecs[0].feedback
    assert "goog-remb" not in video.codecs[0].feedback
    assert [slot.stamp for slot in plan.slots] == ["transport-cc"] * len(plan.slots)


def test_viewers_without_transport_wide_feedback_are_asked_for_remb() -> None:
    text = "\r\n".join(line for line in load("chromium-whep").splitlines() if "transport" not in line) + "\r\n"
    plan = make_plan(parse(text), {})
    video = plan.sections[1]
    assert "goog-remb" in video.codecs[0].feedback
    assert {slot.kind: slot.stamp for slot in plan.slots} == {"audio": "", "video": "abs-send-time"}
    assert not any("transport-wide" in extension.uri for extension in video.extensions)


def test_what_is_lost_is_sent_again_both_ways() -> None:
    plan, answer = answered("chromium-call")
    camera = plan.publications[1]
    assert camera.nack and not camera.rtx_ssrcs  # simulcast names no SSRCs: the repaired RID says what RTX repairs
    vp8 = next(item for item in camera.payloads if item.codec == "vp8")
    assert [item.pt for item in camera.payloads if item.apt == vp8.pt] == [vp8.pt + 1]
    assert "repaired-rid" in plan.extensions
    slot = next(slot for slot in plan.slots if slot.kind == "video")
    assert dict(slot.rtx)[dict(slot.payloads)[VP8]] == dict(slot.payloads)[VP8] + 1
    section = next(section for section in answer.sections if section.mid == slot.mid)
    assert section.ssrc_groups[0].semantics == "FID"
    assert section.ssrc_groups[0].ssrcs == tuple(item.ssrc for item in section.ssrcs)
    assert len(section.ssrcs) == 2


RED_LINES = "a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111 opus/48000/2\r\n"


def with_red(name: str, blocks: str = "111/111") -> Description:
    text = load(name)
    return parse(
        re.sub(r"(m=audio \d+ \S+) 111\b", r"\1 111 63", text).replace(
            "a=rtpmap:111 opus/48000/2\r\n", RED_LINES.replace("111/111", blocks)
        )
    )


def test_redundant_sound_is_preferred_where_both_ends_know_it() -> None:
    result = check_answered(with_red("chromium-call"))
    assert result is not None
    plan, answer = result
    assert [codec.name for codec in answer.sections[0].codecs] == ["red", "opus"]
    assert answer.sections[0].codecs[1].parameter("useinbandfec") == "1"
    assert [item.format for item in plan.publications[0].payloads] == [RED, OPUS]
    slot = next(slot for slot in plan.slots if slot.kind == "audio")
    assert dict(slot.payloads) == {RED: 63, OPUS: 111}


@pytest.mark.parametrize("blocks", ["110/110", "111/110", "x", "111/"])
def test_redundancy_of_something_else_is_left_out(blocks: str) -> None:
    plan = make_plan(with_red("chromium-call", blocks), {"0": "microphone"})
    assert [item.codec for item in plan.publications[0].payloads] == ["opus"]


def test_repair_ssrcs_that_an_offer_names_are_known() -> None:
    plan, _ = answered("aiortc-whip")
    video = plan.publications[1]
    assert video.rtx_ssrcs == ((3816974999, 4002107579),)
    assert video.ssrcs == (3816974999,)


def test_without_nack_nothing_is_sent_again() -> None:
    text = load("chromium-call").replace("nack\r\n", "goog-lntf\r\n")
    offer = parse(text)
    plan = make_plan(offer, infer_tracks(offer))
    assert not any(item.nack or any(payload.codec == "rtx" for payload in item.payloads) for item in plan.publications)
    assert not any(slot.rtx for slot in plan.slots)


def test_rtx_that_repairs_nothing_we_use_is_left_out() -> None:
    offer = parse(load("chromium-untrimmed"))
    plan = make_plan(offer, infer_tracks(offer))
    for publication in plan.publications:
        media = {item.pt for item in publication.payloads if item.codec != "rtx"}
        assert {item.apt for item in publication.payloads if item.codec == "rtx"} <= media


def test_a_slot_takes_what_its_viewer_can_decode() -> None:
    high = format_of(Codec(96, "H264", 90000, parameters="profile-level-id=640c1f;packetization-mode=1"))
    vp8 = format_of(Codec(97, "VP8", 90000))
    assert high is not None and vp8 is not None
    table = dict(decodable([high, vp8]))
    assert table[VP8] == 97
    baseline = format_of(Codec(100, "H264", 90000, parameters="profile-level-id=42e01f;packetization-mode=1"))
    assert baseline is not None and baseline.format == H264 + 1
    # Constrained high decodes constrained baseline, not the other way round.
    assert table[baseline.format] == 96
    assert high.format not in dict(decodable([baseline]))


def test_an_ssrc_that_two_sections_name_belongs_to_the_first() -> None:
    text = load("aiortc-whip")
    offer = parse(text)
    first, second = (section.ssrcs[0].ssrc for section in offer.sections)
    stolen = parse(text.replace(str(second), str(first)))
    plan = make_plan(stolen, infer_tracks(stolen))
    assert [item.ssrcs for item in plan.publications] == [(first,), ()]


def test_sections_that_are_not_named_are_inactive() -> None:
    offer = parse(load("chromium-call"))
    plan = make_plan(offer, {"0": "microphone"})
    assert [section.direction for section in plan.sections[:4]] == ["recvonly", "inactive", "inactive", "inactive"]


def test_without_grants_nothing_flows() -> None:
    offer = parse(load("chromium-call"))
    plan = make_plan(offer, infer_tracks(offer), publish=False, subscribe=False)
    assert not plan.publications and not plan.slots
    assert {section.direction for section in plan.sections[:-1]} == {"inactive"}


WHIP = load("chromium-whip")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("v=0", "v=1"),
        ("a=ice-ufrag:", "a=x:"),
        ("a=ice-pwd:", "a=x:"),
        ("a=group:BUNDLE 0 1", "a=group:LS 0 1"),
        ("a=group:BUNDLE 0 1", "a=group:BUNDLE 7 0 1"),
        ("a=fingerprint:sha-256", "a=fingerprint:md5"),
        ("a=setup:actpass", "a=setup:passive"),
        ("a=setup:actpass", "a=setup:sideways"),
        ("a=mid:1", "a=mid:0"),
        ("a=mid:1", "a=mid: "),
        ("a=extmap:1 ", "a=extmap:0 "),
        ("a=extmap:1 ", "a=extmap:3 "),
        ("a=extmap:3 http", "a=extmap:300 http"),
        ("a=rtpmap:111 opus/48000/2", "a=rtpmap:111 opus"),
        ("a=fmtp:111 minptime", "a=fmtp:x minptime"),
        ("m=audio 9 ", "m=audio 70000 "),
        ("m=audio 9 ", "m=audio x "),
        ("SAVPF 111", "SAVPF 111 111"),
        ("SAVPF 111", "SAVPF 128"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\ngarbage\r\n"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=ssrc:4294967296 cname:x\r\n"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=simulcast:send a;;b\r\n"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=simulcast:send a send b\r\n"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=rid:x sideways\r\n"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=x:" + "y" * 5000 + "\r\n"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=x\0y\r\n"),
        ("a=rtcp-mux\r\n", "a=rtcp-mux\r\na=x\ry\r\n"),
    ],
)
def test_malformed_offers_are_refused_with_a_code(before: str, after: str) -> None:
    assert before in WHIP
    with pytest.raises(SdpError) as refused:
        offer = parse(WHIP.replace(before, after))
        make_plan(offer, infer_tracks(offer))
    assert refused.value.code == "offer-invalid"
    assert refused.value.message.endswith(".")


@pytest.mark.parametrize(
    "text",
    [
        "v=0\r\n" + "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" * 300,
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + "".join(f"a=ssrc:{n} cname:x\r\n" for n in range(100)),
        "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n" * 300,
        "v=0\r\n" + "a=x\r\n" * TEXT_MAX,
    ],
)
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises(SdpError):
        parse(text)


@pytest.mark.parametrize("tracks", [{"9": "camera"}, {"0": "camera"}, {"1": "microphone"}])
def test_tracks_must_be_where_they_are_said_to_be(tracks: dict[str, TrackKind]) -> None:
    with pytest.raises(SdpError) as refused:
        make_plan(parse(WHIP), tracks)
    assert refused.value.code == "offer-missing-section"


def test_unusable_sections_keep_their_place() -> None:
    text = WHIP.replace("a=group:BUNDLE 0 1", "a=group:BUNDLE 0 1 2") + (
        "m=text 9 UDP/TLS/RTP/SAVPF 98\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\na=rtpmap:98 t140/1000\r\n"
    )
    result = check_answered(parse(text))
    assert result is not None
    assert [section.port for section in result[1].sections] == [9, 9, 0]
    assert result[1].bundles == (("0", "1"),)


def test_an_offer_of_which_nothing_can_be_used_is_refused() -> None:
    text = WHIP.replace("opus", "opera").replace("VP8", "VP0").replace("H264", "H0").replace("VP9", "VP0")
    with pytest.raises(SdpError) as refused:
        offer = parse(text.replace("AV1", "AV0"))
        make_plan(offer, {})
    assert refused.value.code == "offer-missing-section"


LINES = sorted({line for name in NAMES for line in load(name).splitlines()})


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(LINES), max_size=60), st.data())
def test_shuffled_lines_of_real_offers_do_no_harm(lines: list[str], data: st.DataObject) -> None:
    text = "v=0\r\n" + "\r\n".join(lines) + "\r\n"
    position = data.draw(st.integers(0, len(text)))
    text = text[:position] + data.draw(st.text(max_size=4)) + text[position:]
    offer = check_parsed(text)
    if offer is not None:
        check_answered(offer)
