"""What passes: somebody is writing. Told to whoever looks, kept nowhere."""

from __future__ import annotations

from chat import refusals
from chat.access import Access, Connection
from chat.core import Core
from chat.marks import Tell, few_members
from chat.presence import is_invisible
from tertulia.catalogue import Ok, SomebodyTyping, Typing
from tertulia.frames import Notice
from tertulia.tokens import Principal


class PassingDesk:
    """Tells what is true for a moment."""

    def __init__(self, core: Core, tell: Tell) -> None:
        self._core = core
        self._tell = tell

    async def typing(self, principal: Principal, asked: Typing) -> Ok:
        """Tell the others that the asker writes, or stopped; of who is invisible they are told nothing.

        Raises Conflict ``conversation-too-large``.
        """

        async def work(db: Connection, access: Access) -> bool:
            if not await few_members(db, access.conversation):
                raise refusals.too_large_for_that()
            return await is_invisible(db, principal)

        if await self._core.read_as(principal, asked.conversation, work, "write"):
            return Ok()
        told = SomebodyTyping(asked.conversation, principal.identity, principal.name, asked.typing)
        self._tell(asked.conversation, Notice("somebody-typing", told))
        return Ok()
