"""coturn's configuration from settings, and the credentials that go with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress

import pytest

from tertulia.catalogue import IceServer
from tertulia.settings import Settings
from turn import config, credentials

SECRET = "0123456789abcdef"
SETTINGS = Settings(turn_secret=SECRET, turn_urls=("turn:turn.example.org:3478?transport=udp", "stun:turn.example.org"))


def denied(text: str) -> list[tuple[int, int, int]]:
    """(version, first, last) of every refused range."""
    ranges: list[tuple[int, int, int]] = []
    for line in text.splitlines():
        name, _, value = line.partition("=")
        if name == "denied-peer-ip":
            first, _, last = value.partition("-")
            low, high = ipaddress.ip_address(first), ipaddress.ip_address(last or first)
            ranges.append((low.version, int(low), int(high)))
    return ranges


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.168.1.1", "198.18.0.1", "224.0.0.251", "239.255.255.255", "255.255.255.255", "::1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", "fc00::1", "fdff::1", "fe80::1", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_inside_somebodys_network_is_refused(address: str) -> None:
    wanted = ipaddress.ip_address(address)
    ranges = denied(config.render(SETTINGS))
    assert any(version == wanted.version and low <= int(wanted) <= high for version, low, high in ranges)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "172.32.0.1", "192.0.2.1", "203.0.113.9", "2606:4700::1", "2001:db8::1"]
)
def test_an_address_on_the_internet_is_relayed_to(address: str) -> None:
    wanted = ipaddress.ip_address(address)
    ranges = denied(config.render(SETTINGS))
    assert not any(version == wanted.version and low <= int(wanted) <= high for version, low, high in ranges)


def test_no_range_begins_at_the_unspecified_ipv6_address() -> None:
    """coturn takes such a beginning for "any" and compares across families: every IPv4 peer would be refused."""
    assert not any(version == 6 and low == 0 for version, low, _ in denied(config.render(SETTINGS)))


def test_what_is_not_needed_is_switched_off() -> None:
    lines = config.render(SETTINGS).splitlines()
    for option in (
        "no-cli",
        "no-tcp-relay",
        "no-multicast-peers",
        "no-tls",
        "no-dtls",
        "no-rfc5780",
        "use-auth-secret",
    ):
        assert option in lines
    assert not any(line.startswith(("no-auth=", "allow-loopback", "web-admin", "lt-cred")) for line in lines)
    assert "no-auth" not in lines


def test_a_certificate_brings_tls_of_today_only() -> None:
    settings = Settings(turn_secret=SECRET, turn_cert="/etc/tls/chain.pem", turn_key="/etc/tls/key.pem")
    lines = config.render(settings).splitlines()
    assert {"cert=/etc/tls/chain.pem", "pkey=/etc/tls/key.pem", "no-tlsv1", "no-tlsv1_1"} <= set(lines)
    assert "no-tls" not in lines


def test_media_servers_with_private_addresses_are_allowed_by_name() -> None:
    text = config.render(Settings(turn_secret=SECRET, turn_allowed_peers=("172.20.0.10/32", "10.9.0.0/24")))
    assert "allowed-peer-ip=172.20.0.10\n" in text
    assert "allowed-peer-ip=10.9.0.0-10.9.0.255\n" in text


@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(turn_secret="two words"),
        Settings(turn_secret="a\nno-auth"),
        Settings(turn_secret=SECRET, turn_realm="x#y"),
    ],
)
def test_settings_that_make_no_server_are_refused(settings: Settings) -> None:
    with pytest.raises(config.ConfigError):
        config.render(settings)


def test_a_credential_is_the_signed_time_of_its_end() -> None:
    [stun, turn] = credentials.ice_servers(SETTINGS, "person-1", now=1_700_000_000.5)
    assert stun == IceServer(urls=["stun:turn.example.org"])
    assert turn.urls == ["turn:turn.example.org:3478?transport=udp"]
    assert turn.username == "1700003600:person-1"
    expected = hmac.new(SECRET.encode(), b"1700003600:person-1", hashlib.sha1).digest()
    assert turn.credential == base64.b64encode(expected).decode()


def test_without_urls_there_is_nothing_to_give() -> None:
    assert credentials.ice_servers(Settings(turn_secret=SECRET), "person-1") == []
