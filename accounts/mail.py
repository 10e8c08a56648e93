"""Mail: by SMTP where it is configured, else into an outbox that a development server shows.

Sending happens behind the back of whoever caused it: a request takes as long whether a mail follows or not. What waits
is bounded and tried again for a while; a restart loses it, and people ask again. No log says to whom or what.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from tertulia.settings import Settings, is_loopback

log = structlog.get_logger("accounts.mail")

WAITING_MAX = 1000
RETRY_S = (2.0, 10.0, 60.0, 300.0)
LIMIT_S = 30.0
OUTBOX_MAX = 50


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    text: str


class Mailer(Protocol):
    """Takes mails; none of its methods waits for a network."""

    works: bool
    """Whether what is sent reaches somebody."""

    def send(self, mail: Mail) -> None: ...

    async def start(self) -> None: ...

    async def close(self) -> None: ...


class Outbox:
    """Keeps the newest mails in memory, to be looked at on a development server; elsewhere drops them."""

    def __init__(self, visible: bool) -> None:
        self.works = visible
        self.mails: deque[Mail] = deque(maxlen=OUTBOX_MAX)

    async def start(self) -> None:
        """Nothing is taken up."""

    async def close(self) -> None:
        """Nothing is left."""

    def send(self, mail: Mail) -> None:
        if self.works:
            self.mails.append(mail)
        else:
            log.warning("a mail was not sent: no mail server is configured (smtp_url)")


class SmtpMailer:
    """Sends one mail after the other (RFC 5321), encrypted wherever it leaves the machine."""

    works = True

    def __init__(self, url: str, sender: str, retry_s: tuple[float, ...] = RETRY_S) -> None:
        self._server = urlsplit(url)
        self._sender = sender
        self._retry_s = retry_s
        self._waiting: asyncio.Queue[Mail] = asyncio.Queue(WAITING_MAX)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="mail")

    async def close(self) -> None:
        """What waits is lost."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def send(self, mail: Mail) -> None:
        try:
            self._waiting.put_nowait(mail)
        except asyncio.QueueFull:
            log.error("a mail was not sent: too many are waiting for the mail server")

    async def _run(self) -> None:
        while True:
            mail = await self._waiting.get()
            for delay in (*self._retry_s, None):
                try:
                    await self._deliver(mail)
                    break
                except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
                    log.warning("the mail server did not take a mail", error=type(error).__name__, again=delay)
                    if delay is None or _is_final(error):
                        break
                    await asyncio.sleep(delay)
                except Exception as error:
                    log.error("a mail was not sent", exc_info=error)
                    break

    async def _deliver(self, mail: Mail) -> None:
        server = self._server
        local = is_loopback(server.hostname or "")
        await aiosmtplib.send(
            letter(mail, self._sender),
            hostname=server.hostname,
            port=server.port,
            username=unquote(server.username) if server.username else None,
            password=unquote(server.password) if server.password else None,
            use_tls=server.scheme == "smtps",
            # Passwords and links in the clear only within the machine.
            start_tls=None if local else server.scheme == "smtp",
            tls_context=ssl.create_default_context(),
            timeout=LIMIT_S,
        )


def _is_final(error: Exception) -> bool:
    """Whether the server said that it never will (RFC 5321, section 4.2.1)."""
    return isinstance(error, aiosmtplib.SMTPResponseException) and error.code >= 500


def letter(mail: Mail, sender: str) -> EmailMessage:
    """The mail as it travels. Headers are checked for line ends by the library."""
    message = EmailMessage()
    message["From"] = sender
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(usegmt=True)
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].rstrip(">") or None)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    return message


def choose(settings: Settings) -> SmtpMailer | Outbox:
    """What the settings ask for."""
    if settings.smtp_url:
        return SmtpMailer(settings.smtp_url, settings.mail_from)
    return Outbox(settings.development)
