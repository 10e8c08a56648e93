"""What the bus says about people: of whom to look again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

TOPIC = "presence:people"
PEOPLE_MAX = 15
"""As many as fit into a message of the bus; when it is more, everybody is looked at."""


@dataclass(frozen=True)
class PeopleHint:
    """These people came, went or chose another status. None: anybody may have."""

    people: frozenset[str] | None

    @classmethod
    def of(cls, people: Iterable[str]) -> Self:
        named = frozenset(people)
        return cls(named if len(named) <= PEOPLE_MAX else None)

    def to_bus(self) -> bytes:
        """Identities, which hold no space."""
        return b"*" if self.people is None else " ".join(sorted(self.people)).encode()

    def joined(self, later: PeopleHint) -> PeopleHint:
        if self.people is None or later.people is None:
            return PeopleHint(None)
        return PeopleHint.of(self.people | later.people)

    @classmethod
    def from_bus(cls, message: bytes) -> PeopleHint:
        """Raises ValueError."""
        return cls(None) if message == b"*" else cls.of(message.decode().split())
