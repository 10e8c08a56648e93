"""What people say of themselves, and what they see of each other."""

from __future__ import annotations

from accounts import account_store, refusals
from accounts.core import Block, Core, Know, access_account
from chat.checks import check_line, check_text
from tertulia.catalogue import Account, Profile, UpdateAccount
from tertulia.tokens import Principal


class ProfileDesk:
    def __init__(self, core: Core, know: Know, block: Block) -> None:
        self._core = core
        self._know = know
        self._block = block

    async def update(self, principal: Principal, asked: UpdateAccount) -> Account:
        """Change one's own name or status. Raises BadRequest ``text-invalid`` or ``text-blank``."""
        name = asked.name.strip() if asked.name is not None else None
        if name is not None:
            check_line(name, "name")
        if asked.status_text is not None:
            check_text(asked.status_text, "status_text")
        async with self._core.database.transaction() as db:
            mine = await access_account(db, principal, "profile", lock=True)
            account = await account_store.set_profile(db, mine.id, name, asked.status_text) or mine
        if account.name != mine.name:
            await self._know(account.id, account.name)
        return account.shown()

    async def profile(self, principal: Principal, account: str) -> Profile:
        """Somebody as others see them. Raises NotFound ``account-not-found``."""
        async with self._core.database.acquire() as db:
            await access_account(db, principal, "people" if account != principal.identity else "profile")
            found = await account_store.by_id(db, account)
        if found is None or found.banned:
            raise refusals.no_account()
        return Profile(found.id, found.name, found.status_text)

    async def block(self, principal: Principal, account: str, blocked: bool) -> None:
        """Take no more messages from somebody, or take them again.

        Raises NotFound ``account-not-found``, BadRequest ``user-invalid`` (oneself), Conflict ``preferences-full``.
        """
        async with self._core.database.acquire() as db:
            await access_account(db, principal, "profile")
            if await account_store.by_id(db, account) is None:
                raise refusals.no_account()
        await self._block(principal, account, blocked)
