"""Sessions: one log-in on one device, from its first token to its end."""

from __future__ import annotations

import time
from dataclasses import dataclass

from accounts import account_store, audit, refresh, refusals, session_store
from accounts.account_store import AccountRow, Connection
from accounts.revoking import Revoking
from accounts.session_store import SESSIONS_MAX, SessionRow
from tertulia.catalogue import SessionInfo, SessionList
from tertulia.database import Database
from tertulia.tokens import ACCOUNT_KEY, Principal, Tokens, derived_secret

ACCESS_TTL_S = 15 * 60
AGENT_CHARACTERS_MAX = 200


@dataclass(frozen=True)
class Device:
    """What asks to be logged in: a browser of ours, that gets cookies, or a program; and what it calls itself."""

    browser: bool
    agent: str = ""


@dataclass(frozen=True)
class Grant:
    """A session's newest tokens. ``expires_at`` is the access token's, in seconds since 1970."""

    account: AccountRow
    session: str
    browser: bool
    access: str
    refresh: str
    expires_at: float


class SessionDesk:
    """Opens, renews, lists and ends sessions."""

    def __init__(self, database: Database, tokens: Tokens, revoking: Revoking, secret: str) -> None:
        self._database = database
        self._tokens = tokens
        self._revoking = revoking
        self._minter = refresh.Minter(derived_secret(secret, "refresh-tokens"))

    async def open(self, db: Connection, account: AccountRow, device: Device) -> tuple[Grant, list[str]]:
        """A new session, always under an id of its own, and those that gave way to it: the caller, who commits, has
        them ended with :meth:`ended`."""
        session = await session_store.make(db, account.id, device.browser, device.agent[:AGENT_CHARACTERS_MAX])
        living = await session_store.living(db, account.id)
        surplus = await session_store.end(db, account.id, [row.id for row in living[SESSIONS_MAX:]])
        return self._grant(account, session, 0), surplus

    def ended(self, account: str, sessions: list[str], generation: int | None = None) -> None:
        """It is committed that these sessions have ended."""
        if sessions or generation is not None:
            self._revoking.ended(account, sessions, generation)

    async def renew(self, token: str) -> Grant:
        """New tokens for a refresh token, which is used up by it. Raises Unauthorized ``refresh-invalid``.

        One that was used before ends the session: either its owner or a thief holds what came of it.
        """
        said = refresh.read(token)
        if said is None:
            raise refusals.bad_refresh()
        async with self._database.transaction() as db:
            session = await session_store.get(db, said.session)
            if session is None or not session.living or not self._minter.proves(said, session.salt):
                raise refusals.bad_refresh()
            account = await account_store.by_id(db, session.account_id)
            if account is None or account.banned:
                raise refusals.bad_refresh()
            if await session_store.advance(db, session.id, said.number):
                return self._grant(account, session, said.number + 1)
            ended = await session_store.end(db, account.id, [session.id])
            if ended:
                await audit.note(db, "refresh-reused", subject=account.id)
        self.ended(session.account_id, ended)
        raise refusals.bad_refresh()

    async def listed(self, principal: Principal) -> SessionList:
        """One's own sessions, the last used first."""
        async with self._database.acquire() as db:
            rows = await session_store.living(db, principal.identity)
        return SessionList(
            [
                SessionInfo(
                    id=row.id,
                    agent=row.agent,
                    browser=row.browser,
                    created_at=round(row.created_at.timestamp() * 1000),
                    used_at=round(row.used_at.timestamp() * 1000),
                    current=row.id == principal.session,
                )
                for row in rows
            ]
        )

    async def end(self, account: str, session: str) -> bool:
        """End one of the account's sessions; whether there was such a one."""
        async with self._database.transaction() as db:
            ended = await session_store.end(db, account, [session])
        self.ended(account, ended)
        return bool(ended)

    async def end_all(self, account: str, but: str | None = None) -> None:
        """End all of the account's sessions, one excepted."""
        async with self._database.transaction() as db:
            ended = await session_store.end_all(db, account, but)
        self.ended(account, ended)

    def _grant(self, account: AccountRow, session: SessionRow, number: int) -> Grant:
        return Grant(
            account=account,
            session=session.id,
            browser=session.browser,
            access=self._tokens.mint(
                "",
                account.id,
                account.name,
                ttl_s=ACCESS_TTL_S,
                key_id=ACCOUNT_KEY,
                session=session.id,
                generation=account.generation,
            ),
            refresh=self._minter.make(session.id, session.salt, number),
            expires_at=int(time.time()) + ACCESS_TTL_S,
        )
