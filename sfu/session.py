"""One client's media session: wires the core's transport, DTLS, data channels and slot map together.

Wiring only. What is sent and shown is decided elsewhere (``sdp/plan.py``, ``room.py``, ``seats.py``); here each part is
told what another found out. States: ``connecting`` -> ``connected`` <-> ``disconnected`` -> ``closed``.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Final

import structlog

from sfu.attendance import Channel, MediaStateName, SessionListener
from sfu.channels import Channels
from sfu.core import (
    Core,
    CoreBusy,
    DtlsReceived,
    IceCredentials,
    LayersWanted,
    PathChanged,
    SessionEvent,
    SlotChanges,
    SlotPaused,
    SlotUnsupported,
    SourceActive,
    Switched,
)
from sfu.demand import Demand
from sfu.room import Contents, Source
from sfu.sdp.answer import SlotSsrcs
from sfu.sdp.plan import Plan, Remote
from sfu.slotmap import SlotMap
from sfu.transport.dtls import Certificate, DtlsTransport
from sfu.transport.ice import CoreIce
from tertulia.catalogue import Layers, Quality, Slots, Speakers, Track

log = structlog.get_logger(__name__)

CONNECT_LIMIT_S: Final = 30.0
"""A client that got an answer has this long to complete DTLS."""


def make_credentials(remote: Remote) -> IceCredentials:
    """Fresh ones for our end (RFC 8445, section 5.3: at least 24 and 128 random bits)."""
    return IceCredentials(secrets.token_hex(6), secrets.token_hex(16), remote.ufrag, remote.pwd)


class Session:
    """A live session.

    :param on_active: a source (by handle) of this session began to send, or fell silent
    :param on_closed: called once, at the end, after the listener heard of it
    :param on_gone: called once, when the client has been told and the core was asked to close the session
    :raises CoreBusy: the core takes no commands now
    """

    def __init__(
        self,
        core: Core,
        core_room: int,
        room: str,
        participant: str,
        plan: Plan,
        certificate: Certificate,
        listener: SessionListener,
        on_active: Callable[[int, bool], None],
        on_closed: Callable[[Session], None],
        on_gone: Callable[[Session], None],
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.number = secrets.randbits(62)
        self.version = 1
        self.room = room
        self.participant = participant
        self.plan = plan
        self.slots = SlotMap()
        self.ssrcs: dict[str, SlotSsrcs] = {}
        """MID of each slot -> what it sends on"""
        self.sources: list[int] = []
        """Handles of what the client sends"""
        self.demand = Demand()
        self.credentials = make_credentials(plan.remote)
        self.state: MediaStateName = "connecting"
        self.core = core
        self._listener = listener
        self._on_active = on_active
        self._on_closed = on_closed
        self._on_gone = on_gone
        self._log = log.bind(session=self.id[:8], participant=participant, room=room)
        self.handle = core.create_session(core_room, self.credentials, self._on_event)
        self._ice = CoreIce(self._send_dtls)
        self._dtls = DtlsTransport(self._ice, certificate, self._export_keys)
        self._channels: Channels | None = None
        self._task: asyncio.Task[None] | None = None
        self.ending: asyncio.Task[None] | None = None

    # --- opening ---------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Wait for the client: DTLS first, then the data channels."""
        loop = asyncio.get_running_loop()
        if self.plan.data is not None:
            self._channels = Channels(self._dtls, self._on_frame, self._on_channel, loop.time)
        self._dtls.on("statechange", self._on_dtls_state)
        self._task = loop.create_task(self._connect(), name=f"sfu-session-{self.id[:8]}")
        self._task.add_done_callback(self._on_task_done)

    async def _connect(self) -> None:
        try:
            async with asyncio.timeout(CONNECT_LIMIT_S):
                connected = await self._dtls.accept(self.plan.remote.fingerprints)
        except TimeoutError:
            self.close("timeout")
            return
        if not connected:
            self.close("handshake-failed")
            return
        self._enter("connected", None)
        data = self.plan.data
        if self._channels is not None and data is not None:
            await self._channels.connect(data.sctp_port or 5000, data.max_message_size)

    def _on_task_done(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception() is not None:
            self._log.error("session failed", exc_info=task.exception())
            self.close("internal")

    def _export_keys(self, profile: int, send_key: bytes, receive_key: bytes) -> None:
        self.core.set_srtp_keys(self.handle, profile, send_key, receive_key)

    def _send_dtls(self, datagram: bytes) -> None:
        try:
            self.core.send_dtls(self.handle, datagram)
        except CoreBusy:
            # The ring to the worker is full. Datagrams may be lost; DTLS and SCTP send again.
            self._log.warning("datagram not sent, the worker is behind")

    # --- what the core reports -----------------------------------------------------------------------------------

    def _on_event(self, event: SessionEvent) -> None:
        match event:
            case DtlsReceived(_, datagram):
                self._ice.deliver(datagram)
            case PathChanged(_, state):
                self._path_changed(state)
            case Switched(slot, source, from_ts):
                frame = self.slots.switched(slot, source, from_ts)
                if frame is not None:
                    self.tell_slots(frame)
            case SourceActive(source, active):
                self._on_active(source, active)
            case SlotUnsupported(slot, source):
                frame = self.slots.undecodable(slot, source)
                if frame is not None:
                    self._log.info("a source cannot be decoded by this viewer")
                    self.tell_slots(frame)
            case SlotPaused(slot, paused):
                frame = self.slots.pause(slot, paused)
                if frame is not None:
                    self.tell_slots(frame)
            case LayersWanted(source, layers):
                self.take_demand(source, self.core, layers)
            case _:  # Closed: what we asked for
                pass

    def _path_changed(self, state: str) -> None:
        """ICE consent as the core sees it (RFC 7675)."""
        if state == "failed":
            self.close("consent-lost")
        elif self._dtls.connected and state in ("connected", "disconnected"):
            self._enter("connected" if state == "connected" else "disconnected", None)

    # --- what the room decides -----------------------------------------------------------------------------------

    def show(self, contents: Contents, handle_of: Callable[[Source], int], changes: SlotChanges) -> Slots | None:
        """Put sources into slots: adds to ``changes`` what the worker must be told, returns the client's frame."""
        for slot, wish in self.slots.wish(contents):
            changes.views.append((slot, *wish))
        commands, frame = self.slots.show(contents, handle_of)
        changes.sources.extend(commands)
        return frame

    def restart_ice(self, remote: Remote) -> None:
        """New credentials for the same transport; the old stay valid for some seconds (in the core)."""
        fresh = make_credentials(remote)
        self.core.restart_ice(self.handle, fresh)
        self.credentials = fresh
        self.version += 1

    # --- the listener --------------------------------------------------------------------------------------------

    def tell_slots(self, slots: Slots) -> None:
        self._tell(lambda: self._listener.on_slots(slots))

    def take_demand(self, source: int, worker: Core, layers: int) -> None:
        """A worker says which layers of one of our sources are wanted there."""
        news = self.demand.take(source, worker, layers)
        if news is not None:
            self.tell_layers(news)

    def tell_layers(self, layers: Layers) -> None:
        self._tell(lambda: self._listener.on_layers(layers))

    def tell_speakers(self, speakers: Speakers) -> None:
        self._tell(lambda: self._listener.on_speakers(speakers))

    def tell_quality(self, quality: Quality) -> None:
        self._tell(lambda: self._listener.on_quality(quality))

    def tell_tracks(self, tracks: list[Track]) -> None:
        self._tell(lambda: self._listener.on_tracks(tracks))

    def _on_frame(self, channel: Channel, data: bytes) -> None:
        self._tell(lambda: self._listener.on_frame(channel, data))

    def _on_channel(self, channel: Channel, is_open: bool) -> None:
        self._tell(lambda: self._listener.on_channel(channel, is_open))

    def _enter(self, state: MediaStateName, reason: str | None) -> None:
        if state != self.state and self.state != "closed":
            self.state = state
            self._log.debug("media state", state=state, reason=reason)
            self._tell(lambda: self._listener.on_state(state, reason))

    def _tell(self, call: Callable[[], None]) -> None:
        """A listener that raises is a bug of ours; it must not end the session that it happened to hear of."""
        try:
            call()
        except Exception:
            self._log.exception("session listener failed")

    def send(self, channel: Channel, data: bytes) -> bool:
        return self._channels is not None and self._channels.send(channel, data)

    def channel_open(self, channel: Channel) -> bool:
        return self._channels is not None and self._channels.is_open(channel)

    # --- the end -------------------------------------------------------------------------------------------------

    def _on_dtls_state(self) -> None:
        # While connecting, the handshake's own task reports how it went.
        if self._dtls.state in ("closed", "failed") and self.state in ("connected", "disconnected"):
            self.close("client-closed")

    def close(self, reason: str) -> None:
        """End the session now; what is left is saying goodbye to the client, which :meth:`ended` waits for."""
        if self.ending is None:
            self._enter("closed", reason)
            self.ending = asyncio.get_running_loop().create_task(self._end(), name=f"sfu-end-{self.id[:8]}")
            self._on_closed(self)

    async def ended(self) -> None:
        """Until a closed session's client has been told. Never raises: the service reports failures."""
        if self.ending is not None:
            await asyncio.wait([self.ending])

    async def _end(self) -> None:
        try:
            await self._say_goodbye()
        finally:
            self._ice.close()
            self._on_gone(self)

    async def _say_goodbye(self) -> None:
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
            await asyncio.wait([self._task])
        self._dtls.remove_all_listeners()
        if self._channels is not None:
            await self._channels.close()
        await self._dtls.stop()
