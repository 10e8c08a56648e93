"""The core as Python sees it: typed commands, and events that arrive on the event loop.

Commands return at once; they raise :class:`CoreBusy` when the worker lags so far behind that its ring is full. Handles
are plain integers: a stale one makes a command do nothing. Events are told to the handler of the session or room they
belong to: those of a slot or a source to its session's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, ParamSpec, Protocol, TypeVar

import structlog

from sfu._core import Worker

if TYPE_CHECKING:
    from sfu._core import Event as RawEvent
    from sfu._core import PathState, Stats

DRAIN: Final = 128
"""Events taken at once; then other work of the loop has its turn (the eventfd stays readable while more wait)."""

SOCKET_BUFFER: Final = 4 * 1024 * 1024
"""About 30 ms of what one worker can send; four times as much to receive. Beyond ``net.core.wmem_max`` and ``rmem_max``
only where the system lets us."""

RETRY_S: Final = 0.1
"""After which a worker whose ring was full is asked again."""

log = structlog.get_logger()

P = ParamSpec("P")
T = TypeVar("T")


class CoreBusy(Exception):
    """The worker's command ring is full. It empties within milliseconds unless the machine is overloaded."""


class CoreSettings(Protocol):
    """What the core needs of the settings."""

    @property
    def media_port(self) -> int: ...
    @property
    def media_bind(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class DtlsReceived:
    """A DTLS datagram from a path that passed a check of this session."""

    session: int
    datagram: bytes


@dataclass(frozen=True, slots=True)
class PathChanged:
    """``disconnected``: the client is silent; ``failed``: its consent has expired and nothing is sent any more."""

    session: int
    state: PathState


@dataclass(frozen=True, slots=True)
class Switched:
    """The slot shows ``source`` from this RTP timestamp of its own line on (0: nothing)."""

    slot: int
    source: int
    first_rtp_timestamp: int


@dataclass(frozen=True, slots=True)
class SourceActive:
    """The source began to send, or fell silent."""

    source: int
    active: bool


@dataclass(frozen=True, slots=True)
class SlotUnsupported:
    """The slot's viewer has no payload type for what ``source`` sends."""

    slot: int
    source: int


@dataclass(frozen=True, slots=True)
class SlotPaused:
    """The slot's viewer has no bandwidth for any layer of its source, or has again."""

    slot: int
    paused: bool


@dataclass(frozen=True, slots=True)
class LayersWanted:
    """Bits of the layers of a source, in the order of its RIDs, that somebody wants now."""

    source: int
    layers: int


@dataclass(frozen=True, slots=True)
class SpeakersChanged:
    """(source, RFC 6464 level) of those who speak, loudest first."""

    room: int
    speakers: list[tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Closed:
    """The worker has forgotten this handle."""

    handle: int


SessionEvent = (
    DtlsReceived | PathChanged | Switched | SourceActive | SlotUnsupported | SlotPaused | LayersWanted | Closed
)
RoomEvent = SpeakersChanged | Closed
SessionHandler = Callable[[SessionEvent], None]
RoomHandler = Callable[[RoomEvent], None]
MediaKind = Literal["audio", "video"]


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """Both ends' credentials (RFC 8445, section 5.3)."""

    local_ufrag: str
    local_pwd: str
    remote_ufrag: str
    remote_pwd: str


@dataclass(frozen=True, slots=True)
class PayloadType:
    """A payload type of a publisher. ``format`` names the codec with its parameters; ``apt`` is what RTX repairs."""

    pt: int
    codec: str
    format: int
    clock_rate: int
    apt: int = 0


@dataclass(slots=True)
class SlotChanges:
    """What is wanted of slots, and what they show from now on, whatever came before."""

    views: list[tuple[int, bool, int, int]] = field(default_factory=list)
    """(slot, visible, width x height of its place or 0, priority: higher is served first)"""
    sources: list[tuple[int, int]] = field(default_factory=list)
    """(slot, source or 0)"""

    def __bool__(self) -> bool:
        return bool(self.views or self.sources)


class Core:
    """One worker, started and stopped with the event loop.

    :raises OSError: the port is taken or an address is not ours
    """

    def __init__(
        self,
        settings: CoreSettings,
        *,
        socket_buffer: int = SOCKET_BUFFER,
        gso: bool = True,
        command_capacity: int = 8192,
        disconnected_after: float = 5.0,
        failed_after: float = 15.0,
        number: int = 0,
    ) -> None:
        self._worker = Worker(
            settings.media_port,
            list(settings.media_bind),
            socket_buffer,
            gso,
            command_capacity=command_capacity,
            disconnected_after=disconnected_after,
            failed_after=failed_after,
            number=number,
        )
        self._sessions: dict[int, SessionHandler] = {}
        self._rooms: dict[int, RoomHandler] = {}
        self._session_of: dict[int, int] = {}
        self._stats: asyncio.Future[Stats] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def port(self) -> int:
        """The UDP port, the same for IPv4 and IPv6."""
        return self._worker.port

    @property
    def sessions(self) -> int:
        """How many sessions the worker has."""
        return len(self._sessions)

    def start(self) -> None:
        """Begin to work; call it on the event loop that events shall arrive on."""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._worker.event_fd, self._drain)
        self._worker.start()

    def close(self) -> None:
        """Stop at once: sockets fall silent, no more events. Commands after it do nothing that anyone sees."""
        if self._loop is not None:
            self._loop.remove_reader(self._worker.event_fd)
            self._loop = None
        self._worker.close()
        if self._stats is not None:
            self._stats.cancel()
        # No event will come that lets them go.
        self._rooms.clear()
        self._sessions.clear()
        self._session_of.clear()

    # --- commands ---

    def create_room(self, handler: RoomHandler) -> int:
        room = self._command(self._worker.create_room)
        self._rooms[room] = handler
        return room

    def close_room(self, room: int) -> None:
        """Close the room with all its sessions."""
        self._command(self._worker.close_room, room)

    def create_session(self, room: int, ice: IceCredentials, handler: SessionHandler) -> int:
        session = self._command(
            self._worker.create_session, room, ice.local_ufrag, ice.local_pwd, ice.remote_ufrag, ice.remote_pwd
        )
        self._sessions[session] = handler
        return session

    def restart_ice(self, session: int, ice: IceCredentials) -> None:
        """New credentials; the old ones stay valid for some seconds."""
        self._command(
            self._worker.restart_ice, session, ice.local_ufrag, ice.local_pwd, ice.remote_ufrag, ice.remote_pwd
        )

    def configure_media(
        self, session: int, extensions: Mapping[str, int], *, two_byte: bool, transport_cc: bool, remb: bool
    ) -> None:
        """Header extension ids by short name, and which congestion feedback the client understands."""
        self._command(self._worker.configure_media, session, dict(extensions), two_byte, transport_cc, remb)

    def set_srtp_keys(self, session: int, profile: int, send_key: bytes, receive_key: bytes) -> None:
        """The handshake is complete: key and salt of either direction, by the IANA number of the profile."""
        self._command(self._worker.set_srtp_keys, session, profile, send_key, receive_key)

    def send_dtls(self, session: int, datagram: bytes) -> None:
        """Send one datagram to the session's path; without one it is dropped, as a network would."""
        self._command(self._worker.send_dtls, session, datagram)

    def close_session(self, session: int) -> None:
        """Close the session with its sources and slots."""
        self._command(self._worker.close_session, session)

    def end_session(self, session: int, then: Callable[[], None] = lambda: None) -> None:
        """The same, again until the worker takes it: a session must not outlive its end. ``then`` follows at once."""
        try:
            self.close_session(session)
        except CoreBusy:
            asyncio.get_running_loop().call_later(RETRY_S, self.end_session, session, then)
        else:
            then()

    def link(self, other: Core) -> None:
        """Make both ways between this worker and another."""
        self._command(self._worker.link, other._worker)

    def relay(self, session: int, other: Core, mirror: int) -> None:
        """Packets of this session go to its mirror on the other worker too."""
        self._command(self._worker.relay, session, other._worker, mirror)

    def mirror(self, session: int, other: Core, origin: int) -> None:
        """This session has no client: it stands for ``origin`` of the other worker."""
        self._command(self._worker.mirror, session, other._worker, origin)

    def add_source(
        self,
        session: int,
        *,
        csrc: int,
        mid: str,
        kind: MediaKind,
        payloads: Sequence[PayloadType],
        rids: Sequence[str] = (),
        ssrcs: Sequence[int] = (),
        rtx_ssrcs: Sequence[tuple[int, int]] = (),
        nack: bool = False,
    ) -> int:
        """A sending section of the client.

        :param csrc: names it in every packet that is forwarded
        :param nack: it sends again what generic NACKs ask for
        """
        table = [(p.pt, p.codec, p.format, p.clock_rate, p.apt) for p in payloads]
        source = self._command(
            self._worker.add_source, session, csrc, mid, kind, list(rids), list(ssrcs), list(rtx_ssrcs), table, nack
        )
        self._session_of[source] = session
        return source

    def remove_source(self, source: int) -> None:
        self._command(self._worker.remove_source, source)

    def pause_source(self, source: int, paused: bool) -> None:
        """A paused source is dropped on arrival."""
        self._command(self._worker.pause_source, source, paused)

    def add_slot(
        self,
        session: int,
        *,
        mid: str,
        kind: MediaKind,
        ssrc: int,
        rtx_ssrc: int,
        cname: str,
        payloads: Sequence[tuple[int, int]],
        rtx_payloads: Sequence[tuple[int, int]] = (),
        stamp: str = "",
    ) -> int:
        """A receiving section of the client.

        :param payloads: (format, payload type) pairs that it decodes
        :param rtx_payloads: (payload type, the one that repairs it); sent on ``rtx_ssrc``
        :param stamp: what packets carry for congestion feedback: ``transport-cc``, ``abs-send-time`` or nothing
        """
        table, repairs = list(payloads), list(rtx_payloads)
        slot = self._command(self._worker.add_slot, session, mid, kind, ssrc, rtx_ssrc, cname, table, repairs, stamp)
        self._session_of[slot] = session
        return slot

    def remove_slot(self, slot: int) -> None:
        self._command(self._worker.remove_slot, slot)

    def set_slots(self, changes: SlotChanges) -> None:
        """All of it in one command, for as many viewers as it concerns."""
        if changes:
            self._command(self._worker.set_slots, changes.views, changes.sources)

    def set_slot(self, slot: int, source: int) -> None:
        """Show ``source`` in the slot, 0 to empty it."""
        self.set_slots(SlotChanges(sources=[(slot, source)]))

    async def stats(self) -> Stats:
        """Counters of the worker, of sessions, sources and slots."""
        if self._stats is None or self._stats.done():
            self._stats = asyncio.get_running_loop().create_future()
            self._command(self._worker.request_stats)
        return await asyncio.shield(self._stats)

    def _command(self, command: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except BufferError as error:
            raise CoreBusy from error

    # --- events ---

    def _drain(self) -> None:
        for event in self._worker.poll(DRAIN):
            try:
                self._dispatch(event)
            except Exception:
                # A handler's bug concerns its session; the events behind it belong to others.
                log.exception("core.handler_failed", event_kind=event[0])

    def _dispatch(self, event: RawEvent) -> None:
        match event:
            case ("dtls", session, datagram):
                self._tell(session, DtlsReceived(session, datagram))
            case ("path", session, state):
                self._tell(session, PathChanged(session, state))
            case ("switched", slot, source, first_rtp_timestamp):
                self._tell(self._session_of.get(slot), Switched(slot, source, first_rtp_timestamp))
            case ("active", source, active):
                self._tell(self._session_of.get(source), SourceActive(source, active))
            case ("unsupported", slot, source):
                self._tell(self._session_of.get(slot), SlotUnsupported(slot, source))
            case ("paused", slot, paused):
                self._tell(self._session_of.get(slot), SlotPaused(slot, paused))
            case ("layers", source, layers):
                self._tell(self._session_of.get(source), LayersWanted(source, layers))
            case ("speakers", room, speakers):
                if (handler := self._rooms.get(room)) is not None:
                    handler(SpeakersChanged(room, speakers))
            case ("closed", handle):
                self._closed(handle)
            case ("stats", stats):
                if self._stats is not None and not self._stats.done():
                    self._stats.set_result(stats)

    def _closed(self, handle: int) -> None:
        if (room_handler := self._rooms.pop(handle, None)) is not None:
            room_handler(Closed(handle))
        elif (session_handler := self._sessions.pop(handle, None)) is not None:
            session_handler(Closed(handle))
        else:
            self._session_of.pop(handle, None)

    def _tell(self, session: int | None, event: SessionEvent) -> None:
        if session is not None and (handler := self._sessions.get(session)) is not None:
            handler(event)
