"""The native media worker: one thread with one UDP port. Only :mod:`sfu.core` uses it.

Commands return at once and raise BufferError when the worker's ring is full. What a command names may be gone by the
time it is applied; then it does nothing. Handles (rooms, sessions, sources, slots) are made here and stay valid until
their ``("closed", handle)``. All methods are called from one thread.
"""

from typing import Literal, TypedDict

class WorkerCounters(TypedDict):
    cpu_us: int
    wakeups: int
    received: int
    received_bytes: int
    unknown_source: int
    malformed: int
    truncated: int
    kernel_drops: int
    sent: int
    sent_bytes: int
    sent_messages: int
    send_calls: int
    send_deferred: int
    send_dropped: int
    send_refused: int
    backlog: int
    sessions: int
    rooms: int
    receive_buffer: int
    send_buffer: int
    relayed: int
    relay_lost: int
    gso: bool

class SessionCounters(TypedDict):
    received: int
    received_bytes: int
    sent: int
    sent_bytes: int
    forged: int
    replayed: int
    dtls_dropped: int
    unproven: int

class SourceCounters(TypedDict):
    packets: int
    bytes: int
    lost: int
    key_frames: int
    key_frame_requests: int
    nacked: int
    repaired: int
    unrecovered: int
    unpacked: int
    jitter: int

class SlotCounters(TypedDict):
    packets: int
    bytes: int
    switches: int
    dropped: int
    nacked: int
    resent: int
    freezes: int
    frozen_us: int
    fraction_lost: int
    round_trip_us: int
    paused: bool
    spatial: int
    temporal: int

class ViewerCounters(TypedDict):
    """A viewer's network, of every session with slots. ``estimate_bps`` is 0 where it gives no feedback."""

    estimate_bps: int
    granted_bps: int
    wanted_bps: int
    probes: int
    loss: float
    round_trip_us: int

class Stats(TypedDict):
    worker: WorkerCounters
    sessions: dict[int, SessionCounters]
    sources: dict[int, SourceCounters]
    slots: dict[int, SlotCounters]
    viewers: dict[int, ViewerCounters]

PathState = Literal["checking", "connected", "disconnected", "failed"]

Event = (
    tuple[Literal["dtls"], int, bytes]
    | tuple[Literal["path"], int, PathState]
    | tuple[Literal["switched"], int, int, int]
    | tuple[Literal["active"], int, bool]
    | tuple[Literal["unsupported"], int, int]
    | tuple[Literal["speakers"], int, list[tuple[int, int]]]
    | tuple[Literal["paused"], int, bool]
    | tuple[Literal["layers"], int, int]
    | tuple[Literal["closed"], int]
    | tuple[Literal["stats"], Stats]
)

class Worker:
    def __init__(
        self,
        port: int,
        bind: list[str],
        socket_buffer: int,
        gso: bool,
        *,
        command_capacity: int = 8192,
        event_capacity: int = 4096,
        disconnected_after: float = 5.0,
        failed_after: float = 15.0,
        number: int = 0,
    ) -> None: ...
    @property
    def port(self) -> int: ...
    @property
    def event_fd(self) -> int: ...
    def start(self) -> None: ...
    def close(self) -> None: ...
    def poll(self, limit: int) -> list[Event]: ...
    def create_room(self) -> int: ...
    def close_room(self, room: int) -> None: ...
    def create_session(
        self, room: int, local_ufrag: str, local_pwd: str, remote_ufrag: str, remote_pwd: str
    ) -> int: ...
    def restart_ice(
        self, session: int, local_ufrag: str, local_pwd: str, remote_ufrag: str, remote_pwd: str
    ) -> None: ...
    def configure_media(
        self, session: int, extensions: dict[str, int], two_byte: bool, transport_cc: bool, remb: bool
    ) -> None: ...
    def set_srtp_keys(self, session: int, profile: int, send_key: bytes, receive_key: bytes) -> None: ...
    def send_dtls(self, session: int, datagram: bytes) -> None: ...
    def close_session(self, session: int) -> None: ...
    def add_source(
        self,
        session: int,
        csrc: int,
        mid: str,
        kind: str,
        rids: list[str],
        ssrcs: list[int],
        rtx_ssrcs: list[tuple[int, int]],
        payloads: list[tuple[int, str, int, int, int]],
        nack: bool,
    ) -> int: ...
    def remove_source(self, source: int) -> None: ...
    def pause_source(self, source: int, paused: bool) -> None: ...
    def add_slot(
        self,
        session: int,
        mid: str,
        kind: str,
        ssrc: int,
        rtx_ssrc: int,
        cname: str,
        payloads: list[tuple[int, int]],
        rtx_payloads: list[tuple[int, int]],
        stamp: str,
    ) -> int: ...
    def remove_slot(self, slot: int) -> None: ...
    def set_slots(self, views: list[tuple[int, bool, int, int]], sources: list[tuple[int, int]]) -> None: ...
    def link(self, other: Worker) -> None: ...
    def relay(self, session: int, other: Worker, mirror: int) -> None: ...
    def mirror(self, session: int, other: Worker, origin: int) -> None: ...
    def request_stats(self) -> None: ...
