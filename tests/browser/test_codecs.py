"""Each codec that a room may prefer: what is really sent, in which layers, and that the other side sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import Enter
from tests.browser.people import Person
from tests.server import Server

# What Chromium says of its camera's encodings: the codec, how many there are, and the layers of each. Of a picture that
# is not large it makes two sizes instead of the three that it is asked for.
CODECS: dict[str, tuple[str, int, set[str | None]]] = {
    "vp8": ("video/VP8", 2, {"L1T3"}),
    "h264": ("video/H264", 2, {"L1T1", None}),
    "vp9": ("video/VP9", 1, {"L2T3_KEY", "L3T3_KEY"}),
    "av1": ("video/AV1", 1, {"L2T3_KEY", "L3T3_KEY"}),
}


@pytest.fixture(scope="module", params=list(CODECS))
def codec(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def server(codec: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    directory: Path = tmp_path_factory.mktemp("server")
    with Server(directory, {"TERTULIA_VIDEO_CODEC": codec}) as running:
        yield running


async def camera_encodings(person: Person) -> list[dict[str, Any]]:
    """The statistics of what the camera sends now, with the codec's name."""
    stats: list[dict[str, Any]] = await person.page.evaluate("() => window.tertulia.stats()")
    names = {entry["id"]: entry["mimeType"] for entry in stats if entry["type"] == "codec"}
    sent = [
        {**entry, "codec": names.get(entry.get("codecId"))}
        for entry in stats
        if entry["type"] == "outbound-rtp" and entry["kind"] == "video" and entry.get("framesSent", 0) > 0
    ]
    return sorted(sent, key=lambda entry: str(entry.get("rid", "")))


async def test_a_viewer_sees_the_other_in_the_codec_that_the_room_prefers(join: Enter, codec: str) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    await asyncio.gather(ana.sees(ben), ben.sees(ana))
    mime_type, count, modes = CODECS[codec]
    sent = await camera_encodings(ana)
    assert [entry["codec"] for entry in sent] == [mime_type] * count
    assert {entry.get("scalabilityMode") for entry in sent} <= modes
    assert not await ben.state("tertulia.room.seats.slots.some(slot => slot.unsupported)")
    # The picture goes on: twenty frames later it is still Ana's, and it has moved.
    await ben.page.evaluate(
        "numbers => { window.__seen = window.__receiver.watch(numbers); }", {await ana.identity(): 1}
    )
    await ben.until("window.__seen.frames > 20")
    assert (await ben.page.evaluate("window.__seen"))["wrong"] == []
    assert await ana.descriptions() == (1, 1) == await ben.descriptions()


async def test_a_shared_screen_is_seen(join: Enter) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    await ben.page.get_by_test_id("share-screen").click()
    await ana.sees(ben, "screen")
