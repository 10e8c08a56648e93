"""Registering: who may, and how an address is proven before there is an account.

Whoever asks for an account gets the same answer, and what follows goes to the address: a link, or the news that it has
an account. The password is chosen with the link in hand, so nobody prepares an account for somebody else's address.
The first owner has a link that the program prints, and who is invited by address has one that proves it already.
"""

from __future__ import annotations

from accounts import account_store, addresses, audit, letters, links, refusals
from accounts.account_store import Connection
from accounts.core import Core, Know
from accounts.links import LinkRow
from accounts.passwords import check_password
from accounts.sessions import Device, Grant
from chat.checks import check_line
from tertulia.catalogue import AccountRole, FinishRegistration, Register

OWNER_PATH = "/welcome"


class RegistrationDesk:
    def __init__(self, core: Core, know: Know) -> None:
        self._core = core
        self._know = know

    async def has_owner(self) -> bool:
        """Whether the first owner has come."""
        async with self._core.database.acquire() as db:
            return bool(await account_store.count_owners(db))

    async def owner_link(self) -> str | None:
        """The address by which the first owner comes; None once there is one."""
        async with self._core.database.transaction() as db:
            if await account_store.lock_owners(db):
                return None
            made = await links.make(db, "owner", role="owner")
        return letters.link(self._core.settings.base_url, OWNER_PATH, made.token)

    async def ask(self, asked: Register) -> None:
        """Send a link to whoever may have an account. The same happens, as far as the asker sees, if there is one.

        Raises Forbidden ``registration-closed``, BadRequest ``email-invalid``, NotFound ``link-invalid`` (of an
        invitation), RateLimited.
        """
        core = self._core
        email = addresses.checked(asked.email)
        key = addresses.key_of(email)
        if asked.invite is None:
            self._check_open(email)
        await core.gate.check("mail", key)
        async with core.database.transaction() as db:
            role: AccountRole = "member"
            if asked.invite is not None:
                invitation = await links.look(db, asked.invite, "invite")
                # One for an address proves it already and is finished directly.
                if invitation is None or invitation.email is not None:
                    raise refusals.bad_link()
                role = invitation.role or role
            known = await account_store.by_email(db, key)
            made = await links.make(db, "register", email=email, role=role, via=asked.invite)
        base_url = core.settings.base_url
        letter = letters.registration(base_url, email, made.token)
        core.mailer.send(letters.known_already(base_url, known.email) if known is not None else letter)

    def _check_open(self, email: str) -> None:
        settings = self._core.settings
        match settings.registration:
            case "open":
                return
            case "domain" if addresses.domain_of(email) in settings.registration_domains:
                return
        raise refusals.registration_closed()

    async def finish(self, asked: FinishRegistration, device: Device) -> Grant:
        """Make the account that a link is for, and log in.

        Raises NotFound ``link-invalid``, BadRequest ``password-weak``, ``email-invalid``, ``text-invalid``,
        ``text-blank``.
        """
        core = self._core
        name = asked.name.strip()
        check_line(name, "name")
        async with core.database.acquire() as db:
            link = await links.look(db, asked.token, "owner", "register", "invite")
        if link is None:
            raise refusals.bad_link()
        email = self._address_of(link, asked)
        check_password(asked.password, email, name)
        password = await core.passwords.hash(asked.password)
        async with core.database.transaction() as db:
            link = await self._use(db, asked.token)
            role = link.role or "member"
            account = await account_store.make(db, email, addresses.key_of(email), name, role, password)
            if account is None:
                # The address got an account meanwhile; the transaction leaves the link as it was.
                raise refusals.bad_link()
            await audit.note(db, "account-made", actor=link.made_by, subject=account.id, detail=role)
            grant, surplus = await core.sessions.open(db, account, device)
        core.sessions.ended(account.id, surplus)
        await self._know(account.id, account.name)
        return grant

    def _address_of(self, link: LinkRow, asked: FinishRegistration) -> str:
        if link.purpose == "owner":
            return addresses.checked(asked.email or "")
        if link.email is None:
            # An invitation for anybody proves no address; it goes by mail (``ask``).
            raise refusals.bad_link()
        return link.email

    async def _use(self, db: Connection, token: str) -> LinkRow:
        link = await links.use(db, token, "owner", "register", "invite")
        if link is None or (link.via is not None and not await links.use_via(db, link.via)):
            raise refusals.bad_link()
        if link.purpose == "owner" and await account_store.lock_owners(db):
            raise refusals.bad_link()
        return link
