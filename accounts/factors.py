"""The second factor: time-based codes of an authenticator (RFC 6238), and recovery codes for when it is lost.

The authenticator's secret is kept encrypted (AES-GCM, bound to the account), so that the database alone makes no codes.
A code is good once: its time step is kept, and none up to it counts again. Recovery codes are random and long, so a
plain hash keeps them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable

import pyotp
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from accounts import account_store, audit, factor_store, refusals
from accounts.account_store import AccountRow, Connection
from accounts.core import Core, access_account
from tertulia.catalogue import RecoveryCodes, TotpSecret
from tertulia.tokens import Principal, derived_secret

STEP_S = 30
WINDOW = 1
"""Steps that a clock may be off, either way (RFC 6238, section 5.2)."""
RECOVERY_CODES = 10
ISSUER = "Tertulia"


class FactorDesk:
    def __init__(self, core: Core, clock: Callable[[], float] = time.time) -> None:
        self._core = core
        self._clock = clock
        self._cipher = AESGCM(bytes.fromhex(derived_secret(core.settings.token_secret, "totp")))

    async def begin(self, principal: Principal, password: str) -> TotpSecret:
        """A new secret, which counts once a code of it is confirmed.

        Raises Unauthorized ``credentials-wrong``, Conflict ``second-factor-state``, RateLimited.
        """
        account = await self._proven(principal, password)
        if account.totp_on:
            raise refusals.wrong_state("An authenticator is set up already; remove that one first.")
        secret = pyotp.random_base32()
        async with self._core.database.acquire() as db:
            await factor_store.set_secret(db, account.id, self._sealed(account.id, secret))
        return TotpSecret(secret, pyotp.TOTP(secret).provisioning_uri(name=account.email, issuer_name=ISSUER))

    async def confirm(self, principal: Principal, code: str) -> RecoveryCodes:
        """The authenticator shows the right codes: from now on it is asked for. All other sessions end.

        Raises Unauthorized ``second-factor-wrong``, Conflict ``second-factor-state``, RateLimited.
        """
        await self._core.gate.check("second-factor", principal.identity)
        async with self._core.database.transaction() as db:
            account = await access_account(db, principal, "profile", lock=True)
            if account.totp_on or account.totp_secret is None:
                raise refusals.wrong_state("There is no authenticator that waits to be confirmed.")
            await self._use_code(db, account, code)
            await factor_store.set_on(db, account.id, True)
            codes = await self._new_codes(db, account.id)
            await audit.note(db, "second-factor-on", actor=account.id, subject=account.id)
        await self._core.sessions.end_all(account.id, but=principal.session)
        return codes

    async def remove(self, principal: Principal, password: str) -> None:
        """Log in with the password alone again. Raises what :meth:`begin` raises."""
        await self._proven(principal, password)
        async with self._core.database.transaction() as db:
            account = await access_account(db, principal, "profile", lock=True)
            await factor_store.set_secret(db, account.id, None)
            await factor_store.set_codes(db, account.id, [])
            await audit.note(db, "second-factor-off", actor=account.id, subject=account.id)

    async def renew_codes(self, principal: Principal, password: str) -> RecoveryCodes:
        """New recovery codes; the old ones are worthless. Raises what :meth:`begin` raises."""
        account = await self._proven(principal, password)
        if not account.totp_on:
            raise refusals.wrong_state("There is no authenticator that recovery codes could stand in for.")
        async with self._core.database.transaction() as db:
            return await self._new_codes(db, account.id)

    async def check(self, account: str, code: str) -> None:
        """Use up a code of the authenticator, or a recovery code. Raises Unauthorized ``second-factor-wrong``."""
        async with self._core.database.transaction() as db:
            row = await account_store.by_id(db, account, lock=True)
            if row is None or not row.totp_on:
                raise refusals.wrong_code()
            if not await factor_store.use_code(db, account, _hash(code)):
                await self._use_code(db, row, code)

    async def _proven(self, principal: Principal, password: str) -> AccountRow:
        core = self._core
        await core.gate.check("password", principal.identity)
        async with core.database.acquire() as db:
            account = await access_account(db, principal, "profile")
        if not await core.passwords.verify(account.password, password):
            raise refusals.wrong_credentials()
        return account

    async def _use_code(self, db: Connection, account: AccountRow, code: str) -> None:
        if account.totp_secret is None:
            raise refusals.wrong_code()
        totp = pyotp.TOTP(self._opened(account.id, account.totp_secret))
        given = "".join(code.split()).encode()
        now = int(self._clock()) // STEP_S
        for step in range(now - WINDOW, now + WINDOW + 1):
            right = hmac.compare_digest(totp.at(step * STEP_S).encode(), given)
            if right and await factor_store.use_step(db, account.id, step):
                return
        raise refusals.wrong_code()

    async def _new_codes(self, db: Connection, account: str) -> RecoveryCodes:
        codes = [f"{secrets.token_hex(4)}-{secrets.token_hex(4)}" for _ in range(RECOVERY_CODES)]
        await factor_store.set_codes(db, account, [_hash(code) for code in codes])
        return RecoveryCodes(codes)

    def _sealed(self, account: str, secret: str) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + self._cipher.encrypt(nonce, secret.encode(), account.encode())

    def _opened(self, account: str, sealed: bytes) -> str:
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], account.encode()).decode()
        except InvalidTag as error:
            # The server's secret was changed since: recovery codes still work.
            raise refusals.wrong_code() from error


def _hash(code: str) -> bytes:
    return hashlib.sha256("".join(code.split()).lower().encode()).digest()
