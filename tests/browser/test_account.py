"""Accounts as a new user meets them: the owner's link, an invitation, logging in and out, a forgotten password."""

from __future__ import annotations

import re
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.people import launch
from tests.browser.test_workspace import findings, make_channel, message, write
from tests.server import Server

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it uses a part of authlib that will go
    import oidc_provider_mock

PASSWORD = "correct horse battery"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        started = await launch(playwright)
        yield started
        await started.close()


async def window(browser: Browser, url: str, width: int = 1100) -> Page:
    context = await browser.new_context(viewport={"width": width, "height": 760}, bypass_csp=True)
    page = await context.new_page()
    await page.goto(url)
    return page


async def log_in(page: Page, email: str, password: str = PASSWORD) -> None:
    await page.get_by_test_id("account-email").fill(email)
    await page.get_by_test_id("account-password").fill(password)
    await page.get_by_test_id("account-login-submit").click()


async def finish(page: Page, name: str) -> None:
    await page.get_by_test_id("finish-name").fill(name)
    await page.get_by_test_id("finish-password").fill(PASSWORD)
    await page.get_by_test_id("finish-submit").click()
    await page.get_by_test_id("workspace").wait_for()


async def change(page: Page, path: str, body: str) -> str:
    """What a page of the program asks with its session; the link in the answer, if there is one."""
    link: str = await page.evaluate(
        """async ([path, body]) => {
            const {csrf} = JSON.parse(localStorage.getItem('tertulia.session'));
            const headers = {'content-type': 'application/json', 'x-csrf-token': csrf};
            const answer = await fetch(path, {method: 'POST', headers, body});
            if (!answer.ok) throw new Error(await answer.text());
            return (await answer.json()).url ?? '';
        }""",
        [path, body],
    )
    return link


async def test_owner_comes_invites_and_everybody_logs_in_and_out(browser: Browser, server: Server) -> None:
    found = re.search(r"http://\S+/welcome#\S+", server.log.read_text())
    assert found is not None, "the program prints the owner's link"
    nobody = await window(browser, f"{server.url}/c")
    await expect(nobody.get_by_test_id("no-owner")).to_be_visible()
    assert await findings(nobody) == []
    owner = await window(browser, found[0])
    await owner.get_by_test_id("finish-email").fill("olga@example.org")
    assert await findings(owner) == []
    await finish(owner, "Olga")
    await make_channel(owner, "Hello")
    await write(owner, "first words")
    await expect(message(owner, "first words")).to_be_visible()
    again = await window(browser, found[0])
    await expect(again.get_by_test_id("bad-link")).to_be_visible()

    # An invitation for anybody proves the address by mail.
    member = await window(browser, await change(owner, "/accounts/invitations", '{"uses": 1}'), width=390)
    await member.get_by_test_id("register-email").fill("mia@example.org")
    assert await findings(member) == []
    await member.get_by_test_id("register-submit").click()
    await member.get_by_test_id("go-outbox").click()
    await member.get_by_test_id("mail").first.wait_for()
    assert await findings(member) == []
    await member.get_by_test_id("mail-link").last.click()
    await finish(member, "Mia")

    # Its cookie lapses unnoticed, in two windows at once.
    other = await member.context.new_page()
    await other.goto(f"{server.url}/c")
    await other.get_by_test_id("workspace").wait_for()
    await member.context.clear_cookies(name="tertulia-access")
    await member.evaluate(
        """() => {
            const kept = JSON.parse(localStorage.getItem('tertulia.session'));
            localStorage.setItem('tertulia.session', JSON.stringify({...kept, endsAt: 0}));
        }"""
    )
    for page in (member, other):
        await page.reload(wait_until="commit")
    for page in (member, other):
        await page.get_by_test_id("me").wait_for()
        await expect(page.get_by_test_id("me")).to_contain_text("Mia")

    # Whoever logs out everywhere in one browser is out in all others.
    elsewhere = await window(browser, f"{server.url}/c")
    await log_in(elsewhere, "mia@example.org", "not the password")
    await expect(elsewhere.get_by_test_id("account-login-problem")).to_contain_text("wrong")
    assert await findings(elsewhere) == []
    await log_in(elsewhere, "mia@example.org")
    await expect(elsewhere.get_by_test_id("me")).to_contain_text("Mia")
    await change(elsewhere, "/auth/logout", '{"everywhere": true}')
    for page in (member, other, elsewhere):
        await page.get_by_test_id("account-login").wait_for()

    # A forgotten password is set anew by mail.
    await other.get_by_test_id("forgot").click()
    await other.get_by_test_id("recover-email").fill("mia@example.org")
    assert await findings(other) == []
    await other.get_by_test_id("recover-submit").click()
    await other.get_by_test_id("go-outbox").click()
    await other.get_by_test_id("mail-link").last.wait_for()
    mail = other.get_by_test_id("mail").filter(has_text="A new password").first
    await mail.get_by_test_id("mail-link").last.click()
    await other.get_by_test_id("reset-password").fill("another good password")
    await other.get_by_test_id("reset-submit").click()
    await other.get_by_test_id("recovered").click()
    await log_in(other, "mia@example.org", "another good password")
    await expect(other.get_by_test_id("me")).to_contain_text("Mia")
    await other.get_by_test_id("me").click()
    await other.get_by_test_id("log-out").click()
    await other.get_by_test_id("account-login").wait_for()


@pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib", "ignore:get_jwt_config:DeprecationWarning")
async def test_a_provider_lets_somebody_in_and_a_refusal_is_told(browser: Browser, tmp_path: Path) -> None:
    with oidc_provider_mock.run_server_in_thread(require_nonce=True) as provider:
        issuer = f"http://localhost:{provider.server_port}"
        claims = {"email": "kit@example.org", "email_verified": True, "name": "Kit"}
        known = await (await browser.new_context()).request.put(f"{issuer}/users/kit", data=claims)
        assert known.ok
        settings = {
            "TERTULIA_REGISTRATION": "open",
            "TERTULIA_OAUTH_CLIENTS": "work=tertulia:a-secret-of-the-client",
            "TERTULIA_OAUTH_ISSUERS": f"work={issuer}",
        }
        with Server(tmp_path, settings) as server:
            found = re.search(r"http://\S+/welcome#\S+", server.log.read_text())
            assert found is not None
            owner = await window(browser, found[0])
            await owner.get_by_test_id("finish-email").fill("olga@example.org")
            await finish(owner, "Olga")
            kit = await window(browser, f"{server.url}/c")
            await kit.get_by_test_id("provider-work").click()
            await kit.locator("input[name=sub]").fill("kit")
            await kit.locator("button[type=submit], input[type=submit]").first.click()
            await expect(kit.get_by_test_id("me")).to_contain_text("Kit")
            refused = await window(browser, f"{server.url}/login#error=oauth-denied")
            await expect(refused.get_by_test_id("log-in-problem")).to_contain_text("not let in")
            assert await findings(refused) == []
