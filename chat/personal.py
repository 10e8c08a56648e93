"""What a person keeps, on all devices: one's own log, and the drafts, settings, marks and blocks that it tells of.

Each is a row of its own, changed in the same transaction that writes an entry into the person's own log (``self``), so
that no device misses one and no transaction locks the heads of two conversations. Guests of a room have no such log:
their rows change without a word.
"""

from __future__ import annotations

from chat import conversation_store, refusals
from chat.access import Connection, access_conversation, check_workspace
from chat.checks import check_draft, check_text
from chat.conversation_store import Making
from chat.core import Core, derived
from chat.draft import Draft, Effect, hash_of
from chat.ledger_store import instant
from chat.store import Reader, heads, visible_messages
from tertulia.catalogue import (
    Arrange,
    Change,
    Frame,
    GetMe,
    HideMessage,
    Me,
    Ok,
    SetBlock,
    SetDraft,
    SetPreferences,
)
from tertulia.errors import NotFound
from tertulia.tokens import Principal

PREFERENCES_MAX = 200
BLOCKS_MAX = 1000


def own_log(user: str) -> str:
    """The id of somebody's own log."""
    return derived("self", user)


class PersonalDesk:
    """What is kept for one person."""

    def __init__(self, core: Core) -> None:
        self._core = core

    async def know(self, principal: Principal) -> None:
        """Somebody is logged in: keep their name, and make their own log if there is none."""

        async def work(db: Connection) -> None:
            await conversation_store.know_person(db, principal.identity, principal.name)
            log = own_log(principal.identity)
            await conversation_store.make(db, Making(log, "self", created_by=principal.identity))
            await conversation_store.seat(db, log, principal.identity, principal.name, "owner")

        await self._core.change(work)

    async def me(self, principal: Principal, asked: GetMe) -> Me:
        """Who the asker is, and what is kept for them."""
        me = check_workspace(principal)

        async def work(db: Connection) -> Me:
            log = own_log(me)
            head = (await heads(db, [log])).get(log)
            preferences = await db.fetch("SELECT name, value FROM chat.preference WHERE user_id = $1", me)
            blocked = await db.fetch("SELECT blocked_id FROM chat.block WHERE user_id = $1 ORDER BY at", me)
            return Me(
                id=me,
                name=principal.name,
                self=head.position(log) if head is not None else None,
                preferences={row["name"]: row["value"] for row in preferences},
                blocked=[row["blocked_id"] for row in blocked],
            )

        return await self._core.read(work)

    async def hide(self, principal: Principal, asked: HideMessage) -> Ok:
        """Delete a message for oneself. Raises NotFound ``message-not-found``."""

        async def effect(db: Connection) -> Change | None:
            access = await access_conversation(db, principal, asked.conversation)
            done = await db.fetchval(
                "SELECT true FROM chat.hidden WHERE conversation_id = $1 AND user_id = $2 AND seq = $3",
                access.conversation,
                access.user,
                asked.seq,
            )
            if done:
                return None
            reader = Reader(access.user, access.visible_from)
            if not await visible_messages(db, access.conversation, reader, [asked.seq]):
                raise refusals.no_message()
            await db.execute(
                "INSERT INTO chat.hidden (conversation_id, user_id, seq) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                access.conversation,
                access.user,
                asked.seq,
            )
            return Change(action="hidden", conversation=asked.conversation, seq=asked.seq)

        await self.keep(principal, asked.client_id, asked, effect)
        return Ok()

    async def arrange(self, principal: Principal, asked: Arrange) -> Ok:
        """Mute, archive or pin a conversation for oneself."""
        check_workspace(principal)

        async def effect(db: Connection) -> Change | None:
            await access_conversation(db, principal, asked.conversation)
            await db.execute(
                "UPDATE chat.member SET"
                " muted_until = CASE WHEN $3::boolean THEN $4::timestamptz ELSE muted_until END,"
                " archived = coalesce($5, archived), pinned = coalesce($6, pinned)"
                " WHERE conversation_id = $1 AND user_id = $2",
                asked.conversation,
                principal.identity,
                asked.muted_until is not None,
                instant(asked.muted_until) if asked.muted_until else None,
                asked.archived,
                asked.pinned,
            )
            return Change(
                action="arranged",
                conversation=asked.conversation,
                muted_until=asked.muted_until,
                archived=asked.archived,
                pinned=asked.pinned,
            )

        await self.keep(principal, asked.client_id, asked, effect)
        return Ok()

    async def set_draft(self, principal: Principal, asked: SetDraft) -> Ok:
        """Keep what is being written, or drop it. Raises BadRequest ``text-invalid``, TooLarge ``text-too-long``."""
        check_workspace(principal)
        json = check_draft(asked.body) if asked.body is not None else None

        async def effect(db: Connection) -> Change | None:
            await access_conversation(db, principal, asked.conversation)
            place = (principal.identity, asked.conversation)
            if json is None:
                await db.execute("DELETE FROM chat.draft WHERE user_id = $1 AND conversation_id = $2", *place)
            else:
                await db.execute(
                    "INSERT INTO chat.draft (user_id, conversation_id, body, at)"
                    " VALUES ($1, $2, $3::text::jsonb, now())"
                    " ON CONFLICT (user_id, conversation_id) DO UPDATE SET body = excluded.body, at = now()",
                    *place,
                    json,
                )
            return Change(action="draft", conversation=asked.conversation, draft=asked.body)

        await self.keep(principal, asked.client_id, asked, effect)
        return Ok()

    async def set_preferences(self, principal: Principal, asked: SetPreferences) -> Ok:
        """Keep settings. Raises BadRequest ``text-invalid``, Conflict ``preferences-full``."""
        me = check_workspace(principal)
        for value in asked.preferences.values():
            check_text(value, "preferences")

        async def effect(db: Connection) -> Change | None:
            gone = [name for name, value in asked.preferences.items() if not value]
            kept = {name: value for name, value in asked.preferences.items() if value}
            await db.execute("DELETE FROM chat.preference WHERE user_id = $1 AND name = ANY($2::text[])", me, gone)
            await db.execute(
                "INSERT INTO chat.preference (user_id, name, value) SELECT $1, * FROM unnest($2::text[], $3::text[])"
                " ON CONFLICT (user_id, name) DO UPDATE SET value = excluded.value",
                me,
                list(kept),
                list(kept.values()),
            )
            count = await db.fetchval("SELECT count(*) FROM chat.preference WHERE user_id = $1", me)
            if count > PREFERENCES_MAX:
                # Taken back by hand: the transaction belongs to others too.
                await db.execute(
                    "DELETE FROM chat.preference WHERE user_id = $1 AND name = ANY($2::text[])", me, list(kept)
                )
                raise refusals.too_much_kept()
            return Change(action="preferences", preferences=asked.preferences)

        await self.keep(principal, asked.client_id, asked, effect)
        return Ok()

    async def set_block(self, principal: Principal, asked: SetBlock) -> Ok:
        """Take no more messages from somebody, or take them again. Raises BadRequest ``user-invalid``."""
        me = check_workspace(principal)
        if asked.user == me:
            raise refusals.not_oneself()

        async def effect(db: Connection) -> Change | None:
            if asked.blocked:
                count = await db.fetchval("SELECT count(*) FROM chat.block WHERE user_id = $1", me)
                if count >= BLOCKS_MAX:
                    raise refusals.too_much_kept()
                await db.execute(
                    "INSERT INTO chat.block (user_id, blocked_id) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                    me,
                    asked.user,
                )
            else:
                await db.execute("DELETE FROM chat.block WHERE user_id = $1 AND blocked_id = $2", me, asked.user)
            return Change(action="blocked" if asked.blocked else "unblocked", user=asked.user)

        await self.keep(principal, asked.client_id, asked, effect)
        return Ok()

    async def keep(self, principal: Principal, client_id: str, asked: Frame, effect: Effect) -> None:
        """Change a person's rows, and tell their devices if that changed something."""
        if not principal.grants.chat:
            raise refusals.chat_not_granted()
        if not principal.workspace:
            await self._core.change(effect)
            return
        draft = Draft(principal, "self", client_id, hash_of(asked), trusted=True, effect=effect)
        try:
            await self._core.put(own_log(principal.identity), draft)
        except NotFound as error:
            if error.code != "conversation-not-found" or error.field is not None:
                raise
            await self.know(principal)
            await self._core.put(
                own_log(principal.identity),
                Draft(principal, "self", client_id, hash_of(asked), trusted=True, effect=effect),
            )
