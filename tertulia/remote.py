"""Whose connection a request came over: the peer's address, or what a proxy that is ours says of it.

``X-Forwarded-For`` is written by anybody. It counts only where the connection comes from a proxy in
``trusted_proxies``, and of it only the part that such proxies added: from the right, up to the first address that is
none of ours. The address is used to count by and goes into no log.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from aiohttp import web

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(written: Sequence[str]) -> tuple[Network, ...]:
    """Addresses and networks as settings have them. Raises ValueError."""
    return tuple(ipaddress.ip_network(one) for one in written)


def address_of(request: web.BaseRequest, trusted: Sequence[Network]) -> str:
    """The client's address; for IPv6 its /64, of which one client has all. Empty if it cannot be known."""
    peer = request.transport.get_extra_info("peername") if request.transport is not None else None
    hops = [hop.strip() for line in request.headers.getall("X-Forwarded-For", []) for hop in line.split(",")]
    return resolve(peer[0] if isinstance(peer, tuple) else "", hops, trusted)


def resolve(peer: str, hops: Sequence[str], trusted: Sequence[Network]) -> str:
    """The first address, from the nearest on, that is no proxy of ours."""
    found = ""
    for text in (peer, *reversed(hops)):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            break
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        found = str(address if address.version == 4 else ipaddress.ip_network((address, 64), strict=False)[0])
        if not any(address.version == network.version and address in network for network in trusted):
            break
    return found
