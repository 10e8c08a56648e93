"""What every part of the accounts works with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from accounts import account_store, refusals
from accounts.account_store import AccountRow, Connection
from accounts.mail import Mailer
from accounts.passwords import Passwords
from accounts.permissions import AccountRight, check_right
from accounts.rates import Gate
from accounts.sessions import SessionDesk
from tertulia.database import Database
from tertulia.settings import Settings
from tertulia.tokens import Principal

Know = Callable[[str, str], Awaitable[None]]
"""Tells the rest of the program of somebody's identity and name, so that they can be written to."""

Block = Callable[[Principal, str, bool], Awaitable[None]]
"""Has nothing more of somebody reach the asker, or again; where messages are kept."""


@dataclass(frozen=True)
class Core:
    settings: Settings
    database: Database
    passwords: Passwords
    sessions: SessionDesk
    mailer: Mailer
    gate: Gate


async def access_account(db: Connection, principal: Principal, right: AccountRight, lock: bool = False) -> AccountRow:
    """The asker's own account as it is now, if its role has the right: the one gate to all of this.

    A token of a room is for that room, whoever holds it. Raises Forbidden ``account-needed`` or ``right-missing``,
    Unauthorized ``session-ended``.
    """
    if not principal.account or principal.room:
        raise refusals.account_needed()
    account = await account_store.by_id(db, principal.identity, lock)
    if account is None or account.banned:
        raise refusals.session_ended()
    check_right(account.role, right)
    return account
