"""People in a browser: each in a context of its own, with a picture and a tone that prove who they are."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, Playwright, ViewportSize

HERE = Path(__file__).parent
# The browser that is named, else the one that is installed; make hands on an empty name when there is none.
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser") or "chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
]


async def launch(playwright: Playwright) -> Browser:
    """Chromium as installed on the machine; none is downloaded."""
    return await playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)


@dataclass(frozen=True)
class Camera:
    """What a person's camera gives. ``noise`` (0 to 1) is how much of the picture changes at random in every frame."""

    width: int = 640
    height: int = 360
    fps: int = 15
    noise: float = 0.0


@dataclass
class Person:
    """One window. ``number`` is what the person's picture spells, ``tone`` what their microphone hums."""

    name: str
    number: int
    tone: float
    page: Page
    errors: list[str]

    async def state(self, expression: str) -> Any:
        """Evaluate an expression in the page; ``tertulia`` is the page's debug hook."""
        return await self.page.evaluate(f"(() => {{ const tertulia = window.tertulia; return {expression}; }})()")

    async def until(self, expression: str, limit_ms: float = 20_000) -> None:
        """Wait until an expression is true in the page."""
        await self.page.wait_for_function(
            f"(() => {{ const tertulia = window.tertulia; return {expression}; }})()", timeout=limit_ms, polling=50
        )

    async def sees(self, other: Person, track: str = "camera", limit_ms: float = 20_000) -> None:
        """Wait until the other's picture is visible here and spells the other's number."""
        expected = other.number + (128 if track == "screen" else 0)
        await self.until(
            f"__receiver.pictures().some(p => p.participant === {json.dumps(await other.identity())}"
            f" && p.track === {json.dumps(track)} && p.id === {expected})",
            limit_ms,
        )

    async def hears(self, other: Person, track: str = "microphone") -> float:
        """The strongest frequency (Hz) of the other's sound as it arrives here."""
        tone: float = await self.page.evaluate(
            """async ({participant, track}) => {
                const audio = window.tertulia.audioTracks();
                const found = audio.find(t => t.participant === participant && t.track === track);
                return found ? await window.__receiver.tone(found.mediaTrack) : -1;
            }""",
            {"participant": await other.identity(), "track": track},
        )
        return tone

    async def identity(self) -> str:
        found: str = await self.state("tertulia.identity()")
        return found

    async def descriptions(self) -> tuple[int, int]:
        """How often this client set a local and a remote description."""
        counts = await self.state("tertulia.counts()")
        return counts["setLocal"], counts["setRemote"]

    async def write(self, text: str) -> None:
        await self.page.get_by_test_id("chat-input").fill(text)
        await self.page.get_by_test_id("chat-input").press("Enter")

    async def reads(self, text: str, limit_ms: float = 20_000) -> None:
        await self.page.get_by_test_id("chat-message").filter(has_text=text).first.wait_for(timeout=limit_ms)

    async def messages(self) -> list[str]:
        return await self.page.get_by_test_id("chat-text").all_inner_texts()


async def enter(
    browser: Browser,
    url: str,
    room: str,
    name: str,
    number: int,
    tone: float,
    query: str = "",
    *,
    camera: Camera | None = None,
    scripts: Sequence[Path] = (),
    width: int = 1100,
    height: int = 700,
) -> Person:
    """Open the room's page as a new person and go through the lobby. ``scripts`` run in the page, after ours."""
    identity = {"number": number, "tone": tone, **({} if camera is None else asdict(camera))}
    size: ViewportSize = {"width": width, "height": height}
    # The policy forbids evaluating text, which is how Playwright waits for an expression.
    context = await browser.new_context(viewport=size, bypass_csp=True)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    await page.add_init_script(f"window.__identity = {json.dumps(identity)};")
    for script in (HERE / "sender.js", HERE / "receiver.js", HERE / "meter.js", *scripts):
        await page.add_init_script(path=script)
    await page.goto(f"{url}/r/{room}?debug{query}")
    await page.get_by_test_id("lobby-name").fill(name)
    await page.get_by_test_id("lobby-join").click()
    await page.get_by_test_id("room").wait_for(timeout=30_000)
    return Person(name, number, tone, page, errors)
