"""The media server's face to the other services: join, leave, views, mutes. Composition only.

Everything here happens on the event loop and, once an offer has been read, without waiting: a join is decided in one
step, so that replacing an older session of the same participant is atomic for everybody else.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from sfu.addresses import advertised
from sfu.attendance import Channel, SessionListener
from sfu.core import Core, CoreBusy
from sfu.observer import Observer
from sfu.publishing import declare
from sfu.room import Member, Source, layout
from sfu.sdp.answer import Local, SlotSsrcs, make_answer, make_fragment
from sfu.sdp.parse import parse
from sfu.sdp.plan import Plan, Publication, Remote, TrackKind, make_plan, read_remote
from sfu.sdp.types import Description, SdpError
from sfu.session import Session
from sfu.stage import Stage
from sfu.transport.dtls import Certificate
from sfu.workers import Workers
from tertulia.catalogue import Grants, Slots, TrackIntent, View
from tertulia.errors import BadRequest, NotFound, Unavailable
from tertulia.settings import Settings

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MediaJoin:
    """What a client needs to begin."""

    session: str
    answer: str
    slots: Slots


class SfuService:
    """Rooms and sessions of this process's workers."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._certificate = Certificate.generateCertificate()
        self._addresses: tuple[str, ...] = ()
        self._workers: Workers | None = None
        self._stages: dict[str, Stage] = {}
        self._sessions: dict[str, Session] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._observer = Observer()
        self._observing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Take the media ports. Raises OSError when one is in use."""
        self._workers = Workers(self._settings)
        self._workers.start()
        self._addresses = advertised(self._settings)
        self._observing = asyncio.create_task(self._observer.run(self._workers, self._sessions), name="sfu-observer")
        log.info("media ports open", ports=self._workers.ports, addresses=len(self._addresses))

    async def close(self) -> None:
        """End every session, telling its client, and give the ports back."""
        for session in list(self._sessions.values()):
            session.close("shutdown")
        while self._ending:
            await asyncio.wait(self._ending)
        if self._observing is not None:
            self._observing.cancel()
            await asyncio.wait([self._observing])
        if self._workers is not None:
            self._workers.close()
            self._workers = None

    @property
    def ports(self) -> list[int]:
        """The UDP port of each worker."""
        return self._running().ports

    def _running(self) -> Workers:
        if self._workers is None:
            raise Unavailable("media-unavailable", "The media server is not running.")
        return self._workers

    # --- join and leave --------------------------------------------------------------------------------------

    async def join(
        self,
        room: str,
        participant: str,
        grants: Grants,
        offer: str,
        tracks: Sequence[TrackIntent],
        view: View,
        listener: SessionListener,
    ) -> MediaJoin:
        """Answer an offer. Raises BadRequest ``offer-invalid`` or ``offer-missing-section``, Unavailable."""
        named: dict[str, TrackKind] = {intent.mid: intent.kind for intent in tracks}
        muted = {intent.kind for intent in tracks if intent.muted}
        return self.admit(room, participant, grants, read_offer(offer), named, listener, view=view, muted=muted)

    def admit(
        self,
        room: str,
        participant: str,
        grants: Grants,
        offer: Description,
        tracks: Mapping[str, TrackKind],
        listener: SessionListener,
        *,
        view: View | None = None,
        muted: Collection[TrackKind] = (),
    ) -> MediaJoin:
        """The same with an offer that was read before, and tracks by MID (WHIP infers them)."""
        if len(set(tracks.values())) != len(tracks):
            raise BadRequest("offer-invalid", "Two sections name the same track.", "tracks")
        try:
            plan = make_plan(
                offer,
                tracks,
                publish=grants.publish,
                subscribe=grants.subscribe,
                prefer=self._settings.video_codec,
            )
        except SdpError as error:
            raise BadRequest(error.code, error.message, "offer") from error
        try:
            session, member, stage = self._create(room, participant, plan, listener)
        except CoreBusy as error:
            raise Unavailable("media-unavailable", "The media server is overloaded. Try again in a moment.") from error
        for kind in muted:
            if kind in member.sources:
                member.sources[kind].muted = True
        self._sessions[session.id] = session
        stage.enter(session, member, view or View())
        session.open()
        if member.tracks():
            session.tell_tracks(member.tracks())
        answer = make_answer(plan, self._local(session), session.ssrcs, session.number)
        return MediaJoin(session.id, answer, session.slots.full())

    def _create(
        self, room: str, participant: str, plan: Plan, listener: SessionListener
    ) -> tuple[Session, Member, Stage]:
        """Tell the core everything about a new session, or nothing."""
        stage = self._stages.get(room)
        if stage is None:
            per_worker = self._settings.media_worker_sessions
            stage = self._stages[room] = Stage(self._running(), per_worker, room, self._on_empty)
        session: Session | None = None
        try:
            core, hall = stage.halls.place()
            session = Session(
                core,
                hall,
                room,
                participant,
                plan,
                self._certificate,
                listener,
                on_active=stage.source_active,
                on_closed=self._on_closed,
                on_gone=self._on_gone,
            )
            stage.halls.expect(session)
            core.configure_media(
                session.handle, plan.extensions, two_byte=plan.mixed, transport_cc=plan.transport_cc, remb=plan.remb
            )
            member = Member(participant)
            for publication in plan.publications:
                source = _add_source(core, session, publication)
                member.sources[publication.track] = source
            _add_slots(core, session)
        except CoreBusy:
            if session is not None:
                self._on_gone(session)
            elif not stage.sessions:
                stage.close()
            raise
        member.seating = layout(session.slots.layout())
        return session, member, stage

    def _local(self, session: Session) -> Local:
        own = session.credentials
        fingerprint = self._certificate.fingerprint
        port = session.core.port
        if self._settings.media_advertised_port:
            port = self._settings.media_advertised_port + self._running().number(session.core)
        return Local(own.local_ufrag, own.local_pwd, fingerprint, self._addresses, port)

    async def leave(self, session: str, reason: str) -> None:
        """End a session and wait until its client has been told. An unknown one has ended already."""
        found = self._sessions.get(session)
        if found is not None:
            found.close(reason)
            await found.ended()

    def _on_closed(self, session: Session) -> None:
        """A session ends, for whatever reason: out of its room at once, goodbyes after that."""
        self._sessions.pop(session.id, None)
        stage = self._stages.get(session.room)
        if stage is not None:
            stage.withdraw(session)
        if session.ending is not None:
            self._ending.add(session.ending)
            session.ending.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("session did not end cleanly", exc_info=task.exception())

    def _on_gone(self, session: Session) -> None:
        stage = self._stages.get(session.room)
        session.core.end_session(session.handle, lambda: None if stage is None else stage.forget(session))

    def _on_empty(self, stage: Stage) -> None:
        if self._stages.get(stage.room.name) is stage:
            del self._stages[stage.room.name]

    # --- while it lasts --------------------------------------------------------------------------------------

    async def restart_ice(self, session: str, offer: str) -> str:
        """Answer a new offer of the same session: new credentials, everything else as before."""
        found = self._session(session)
        description = read_offer(offer)
        try:
            remote = read_remote(description)
        except SdpError as error:
            raise BadRequest(error.code, error.message, "offer") from error
        if [section.mid for section in description.sections] != [section.mid for section in found.plan.sections]:
            raise BadRequest("offer-invalid", "An ICE restart keeps the sections of the first offer.", "offer")
        if remote.fingerprints != found.plan.remote.fingerprints:
            raise BadRequest("offer-invalid", "An ICE restart keeps the DTLS certificate.", "offer")
        self._restart(found, remote)
        return make_answer(found.plan, self._local(found), found.ssrcs, found.number, found.version)

    def restart_fragment(self, session: str, ufrag: str, pwd: str) -> str:
        """The same for WHIP and WHEP, where only the credentials travel (RFC 9725, section 4.3.3)."""
        found = self._session(session)
        self._restart(found, Remote(ufrag, pwd, found.plan.remote.fingerprints))
        return make_fragment(found.plan, self._local(found))

    def _restart(self, session: Session, remote: Remote) -> None:
        try:
            session.restart_ice(remote)
        except CoreBusy as error:
            raise Unavailable("media-unavailable", "The media server is overloaded. Try again in a moment.") from error

    def set_view(self, session: str, view: View) -> None:
        """What the client wants in its seats. Raises NotFound ``session-not-found``."""
        found = self._session(session)
        self._stages[found.room].set_view(found, view)

    def set_track(self, session: str, kind: TrackKind, muted: bool) -> None:
        """The client says that it mutes or unmutes. Raises NotFound ``session-not-found``."""
        found = self._session(session)
        self._stages[found.room].set_muted(found, kind, muted)

    def hold_track(self, session: str, kind: TrackKind, held: bool) -> None:
        """A moderator or a permission stops a track, or lets it go on. Raises NotFound ``session-not-found``."""
        found = self._session(session)
        self._stages[found.room].hold(found, kind, held)

    def send(self, session: str, channel: Channel, data: bytes) -> bool:
        """Queue a frame on a data channel. False: no such session, not open, or its bounded queue is full."""
        found = self._sessions.get(session)
        return found is not None and found.send(channel, data)

    def slots(self, session: str) -> Slots:
        """The whole slot map, for a client that comes back to its session. Raises NotFound ``session-not-found``."""
        found = self._session(session)
        for layers in found.demand.told():
            found.tell_layers(layers)
        return found.slots.full()

    def stage(self, room: str) -> Stage | None:
        """A room that somebody is in, for measurements."""
        return self._stages.get(room)

    def session_of(self, room: str, participant: str) -> str | None:
        """The session of a participant, whichever door it came by; None when there is none."""
        stage = self._stages.get(room)
        found = stage.sessions.get(participant) if stage is not None else None
        return None if found is None else found.id

    def session_state(self, session: str) -> str | None:
        """``connecting``, ``connected``, ``disconnected``, or None for a session that has ended."""
        found = self._sessions.get(session)
        return None if found is None else found.state

    def session_version(self, session: str) -> str:
        """A tag of the session's ICE credentials, which changes with every restart (RFC 9725, section 4.3.2)."""
        found = self._session(session)
        return f"{found.id[:8]}-{found.version}"

    def is_remote(self, session: str, ufrag: str, pwd: str) -> bool:
        """Whether these are the client's current ICE credentials."""
        own = self._session(session).credentials
        return (own.remote_ufrag, own.remote_pwd) == (ufrag, pwd)

    def stats(self) -> dict[str, Any]:
        """How much there is of everything."""
        sessions = self._sessions.values()
        return {
            "rooms": len(self._stages),
            "sessions": len(self._sessions),
            "sources": sum(len(session.sources) for session in sessions),
            "slots": sum(len(session.ssrcs) for session in sessions),
            "ending": len(self._ending),
        }

    def totals(self) -> dict[str, Any]:
        """What the workers have counted, a few seconds ago."""
        return self._observer.totals()

    def _session(self, session: str) -> Session:
        found = self._sessions.get(session)
        if found is None:
            raise NotFound("session-not-found", "This media session has ended.")
        return found


def read_offer(offer: str) -> Description:
    """Parse an offer. Raises BadRequest ``offer-invalid``."""
    try:
        return parse(offer)
    except SdpError as error:
        raise BadRequest(error.code, error.message, "offer") from error


def _add_source(core: Core, session: Session, publication: Publication) -> Source:
    number = secrets.randbelow(2**31 - 1) + 1
    handle = declare(core, session.handle, publication, number)
    session.sources.append(handle)
    session.demand.add(handle, publication, core)
    return Source(number, handle, session.participant, publication.track)


def _add_slots(core: Core, session: Session) -> None:
    taken = {0, *(ssrc for publication in session.plan.publications for ssrc in publication.ssrcs)}
    for publication in session.plan.publications:
        taken.update(rtx for _, rtx in publication.rtx_ssrcs)

    def draw() -> int:
        ssrc = 0
        while ssrc in taken:
            ssrc = secrets.randbits(32)
        taken.add(ssrc)
        return ssrc

    for slot in session.plan.slots:
        ssrcs = session.ssrcs[slot.mid] = SlotSsrcs(draw(), draw() if slot.rtx else 0)
        handle = core.add_slot(
            session.handle,
            mid=slot.mid,
            kind=slot.kind,
            ssrc=ssrcs.media,
            rtx_ssrc=ssrcs.rtx,
            cname=slot.stream,
            payloads=slot.payloads,
            rtx_payloads=slot.rtx,
            stamp=slot.stamp,
        )
        session.slots.add(slot.mid, slot.kind, slot.seat, handle)
