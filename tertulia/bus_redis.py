"""The bus over Redis (7 or newer, or Valkey): sharded publish and subscribe, a channel a topic.

A process subscribes to what its sockets need and hears nothing else, and in a cluster each channel concerns one shard
only. Redis keeps nothing of ours: flushed or restarted, it loses hints, and readers find what they missed in the
database.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import redis.asyncio
import structlog

from tertulia.bus_shared import Heard, Told

log = structlog.get_logger("tertulia.bus")

PREFIX = "tertulia:"
WAIT_S = 1.0
CONFIRM_S = 2.0
HEALTH_S = 5
_OWN = "tertulia-bus"
"""A channel that is always followed, so that the connection has something to subscribe to."""


class RedisCarrier:
    """Implements ``bus_shared.Carrier``.

    :param url: ``redis://`` or ``rediss://``
    """

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url,
            protocol=3,
            socket_connect_timeout=5,
            socket_timeout=10,
            health_check_interval=HEALTH_S,
            socket_keepalive=True,
        )
        self._pubsub: redis.asyncio.client.PubSub | None = None
        self._unconfirmed: dict[str, asyncio.Future[None]] = {}
        self._changes: set[asyncio.Task[None]] = set()

    async def run(self, topics: Callable[[], list[str]], ready: Callable[[], None], heard: Heard) -> None:
        pubsub = self._redis.pubsub()
        try:
            followed = [_OWN, *topics()]
            await pubsub.ssubscribe(*(PREFIX + topic for topic in followed))
            # What is followed from here on is followed on this connection.
            self._pubsub = pubsub
            for topic in topics():
                if topic not in followed:
                    await pubsub.ssubscribe(PREFIX + topic)
            while True:
                message = await pubsub.get_message(timeout=WAIT_S)
                if message is None:
                    continue
                topic = message["channel"].decode().removeprefix(PREFIX)
                if message["type"] == "ssubscribe":
                    # Confirmed again when the library has connected again by itself; all are followed then, for one
                    # command named them all.
                    if topic == _OWN:
                        ready()
                    self._confirm(topic)
                elif message["type"] == "smessage":
                    sender, _, content = message["data"].partition(b" ")
                    heard(sender.decode(), topic, content)
        finally:
            self._pubsub = None
            for topic in list(self._unconfirmed):
                self._confirm(topic)
            await pubsub.aclose()  # type: ignore[no-untyped-call] # the library's types are not complete

    async def follow(self, topic: str) -> None:
        # A farewell to the same topic that is still on its way must not come after this.
        await asyncio.gather(*self._changes, return_exceptions=True)
        if self._pubsub is None:
            return  # followed when the connection is there, and looked for then
        confirmed = self._unconfirmed.setdefault(topic, asyncio.get_running_loop().create_future())
        try:
            await self._pubsub.ssubscribe(PREFIX + topic)
            await asyncio.wait_for(asyncio.shield(confirmed), CONFIRM_S)
        except (redis.RedisError, OSError, TimeoutError) as error:
            # The connection is found to be lost by its reader too, which begins anew.
            log.warning("a topic could not be followed", error=type(error).__name__)

    def _confirm(self, topic: str) -> None:
        future = self._unconfirmed.pop(topic, None)
        if future is not None and not future.done():
            future.set_result(None)

    def leave(self, topic: str) -> None:
        pubsub = self._pubsub
        if pubsub is None:
            return

        async def unsubscribe() -> None:
            try:
                await pubsub.sunsubscribe(PREFIX + topic)
            except (redis.RedisError, OSError) as error:
                log.debug("a topic could not be left", error=type(error).__name__)

        task = asyncio.create_task(unsubscribe(), name="bus-leave")
        self._changes.add(task)
        task.add_done_callback(self._changes.discard)

    async def tell(self, sender: str, messages: Told) -> None:
        async with self._redis.pipeline(transaction=False) as pipe:
            for topic, message in messages:
                _ = pipe.spublish(PREFIX + topic, b"%b %b" % (sender.encode(), message))
            await pipe.execute()

    async def close(self) -> None:
        await asyncio.gather(*self._changes, return_exceptions=True)
        await self._redis.aclose()
