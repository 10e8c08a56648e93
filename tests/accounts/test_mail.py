"""Mail over SMTP to a real server, and what happens when that fails."""

from __future__ import annotations

import asyncio
import email
import email.policy
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from accounts.letters import registration
from accounts.mail import Mail, SmtpMailer, letter
from tests.accounts.conftest import PASSWORD, open_house
from tests.waiting import until


class Inbox:
    """Takes what comes; refuses as often as it is told to."""

    def __init__(self) -> None:
        self.letters: list[Any] = []
        self.refuse: list[str] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refuse:
            return self.refuse.pop(0)
        assert isinstance(envelope.content, bytes)
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


@asynccontextmanager
async def mail_server(inbox: Inbox) -> AsyncIterator[int]:
    """Its port."""
    server = await asyncio.get_running_loop().create_server(lambda: SMTP(inbox, hostname="localhost"), "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_somebody_registers_by_a_mail_that_was_sent(dsn: str, tmp_path: Path) -> None:
    inbox = Inbox()
    async with (
        mail_server(inbox) as port,
        open_house(
            dsn,
            tmp_path,
            registration="open",
            smtp_url=f"smtp://127.0.0.1:{port}",
            mail_from="Tertulia <tertulia@example.org>",
        ) as house,
    ):
        address = f"mail-{port}@example.org"
        assert (await house.ask("POST", "/auth/register", {"email": address})).status == 202
        await until(lambda: len(inbox.letters) == 1)
        [one] = inbox.letters
        assert (one["To"], one["From"], one["Auto-Submitted"]) == (
            address,
            "Tertulia <tertulia@example.org>",
            "auto-generated",
        )
        token = one.get_content().split("#", 1)[1].split()[0]
        body = {"token": token, "name": "Ada", "password": PASSWORD}
        assert (await house.ask("POST", "/auth/register/finish", body)).status == 201
        assert (await house.ask("GET", "/auth/outbox")).status == 403


async def test_mail_is_tried_again_and_given_up_when_the_server_says_never() -> None:
    inbox = Inbox()
    inbox.refuse = ["451 later", "451 later", "550 never"]
    async with mail_server(inbox) as port:
        mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", "t@example.org", retry_s=(0.0, 0.0, 0.0))
        await mailer.start()
        with structlog.testing.capture_logs() as entries:
            mailer.send(Mail("lost@example.org", "A subject", "never arrives: a-secret"))
            mailer.send(Mail("ada@example.org", "A subject", "arrives"))
            await until(lambda: len(inbox.letters) == 1)
        await mailer.close()
    assert inbox.letters[0]["To"] == "ada@example.org"
    assert len(entries) == 3
    assert "secret" not in str(entries) and "example.org" not in str(entries), "no log says to whom or what"


async def test_absent_server_delays_nobody_and_is_found_when_it_is_back() -> None:
    inbox = Inbox()
    async with mail_server(inbox) as port:
        pass
    mailer = SmtpMailer(f"smtp://127.0.0.1:{port}", "t@example.org", retry_s=(0.05,) * 200)
    await mailer.start()
    mailer.send(Mail("ada@example.org", "A subject", "text"))
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(inbox, hostname="localhost"), "127.0.0.1", port
    )
    await until(lambda: len(inbox.letters) == 1)
    await mailer.close()
    server.close()
    await server.wait_closed()


async def test_what_waits_is_bounded() -> None:
    mailer = SmtpMailer("smtp://127.0.0.1:1", "t@example.org")
    for _ in range(1200):
        mailer.send(Mail("ada@example.org", "A subject", "text"))
    assert mailer._waiting.qsize() == 1000


def test_nothing_gets_into_the_headers() -> None:
    made = letter(registration("https://talk.example.org", "ada@example.org", "t" * 43), "t@example.org")
    assert made["To"] == "ada@example.org"
    assert "https://talk.example.org/register#" + "t" * 43 in made.get_content()
    try:
        letter(Mail("ada@example.org\r\nBcc: eve@example.org", "A subject", "text"), "t@example.org")
    except ValueError:
        return
    raise AssertionError("a line end in an address was taken")
