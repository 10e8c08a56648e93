"""The conversations that one client follows, beyond the room it is in: begun by ``sync``, ended with the connection."""

from __future__ import annotations

from collections.abc import Callable

from chat.service import ChatService
from chat.subscription import Sink, Subscription
from tertulia.catalogue import Position, Sync, SyncAnswer
from tertulia.errors import TooLarge
from tertulia.tokens import Principal

FOLLOWED_MAX = 1000


class Following:
    """Subscriptions by conversation, all of one client, over whichever door it has."""

    __slots__ = ("_subscriptions",)

    def __init__(self) -> None:
        self._subscriptions: dict[str, Subscription] = {}

    async def sync(
        self, chat: ChatService, principal: Principal, asked: Sync, sink: Sink, bytes_max: int, but: str | None
    ) -> tuple[SyncAnswer, Callable[[], None]]:
        """The answer, and what to call once it is on its way.

        :param but: a conversation that the client hears of already
        """
        wanted = {position.conversation for position in asked.positions}
        if len(wanted | self._subscriptions.keys()) > FOLLOWED_MAX:
            raise TooLarge("frame-too-large", f"A client follows at most {FOLLOWED_MAX} conversations.", "positions")
        answer, subscriptions = await chat.follow(principal, asked, sink, bytes_max)
        found = {one.conversation: one for one in answer.conversations}
        for subscription in subscriptions:
            conversation = subscription.conversation
            if found[conversation].status == "gone" or conversation == but:
                subscription.close()
                continue
            before = self._subscriptions.get(conversation)
            if before is not None:
                before.close()
            self._subscriptions[conversation] = subscription
        opened = frozenset(asked.open or ())
        for subscription in self._subscriptions.values():
            subscription.open = subscription.conversation in opened

        def answered() -> None:
            for subscription in subscriptions:
                one = found[subscription.conversation]
                if self._subscriptions.get(subscription.conversation) is subscription:
                    head = one.head.seq if one.head is not None else 0
                    subscription.start(one.events[-1].seq if one.events else head)

        return answer, answered

    def forget(self, conversation: str) -> None:
        """Another subscription of this client takes its place."""
        subscription = self._subscriptions.pop(conversation, None)
        if subscription is not None:
            subscription.close()

    def positions(self) -> list[Position]:
        """Where each conversation stands."""
        return [subscription.position() for subscription in self._subscriptions.values()]

    def close(self) -> None:
        for subscription in self._subscriptions.values():
            subscription.close()
        self._subscriptions.clear()
