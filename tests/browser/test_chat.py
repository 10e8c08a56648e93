"""One conversation in two windows and a phone: what one does, all see, also after a reload and a restart."""

from __future__ import annotations

import asyncio

from playwright.async_api import Locator, expect

from tests.browser.conftest import Enter
from tests.browser.people import Person
from tests.server import Server


def message(person: Person, text: str) -> Locator:
    """The message that says just this."""
    return person.page.get_by_test_id("chat-message").filter(
        has=person.page.get_by_test_id("chat-text").get_by_text(text, exact=True)
    )


async def choose(person: Person, text: str, action: str) -> None:
    """Do something to a message by its menu."""
    await message(person, text).click()
    await message(person, text).get_by_test_id("message-more").click()
    await person.page.get_by_test_id(f"do-{action}").click()


async def test_two_windows_and_a_phone_show_what_each_writes_edits_reacts_to_and_deletes(
    join: Enter, server: Server
) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    phone = await join("Cyd", width=390, height=760)
    everybody = (ana, ben, phone)
    await phone.page.get_by_test_id("toggle-chat").click()  # wide windows show it from the start

    await ana.write("first **from** Ana")
    await ben.write("second from Ben")
    await phone.write("third from a phone")
    await asyncio.gather(*(person.reads(word) for person in everybody for word in ("first", "second", "third")))

    await choose(ben, "second from Ben", "edit")
    await ben.write("second, edited")
    await asyncio.gather(*(expect(message(person, "second, edited")).to_be_visible() for person in everybody))

    await message(ana, "second, edited").click()
    await message(ana, "second, edited").get_by_test_id("message-react").click()
    await ana.page.get_by_test_id("emoji-heart").click()
    for person in everybody:
        await expect(message(person, "second, edited").get_by_test_id("chat-reaction")).to_have_text("❤️ 1")
    await message(phone, "second, edited").get_by_test_id("chat-reaction").click()
    for person in everybody:
        await expect(message(person, "second, edited").get_by_test_id("chat-reaction")).to_have_text("❤️ 2")

    await choose(phone, "second, edited", "reply")
    await phone.write("an answer")
    for person in everybody:
        await expect(message(person, "an answer").get_by_test_id("chat-quote")).to_contain_text("second, edited")

    await choose(phone, "third from a phone", "delete")
    await phone.page.get_by_test_id("note-action").click()  # thought better of it
    await expect(message(phone, "third from a phone")).to_be_visible()
    await choose(phone, "third from a phone", "delete")
    for person in everybody:
        await expect(person.page.get_by_test_id("chat-deleted")).to_have_count(1, timeout=20_000)

    expected = ["first from Ana", "second, edited", "an answer"]
    for person in everybody:
        assert await person.messages() == expected

    server.kill()
    await ben.write("written while the server is away")
    await expect(ben.page.get_by_test_id("chat-echo")).to_contain_text("Waiting for the connection")
    server.start()
    await asyncio.gather(*(person.reads("written while the server is away", 60_000) for person in everybody))
    for person in everybody:
        assert await person.messages() == [*expected, "written while the server is away"]

    await ana.page.reload()
    await ana.page.get_by_test_id("lobby-join").click()
    await ana.reads("written while the server is away")
    assert await ana.messages() == [*expected, "written while the server is away"]
    await expect(message(ana, "second, edited").get_by_test_id("chat-reaction")).to_have_text("❤️ 2")


async def test_what_is_dangerous_shows_as_text(join: Enter) -> None:
    ana = await join('<img src=x onerror="window.hurt=1">')
    ben = await join("</b> Ben")
    texts = [
        "<script>window.hurt = 1</script>",
        '<svg onload="window.hurt = 1"></svg>',
        "[press](javascript:window.hurt=1)",
    ]
    for text in texts:
        await ana.write(text)
    await ben.write("pay\u200bpal \u202edlrow olleh")
    await ana.reads("pay")
    await ben.reads("press")
    assert await ben.messages() == [*texts, "pay⟨U+200B⟩pal ⟨U+202E⟩dlrow olleh"]
    for person in (ana, ben):
        assert await person.page.locator("[data-testid=chat-text] :is(script, svg, img, a)").count() == 0
        assert await person.state("window.hurt") is None
    await expect(ana.page.locator(".message-name bdi")).to_have_text("</b> Ben")
