"""What the second factor keeps."""

from __future__ import annotations

from collections.abc import Sequence

from accounts.account_store import Connection


async def set_secret(db: Connection, account: str, sealed: bytes | None) -> None:
    """Begin with a new secret, or none; either way nothing is asked for until it is confirmed."""
    await db.execute(
        "UPDATE accounts.account SET totp_secret = $2, totp_on = false, totp_step = 0 WHERE id = $1", account, sealed
    )


async def set_on(db: Connection, account: str, on: bool) -> None:
    await db.execute("UPDATE accounts.account SET totp_on = $2 WHERE id = $1", account, on)


async def use_step(db: Connection, account: str, step: int) -> bool:
    """Use up all time steps up to this one; False if it was used before."""
    done = await db.fetchval(
        "UPDATE accounts.account SET totp_step = $2 WHERE id = $1 AND totp_step < $2 RETURNING true", account, step
    )
    return done is not None


async def set_codes(db: Connection, account: str, hashes: Sequence[bytes]) -> None:
    """These recovery codes and no others."""
    await db.execute("DELETE FROM accounts.recovery_code WHERE account_id = $1", account)
    await db.executemany(
        "INSERT INTO accounts.recovery_code (account_id, hash) VALUES ($1, $2)", [(account, one) for one in hashes]
    )


async def use_code(db: Connection, account: str, hashed: bytes) -> bool:
    """Use up a recovery code; False if there is no such."""
    done = await db.fetchval(
        "DELETE FROM accounts.recovery_code WHERE account_id = $1 AND hash = $2 RETURNING true", account, hashed
    )
    return done is not None
