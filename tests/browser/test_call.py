"""What people see and hear of each other, read from pixels and spectra in a real Chromium."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.browser.conftest import Enter
from tests.browser.people import Person
from tests.server import Server

TONE_TOLERANCE_HZ = 15.0


async def hears_tone_of(listener: Person, speaker: Person, track: str = "microphone") -> None:
    """Wait until the listener's strongest frequency is the speaker's own."""
    expected = speaker.tone * (2 if track == "screen-audio" else 1)
    heard: list[float] = []
    for _ in range(40):  # each look listens for 0.3 s
        heard.append(await listener.hears(speaker, track))
        if abs(heard[-1] - expected) < TONE_TOLERANCE_HZ:
            return
        await asyncio.sleep(0.05)  # between two looks
    raise AssertionError(f"{listener.name} should hear {expected} Hz of {speaker.name}, heard {heard}")


async def test_people_see_hear_and_write_to_each_other_through_joins_leaves_and_shares(join: Enter) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    await asyncio.gather(ana.sees(ben), ben.sees(ana))
    await hears_tone_of(ana, ben)
    await hears_tone_of(ben, ana)

    await ana.write("hello from Ana")
    await ben.reads("hello from Ana")
    await ben.write("hello from Ben")
    await ana.reads("hello from Ben")
    assert await ana.messages() == ["hello from Ana", "hello from Ben"] == await ben.messages()

    cyd = await join("Cyd")
    await asyncio.gather(cyd.sees(ana), cyd.sees(ben), ana.sees(cyd), ben.sees(cyd))
    await hears_tone_of(ana, cyd)
    await cyd.reads("hello from Ana")

    await ben.page.get_by_test_id("share-screen").click()
    await asyncio.gather(ana.sees(ben, "screen"), cyd.sees(ben, "screen"), ana.sees(ben))
    await hears_tone_of(cyd, ben, "screen-audio")
    await ben.page.get_by_test_id("share-screen").click()
    sharer = json.dumps(await ben.identity())
    gone = f"!__receiver.pictures().some(p => p.participant === {sharer} && p.track === 'screen')"
    await asyncio.gather(ana.until(gone), cyd.until(gone))

    identity = await cyd.identity()
    await cyd.page.get_by_test_id("leave").click()
    left = f"!tertulia.participants().some(p => p.id === {json.dumps(identity)})"
    await asyncio.gather(ana.until(left), ben.until(left))

    for person in (ana, ben):
        assert await person.descriptions() == (1, 1)


async def test_camera_and_microphone_go_off_and_on_without_another_description(join: Enter) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    await ana.sees(ben)
    await hears_tone_of(ana, ben)
    identity = json.dumps(await ben.identity())

    await ben.page.get_by_test_id("toggle-camera").click()
    await ana.until(f"!__receiver.pictures().some(p => p.participant === {identity})")
    await ben.page.get_by_test_id("toggle-camera").click()
    await ana.sees(ben)

    await ben.page.get_by_test_id("toggle-mic").click()
    await ana.until(
        f"tertulia.participants().find(p => p.id === {identity}).tracks.some(t => t.kind === 'microphone' && t.muted)"
    )
    await ben.page.get_by_test_id("toggle-mic").click()
    await hears_tone_of(ana, ben)
    assert await ana.descriptions() == (1, 1) == await ben.descriptions()


async def test_no_frame_appears_under_a_wrong_name_during_100_switches_of_a_slot(join: Enter) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    viewer = await join("Vic", "&seats=1&audioSlots=1")
    numbers = {await ana.identity(): ana.number, await ben.identity(): ben.number}
    await viewer.page.evaluate("numbers => { window.__seen = window.__receiver.watch(numbers); }", numbers)
    for turn in range(100):
        shown = (ana, ben)[turn % 2]
        wanted = [{"participant": await shown.identity(), "track": "camera"}]
        await viewer.page.evaluate("seats => window.tertulia.setView(seats)", wanted)
        await viewer.sees(shown)
    seen = await viewer.page.evaluate("window.__seen")
    assert seen["wrong"] == []
    assert seen["frames"] >= 100
    assert await viewer.descriptions() == (1, 1)


async def test_chat_goes_through_the_data_channel_when_the_socket_sends_nothing(join: Enter, server: Server) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    await ana.sees(ben)  # media, and with it the channels, are up
    door = 'tertulia_chat_sends_total{door="channel"}'
    before = server.metric(door)
    await ana.state("tertulia.disableSocketSend()")
    await ana.write("through the channel")
    await ben.reads("through the channel")
    assert server.metric(door) == before + 1


async def test_a_person_alone_adds_a_robot_and_sees_it_move(join: Enter) -> None:
    ana = await join("Ana")
    await ana.page.get_by_test_id("add-robot").click()
    await ana.until(
        "[...document.querySelectorAll('video[data-participant]')].some(v => v.videoWidth > 0 && !v.paused)", 40_000
    )


@pytest.mark.parametrize("width", [390, 1100])
async def test_the_room_fits_the_window_without_sideways_scrolling(join: Enter, width: int) -> None:
    ana = await join("Ana", width=width, height=780)
    assert await ana.state("document.documentElement.scrollWidth <= window.innerWidth")
    for control in ("toggle-mic", "toggle-camera", "share-screen", "toggle-chat", "leave"):
        box = await ana.page.get_by_test_id(control).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
