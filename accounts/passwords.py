"""Passwords: what one must be, and argon2id in a few threads, so that neither time nor memory runs away.

Each hash takes ``MEMORY_KIB`` while it is computed; at most ``THREADS`` run at once and ``WAITING_MAX`` wait, whoever
asks. A password for an account that does not exist is checked all the same, against a hash nobody knows the password
of: the answer takes as much work, so its time says nothing. (RFC 9106; OWASP Password Storage Cheat Sheet.)
"""

from __future__ import annotations

import asyncio
import secrets
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from tertulia.errors import BadRequest, RateLimited

T = TypeVar("T")

MEMORY_KIB = 32 * 1024
PASSES = 3
LANES = 1
THREADS = 2
WAITING_MAX = 32
CHARACTERS_MIN = 10
DIFFERENT_MIN = 5


def check_password(password: str, *others: str) -> None:
    """Refuse what would be guessed. Raises BadRequest ``password-weak``.

    Length is what counts (NIST SP 800-63B, section 5.1.1.2); ``others`` are what everybody knows of its owner.
    """
    plain = prepared(password).casefold()
    known = any(len(other) > 3 and other.casefold() == plain for other in others)
    if len(password) < CHARACTERS_MIN or len(set(plain)) < DIFFERENT_MIN or known:
        raise BadRequest("password-weak", f"Choose a password of at least {CHARACTERS_MIN} characters.", "password")


def prepared(password: str) -> str:
    """The same however a keyboard composes it (NFKC)."""
    return unicodedata.normalize("NFKC", password)


class Passwords:
    """Hashes and checks, in threads of its own."""

    def __init__(self, hasher: PasswordHasher | None = None, threads: int = THREADS) -> None:
        self._hasher = hasher or PasswordHasher(PASSES, MEMORY_KIB, LANES)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._waiting = 0
        self._waiting_max = WAITING_MAX + threads
        self._nobodys = self._hasher.hash(secrets.token_hex(16))
        self.computed = 0
        """How many hashes were computed; each costs the same."""

    def close(self) -> None:
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The PHC string to keep. Raises RateLimited ``busy``."""
        return await self._run(lambda: self._hasher.hash(prepared(password)))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether it is the password; as much work if there is none (``kept`` is None). Raises RateLimited ``busy``."""

        def check() -> bool:
            try:
                return self._hasher.verify(kept or self._nobodys, prepared(password))
            except (VerificationError, InvalidHashError):
                return False

        return await self._run(check) and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether it was made with other parameters than those of today."""
        return self._hasher.check_needs_rehash(kept)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= self._waiting_max:
            raise RateLimited("busy", "Too many people log in at this moment; try again.", retry_after_s=1)
        self._waiting += 1
        try:
            self.computed += 1
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
