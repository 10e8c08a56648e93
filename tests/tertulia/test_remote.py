"""Whose connection it is, with and without proxies, and with headers that lie."""

from __future__ import annotations

import pytest

from tertulia.remote import networks, resolve

OURS = networks(["127.0.0.1", "10.0.0.0/8", "::1"])


@pytest.mark.parametrize(
    ("peer", "hops", "address"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),
        ("127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        ("127.0.0.1", ["198.51.100.1", "192.0.2.7"], "192.0.2.7"),
        ("10.1.2.3", ["198.51.100.1", "192.0.2.7", "10.9.9.9"], "192.0.2.7"),
        ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("::ffff:192.0.2.7", [], "192.0.2.7"),
        ("2001:db8::1:2:3:4", [], "2001:db8::"),
        ("::1", ["2001:db8:1:2:3::9"], "2001:db8:1:2::"),
        ("", ["192.0.2.7"], ""),
    ],
)
def test_address_is_the_first_that_is_no_proxy_of_ours(peer: str, hops: list[str], address: str) -> None:
    assert resolve(peer, hops, OURS) == address
