"""Changing a password, by the old one, or by a link that went to the address or came from an administrator."""

from __future__ import annotations

from accounts import account_store, addresses, audit, letters, links, refusals
from accounts.core import Core, access_account
from accounts.passwords import check_password
from tertulia.catalogue import ChangePassword, FinishRecovery, Recover
from tertulia.tokens import Principal


class RecoveryDesk:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def change(self, principal: Principal, asked: ChangePassword) -> None:
        """Set a new password by the old one; all other sessions end.

        Raises Unauthorized ``credentials-wrong``, BadRequest ``password-weak``, RateLimited.
        """
        core = self._core
        await core.gate.check("password", principal.identity)
        async with core.database.acquire() as db:
            account = await access_account(db, principal, "profile")
        if not await core.passwords.verify(account.password, asked.password):
            raise refusals.wrong_credentials()
        await self._set(account.id, account.email, account.name, asked.new_password, "password-changed", principal)

    async def ask(self, asked: Recover) -> None:
        """Send a link, if the address has an account; the asker sees no difference.

        Raises BadRequest ``email-invalid``, RateLimited.
        """
        core = self._core
        email = addresses.checked(asked.email)
        await core.gate.check("mail", addresses.key_of(email))
        async with core.database.transaction() as db:
            account = await account_store.by_email(db, addresses.key_of(email))
            # Made in both cases: the same work; one without an account opens nothing.
            made = await links.make(db, "reset", account=account.id if account is not None else None)
        if account is not None:
            core.mailer.send(letters.reset(core.settings.base_url, account.email, made.token))

    async def finish(self, asked: FinishRecovery) -> None:
        """Set a new password by a link; all sessions end. Raises NotFound ``link-invalid``, BadRequest."""
        core = self._core
        async with core.database.acquire() as db:
            link = await links.look(db, asked.token, "reset")
            account = await account_store.by_id(db, link.account_id) if link and link.account_id else None
        if account is None:
            raise refusals.bad_link()
        await self._set(account.id, account.email, account.name, asked.password, "password-reset", link=asked.token)

    async def _set(
        self,
        account: str,
        email: str,
        name: str,
        password: str,
        action: str,
        principal: Principal | None = None,
        link: str | None = None,
    ) -> None:
        core = self._core
        check_password(password, email, name)
        hashed = await core.passwords.hash(password)
        async with core.database.transaction() as db:
            if link is not None and await links.use(db, link, "reset") is None:
                raise refusals.bad_link()
            await account_store.set_password(db, account, hashed)
            # Links and tickets of before were for the one who knew the old password, or did not.
            await links.drop(db, account, "reset")
            await links.drop(db, account, "ticket")
            actor = principal.identity if principal is not None else None
            await audit.note(db, action, actor=actor, subject=account)
        await core.sessions.end_all(account, but=principal.session if principal is not None else None)
        core.mailer.send(letters.password_changed(core.settings.base_url, email))
