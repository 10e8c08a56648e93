"""The buckets of several processes, in Redis: the same rates, counted together.

One script counts and answers in one round trip, by Redis's own clock, so that processes need not agree on the time. A
bucket that is full again is forgotten. While Redis does not answer each process counts by itself: guessing is then
slowed less, but never set free, and nobody is shut out.
"""

from __future__ import annotations

from collections.abc import Mapping

import redis.asyncio
import structlog
from redis.exceptions import RedisError

from accounts.rates import RATES, LocalGate, digest
from tertulia.errors import RateLimited
from tertulia.limits import Rate

log = structlog.get_logger("accounts.rates")

PREFIX = "tertulia:rate:"
LIMIT_S = 0.5

# KEYS[1] the bucket; ARGV per second, burst. Answers the seconds to wait, 0 when it was counted.
_COUNT = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local kept = redis.call('HMGET', KEYS[1], 'level', 'at')
local level, at = tonumber(kept[1] or burst), tonumber(kept[2] or now)
level = math.min(burst, level + math.max(0, now - at) * rate)
local wait = 0
if level < 1 then wait = (1 - level) / rate else level = level - 1 end
redis.call('HSET', KEYS[1], 'level', tostring(level), 'at', string.format('%.6f', now))
redis.call('PEXPIRE', KEYS[1], math.ceil((burst - level) / rate * 1000) + 1000)
return tostring(wait)
"""


class RedisGate:
    """Implements ``accounts.rates.Gate``."""

    def __init__(self, url: str, rates: Mapping[str, Rate] = RATES) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url, protocol=3, socket_connect_timeout=LIMIT_S, socket_timeout=LIMIT_S
        )
        self._count = self._redis.register_script(_COUNT)
        self._rates = rates
        self._alone = LocalGate(rates)

    async def check(self, kind: str, *key: str) -> None:
        rate = self._rates[kind]
        try:
            answer = await self._count(keys=[PREFIX + digest(kind, *key)], args=[rate.per_s, rate.burst])
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("redis does not count; this process does by itself", error=type(error).__name__)
            await self._alone.check(kind, *key)
            return
        wait_s = float(answer)
        if wait_s > 0:
            raise RateLimited("rate-limited", "That was too often; wait a moment and try again.", retry_after_s=wait_s)

    async def close(self) -> None:
        await self._redis.aclose()
