"""Which addresses an answer advertises: what the operator says, else every address of this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

import ifaddr

from tertulia.settings import Settings


def advertised(settings: Settings) -> tuple[str, ...]:
    """Host candidates. Loopback is among them when found by itself, so that a laptop without a network can try it."""
    if settings.media_addresses:
        return settings.media_addresses
    if settings.media_bind:
        bound = [ipaddress.ip_address(text) for text in settings.media_bind]
        if not any(address.is_unspecified for address in bound):
            return tuple(str(address) for address in bound)
    return tuple(local_addresses())


def local_addresses() -> Iterable[str]:
    """Addresses of all interfaces, without link-local ones (they mean nothing without a scope)."""
    seen: dict[str, None] = {}
    for adapter in ifaddr.get_adapters():
        for item in adapter.ips:
            text = item.ip if isinstance(item.ip, str) else item.ip[0]
            if not ipaddress.ip_address(text).is_link_local:
                seen[text] = None
    return seen
