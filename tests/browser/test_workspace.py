"""Conversations outside of rooms: two windows and a phone make, find, write, count, search, and stay the same."""

from __future__ import annotations

import asyncio
import json
import re
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, async_playwright, expect

from tests.browser.people import launch
from tests.server import Server

LogIn = Callable[..., Awaitable[Page]]
AXE = Path(__file__).parents[2] / "web" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture
async def log_in(server: Server) -> AsyncIterator[LogIn]:
    """``await log_in("Ana")``: the page of a person in a browser of their own. At the end no page may have thrown."""
    async with async_playwright() as playwright:
        browser = await launch(playwright)
        errors: list[str] = []

        async def log_in_as(name: str, width: int = 1200, height: int = 760) -> Page:
            context = await browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
            page = await context.new_page()
            page.on("pageerror", lambda error: errors.append(f"{name}: {error}"))
            await page.goto(f"{server.url}/c")
            await page.get_by_test_id("login-name").fill(name)
            await page.get_by_test_id("login").click()
            await page.get_by_test_id("workspace").wait_for()
            return page

        yield log_in_as
        await browser.close()
        assert not errors


def message(page: Page, text: str) -> Locator:
    """The message that says just this."""
    return page.get_by_test_id("chat-message").filter(
        has=page.get_by_test_id("chat-text").get_by_text(text, exact=True)
    )


async def write(page: Page, text: str, field: str = "chat-input") -> None:
    await page.get_by_test_id(field).fill(text)
    await page.get_by_test_id(field).press("Enter")


async def choose(page: Page, text: str, action: str) -> None:
    await message(page, text).click()
    await message(page, text).get_by_test_id("message-more").click()
    await page.get_by_test_id(f"do-{action}").click()


async def make_channel(page: Page, title: str) -> None:
    await page.get_by_test_id("new-conversation").click()
    await page.get_by_test_id("new-kind").select_option("public")
    await page.get_by_test_id("new-title").fill(title)
    await page.get_by_test_id("new-create").click()
    await page.get_by_test_id("chat-input").wait_for()


async def enter_channel(page: Page, title: str) -> None:
    await page.get_by_test_id("browse").click()
    await page.get_by_test_id("browse-query").fill(title)
    row = page.locator(".browse-item").filter(has_text=title)
    await row.get_by_test_id("browse-join").click()
    await page.get_by_test_id("chat-input").wait_for()


def fill(server: Server, name: str, conversation: str, count: int) -> None:
    """Write ``line 0`` and so on as somebody, over HTTP."""

    def post(path: str, body: Mapping[str, object], token: str = "") -> Any:
        headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
        request = urllib.request.Request(f"{server.url}{path}", json.dumps(body).encode(), headers, method="POST")
        while True:
            try:
                with urllib.request.urlopen(request, timeout=10) as answer:
                    return json.load(answer)
            except urllib.error.HTTPError as error:
                if error.code != 429:
                    raise
                time.sleep(0.05)  # between two questions to a server that says: slower

    token = post("/auth/dev", {"name": name})["token"]
    for n in range(count):
        body = {"conversation": conversation, "client_id": str(uuid.uuid4()), "body": {"text": f"line {n}"}}
        post("/chat/send", body, token)


async def findings(page: Page) -> list[str]:
    """What axe has to say about the page as it is, without a tooltip over it."""
    await page.mouse.move(0, 0)
    await expect(page.locator(".tooltip")).to_have_count(0)
    await page.add_script_tag(path=AXE)
    found: list[str] = await page.evaluate(
        "async () => (await axe.run()).violations.map(v => `${v.id}: ${v.nodes.map(n => n.target).join('; ')}`)"
    )
    return found


async def test_a_channel_is_the_same_in_two_windows_and_on_a_phone(log_in: LogIn, server: Server) -> None:
    ana, ben, phone = await log_in("Ana"), await log_in("Ben"), await log_in("Cyd", width=390)
    everybody = (ana, ben, phone)
    await make_channel(ana, "Reading circle")
    await write(ana, "welcome")
    await enter_channel(ben, "Reading circle")
    await enter_channel(phone, "Reading circle")

    await write(ben, "second")
    await choose(ben, "second", "edit")
    await write(ben, "second, edited")
    for page in everybody:
        await expect(message(page, "second, edited")).to_be_visible()
    await message(phone, "welcome").click()
    await message(phone, "welcome").get_by_test_id("message-react").click()
    await phone.get_by_test_id("emoji-party").click()
    for page in everybody:
        await expect(message(page, "welcome").get_by_test_id("chat-reaction")).to_have_text("🎉 1")

    await choose(ana, "second, edited", "thread")
    await write(ana, "in a thread", "thread-input")
    await expect(ana.get_by_test_id("thread").get_by_text("in a thread", exact=True)).to_be_visible()
    for page in everybody:
        await expect(message(page, "second, edited").get_by_test_id("chat-replies")).to_have_text("1 reply")

    await phone.get_by_test_id("back").click()
    await ben.get_by_test_id("chat-input").press_sequentially("look, @cy")
    await ben.get_by_test_id("mention-option").wait_for()
    await ben.get_by_test_id("chat-input").press("Enter")
    await ben.get_by_test_id("chat-input").press("Enter")
    await expect(phone.get_by_test_id("mentions")).to_have_text("@1")
    await phone.get_by_test_id("conversation").click()
    await expect(phone.get_by_test_id("chat-unread-line")).to_be_visible()
    await expect(phone).to_have_title("Reading circle · Tertulia")  # and no count before it: it was seen
    await phone.get_by_test_id("back").click()
    await expect(phone.get_by_test_id("mentions")).to_have_count(0)
    await phone.get_by_test_id("conversation").click()

    server.kill()
    await write(ben, "written while the server is away")
    await expect(ben.get_by_test_id("chat-echo")).to_contain_text("Waiting for the connection")
    server.start()
    for page in everybody:
        await expect(message(page, "written while the server is away")).to_be_visible(timeout=60_000)

    # Taken back or not within some seconds: a reload in between must not forget it.
    await choose(ana, "welcome", "delete")
    await ana.reload()
    for page in everybody:
        await expect(page.get_by_test_id("chat-deleted")).to_have_count(1, timeout=30_000)
    expected = ["second, edited", "look, @Cyd", "written while the server is away"]
    for page in everybody:
        lines = page.get_by_test_id("conversation-page").get_by_test_id("chat-text")
        await expect(lines).to_have_text(expected)


async def test_a_draft_is_there_on_another_device_and_search_finds_what_was_written(log_in: LogIn) -> None:
    one, other = await log_in("Dan"), await log_in("Dan", width=390)
    await make_channel(one, "Notes")
    await write(one, "find the needle here")
    await other.get_by_test_id("conversation").click()
    await one.get_by_test_id("chat-input").fill("half a thought")
    await expect(other.get_by_test_id("chat-input")).to_have_value("half a thought")

    await one.get_by_test_id("open-search").click()
    await one.get_by_test_id("search-input").fill("needle")
    await one.get_by_test_id("message-link").click()
    await expect(message(one, "find the needle here")).to_be_focused()


async def test_people_are_found_by_name_seen_and_blocked(log_in: LogIn) -> None:
    fay, gus = await log_in("Fay"), await log_in("Gus", width=390)
    await fay.get_by_test_id("new-conversation").click()
    await fay.get_by_test_id("new-people").fill("gu")
    await fay.get_by_test_id("person-option").filter(has_text="Gus").click()
    await fay.get_by_test_id("new-create").click()
    await write(fay, "hello **you**")
    await expect(fay.get_by_test_id("presence-text")).to_have_text("online")

    await gus.get_by_test_id("me").click()
    await gus.get_by_test_id("status-away").click()
    await gus.get_by_test_id("me").click()
    await gus.get_by_test_id("status-text").click()
    await gus.get_by_test_id("status-input").fill("Reading \u202euntil noon")
    await gus.get_by_test_id("status-save").click()
    await expect(fay.get_by_test_id("presence-text")).to_have_text("away · Reading ⟨U+202E⟩until noon")
    item = fay.get_by_test_id("conversation")
    await expect(item.get_by_test_id("presence")).to_have_attribute("data-status", "away")
    await expect(item.get_by_text("away", exact=True)).to_have_count(1)  # read out, too

    await expect(gus.get_by_test_id("conversation").locator(".item-last")).to_have_text("hello you")
    await gus.get_by_test_id("conversation").click()
    await gus.get_by_test_id("open-details").click()
    await gus.get_by_test_id("member-menu").click()
    await gus.get_by_test_id("member-block").click()
    await gus.get_by_test_id("close-panel").click()
    await expect(gus.get_by_test_id("chat-folded")).to_be_visible()
    await expect(gus.get_by_test_id("chat-input")).to_have_count(0)
    await write(fay, "are you there?")
    await expect(fay.get_by_test_id("chat-retry")).to_be_visible()
    await gus.get_by_test_id("back").click()
    await gus.get_by_test_id("me").click()
    await gus.get_by_test_id("open-blocked").click()
    await expect(gus.get_by_test_id("blocked")).to_contain_text("Fay")
    await gus.get_by_test_id("unblock").click()
    await expect(gus.get_by_test_id("blocked")).to_have_count(0)
    await expect(gus.get_by_role("list", name="Blocked people")).to_be_focused()
    await gus.keyboard.press("Escape")
    await fay.get_by_test_id("chat-retry").click()
    await gus.get_by_test_id("conversation").click()
    await expect(message(gus, "are you there?")).to_be_visible()


async def test_what_was_read_is_there_after_a_reload_and_links_lead_to_it(log_in: LogIn, server: Server) -> None:
    page = await log_in("Hal")
    await make_channel(page, "Long")
    conversation = page.url.rsplit("/", 1)[1]
    await asyncio.to_thread(fill, server, "Hal", conversation, 80)
    await expect(message(page, "line 79")).to_be_visible()

    def top() -> str:
        """The message at the top of the box."""
        return """(() => {
            const box = document.querySelector('.chat-scroll')?.getBoundingClientRect();
            return box && [...document.querySelectorAll('[data-seq]')].find(
                (one) => one.getBoundingClientRect().bottom > box.top + 4)?.dataset.seq;
        })()"""

    await page.locator(".chat-scroll").hover()
    # The list follows the last message until its rows are measured, also against whoever scrolls meanwhile.
    await page.evaluate(
        """() => new Promise((done) => {
            const box = document.querySelector('.chat-scroll');
            let [last, frames] = [-1, 0];
            const look = () => {
                frames = box.scrollTop === last ? frames + 1 : 0;
                last = box.scrollTop;
                if (frames > 30) done(); else requestAnimationFrame(look);
            };
            look();
        })"""
    )
    await page.mouse.wheel(0, -900)
    await page.wait_for_function("sessionStorage.getItem('tertulia.places')?.includes('seq\":')")
    await page.wait_for_function("JSON.parse(sessionStorage.getItem('tertulia.places'))[0][1].seq !== null")
    before = await page.evaluate(top())
    await page.reload()
    await page.wait_for_function(f"{top()} === '{before}'")
    await expect(page.get_by_test_id("chat-newest")).to_be_visible()
    await page.get_by_test_id("chat-newest").click()
    await expect(message(page, "line 79")).to_be_visible()

    await choose(page, "line 79", "thread")
    await write(page, "far from the line", "thread-input")
    reply = page.get_by_test_id("thread").get_by_test_id("chat-message").last
    await expect(reply).to_contain_text("far from the line")
    await expect(reply).to_have_attribute("data-seq", re.compile(r"\d+"))
    seq = await reply.get_attribute("data-seq")
    await page.reload()
    await expect(page.get_by_test_id("thread").get_by_text("far from the line")).to_be_visible()
    await page.get_by_test_id("close-panel").click()
    await page.goto(f"{server.url}/c/{conversation}/{seq}")
    await expect(page.get_by_test_id("thread").locator(f'[data-seq="{seq}"]')).to_be_focused()
    await page.goto(f"{server.url}/c/{conversation}/5")
    await expect(page.locator('[data-seq="5"]')).to_be_focused()

    await page.keyboard.press("Control+k")
    field = page.get_by_test_id("search-input")
    await field.press_sequentially("far from:ha")
    await page.get_by_test_id("search-option").filter(has_text="Hal").wait_for()
    await field.press("Enter")
    await expect(field).to_have_value("far ")
    await expect(page.get_by_test_id("search-from").locator("option:checked")).to_have_text("Hal")
    await expect(page.get_by_test_id("message-link").locator("mark")).to_have_text("far")


async def test_tricks_in_names_and_titles_show_as_text(log_in: LogIn) -> None:
    names = ["<svg onload=hurt=1>", "\u202eevil\u200b", "مرحبا"]
    pages = [await log_in(name) for name in names]
    first = pages[0]
    await make_channel(first, "</title><script>hurt=1</script>\u202e")
    for page in pages[1:]:
        await enter_channel(page, "script")
        await write(page, "<img src=x onerror=hurt=1> [x](javascript:hurt=1)")
    await expect(first.get_by_test_id("chat-message")).to_have_count(2)
    await first.get_by_test_id("open-details").click()
    shown = ["<svg onload=hurt=1>", "⟨U+202E⟩evil⟨U+200B⟩", "مرحبا"]
    for name in shown:
        await expect(
            first.get_by_test_id("member").locator(".person-name bdi").get_by_text(name, exact=True)
        ).to_be_visible()
    await expect(first.locator("h1 bdi")).to_have_text("</title><script>hurt=1</script>⟨U+202E⟩")
    assert "⟨U+202E⟩" in await first.title()
    for page in pages:
        assert await page.evaluate("typeof hurt") == "undefined"
        assert await page.locator("#root :is(script, img, svg:not(.icon, .mark))").count() == 0
        assert await page.get_by_test_id("chat-text").locator("a").count() == 0


async def test_axe_finds_nothing_on_any_page(log_in: LogIn, server: Server) -> None:
    page = await log_in("Eva")
    assert await findings(page) == []
    await page.get_by_test_id("new-conversation").click()
    await page.get_by_test_id("new-dialog").wait_for()
    assert await findings(page) == []
    await page.get_by_test_id("new-kind").select_option("group")
    await page.get_by_test_id("new-people").fill("a")
    await page.get_by_test_id("person-option").first.wait_for()
    assert await findings(page) == []
    await page.keyboard.press("Escape")
    await page.keyboard.press("Escape")
    await page.get_by_test_id("me").click()
    await page.get_by_test_id("status-text").wait_for()
    assert await findings(page) == []
    await page.get_by_test_id("status-text").click()
    await page.get_by_test_id("status-dialog").wait_for()
    assert await findings(page) == []
    await page.keyboard.press("Escape")
    await make_channel(page, "Seen by everybody")
    await write(page, "some **words**, `code`, and https://example.org\n\n```\nblock\n```\n> quoted\n\n- a\n- b")
    await expect(page.get_by_test_id("chat-echo")).to_have_count(0)
    await page.get_by_test_id("open-details").click()
    await page.get_by_test_id("member").wait_for()
    assert await findings(page) == []
    await page.get_by_test_id("open-search").click()
    await page.get_by_test_id("search-option").first.wait_for()
    assert await findings(page) == []
    await page.get_by_test_id("search-input").fill("words")
    await page.get_by_test_id("message-link").wait_for()
    assert await findings(page) == []
    await page.get_by_test_id("close-search").click()
    await page.get_by_test_id("chat-message").click()
    await page.get_by_test_id("message-thread").click()
    await page.get_by_test_id("thread-input").wait_for()
    assert await findings(page) == []
    await page.goto(server.url)
    await page.get_by_test_id("start-new").wait_for()
    assert await findings(page) == []
