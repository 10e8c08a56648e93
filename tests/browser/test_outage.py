"""The page and the conversation through a killed program, a killed database, and a reload."""

from __future__ import annotations

import os
import signal

from tests.browser.conftest import Enter
from tests.server import Server


async def test_chat_survives_a_killed_program_and_the_page_comes_back_by_itself(join: Enter, server: Server) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    await ana.sees(ben)
    await ana.write("before the kill")
    await ben.reads("before the kill")

    server.kill()
    await ana.until("tertulia.state() !== 'connected'")
    server.start()
    await ana.until("tertulia.state() === 'connected'", 40_000)
    await ben.until("tertulia.state() === 'connected'", 40_000)
    await ana.sees(ben, limit_ms=40_000)
    await ana.write("after the kill")
    await ben.reads("after the kill")
    assert await ben.messages() == ["before the kill", "after the kill"]

    cyd = await join("Cyd")
    await cyd.reads("before the kill")
    assert await cyd.messages() == ["before the kill", "after the kill"]


async def test_chat_survives_a_killed_database(join: Enter, server: Server) -> None:
    ana = await join("Ana")
    ben = await join("Ben")
    await ana.write("before")
    await ben.reads("before")
    os.kill(server.postmaster_pid(), signal.SIGKILL)
    await ana.write("while it recovers")
    await ben.reads("while it recovers", 60_000)
    assert await ben.messages() == ["before", "while it recovers"]


async def test_messages_are_still_there_after_a_reload_and_once(join: Enter) -> None:
    ana = await join("Ana")
    for text in ("one", "two", "three"):
        await ana.write(text)
        await ana.reads(text)
    await ana.page.reload()
    await ana.page.get_by_test_id("lobby-join").click()
    await ana.reads("three")
    assert await ana.messages() == ["one", "two", "three"]
