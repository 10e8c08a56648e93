"""What owners and administrators do: invite, give roles, ban, help somebody in again, and read what was done.

Every act is checked against the table with the rows as they are, under a lock, and noted in the audit log in the same
transaction. Nobody has power over those who stand as high, and an installation keeps an owner.
"""

from __future__ import annotations

from datetime import datetime

from accounts import account_store, addresses, audit, letters, links, refusals, session_store
from accounts.account_store import AccountRow, Connection
from accounts.core import Core, access_account
from accounts.permissions import AccountRight, check_above, check_gives
from chat.cursor import Cursor, read_cursor, write_cursor
from tertulia.catalogue import (
    Account,
    AccountList,
    AuditList,
    Link,
    ListAccounts,
    MakeInvitation,
    SetAccountRole,
    SetBan,
)
from tertulia.errors import Conflict
from tertulia.tokens import Principal


class AccountCursor(Cursor, frozen=True, array_like=True):
    at: str
    id: str


class AuditCursor(Cursor, frozen=True, array_like=True):
    id: int


class AdministrationDesk:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def listed(self, principal: Principal, asked: ListAccounts) -> AccountList:
        """Accounts in the order they were made."""
        cursor = read_cursor(asked.cursor, AccountCursor)
        after = None
        if cursor is not None:
            try:
                after = (datetime.fromisoformat(cursor.at), cursor.id)
            except ValueError as error:
                raise refusals.bad_cursor() from error
        async with self._core.database.acquire() as db:
            await access_account(db, principal, "accounts")
            rows = await account_store.page(db, after, asked.limit)
        last = rows[-1] if len(rows) == asked.limit else None
        following = write_cursor(AccountCursor(last.created_at.isoformat(), last.id)) if last is not None else None
        return AccountList([row.shown() for row in rows], following)

    async def set_role(self, principal: Principal, subject: str, asked: SetAccountRole) -> Account:
        """Give somebody another role; what their tokens said before is void, and what they have open closes.

        Raises Forbidden ``right-missing``, NotFound ``account-not-found``, Conflict ``last-owner``.
        """
        async with self._core.database.transaction() as db:
            actor, account = await self._pair(db, principal, subject, "roles")
            check_above(actor.role, account.role)
            check_gives(actor.role, asked.role)
            if account.role == asked.role:
                return account.shown()
            if account.role == "owner" and not account.banned and await account_store.count_owners(db) == 1:
                raise refusals.last_owner()
            await account_store.set_role(db, subject, asked.role)
            generation = await account_store.raise_generation(db, subject)
            await audit.note(db, "role-given", actor.id, subject, asked.role)
            shown = (await account_store.by_id(db, subject) or account).shown()
        self._core.sessions.ended(subject, [], generation)
        return shown

    async def set_ban(self, principal: Principal, subject: str, asked: SetBan) -> Account:
        """Shut somebody out, or let them in again; their sessions end.

        Raises Forbidden ``right-missing``, NotFound ``account-not-found``, Conflict ``last-owner``.
        """
        async with self._core.database.transaction() as db:
            actor, account = await self._pair(db, principal, subject, "accounts")
            check_above(actor.role, account.role)
            if account.banned == asked.banned:
                return account.shown()
            if asked.banned and account.role == "owner" and await account_store.count_owners(db) == 1:
                raise refusals.last_owner()
            await account_store.set_banned(db, subject, asked.banned)
            ended = await session_store.end_all(db, subject)
            generation = await account_store.raise_generation(db, subject)
            await audit.note(db, "banned" if asked.banned else "unbanned", actor.id, subject)
            shown = (await account_store.by_id(db, subject) or account).shown()
        self._core.sessions.ended(subject, ended, generation)
        return shown

    async def log_out(self, principal: Principal, subject: str) -> None:
        """End all sessions of somebody. Raises Forbidden ``right-missing``, NotFound ``account-not-found``."""
        async with self._core.database.transaction() as db:
            actor, account = await self._pair(db, principal, subject, "accounts")
            check_above(actor.role, account.role)
            ended = await session_store.end_all(db, subject)
            await audit.note(db, "sessions-ended", actor.id, subject)
        self._core.sessions.ended(subject, ended)

    async def reset_link(self, principal: Principal, subject: str) -> Link:
        """A link that sets a new password, to be handed over by other means than mail.

        Whoever has it can be that person, so it takes power over them. Raises Forbidden, NotFound.
        """
        async with self._core.database.transaction() as db:
            actor, account = await self._pair(db, principal, subject, "accounts")
            check_above(actor.role, account.role)
            made = await links.make(db, "reset", account=subject, made_by=actor.id)
            await audit.note(db, "reset-link-made", actor.id, subject)
        return self._link(letters.RESET_PATH, made)

    async def invite(self, principal: Principal, asked: MakeInvitation) -> Link:
        """A link by which people register. Raises Forbidden ``right-missing``, BadRequest ``email-invalid``, Conflict
        ``email-taken`` or ``mail-missing``."""
        core = self._core
        email = addresses.checked(asked.email) if asked.email is not None else None
        if email is None and not core.mailer.works:
            raise Conflict("mail-missing", "Without a mail server an invitation names an address.", "email")
        async with core.database.transaction() as db:
            actor = await access_account(db, principal, "invite")
            if asked.role != "member":
                check_gives(actor.role, asked.role)
            # Who may list accounts may know which addresses have one.
            if email is not None and await account_store.by_email(db, addresses.key_of(email)) is not None:
                raise Conflict("email-taken", "There is an account with this address.", "email")
            made = await links.make(
                db,
                "invite",
                email=email,
                role=asked.role,
                made_by=actor.id,
                uses=1 if email is not None else asked.uses,
                ttl_s=asked.ttl_s,
            )
            await audit.note(db, "invited", actor.id, detail=asked.role)
        return self._link(letters.REGISTER_PATH, made)

    async def audit_log(self, principal: Principal, cursor: str | None) -> AuditList:
        """What was done, newest first."""
        before = read_cursor(cursor, AuditCursor)
        async with self._core.database.acquire() as db:
            await access_account(db, principal, "audit")
            entries, following = await audit.page(db, before.id if before is not None else None)
        return AuditList(entries, write_cursor(AuditCursor(following)) if following is not None else None)

    async def _pair(
        self, db: Connection, principal: Principal, subject: str, right: AccountRight
    ) -> tuple[AccountRow, AccountRow]:
        """Who acts and on whom, neither of whom changes until the transaction ends."""
        # One lock for all acts of power: two owners who demote each other at once would leave none.
        await account_store.lock_owners(db)
        actor = await access_account(db, principal, right)
        account = await account_store.by_id(db, subject, lock=True)
        if account is None:
            raise refusals.no_account()
        return actor, account

    def _link(self, path: str, made: links.Made) -> Link:
        url = letters.link(self._core.settings.base_url, path, made.token)
        return Link(url, made.token, round(made.expires_at.timestamp() * 1000))
