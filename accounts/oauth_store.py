"""Log-ins by way of others that are under way, and who is whom there."""

from __future__ import annotations

from dataclasses import dataclass

from accounts import account_store
from accounts.account_store import AccountRow, Connection


@dataclass(frozen=True)
class FlowRow:
    """A log-in that is at the provider now."""

    provider: str
    nonce: str
    verifier: str
    path: str
    link_account: str | None
    link_session: str | None


async def make(db: Connection, state_hash: bytes, browser_hash: bytes, flow: FlowRow, life_s: int) -> None:
    """Keep a flow for a while; those that nobody came back from are forgotten."""
    await db.execute("DELETE FROM accounts.oauth_flow WHERE expires_at < now()")
    await db.execute(
        "INSERT INTO accounts.oauth_flow (state_hash, browser_hash, provider, nonce, verifier, path, link_account,"
        " link_session, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8::uuid, now() + make_interval(secs => $9))",
        state_hash,
        browser_hash,
        flow.provider,
        flow.nonce,
        flow.verifier,
        flow.path,
        flow.link_account,
        flow.link_session,
        life_s,
    )


async def take(db: Connection, state_hash: bytes, browser_hash: bytes) -> FlowRow | None:
    """The flow, which is over with it; None for a state that is made up, used, old, or another browser's."""
    row = await db.fetchrow(
        "DELETE FROM accounts.oauth_flow WHERE state_hash = $1 AND browser_hash = $2 AND expires_at > now()"
        " RETURNING provider, nonce, verifier, path, link_account, link_session::text",
        state_hash,
        browser_hash,
    )
    return None if row is None else FlowRow(**dict(row))


async def account_of(db: Connection, issuer: str, subject: str) -> AccountRow | None:
    """The account that somebody at a provider is."""
    account = await db.fetchval(
        "SELECT account_id FROM accounts.identity WHERE issuer = $1 AND subject = $2", issuer, subject
    )
    return None if account is None else await account_store.by_id(db, account)


async def link(db: Connection, issuer: str, subject: str, account: str, provider: str) -> str:
    """Make somebody at a provider this account, unless they are one; which they are now."""
    await db.execute(
        "INSERT INTO accounts.identity (issuer, subject, account_id, provider) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (issuer, subject) DO NOTHING",
        issuer,
        subject,
        account,
        provider,
    )
    owner: str = await db.fetchval(
        "SELECT account_id FROM accounts.identity WHERE issuer = $1 AND subject = $2", issuer, subject
    )
    return owner
