"""Which tokens of accounts no longer count, though they have not expired: the part of it that every request asks.

A token of an account names its session and the account's generation. A session that has ended is remembered here for
as long as a token of it may live; an account whose password, role or standing changed has a new generation, and older
tokens count no more. This holds no connection and asks nobody: ``accounts/revoking.py`` keeps it current.
"""

from __future__ import annotations

LIFE_S = 86_400 + 60
"""The longest life of a token that a session is asked for (a room's), and what clocks may differ by."""


class Revocations:
    """Ended sessions, and the generation below which an account's tokens are void. Times are seconds since 1970."""

    def __init__(self) -> None:
        self._sessions: dict[str, float] = {}
        self._generations: dict[str, tuple[int, float]] = {}

    def __len__(self) -> int:
        return len(self._sessions) + len(self._generations)

    def end_session(self, session: str, now: float) -> bool:
        """Whether that is news."""
        if session in self._sessions:
            return False
        self._sessions[session] = now
        return True

    def raise_generation(self, account: str, generation: int, now: float) -> bool:
        """Whether that is news."""
        known = self._generations.get(account)
        if known is not None and known[0] >= generation:
            return False
        self._generations[account] = (generation, now)
        return True

    def is_void(self, account: str, session: str, generation: int) -> bool:
        """Whether a token of this account, session and generation counts no more."""
        if session in self._sessions:
            return True
        least = self._generations.get(account)
        return least is not None and generation < least[0]

    def forget_before(self, moment: float) -> None:
        """Drop what no living token can name."""
        self._sessions = {one: at for one, at in self._sessions.items() if at >= moment}
        self._generations = {one: (least, at) for one, (least, at) in self._generations.items() if at >= moment}
