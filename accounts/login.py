"""Logging in with a password, in one step or two.

Whether the address or the password was wrong is not said and takes the same work to find out. Every log-in makes a
session of its own: no id that somebody had before is taken over (fixation).
"""

from __future__ import annotations

from accounts import account_store, addresses, links, refusals
from accounts.account_store import AccountRow
from accounts.core import Core
from accounts.factors import FactorDesk
from accounts.sessions import Device, Grant
from tertulia.catalogue import LogIn, SecondFactor
from tertulia.errors import TertuliaError


class LogInDesk:
    def __init__(self, core: Core, factors: FactorDesk) -> None:
        self._core = core
        self._factors = factors

    async def log_in(self, asked: LogIn, device: Device, address: str, known_to: str | None) -> Grant | str:
        """The session, or the ticket for the second step.

        :param address: where it comes from, to count by
        :param known_to: the account that this browser has logged in to before, proven

        Raises Unauthorized ``credentials-wrong``, Forbidden ``account-banned``, RateLimited.
        """
        core = self._core
        key = self._key(asked.email)
        await core.gate.check("log-in", address, key)
        async with core.database.acquire() as db:
            account = await account_store.by_email(db, key)
        if account is not None and known_to == account.id:
            await core.gate.check("log-in-device", key)
        else:
            await core.gate.check("log-in-account", key)
        right = await core.passwords.verify(account.password if account is not None else None, asked.password)
        if account is None or not right:
            raise refusals.wrong_credentials()
        if account.banned:
            raise refusals.banned()
        if account.password is not None and core.passwords.is_outdated(account.password):
            account = await self._hash_again(account, asked.password)
        if account.totp_on:
            async with core.database.acquire() as db:
                return (await links.make(db, "ticket", account=account.id)).token
        return await self._open(account, device)

    async def second(self, asked: SecondFactor, device: Device) -> Grant:
        """The second step. A ticket is good for one right code and few wrong ones.

        Raises NotFound ``link-invalid`` (log in again), Unauthorized ``second-factor-wrong``, RateLimited.
        """
        core = self._core
        async with core.database.acquire() as db:
            ticket = await links.look(db, asked.ticket, "ticket")
            account = await account_store.by_id(db, ticket.account_id) if ticket and ticket.account_id else None
        if account is None:
            raise refusals.bad_link()
        await core.gate.check("second-factor", account.id)
        await self._factors.check(account.id, asked.code)
        async with core.database.acquire() as db:
            if await links.use(db, asked.ticket, "ticket") is None:
                raise refusals.bad_link()
        return await self._open(account, device)

    async def _open(self, account: AccountRow, device: Device) -> Grant:
        core = self._core
        async with core.database.transaction() as db:
            now = await account_store.by_id(db, account.id, lock=True)
            # What was proven was the password of then; it may have been changed in this very moment.
            if now is None or now.password != account.password or now.banned:
                raise refusals.wrong_credentials()
            grant, surplus = await core.sessions.open(db, now, device)
        core.sessions.ended(account.id, surplus)
        return grant

    async def _hash_again(self, account: AccountRow, password: str) -> AccountRow:
        """Keep the password as strongly as today's parameters say."""
        core = self._core
        hashed = await core.passwords.hash(password)
        async with core.database.transaction() as db:
            now = await account_store.by_id(db, account.id, lock=True)
            if now is None or now.password != account.password:
                raise refusals.wrong_credentials()
            await account_store.set_password(db, account.id, hashed)
            return await account_store.by_id(db, account.id) or now

    def _key(self, email: str) -> str:
        try:
            return addresses.key_of(addresses.checked(email))
        except TertuliaError:
            # What is no address has no account; that takes as long as with any other.
            return ""
