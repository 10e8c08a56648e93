"""E-mail addresses: which are taken, and what one is found by."""

from __future__ import annotations

import re

from accounts import refusals

# ASCII without spaces and controls: nothing in it can end a header's line or hide in another script. Domains of other
# scripts are written as they travel (xn--…).
_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*")


def checked(text: str) -> str:
    """The address without the spaces around it. Raises BadRequest ``email-invalid``."""
    address = text.strip()
    if _ADDRESS.fullmatch(address) is None or len(address) > 254:
        raise refusals.bad_email()
    return address


def key_of(address: str) -> str:
    """What the address is found by: capitals make no other person."""
    return address.lower()


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()
