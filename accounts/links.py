"""Links that are good once: to register, to set a new password, to be the first owner, and the ticket between the two
steps of a log-in. What is in a link is 256 random bits; kept is only their hash, so a stolen table opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from accounts.account_store import Connection
from tertulia.catalogue import AccountRole

Purpose = Literal["owner", "register", "invite", "reset", "ticket"]

SHOWN: tuple[Purpose, ...] = ("owner", "register", "invite", "reset")
"""Those that people open in a browser."""
LIFE_S: dict[Purpose, int] = {
    "owner": 86_400,
    "register": 86_400,
    "invite": 7 * 86_400,
    "reset": 3600,
    "ticket": 300,
}


@dataclass(frozen=True)
class LinkRow:
    purpose: Purpose
    account_id: str | None
    email: str | None
    role: AccountRole | None
    made_by: str | None
    via: bytes | None


@dataclass(frozen=True)
class Made:
    """A new link's secret, told once."""

    token: str
    expires_at: datetime


async def make(
    db: Connection,
    purpose: Purpose,
    *,
    account: str | None = None,
    email: str | None = None,
    role: AccountRole | None = None,
    made_by: str | None = None,
    via: str | None = None,
    uses: int = 1,
    ttl_s: int | None = None,
) -> Made:
    """A new link. ``via``: the token of the invitation that is used up with it."""
    token = secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + timedelta(seconds=ttl_s or LIFE_S[purpose])
    await db.execute(
        "INSERT INTO accounts.link (hash, purpose, account_id, email, role, made_by, via, uses_left, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        _hash(token),
        purpose,
        account,
        email,
        role,
        made_by,
        _hash(via) if via is not None else None,
        uses,
        expires_at,
    )
    return Made(token, expires_at)


async def look(db: Connection, token: str, *purposes: Purpose) -> LinkRow | None:
    """What the link is for, without using it."""
    row = await db.fetchrow(
        "SELECT purpose, account_id, email, role, made_by, via FROM accounts.link"
        " WHERE hash = $1 AND purpose = ANY($2::text[]) AND uses_left > 0 AND expires_at > now()",
        _hash(token),
        list(purposes),
    )
    return None if row is None else LinkRow(**dict(row))


async def use(db: Connection, token: str, *purposes: Purpose) -> LinkRow | None:
    """Use the link up by one; None if it is not good. Of two at the same moment one succeeds."""
    return await _use(db, _hash(token), purposes)


async def use_via(db: Connection, via: bytes) -> bool:
    """Use up by one the invitation that a link came from; whether it was still good."""
    return await _use(db, via, ("invite",)) is not None


async def _use(db: Connection, hashed: bytes, purposes: tuple[Purpose, ...]) -> LinkRow | None:
    row = await db.fetchrow(
        "UPDATE accounts.link SET uses_left = uses_left - 1"
        " WHERE hash = $1 AND purpose = ANY($2::text[]) AND uses_left > 0 AND expires_at > now()"
        " RETURNING purpose, account_id, email, role, made_by, via",
        hashed,
        list(purposes),
    )
    return None if row is None else LinkRow(**dict(row))


async def drop(db: Connection, account: str, purpose: Purpose) -> None:
    """Make the account's links of a purpose worthless."""
    await db.execute("DELETE FROM accounts.link WHERE account_id = $1 AND purpose = $2", account, purpose)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
