"""The benchmark itself: what it reads, and one short run against a real server. No figure is asserted, only truth."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from typer.testing import CliRunner

from sfu.sdp.parse import parse
from tertulia.bench import app
from tertulia.bench_offers import Credentials, make_offer, read_answer, slot_command
from tertulia.bench_options import Result
from tertulia.bench_plot import render
from tertulia.bench_server import BenchError, Cpu

FINGERPRINT = ":".join(["AB"] * 32)

ANSWER = f"""v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
a=ice-lite
m=video 7882 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=ice-ufrag:abcd
a=ice-pwd:0123456789012345678901
a=fingerprint:sha-256 {FINGERPRINT}
a=setup:passive
a=candidate:1 1 udp 2130706431 ::1 7882 typ host
a=candidate:2 1 udp 2130706431 127.0.0.1 7882 typ host
a=mid:0
a=sendonly
a=rtcp-mux
a=rtpmap:96 VP8/90000
a=ssrc:4242 cname:room
"""


def test_offer_of_a_publisher_names_the_ssrc_of_every_section() -> None:
    offer = make_offer(Credentials.make(), FINGERPRINT, audio=True, publish=True)
    sections = parse(offer.text).sections
    assert [section.kind for section in sections] == ["audio", "video"]
    assert {section.direction for section in sections} == {"sendonly"}
    assert tuple(section.ssrcs[0].ssrc for section in sections) == offer.ssrcs


def test_offer_of_a_viewer_asks_for_one_video() -> None:
    offer = make_offer(Credentials.make(), FINGERPRINT, audio=False, publish=False)
    [section] = parse(offer.text).sections
    assert (section.kind, section.direction, section.ssrcs) == ("video", "recvonly", ())


def test_answer_gives_the_ipv4_candidate_and_the_slot() -> None:
    offer = make_offer(Credentials.make(), FINGERPRINT, audio=False, publish=False)
    answer = read_answer(ANSWER)
    assert (answer.host, answer.port, answer.credentials.ufrag) == ("127.0.0.1", 7882, "abcd")
    assert slot_command(7, 0, offer, answer) == "slot 7 video 4242"


def test_answer_without_fingerprint_is_refused() -> None:
    text = "\n".join(line for line in ANSWER.splitlines() if "fingerprint" not in line)
    with pytest.raises(BenchError, match="fingerprint"):
        read_answer(text)


def test_cpu_counts_threads_that_are_new_and_names_the_busiest_other_one() -> None:
    before = Cpu({1: 1.0, 2: 5.0}, main=1)
    after = Cpu({1: 1.5, 2: 7.0, 3: 0.25}, main=1)
    assert after.since(before) == 2.75
    assert after.worker_since(before) == 2.0


def test_a_server_that_cannot_start_is_reported_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")
    result = CliRunner().invoke(app, ["sfu", "--viewers", "1", "--seconds", "1"])
    assert result.exit_code == 1
    assert "The server did not start" in result.output


def made_up(viewers: int, **figures: float) -> Result:
    """A result of nothing in particular."""
    names = {field.name: 1.0 for field in dataclasses.fields(Result)}
    return Result(**{**names, "viewers": viewers, **figures})  # type: ignore[arg-type]


def test_a_plot_has_every_figure_at_its_place_and_is_well_formed() -> None:
    text = render([made_up(400, delay_p99_ms=8.0), made_up(10, delay_p99_ms=2.0)], "a < b & c")
    root = ElementTree.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    words = [element.text for element in root.iter(f"{space}text")]
    assert "a < b & c" in words
    assert words.count("10") == words.count("400") == 3
    lines = [element.attrib["points"].split() for element in root.iter(f"{space}polyline")]
    assert [len(points) for points in lines] == [2, 2, 2, 2]
    (_, few), (_, many) = (point.split(",") for point in lines[2])  # p99, fewest viewers first
    assert float(many) < float(few), "more is higher up"


@pytest.mark.parametrize("cipher", ["gcm128", "cm"])
def test_viewers_get_what_the_publisher_sent(cipher: str, tmp_path: Path) -> None:
    """One publisher with sound, five viewers, three seconds, one packet in 64 compared."""
    arguments = [
        "sfu",
        "--viewers",
        "5",
        "--audio",
        "--seconds",
        "3",
        "--shape",
        "frames",
        "--cipher",
        cipher,
        "--json",
        "--plot",
        str(tmp_path / "figures.svg"),
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    [figures] = json.loads(result.output)["results"]
    assert ElementTree.parse(tmp_path / "figures.svg").getroot().tag.endswith("svg")
    assert figures["delivered"] > 0
    assert figures["verified"] > 0
    assert figures["mismatched"] == 0


def test_every_kind_of_flood_is_sent_while_the_call_goes_on() -> None:
    """Short and gentle: whether calls lose anything is for `tertulia bench flood` to say, on a machine of its own."""
    result = CliRunner().invoke(app, ["flood", "--viewers", "3", "--pps", "5000", "--seconds", "1", "--json"])
    assert result.exit_code == 0, result.output
    found = {case["case"]: case for case in json.loads(result.output)["results"]}
    assert set(found) == {"none", "unknown", "stun", "srtp", "dtls"}
    assert all(case["delivered"] > 0 for case in found.values())
    assert found["none"]["flood_per_s"] == 0
    assert all(case["flood_per_s"] > 0 for name, case in found.items() if name != "none")


def test_events_in_a_room_are_counted_and_a_speaker_is_told_to_everybody() -> None:
    result = CliRunner().invoke(app, ["rooms", "--people", "3,20", "--times", "3", "--json"])
    assert result.exit_code == 0, result.output
    found = {(row["people"], row["what"]): row for row in json.loads(result.output)["results"]}
    assert len(found) == 8
    assert all(row["cpu_ms"] > 0 and row["longest_ms"] > 0 for row in found.values())
    # Everybody hears of the newcomer's sources and of who speaks; nobody had seated the last of twenty.
    assert found[20, "join"]["told"] >= 20
    assert found[20, "speaker"]["told"] >= 20
    assert found[20, "leave"]["told"] < 20
