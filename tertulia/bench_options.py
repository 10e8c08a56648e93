"""What a benchmark measures and what it finds: plain values, shared by the command and the measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Shape = Literal["frames", "even"]
Cipher = Literal["gcm128", "gcm256", "cm"]
Case = Literal["none", "unknown", "stun", "srtp", "dtls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is measured; the fields are the command's options."""

    publishers: int = 1
    audio: bool = False
    shape: Shape = "even"
    pps: float = 80.0
    packet_bytes: int = 1100
    seconds: float = 10.0
    cipher: Cipher = "gcm128"
    saturate: bool = False
    idle: bool = True
    feedback: bool = False
    workers: int = 1
    """More than one share both cores with the load, and the room is spread over them evenly."""
    polling: bool = True
    """Receivers ask for packets without pause instead of sleeping, as far as the server can tell on another machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Figures of one number of viewers. Times are of the server process unless they say otherwise."""

    publishers: int
    viewers: int
    pps: float
    """Video packets a second of each publisher."""
    delivered: int
    delivered_per_s: float
    bytes_per_packet: float
    loss: float
    verified: int
    mismatched: int
    cpu_us_per_packet: float
    worker_us_per_packet: float
    cpu_share: float
    """Of one core."""
    delay_p50_ms: float
    delay_p99_ms: float
    late_ms: float
    """How far the load generator was behind its own schedule at worst: its part in the delay."""
    idle_share: float | None
    """Of one core, with everybody connected and nothing sent."""
    memory_kib_per_viewer: float
    join_describe_ms: float
    join_connect_ms: float
    joins_per_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flooded:
    """One case. ``flood_per_s`` is what was really sent."""

    case: Case
    flood_per_s: float
    delivered: int
    lost: int
    loss: float
    delay_p50_ms: float
    delay_p99_ms: float
    cpu_share: float
    """The server's, of one core."""
    late_ms: float
