"""Made-up names: a room's id, which people read to each other and nobody can guess, and a guest's identity."""

from __future__ import annotations

import secrets

_FIRST = (
    "amber autumn brave bright calm clear clever cloudy copper coral crisp dawn deep distant eager early easy fair "
    "fine fresh gentle glad golden grand green happy hidden honest humble indigo jolly keen kind late light lively "
    "lucky lunar mellow merry mild misty modest noble olive open patient plain proud quick quiet rapid ready rosy "
    "round royal rustic silent silver simple smooth solar spring steady still"
).split()
_SECOND = (
    "acorn alder anchor apple arbor aspen badger bay beacon beech birch bridge brook canyon cedar cherry cliff cloud "
    "cove creek dune elm falcon fern field finch fjord forest fox garden glade grove harbor hazel heron hill island "
    "lagoon lake lark laurel linden maple marsh meadow mesa moon moss oak orchard otter owl pebble pine plum pond "
    "prairie quartz reef ridge river robin sparrow"
).split()
_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"  # without those that are mistaken for another, aloud or in print


def room_id() -> str:
    """For example ``calm-river-7kq2m9ab``: about 51 bits of chance, 39 of them in the last part alone."""
    tail = "".join(secrets.choice(_LETTERS) for _ in range(8))
    return f"{secrets.choice(_FIRST)}-{secrets.choice(_SECOND)}-{tail}"


def guest_identity() -> str:
    return f"guest-{secrets.token_hex(8)}"


def robot_identity() -> str:
    return f"robot-{secrets.token_hex(6)}"
