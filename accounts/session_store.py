"""Sessions as rows."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.account_store import Connection

SESSION_DAYS = 30
"""How long a session lives that is not refreshed."""
SESSIONS_MAX = 50
"""Of one account; the one not used for longest gives way."""


@dataclass(frozen=True)
class SessionRow:
    id: str
    account_id: str
    salt: bytes
    number: int
    browser: bool
    agent: str
    created_at: datetime
    used_at: datetime
    living: bool


_COLUMNS = (
    "id::text, account_id, salt, number, browser, agent, created_at, used_at,"
    " ended_at IS NULL AND expires_at > now() AS living"
)


async def make(db: Connection, account: str, browser: bool, agent: str) -> SessionRow:
    row = await db.fetchrow(
        "INSERT INTO accounts.session (id, account_id, salt, browser, agent, expires_at)"
        f" VALUES ($1::uuid, $2, $3, $4, $5, now() + make_interval(days => $6)) RETURNING {_COLUMNS}",
        str(uuid.uuid4()),
        account,
        secrets.token_bytes(16),
        browser,
        agent,
        SESSION_DAYS,
    )
    return SessionRow(**dict(row))


async def get(db: Connection, session: str) -> SessionRow | None:
    row = await db.fetchrow(f"SELECT {_COLUMNS} FROM accounts.session WHERE id = $1::uuid", session)
    return None if row is None else SessionRow(**dict(row))


async def advance(db: Connection, session: str, number: int) -> bool:
    """Use up the refresh token of this number; False if that has happened already, or the session is over."""
    done = await db.fetchval(
        "UPDATE accounts.session SET number = number + 1, used_at = now(),"
        " expires_at = now() + make_interval(days => $3)"
        " WHERE id = $1::uuid AND number = $2 AND ended_at IS NULL AND expires_at > now() RETURNING true",
        session,
        number,
        SESSION_DAYS,
    )
    return done is not None


async def living(db: Connection, account: str) -> list[SessionRow]:
    """The account's sessions, the last used first."""
    rows = await db.fetch(
        f"SELECT {_COLUMNS} FROM accounts.session WHERE account_id = $1 AND ended_at IS NULL AND expires_at > now()"
        " ORDER BY used_at DESC, id",
        account,
    )
    return [SessionRow(**dict(row)) for row in rows]


async def end(db: Connection, account: str, sessions: Sequence[str]) -> list[str]:
    """End those of the sessions that are the account's; which they were."""
    rows = await db.fetch(
        "UPDATE accounts.session SET ended_at = clock_timestamp()"
        " WHERE account_id = $1 AND id = ANY($2::uuid[]) AND ended_at IS NULL RETURNING id::text",
        account,
        list(sessions),
    )
    return [row["id"] for row in rows]


async def end_all(db: Connection, account: str, but: str | None = None) -> list[str]:
    """End all of the account's sessions, one excepted; which they were."""
    rows = await db.fetch(
        "UPDATE accounts.session SET ended_at = clock_timestamp()"
        " WHERE account_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $2::uuid RETURNING id::text",
        account,
        but,
    )
    return [row["id"] for row in rows]


async def sweep(db: Connection) -> None:
    """Forget sessions and links that no token names any more."""
    await db.execute(
        "DELETE FROM accounts.session WHERE expires_at < now() - interval '2 days'"
        " OR ended_at < now() - interval '2 days'"
    )
    await db.execute("DELETE FROM accounts.link WHERE expires_at < now() - interval '1 day'")


async def voided(
    db: Connection, accounts: Sequence[str] | None, back_s: float
) -> tuple[list[tuple[str, str]], list[tuple[str, int]]]:
    """What became void in the last ``back_s`` seconds, of these accounts or of all: (account, session) and
    (account, generation)."""
    since = "clock_timestamp() - make_interval(secs => $2)"
    ended = await db.fetch(
        "SELECT account_id, id::text FROM accounts.session"
        f" WHERE ended_at > {since} AND ($1::text[] IS NULL OR account_id = ANY($1))",
        accounts,
        back_s,
    )
    raised = await db.fetch(
        "SELECT id, generation FROM accounts.account"
        f" WHERE generation > 0 AND generation_at > {since} AND ($1::text[] IS NULL OR id = ANY($1))",
        accounts,
        back_s,
    )
    return [(row["account_id"], row["id"]) for row in ended], [(row["id"], row["generation"]) for row in raised]
