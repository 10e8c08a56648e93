"""What the bus says about accounts: of which the sessions or the standing changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

TOPIC = "accounts:changed"
NAMED_MAX = 15
"""As many as fit into a message of the bus; when it is more, all that changed lately are looked at."""


@dataclass(frozen=True)
class AccountsHint:
    """These accounts changed. None: any may have."""

    accounts: frozenset[str] | None

    @classmethod
    def of(cls, accounts: Iterable[str]) -> Self:
        named = frozenset(accounts)
        return cls(named if len(named) <= NAMED_MAX else None)

    def to_bus(self) -> bytes:
        """Identities, which hold no space."""
        return b"*" if self.accounts is None else " ".join(sorted(self.accounts)).encode()

    def joined(self, later: AccountsHint) -> AccountsHint:
        if self.accounts is None or later.accounts is None:
            return AccountsHint(None)
        return AccountsHint.of(self.accounts | later.accounts)

    @classmethod
    def from_bus(cls, message: bytes) -> AccountsHint:
        """Raises ValueError."""
        return cls(None) if message == b"*" else cls.of(message.decode().split())
