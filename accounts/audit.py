"""The audit log: what administrators did, written in the transaction that does it. It names people by id only."""

from __future__ import annotations

from accounts.account_store import Connection
from tertulia.catalogue import AuditEntry

PAGE = 100


async def note(
    db: Connection, action: str, actor: str | None = None, subject: str | None = None, detail: str = ""
) -> None:
    """Keep that ``actor`` did this to ``subject``; with the transaction it stays or vanishes."""
    await db.execute(
        "INSERT INTO accounts.audit (action, actor, subject, detail) VALUES ($1, $2, $3, $4)",
        action,
        actor,
        subject,
        detail,
    )


async def page(db: Connection, before: int | None) -> tuple[list[AuditEntry], int | None]:
    """The newest entries, or those before a number; where the next page begins."""
    rows = await db.fetch(
        "SELECT id, at, action, actor, subject, detail FROM accounts.audit WHERE $1::bigint IS NULL OR id < $1"
        " ORDER BY id DESC LIMIT $2",
        before,
        PAGE,
    )
    entries = [
        AuditEntry(round(row["at"].timestamp() * 1000), row["action"], row["actor"], row["subject"], row["detail"])
        for row in rows
    ]
    return entries, rows[-1]["id"] if len(rows) == PAGE else None
