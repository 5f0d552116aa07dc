"""The state that workers share in Redis, as long as Redis answers.

Every use goes through `attempt`, which gives the caller's own value instead when there is no Redis, or when it went away:
losing it slows nobody down (one short try every half second, by one caller), and its return needs no restart.
Keys of one provider share a hash tag, so that they stand together in a cluster.

The processes that share it count each other there, over all machines: nobody else can tell one how many the others are, and each
must know it before Redis goes. See docs/decisions/0060.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from uuid_utils import uuid7

from resolvers.sealing import Seal
from resolvers.tasks import ended

logger = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE: Final = 0.5
"""How long one exchange with Redis may take, and how long it is left alone after a failure, in seconds."""


PRESENT_EVERY: Final = 1.0
"""How often a process shows that it is there, in seconds."""
ABSENT_AFTER: Final = 5.0

_COUNT = """
-- KEYS: who is there. ARGV: this process, when an absent one is forgotten (s). The time is Redis' own: clocks differ.
local now = redis.call('TIME')
now = tonumber(now[1]) + tonumber(now[2]) / 1000000
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - tonumber(ARGV[2]))
redis.call('EXPIRE', KEYS[1], 60)
return redis.call('ZCARD', KEYS[1])
"""


class SharedState:
    """Redis when there is one. `losses` counts how often it was found missing: state kept there may have a hole."""

    def __init__(self, redis: "Redis | None", seal: Seal, *, workers: int = 1, prefix: str = "graphe:") -> None:
        self._redis = redis
        self.seal = seal
        self._at_least = workers
        self._counted: int | None = None
        self._name = str(uuid7())
        self._counting: asyncio.Task[None] | None = None
        self._prefix = prefix
        self._leave_alone_until = 0.0
        self._lost = False
        self.losses = 0

    @property
    def configured(self) -> bool:
        return self._redis is not None

    @property
    def answers(self) -> bool:
        """Whether the last exchange went well."""
        return self._redis is not None and not self._lost

    @property
    def workers(self) -> int:
        """How many processes there are over all machines, this one included, as was known last."""
        return max(self._at_least, self._counted or 1)

    def share(self, limit: int) -> int:
        """This process' part of a limit that it keeps alone; the least there is, as long as it could not count the others."""
        if self._redis is not None and self._counted is None:
            return 1
        return max(limit // self.workers, 1)

    @property
    def alone(self) -> bool:
        """Whether there is no other process, for sure."""
        return self.workers == 1 and (self._redis is None or self._counted is not None)

    async def start(self) -> None:
        """Count the others, now and from now on."""
        if self._redis is not None:
            await self.count()
            self._counting = asyncio.create_task(self._count_for_ever())

    async def count(self) -> None:
        """Show that this process is there, and see who else is."""

        async def read(redis: "Redis") -> int:
            return int(await redis.eval(_COUNT, 1, f"{self._prefix}processus", self._name, ABSENT_AFTER))

        self._counted = await self.attempt(read, self._counted)

    async def _count_for_ever(self) -> None:
        while True:
            await asyncio.sleep(PRESENT_EVERY)
            await self.count()

    def key(self, provider: str, *parts: str) -> str:
        """The key of something that belongs to a provider."""
        return f"{self._prefix}{{{provider}}}:" + ":".join(parts)

    async def attempt(self, work: "Callable[[Redis], Awaitable[T]]", otherwise: T) -> T:
        """What `work` makes of Redis, or `otherwise` when it can't be had."""
        if self._redis is None:
            return otherwise
        now = asyncio.get_running_loop().time()
        if now < self._leave_alone_until:
            return otherwise
        if self._lost:  # others keep away while this one looks whether it is back
            self._leave_alone_until = now + PATIENCE
        try:
            found = await work(self._redis)
        except (RedisError, OSError) as error:
            self._leave_alone_until = asyncio.get_running_loop().time() + PATIENCE
            if not self._lost:
                self._lost = True
                self.losses += 1
                logger.warning("redis: lost (%s), this process goes on alone", type(error).__name__)
            return otherwise
        if self._lost:
            self._lost = False
            self._leave_alone_until = 0.0
            logger.warning("redis: back")
        return found

    async def get(self, key: str, otherwise: "bytes | None" = None) -> "bytes | None":
        """What stands under a key; `None` when nothing does, `otherwise` when it can't be known."""

        async def read(redis: "Redis") -> bytes | None:
            return cast("bytes | None", await redis.get(key))

        return await self.attempt(read, otherwise)

    async def close(self) -> None:
        if self._counting is not None:
            await ended(self._counting)
        if self._redis is not None:
            await self._redis.aclose()


def connected(url: str) -> "Redis | None":
    """The client of a Redis URL; `None` for an empty one. It connects at its first use."""
    if not url:
        return None
    return Redis.from_url(
        url,
        socket_timeout=PATIENCE,
        socket_connect_timeout=PATIENCE,
        # A connection kept from before a restart of Redis is replaced at once.
        retry=Retry(NoBackoff(), 1),
        health_check_interval=0,
    )
