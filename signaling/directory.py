"""Rooms as things that exist, whether anybody is in them or not: make, find, list and delete them, mint tokens."""

from __future__ import annotations

import msgspec

from chat.service import ChatService
from signaling import names, store
from signaling.rooms import LiveRoom
from tertulia.catalogue import Grants, Participant, RoomInfo, RoomToken
from tertulia.database import Database
from tertulia.errors import NotFound
from tertulia.settings import Settings
from tertulia.tokens import GUEST_KEY, Principal, Tokens

GUEST_TTL_S = 86_400
SITE_TTL_S = 6 * 3600
ROOMS_LISTED_MAX = 200


class Directory:
    """All rooms in the database, and those that somebody is in."""

    def __init__(self, settings: Settings, database: Database, tokens: Tokens, chat: ChatService) -> None:
        self._settings = settings
        self._database = database
        self._tokens = tokens
        self._chat = chat
        self._held: dict[str, LiveRoom] = {}

    async def create(self, name: str, key_id: str | None) -> RoomInfo:
        """A new room with its conversation. ``key_id`` names the API key that asked; None is a guest."""
        room_id = names.room_id()
        # The conversation first: should the program end here, one is left that nobody can see, and never the reverse.
        conversation = await self._chat.ensure_room_conversation(room_id, name)
        async with self._database.acquire() as db:
            return self.counted(await store.create_room(db, room_id, name, conversation, key_id))

    async def delete(self, room_id: str) -> None:
        """Raises NotFound ``room-not-found``."""
        async with self._database.acquire() as db:
            if not await store.delete_room(db, room_id):
                raise _no_room()

    async def info(self, room_id: str) -> RoomInfo:
        """Raises NotFound ``room-not-found``."""
        held = self._held.get(room_id)
        return self.counted(held.info if held is not None else await self._stored(room_id))

    async def listed(self) -> list[RoomInfo]:
        """The newest rooms."""
        async with self._database.acquire() as db:
            rooms = await store.newest_rooms(db, ROOMS_LISTED_MAX)
        return [self.counted(info) for info in rooms]

    async def participants(self, room_id: str) -> list[Participant]:
        """Who is in a room, in the order they joined. Raises NotFound."""
        await self.info(room_id)
        held = self._held.get(room_id)
        return [presence.participant() for presence in held.participants()] if held is not None else []

    async def mint_guest(self, room_id: str, name: str) -> RoomToken:
        """A guest's token; its identity is of our making. Raises NotFound ``room-not-found``."""
        return await self.mint(room_id, None, name, Grants(), GUEST_TTL_S, GUEST_KEY)

    async def mint_member(self, room_id: str, member: Principal) -> RoomToken:
        """A token for somebody who is logged in, as who they are. Raises NotFound ``room-not-found``."""
        return await self.mint(room_id, member.identity, member.name, Grants(), GUEST_TTL_S, member.key_id, member)

    async def mint(
        self,
        room_id: str,
        identity: str | None,
        name: str,
        grants: Grants | None,
        ttl_s: int | None,
        key_id: str,
        member: Principal | None = None,
    ) -> RoomToken:
        """A token signed with an API key, or the server's own. Raises NotFound ``room-not-found``."""
        await self.info(room_id)
        identity = identity or names.guest_identity()
        # A member's token lives no longer than the session that it was asked for in.
        session, generation = (member.session, member.generation) if member is not None else ("", 0)
        token = self._tokens.mint(room_id, identity, name, grants, ttl_s or SITE_TTL_S, key_id, session, generation)
        expires_at = round(self._tokens.verify(token).expires_at * 1000)
        return RoomToken(
            token=token, identity=identity, name=name, expires_at=expires_at, video_codec=self._settings.video_codec
        )

    # --- those that somebody is in ---------------------------------------------------------------------------------

    def get(self, room_id: str) -> LiveRoom | None:
        return self._held.get(room_id)

    def held(self) -> list[LiveRoom]:
        return list(self._held.values())

    async def hold(self, room_id: str) -> LiveRoom:
        """The room for somebody who is about to enter it. Raises NotFound ``room-not-found``."""
        held = self._held.get(room_id)
        if held is None:
            info = await self._stored(room_id)
            held = self._held.setdefault(
                room_id, LiveRoom(info, self._settings.room_capacity, self._settings.channel_room_max)
            )
        return held

    def let_go_if_unused(self, room: LiveRoom) -> None:
        if room.unused and self._held.get(room.info.id) is room:
            del self._held[room.info.id]

    def counted(self, info: RoomInfo) -> RoomInfo:
        """The room with the number of those who are in it now."""
        held = self._held.get(info.id)
        count = len(held.presences) if held is not None else 0
        return msgspec.structs.replace(info, participants=count, video_codec=self._settings.video_codec)

    async def _stored(self, room_id: str) -> RoomInfo:
        async with self._database.acquire() as db:
            info = await store.get_room(db, room_id)
        if info is None:
            raise _no_room()
        return info


def _no_room() -> NotFound:
    return NotFound("room-not-found", "There is no such room.")
