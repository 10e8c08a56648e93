"""The native core's parsers and SRTP, built for the differential tests (`scripts/test-native`)."""

from typing import Any

class Srtp:
    """Both directions under one key. Methods raise `ValueError` with the reason: replayed, forged, not-newer…"""

    def __init__(self, profile: int, master: bytes) -> None: ...
    def protect(self, packet: bytes) -> bytes: ...
    def protect_rtcp(self, packet: bytes) -> bytes: ...
    def unprotect(self, packet: bytes) -> bytes: ...
    def unprotect_rtcp(self, packet: bytes) -> bytes: ...

def parse_rtp(packet: bytes) -> dict[str, Any] | None: ...
def build_rtp(
    marker: bool,
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    csrcs: list[int],
    extensions: list[tuple[int, bytes]],
    payload: bytes,
) -> bytes: ...
def parse_rtcp(compound: bytes) -> list[tuple[Any, ...]] | None: ...
def build_rtcp(
    ssrc: int,
    ntp: int,
    rtp_timestamp: int,
    packets: int,
    octets: int,
    reports: list[tuple[int, ...]],
    cname: str,
    lost: list[int],
    bitrate_bps: int,
    media_ssrc: int,
) -> bytes: ...
def parse_twcc(packet: bytes) -> list[tuple[int, int]] | None: ...
def build_twcc(feedback_count: int, base: int, arrivals: list[int], room: int) -> tuple[bytes, int]: ...
def parse_stun(datagram: bytes, password: str) -> dict[str, Any] | None: ...
def build_stun(
    type: int,
    transaction: bytes,
    username: str,
    priority: int,
    tie_breaker: int,
    use_candidate: bool,
    ip: bytes,
    port: int,
    password: str,
) -> bytes: ...
