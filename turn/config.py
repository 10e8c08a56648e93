"""coturn's configuration (``turnserver.conf``), made from our settings and hardened.

A TURN server is a machine inside somebody's network that sends packets wherever a stranger asks. So peers in private,
loopback, link-local, multicast and translated ranges are refused (a relayed packet to 169.254.169.254 has opened cloud
accounts before), only UDP is relayed, nothing listens but TURN itself, and quotas bound what one credential can take.
"""

from __future__ import annotations

import ipaddress
import re

from tertulia.settings import Settings

# Special-purpose addresses (RFC 6890 and its registries), without the documentation ranges: nothing is there to harm.
DENIED = (
    "0.0.0.0/8",  # this network
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # carrier-grade NAT
    "127.0.0.0/8",  # loopback
    "169.254.0.0/16",  # link-local, cloud metadata
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments
    "192.88.99.0/24",  # 6to4 relay
    "192.168.0.0/16",  # private
    "198.18.0.0/15",  # benchmarking
    "224.0.0.0/4",  # multicast
    "240.0.0.0/4",  # reserved, broadcast
    "::1/128",  # loopback; "::" itself coturn always refuses, and a range that begins there would match all of IPv4
    "::ffff:0:0/96",  # IPv4 in another dress
    "64:ff9b::/96",  # translated IPv4
    "64:ff9b:1::/48",  # translated IPv4, local
    "100::/64",  # discard
    "2001::/32",  # Teredo
    "2002::/16",  # 6to4
    "fc00::/7",  # unique local
    "fe80::/10",  # link-local
    "fec0::/10",  # site-local, deprecated
    "ff00::/8",  # multicast
)

USER_QUOTA = 12  # allocations a credential: a client gathers one a server address, and again after a network change
TOTAL_QUOTA = 2400
BYTES_PER_S = 1_500_000  # an allocation, each way: a seated call with every picture at its best

_VALUE = re.compile(r"^[^\s#\"']+$")


class ConfigError(Exception):
    """The settings do not make a TURN server; the text is one sentence that says what to do."""


def render(settings: Settings) -> str:
    """The file's text. Raises ConfigError."""
    if not settings.turn_secret:
        raise ConfigError("turn_secret is not set; make one with: openssl rand -hex 32")
    for name in ("turn_secret", "turn_realm", "turn_cert", "turn_key", "turn_external_ip"):
        value = getattr(settings, name)
        if value and not _VALUE.match(value):
            raise ConfigError(f"{name} holds a space, a quote or a #, which this file cannot hold.")
    lines = [
        "# coturn's configuration, printed by `tertulia turn-config`. Change the settings and print it again.",
        "",
        "# Where it listens and relays",
        f"listening-port={settings.turn_port}",
        *(f"listening-ip={address}" for address in settings.turn_listen),
        *(f"relay-ip={address}" for address in settings.turn_listen),
        *([f"external-ip={settings.turn_external_ip}"] if settings.turn_external_ip else []),
        f"min-port={settings.turn_min_port}",
        f"max-port={settings.turn_max_port}",
        "",
        "# Who may use it: holders of a time-limited credential",
        f"realm={settings.turn_realm}",
        f"server-name={settings.turn_realm}",
        "use-auth-secret",
        f"static-auth-secret={settings.turn_secret}",
        "stale-nonce=600",
        "fingerprint",
        "no-auth-pings",
        "no-dynamic-ip-list",
        "no-dynamic-realms",
        "",
        "# How much",
        f"user-quota={USER_QUOTA}",
        f"total-quota={TOTAL_QUOTA}",
        f"max-bps={BYTES_PER_S}",
        f"max-allocate-lifetime={max(600, settings.turn_ttl_s)}",
        "",
        *_transport(settings),
        "",
        "# Nothing else listens, nothing is told",
        "no-cli",
        "no-tcp-relay",
        "no-software-attribute",
        "no-rfc5780",
        "no-stun-backward-compatibility",
        "response-origin-only-with-rfc5780",
        "log-file=stdout",
        "simple-log",
        "new-log-timestamp",
        "",
        "# Where it never relays to",
        "no-multicast-peers",
        *(f"denied-peer-ip={_range(network)}" for network in DENIED),
        *(f"allowed-peer-ip={_range(network)}" for network in settings.turn_allowed_peers),
    ]
    return "\n".join(lines) + "\n"


def _transport(settings: Settings) -> list[str]:
    if not settings.turn_cert:
        return [
            "# Without a certificate no TLS; what is relayed is encrypted end to end with the server anyway",
            "no-tls",
            "no-dtls",
        ]
    return [
        "# TLS, for networks that let nothing else out",
        f"tls-listening-port={settings.turn_tls_port}",
        f"cert={settings.turn_cert}",
        f"pkey={settings.turn_key}",
        "no-dtls",
        "no-tlsv1",
        "no-tlsv1_1",
        'cipher-list="ECDHE+AESGCM:ECDHE+CHACHA20"',
    ]


def _range(network: str) -> str:
    """coturn's way to write a network: first and last address."""
    parsed = ipaddress.ip_network(network)
    first, last = parsed[0], parsed[-1]
    return str(first) if first == last else f"{first}-{last}"
