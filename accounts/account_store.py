"""Accounts as rows. Nothing here decides who may see them; the callers do."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import asyncpg

from tertulia.catalogue import Account, AccountRole

Connection: TypeAlias = asyncpg.Connection

_OWNERS_LOCK = 0x6F776E65  # "owne": held by whoever changes how many owners there are


@dataclass(frozen=True)
class AccountRow:
    """An account with what only the service may know of it."""

    id: str
    email: str
    name: str
    status_text: str
    role: AccountRole
    banned: bool
    password: str | None
    generation: int
    totp_secret: bytes | None
    totp_on: bool
    created_at: datetime

    def shown(self) -> Account:
        """For its owner and for administrators."""
        return Account(
            id=self.id,
            name=self.name,
            email=self.email,
            role=self.role,
            state="banned" if self.banned else "active",
            status_text=self.status_text,
            two_factor=self.totp_on,
            has_password=self.password is not None,
            created_at=round(self.created_at.timestamp() * 1000),
        )


_COLUMNS = (
    "id, email, name, status_text, role, state = 'banned' AS banned, password, generation, totp_secret, totp_on,"
    " created_at"
)


def _row(found: asyncpg.Record | None) -> AccountRow | None:
    return None if found is None else AccountRow(**dict(found))


async def by_id(db: Connection, account: str, lock: bool = False) -> AccountRow | None:
    """``lock``: nobody else changes it until the transaction ends."""
    return _row(
        await db.fetchrow(
            f"SELECT {_COLUMNS} FROM accounts.account WHERE id = $1{' FOR UPDATE' if lock else ''}", account
        )
    )


async def by_email(db: Connection, email_key: str) -> AccountRow | None:
    return _row(await db.fetchrow(f"SELECT {_COLUMNS} FROM accounts.account WHERE email_key = $1", email_key))


async def page(db: Connection, after: tuple[datetime, str] | None, limit: int) -> list[AccountRow]:
    """Accounts in the order they were made."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM accounts.account WHERE $1::timestamptz IS NULL OR (created_at, id) > ($1, $2)"
        " ORDER BY created_at, id LIMIT $3",
        after[0] if after is not None else None,
        after[1] if after is not None else None,
        limit,
    )
    return [AccountRow(**dict(row)) for row in rows]


async def make(
    db: Connection, email: str, email_key: str, name: str, role: AccountRole, password: str | None
) -> AccountRow | None:
    """A new account; None if the address has one."""
    return _row(
        await db.fetchrow(
            "INSERT INTO accounts.account (id, email, email_key, name, role, password) VALUES ($1, $2, $3, $4, $5, $6)"
            f" ON CONFLICT (email_key) DO NOTHING RETURNING {_COLUMNS}",
            f"a:{secrets.token_hex(10)}",
            email,
            email_key,
            name,
            role,
            password,
        )
    )


async def set_profile(db: Connection, account: str, name: str | None, status_text: str | None) -> AccountRow | None:
    return _row(
        await db.fetchrow(
            "UPDATE accounts.account SET name = coalesce($2, name), status_text = coalesce($3, status_text)"
            f" WHERE id = $1 RETURNING {_COLUMNS}",
            account,
            name,
            status_text,
        )
    )


async def set_password(db: Connection, account: str, password: str) -> None:
    await db.execute("UPDATE accounts.account SET password = $2 WHERE id = $1", account, password)


async def set_role(db: Connection, account: str, role: AccountRole) -> None:
    await db.execute("UPDATE accounts.account SET role = $2 WHERE id = $1", account, role)


async def set_banned(db: Connection, account: str, banned: bool) -> None:
    await db.execute("UPDATE accounts.account SET state = $2 WHERE id = $1", account, "banned" if banned else "active")


async def raise_generation(db: Connection, account: str) -> int:
    """Make older tokens of the account void; its new generation."""
    generation: int = await db.fetchval(
        "UPDATE accounts.account SET generation = generation + 1, generation_at = clock_timestamp() WHERE id = $1"
        " RETURNING generation",
        account,
    )
    return generation


async def lock_owners(db: Connection) -> int:
    """How many owners there are; that stays so until the transaction ends."""
    await db.execute("SELECT pg_advisory_xact_lock($1)", _OWNERS_LOCK)
    return await count_owners(db)


async def count_owners(db: Connection) -> int:
    """Owners who can log in."""
    count: int = await db.fetchval("SELECT count(*) FROM accounts.account WHERE role = 'owner' AND state = 'active'")
    return count
