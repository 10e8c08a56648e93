"""Conversations outside of rooms: two windows and a phone make, find, write, count, search, and stay the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

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


async def test_axe_finds_nothing_on_any_page(log_in: LogIn, server: Server) -> None:
    page = await log_in("Eva")
    assert await findings(page) == []
    await page.get_by_test_id("new-conversation").click()
    await page.get_by_test_id("new-dialog").wait_for()
    assert await findings(page) == []
    await page.keyboard.press("Escape")
    await make_channel(page, "Seen by everybody")
    await write(page, "some **words**, `code`, and https://example.org\n\n```\nblock\n```\n> quoted\n\n- a\n- b")
    await expect(page.get_by_test_id("chat-echo")).to_have_count(0)
    await page.get_by_test_id("open-details").click()
    await page.get_by_test_id("member").wait_for()
    assert await findings(page) == []
    await page.get_by_test_id("open-search").click()
    await page.get_by_test_id("search-input").wait_for()
    assert await findings(page) == []
    await page.goto(server.url)
    await page.get_by_test_id("start-new").wait_for()
    assert await findings(page) == []
