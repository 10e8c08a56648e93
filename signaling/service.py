"""Rooms and who is in them: create and end, join and leave, presence, and where each request goes.

It knows of media what ``SfuService`` says and of chat what ``ChatService`` says; its own is presence. A participant is
known by the identity in its token, of which there is one in a room: the same identity joining again takes the place of
the one before in one step.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Literal

import structlog

from chat import channel
from chat.calls import CallDesk
from chat.messages import PAGE_BYTES_MAX
from chat.service import CHANNEL_PAGE_BYTES_MAX, ChatService
from chat.subscription import Subscription
from signaling.directory import Directory
from signaling.outlet import Channel
from signaling.presence import MediaLink, Presence
from signaling.robots import RobotHost, Robots
from signaling.rooms import LiveRoom
from signaling.sessions import ChannelDoor, Connection
from tertulia.catalogue import (
    CHAT_REQUESTS,
    AddRobot,
    Frame,
    HistoryPage,
    IceRestart,
    IceRestarted,
    Join,
    Joined,
    Leave,
    Ok,
    Participant,
    ParticipantKind,
    ParticipantLeft,
    SessionEnded,
    Slots,
    Sync,
    Synced,
    TrackMuted,
    View,
    Watch,
)
from tertulia.database import Database
from tertulia.errors import BadRequest, Conflict, Forbidden, NotFound, Unauthorized
from tertulia.frames import Notice
from tertulia.settings import Settings
from tertulia.tokens import Principal, Tokens
from turn.credentials import ice_servers

if TYPE_CHECKING:
    from sfu.attendance import SessionListener
    from sfu.service import SfuService

log = structlog.get_logger("signaling.service")

GRACE_S = 10.0
"""How long somebody whose socket was lost is waited for."""
GOODBYES = frozenset({"left", "client-closed"})
"""Ends of a media session that its client wanted."""


class SignalingService:
    """The live rooms of this process. Implements ``sfu.attendance.Attendance``."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        tokens: Tokens,
        sfu: SfuService,
        chat: ChatService,
        robot_host: RobotHost | None = None,
        grace_s: float = GRACE_S,
        calls: CallDesk | None = None,
    ) -> None:
        self.settings = settings
        self.tokens = tokens
        self.directory = Directory(settings, database, tokens, chat)
        self.robots = Robots(settings, tokens, robot_host)
        self._sfu = sfu
        self._chat = chat
        self.grace_s = grace_s
        self.calls = calls
        """Who is told that calls begin and end; nobody, where the log is not to say it."""
        self._accounts: dict[str, set[Connection]] = {}
        """The sockets of people with accounts, by identity."""
        self._channels = ChannelDoor(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    async def start(self) -> None:
        """Nothing is taken up before somebody comes."""

    def stop(self) -> None:
        """From now on nobody joins, and nobody is told of those who go: they all do, and come back after a restart."""
        self._closing = True

    async def close(self) -> None:
        """Let go of everybody, without a word."""
        self.stop()
        for room in self.directory.held():
            presences = tuple(room.presences.values())
            room.presences.clear()
            for presence in presences:
                self._drop(room, presence)
        await self.robots.close()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def stats(self) -> dict[str, int]:
        """How many rooms somebody is in, and how many are in them."""
        rooms = self.directory.held()
        return {"rooms": len(rooms), "participants": sum(len(room.presences) for room in rooms)}

    # --- by a moderator or a site ----------------------------------------------------------------------------------

    async def end_room(self, room_id: str) -> None:
        """Delete a room and its conversation; everybody in it is told and let go. Raises NotFound."""
        await self.directory.delete(room_id)
        live = self.directory.get(room_id)
        if live is not None:
            live.ended = True
            farewell = _ended("room-ended", "The room was ended.")
            for presence in tuple(live.presences.values()):
                self._end_connection(presence, farewell)
                self._drop(live, presence)
        await self._chat.forget_room_conversation(room_id)

    async def remove(self, room_id: str, identity: str) -> None:
        """Show somebody out. Raises NotFound ``participant-not-found``."""
        live = self.directory.get(room_id)
        presence = live.presences.get(identity) if live is not None else None
        if live is None or presence is None:
            raise NotFound("participant-not-found", "There is nobody of this id in the room.")
        self._end_connection(presence, _ended("removed", "You were removed from the room."))
        self._drop(live, presence, "removed")

    async def add_robot(self, room_id: str) -> Participant:
        """Have a robot come to the room. Raises Unavailable ``robots-full``, NotFound, Conflict ``room-empty``."""
        await self.directory.info(room_id)
        live = self.directory.get(room_id)
        if live is None or not live.people:
            raise Conflict("room-empty", "A robot comes only where somebody is.")
        return await self.robots.add(room_id)

    # --- requests ------------------------------------------------------------------------------------------------

    async def handle(self, connection: Connection, event: str, request: Frame) -> Frame:
        """A request over the socket. Raises what it may answer with."""
        self.tokens.check_still(connection.principal)
        if isinstance(request, Join):
            return await self.join(connection, request)
        if isinstance(request, Sync) and request.open is not None:
            return await self._follow(connection, request, PAGE_BYTES_MAX)
        if isinstance(request, Watch):
            return await self._watch(connection, request)
        if event in CHAT_REQUESTS:
            return await channel.dispatch(self._chat, connection.principal, request, "socket")
        presence = connection.presence
        if presence is None:
            raise BadRequest("not-joined", "Join the room first.")
        return await self._do(presence, request)

    async def handle_channel(self, presence: Presence, link: MediaLink, event: str, request: Frame) -> Frame:
        """A request over a data channel of the session ``link``."""
        self.tokens.check_still(presence.principal)
        if isinstance(request, Sync) and request.open is not None and presence.connection is not None:
            return await self._follow(presence.connection, request, CHANNEL_PAGE_BYTES_MAX)
        if event in channel.REQUESTS:
            return await channel.dispatch(self._chat, presence.principal, request, "channel")
        if not link.current:
            raise NotFound("session-not-found", "This media session is over.")
        return await self._do(presence, request)

    async def _follow(self, connection: Connection, request: Sync, bytes_max: int) -> Frame:
        answer, answered = await connection.sync(self._chat, request, bytes_max)
        connection.after_answer.append(answered)
        return answer

    async def _do(self, presence: Presence, request: Frame) -> Frame:
        match request:
            case Leave():
                self._leave(presence)
                return Ok()
            case View():
                self._sfu.set_view(_session(presence), request)
                return Ok()
            case TrackMuted():
                self._sfu.set_track(_session(presence), request.kind, request.muted)
                return Ok()
            case IceRestart():
                return IceRestarted(await self._sfu.restart_ice(_session(presence), request.offer))
            case AddRobot():
                return await self.add_robot(presence.room)
            case _:
                raise BadRequest("event-unknown", "There is no such event.")

    # --- people ----------------------------------------------------------------------------------------------------

    def connected(self, connection: Connection) -> None:
        """A socket has shown a good token."""
        self._chat.presence.came(connection.principal)
        if connection.principal.account:
            self._accounts.setdefault(connection.principal.identity, set()).add(connection)

    def expel(self, identity: str) -> None:
        """End whatever somebody has open here that their tokens no longer allow: sockets, channels and media.

        Called when a session of theirs has ended or their account has changed; what other sessions hold stays.
        """
        farewell = _ended("logged-out", "You were logged out.")
        for room in self.directory.held():
            presence = room.presences.get(identity)
            if presence is not None and self.tokens.is_void(presence.principal):
                self._end_connection(presence, farewell)
                self._drop(room, presence, "logged-out")
        for connection in tuple(self._accounts.get(identity, ())):
            if self.tokens.is_void(connection.principal):
                connection.socket.end(farewell)
                self.disconnected(connection)

    async def _watch(self, connection: Connection, request: Watch) -> Frame:
        presence = self._chat.presence
        answer, watcher = await presence.follow(connection.principal, request, connection)

        def begin() -> None:
            connection.stop_watching()
            if not connection.closed:
                presence.begin(watcher)
                connection.stop_watching = lambda: presence.end(watcher)

        connection.after_answer.append(begin)
        return answer

    # --- join ----------------------------------------------------------------------------------------------------

    async def join(self, connection: Connection, request: Join) -> Joined:
        """Enter the room, in one round trip. Everything that can fail comes before anything changes for others.

        Raises Forbidden ``room-mismatch``, Unauthorized ``token-expired``, NotFound ``room-not-found`` or
        ``session-not-found``, Unavailable ``room-full``, ``media-unavailable`` or ``database-unavailable``, BadRequest
        of the offer.
        """
        principal = connection.principal
        if request.room != principal.room:
            raise Forbidden("room-mismatch", "Your token opens another room.", "room")
        if principal.expires_at < time.time():
            raise Unauthorized("token-expired", "The token has expired; ask for a new one.")
        room = await self.directory.hold(principal.room)
        try:
            room.reserve(principal.identity)
            try:
                async with room.lock(principal.identity):
                    return await self._join(room, connection, request)
            finally:
                room.unreserve(principal.identity)
        finally:
            self.directory.let_go_if_unused(room)

    async def _join(self, room: LiveRoom, connection: Connection, request: Join) -> Joined:
        principal = connection.principal
        found = room.presences.get(principal.identity)
        presence = found or Presence(room.info.id, principal, "person", _now_ms(), self, room.is_crowded)
        old = presence.link
        same_client = old is not None and request.session is not None and old.session == request.session
        resumes = request.offer is None and request.session is not None
        presence.stop_grace()
        subscription: Subscription | None = None
        try:
            if resumes and not same_client:
                raise _no_session()
            chat: Synced | HistoryPage | None = None
            if principal.grants.chat:
                chat, subscription = await self._open_chat(room, principal, presence, request)
            link, answer, slots = old if resumes else None, None, None
            if request.offer is not None:
                link, answer, slots = await self._join_media(presence, principal, request)
            self._check_still(room, presence, connection, link, old)
        except BaseException:
            if subscription is not None:
                subscription.close()
            self._join_failed(room, presence)
            raise

        # From here on nothing waits and nothing fails.
        newcomer = room.presences.get(presence.id) is not presence
        if not same_client:
            presence.joined_at = _now_ms()
        presence.principal, presence.kind = principal, "person"
        before = presence.attach(connection)
        if before is not None:
            before.socket.end(None if same_client else _ended("replaced", "You joined from somewhere else."))
        left_over = presence.use(link)
        if left_over is not None:
            self._leave_media(left_over, "replaced")
        presence.follow(subscription)
        if connection.following is not None and subscription is not None:
            connection.following.forget(subscription.conversation)
        presence.welcome(connection, chat.head.seq if chat is not None and chat.head is not None else 0)
        room.presences[presence.id] = presence
        self._tell_of_call(room, principal)
        event = "participant-joined" if newcomer else "participant-updated"
        room.tell(Notice(event, presence.participant()), [presence])
        if slots is None and link is not None:
            slots = link.whole_map()
        return Joined(
            room=self.directory.counted(room.info),
            you=presence.participant(),
            participants=[other.participant() for other in room.participants() if other is not presence],
            grants=principal.grants,
            session=link.session if link is not None else None,
            answer=answer,
            slots=slots,
            chat=chat if isinstance(chat, Synced) else None,
            history=chat if isinstance(chat, HistoryPage) else None,
            ice_servers=ice_servers(self.settings, principal.identity),
        )

    async def _open_chat(
        self, room: LiveRoom, principal: Principal, presence: Presence, request: Join
    ) -> tuple[Synced | HistoryPage, Subscription]:
        position = request.position
        if position is not None and position.conversation != room.info.conversation:
            position = None
        return await self._chat.open(principal, room.info.conversation, position, presence.outlet)

    def _check_still(
        self,
        room: LiveRoom,
        presence: Presence,
        connection: Connection,
        link: MediaLink | None,
        old: MediaLink | None,
    ) -> None:
        """What was true when the join began may have ended while it waited."""
        if not (room.ended or self._closing or connection.closed) and not (link is old is not None and old.closed):
            return
        if link is not None and link is not old:
            self._leave_media(link, "left")
        self.tokens.check_still(connection.principal)
        if room.ended:
            raise NotFound("room-ended", "The room was ended meanwhile.")
        raise _no_session()

    def _join_failed(self, room: LiveRoom, presence: Presence) -> None:
        """Leave somebody who was here before the join as they were, as far as that still is."""
        if room.presences.get(presence.id) is not presence:
            return
        if presence.link is not None and presence.link.closed:
            presence.use(None)
            self.on_media_closed(presence, None)
        elif presence.connection is None:
            presence.start_grace(self.grace_s, lambda: self._grace_over(presence))

    async def _join_media(
        self, presence: Presence, principal: Principal, request: Join
    ) -> tuple[MediaLink, str, Slots]:
        assert request.offer is not None
        link = MediaLink(presence, self._sfu)
        joined = await self._sfu.join(
            principal.room, principal.identity, principal.grants, request.offer, request.tracks, request.view, link
        )
        link.session = joined.session
        return link, joined.answer, joined.slots

    # --- leaving -------------------------------------------------------------------------------------------------

    def disconnected(self, connection: Connection) -> None:
        """A socket is gone. Its participant is waited for, unless there is nothing left of it."""
        if connection.closed:
            return
        connection.close()
        self._forget_account(connection)
        self._chat.presence.went(connection.principal)
        presence = connection.presence
        if self._closing or presence is None or presence.connection is not connection:
            return
        had_media = presence.link is not None
        presence.detach()
        room = self.directory.get(presence.room)
        if room is None or room.presences.get(presence.id) is not presence:
            return
        if presence.lost_media and not had_media:
            self._drop(room, presence, "connection-lost")
            return
        room.tell(Notice("participant-updated", presence.participant()), [presence])
        presence.start_grace(self.grace_s, lambda: self._grace_over(presence))

    def _forget_account(self, connection: Connection) -> None:
        identity = connection.principal.identity
        sockets = self._accounts.get(identity)
        if sockets is not None:
            sockets.discard(connection)
            if not sockets:
                del self._accounts[identity]

    def _grace_over(self, presence: Presence) -> None:
        room = self.directory.get(presence.room)
        if room is not None and room.presences.get(presence.id) is presence and presence.connection is None:
            self._drop(room, presence, "connection-lost")

    def _leave(self, presence: Presence) -> None:
        room = self.directory.get(presence.room)
        if room is not None:
            self._drop(room, presence)

    def _drop(self, room: LiveRoom, presence: Presence, reason: str = "left") -> None:
        """Take somebody out of the room, with everything that was theirs."""
        presence.stop_grace()
        presence.follow(None)
        link = presence.use(None)
        presence.detach()
        if room.presences.get(presence.id) is presence:
            del room.presences[presence.id]
            self._tell_of_call(room, presence.principal)
            room.tell(Notice("participant-left", ParticipantLeft(presence.id, reason)))
        if link is not None:
            self._leave_media(link, reason)
        if room.people == 0:
            self.robots.stop_room(room.info.id)
        self.directory.let_go_if_unused(room)

    def _tell_of_call(self, room: LiveRoom, principal: Principal) -> None:
        """Have the log say that a call began or ended: there is one while somebody in the room has media."""
        if self.calls is not None and not room.ended and not self._closing:
            in_call = any(presence.link is not None for presence in room.presences.values())
            self.calls.changed(room.info.conversation, principal, in_call)

    def _leave_media(self, link: MediaLink, reason: str) -> None:
        session = link.known_session()
        if session is None or link.closed:
            return
        task = asyncio.create_task(self._sfu.leave(session, reason), name="media-leave")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _end_connection(self, presence: Presence, farewell: Notice) -> None:
        if presence.connection is not None:
            presence.connection.socket.end(farewell)

    # --- what media says (signaling.presence.Owner) ------------------------------------------------------------------

    def on_changed(self, presence: Presence) -> None:
        """What somebody sends has changed."""
        room = self.directory.get(presence.room)
        if room is not None and room.presences.get(presence.id) is presence:
            room.tell(Notice("participant-updated", presence.participant()))

    def on_media_closed(self, presence: Presence, reason: str | None) -> None:
        """Somebody's media session is over. With the socket gone too, so are they."""
        presence.lost_media = True
        room = self.directory.get(presence.room)
        if room is None or room.presences.get(presence.id) is not presence:
            return
        if presence.connection is None:
            self._drop(room, presence, "left" if reason in GOODBYES else "connection-lost")
        else:
            self.on_changed(presence)

    def on_channel_frame(self, presence: Presence, link: MediaLink, name: Channel, data: bytes) -> None:
        self._channels.receive(presence, link, name, data)

    # --- streams and viewers (sfu.attendance.Attendance) -------------------------------------------------------------

    async def enter(self, principal: Principal, kind: ParticipantKind, room: str) -> SessionListener:
        """Somebody comes by WHIP or WHEP: present as long as their media is."""
        if room != principal.room:
            raise Forbidden("room-mismatch", "The token opens another room.")
        live = await self.directory.hold(room)
        try:
            self.tokens.check_still(principal)
            live.reserve(principal.identity)
            live.unreserve(principal.identity)
            found = live.presences.get(principal.identity)
            if self.robots.known(room, principal.identity):
                kind = "robot"
            if found is not None:
                self._end_connection(found, _ended("replaced", "You joined from somewhere else."))
                found.detach()
                found.follow(None)
                found.stop_grace()
            presence = found or Presence(room, principal, kind, _now_ms(), self, live.is_crowded)
            presence.principal, presence.kind = principal, kind
            link = MediaLink(presence, self._sfu)
            before = presence.use(link)
            # A session made by the same door is replaced by the media server, once it has read the new offer.
            if before is not None and before.session is not None:
                self._leave_media(before, "replaced")
            live.presences[presence.id] = presence
            self._tell_of_call(live, principal)
            event = "participant-updated" if found else "participant-joined"
            live.tell(Notice(event, presence.participant()), [presence])
            return link
        finally:
            self.directory.let_go_if_unused(live)

    async def exit(self, room: str, participant: str, reason: str) -> None:
        """Their media is over."""
        live = self.directory.get(room)
        presence = live.presences.get(participant) if live is not None else None
        if live is not None and presence is not None and presence.connection is None:
            self._drop(live, presence, reason)


def _session(presence: Presence) -> str:
    link = presence.link
    if link is None or link.session is None:
        raise BadRequest("media-missing", "This needs a media session; join with an offer.")
    return link.session


def _ended(code: Literal["replaced", "removed", "room-ended", "logged-out"], message: str) -> Notice:
    return Notice("session-ended", SessionEnded(code, message))


def _no_session() -> NotFound:
    return NotFound("session-not-found", "The media session is over; join again with an offer.", "session")


def _now_ms() -> int:
    return round(time.time() * 1000)
