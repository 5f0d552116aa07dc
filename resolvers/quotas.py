"""How many provider calls a habilitation may cause a minute, group by group.

Calls are reserved before they are made and given back when they were not needed after all (the answer was already in
flight, the provider is in maintenance). Windows are aligned on the clock, as in the ecosystem. Counted in Redis, in one
atomic step, when there is one; else in the process.
Source: the quota groups of the "API Entreprise" bouquet.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from auth.caller import Caller
from auth.instants import Clock
from providers.declaration import Dataset, Http, QuotaGroup, Source

logger = logging.getLogger(__name__)

AnyDataset = Dataset[Any, Any, Any]

WINDOW: Final = timedelta(seconds=60)
CUSTOM: Final = "personnalise"
"""The group of a habilitation's own quota: all its calls, whatever the dataset."""


@dataclass(frozen=True, slots=True)
class Group:
    """So many calls a window, for all members together or for each apart."""

    limit: int
    apart: bool


GROUPS: Final[Mapping[QuotaGroup, Group]] = {
    QuotaGroup.JSON: Group(250, apart=False),
    QuotaGroup.DOCS_LOW: Group(50, apart=False),
    QuotaGroup.DOCS_HIGH: Group(5, apart=True),
    QuotaGroup.URSSAF: Group(100, apart=False),
    QuotaGroup.INPI_RNE: Group(15, apart=True),
    QuotaGroup.GIP_MDS: Group(50, apart=False),
}


@dataclass(frozen=True, slots=True)
class Allowance:
    """One counter: its name in answers (`json`, `docs_high:dgfip.attestation_fiscale`) and its limit."""

    name: str
    limit: int


def allowance(dataset: AnyDataset) -> Allowance:
    """The counter that the calls of a dataset are counted in."""
    group = GROUPS[dataset.quota]
    name = f"{dataset.quota.value}:{dataset.id}" if group.apart else dataset.quota.value
    return Allowance(name, group.limit)


def allowances(caller: Caller, dataset: AnyDataset) -> tuple[Allowance, ...]:
    """Every counter that a call of this caller to this dataset is counted in."""
    if caller.quota_par_minute is None:
        return (allowance(dataset),)
    return (allowance(dataset), Allowance(CUSTOM, caller.quota_par_minute))


def calls_for(source: Source[Any, Any], keys: int) -> int:
    """The calls that asking `source` for so many keys costs: those of its bulk call, if any; none for a table."""
    how = source.how
    if not isinstance(how, Http) or keys == 0:
        return 0
    return math.ceil(keys / how.bulk.size) if how.bulk is not None and keys > 1 else keys


def keys_for(source: Source[Any, Any], calls: int) -> int:
    """The keys that so many calls can ask for."""
    how = source.how
    return calls * how.bulk.size if isinstance(how, Http) and how.bulk is not None else calls


# --- Counters ----------------------------------------------------------------------------------------


class Counters(Protocol):
    """Numbers by name, each for one window."""

    async def take(self, name: str, wanted: int, limit: int) -> tuple[int, int]:
        """Add as many of `wanted` as `limit` leaves room for: (added, number after)."""
        ...

    async def give_back(self, name: str, number: int) -> None: ...

    async def read(self, names: Sequence[str]) -> list[int]: ...

    async def close(self) -> None: ...


class Local:
    """Counters of this process. A name ends with its window, so that those of the past are dropped together."""

    def __init__(self) -> None:
        self._window = ""
        self._numbers: dict[str, int] = {}

    async def take(self, name: str, wanted: int, limit: int) -> tuple[int, int]:
        window = name.rpartition(":")[2]
        if window > self._window:
            self._window = window
            self._numbers.clear()
        used = self._numbers.get(name, 0)
        added = min(wanted, max(limit - used, 0))
        self._numbers[name] = used + added
        return added, used + added

    async def give_back(self, name: str, number: int) -> None:
        if name in self._numbers:
            self._numbers[name] = max(self._numbers[name] - number, 0)

    async def read(self, names: Sequence[str]) -> list[int]:
        return [self._numbers.get(name, 0) for name in names]

    async def close(self) -> None:
        self._numbers.clear()


_TAKE = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
local added = math.min(tonumber(ARGV[1]), math.max(tonumber(ARGV[2]) - used, 0))
if added > 0 then
  used = redis.call('INCRBY', KEYS[1], added)
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return {added, used}
"""
_GIVE_BACK = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if used > 0 then redis.call('DECRBY', KEYS[1], math.min(used, tonumber(ARGV[1]))) end
return 1
"""


_CONNECTIONS: Final = 20
_PATIENCE: Final = 1.0
LEFT_ALONE: Final = 0.5
"""How long Redis is left alone after a failure, in seconds."""


class Shared:
    """Counters in Redis, the same for every worker. While Redis is away, each process counts for itself.

    Once it is found away it is left alone for a moment: only one request in each waits to see whether it is back.
    """

    def __init__(self, url: str, prefix: str = "graphe:quota:") -> None:
        # A pool that makes callers wait: beyond its size, the plain one fails, and each process would count alone.
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_PATIENCE,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
        )
        self._redis: Redis = Redis(connection_pool=pool)
        self._prefix = prefix
        self._take = self._redis.register_script(_TAKE)
        self._give_back = self._redis.register_script(_GIVE_BACK)
        self._meanwhile = Local()
        self._leave_alone_until = 0.0
        self._lost = False

    async def take(self, name: str, wanted: int, limit: int) -> tuple[int, int]:
        kept = int(WINDOW.total_seconds()) * 2
        found = await self._attempt(lambda: self._take(keys=[self._prefix + name], args=[wanted, limit, kept]))
        if found is None:
            return await self._meanwhile.take(name, wanted, limit)
        added, used = found
        return int(added), int(used)

    async def give_back(self, name: str, number: int) -> None:
        if await self._attempt(lambda: self._give_back(keys=[self._prefix + name], args=[number])) is None:
            await self._meanwhile.give_back(name, number)

    async def read(self, names: Sequence[str]) -> list[int]:
        if not names:
            return []
        values = await self._attempt(lambda: self._redis.mget([self._prefix + name for name in names]))
        if values is None:
            return await self._meanwhile.read(names)
        return [int(value or 0) for value in values]

    async def _attempt(self, work: Callable[[], Awaitable[Any]]) -> Any:
        """What Redis answers, or `None` when it is away."""
        now = asyncio.get_running_loop().time()
        if now < self._leave_alone_until:
            return None
        if self._lost:  # others keep away while this one looks whether it is back
            self._leave_alone_until = now + _PATIENCE
        try:
            found = await work()
        except (RedisError, OSError) as error:
            self._leave_alone_until = asyncio.get_running_loop().time() + LEFT_ALONE
            if not self._lost:
                logger.warning("quotas: Redis is away (%s), this process counts alone", type(error).__name__)
            self._lost = True
            return None
        self._lost, self._leave_alone_until = False, 0.0
        return found

    async def close(self) -> None:
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()


# --- One request's use of them -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Balance:
    """A counter as a request leaves it."""

    name: str
    limit: int
    used: int
    reset: datetime

    @property
    def remaining(self) -> int:
        return max(self.limit - self.used, 0)


@dataclass(slots=True)
class Meter:
    """What one request reserves. `balances` are the counters that it touched; `refused` tells whether one was full."""

    counters: Counters
    caller: Caller
    clock: Clock
    enforced: bool
    balances: dict[str, Balance] = field(default_factory=dict)
    refused: bool = False

    async def reserve(self, dataset: AnyDataset, wanted: int) -> int:
        """As many of the wanted calls as every counter leaves room for."""
        if not self.enforced or wanted == 0:
            return wanted
        granted = wanted
        window, reset = _window(self.clock())
        for position, limit in enumerate(allowances(self.caller, dataset)):
            asked = granted
            granted, used = await self.counters.take(self._key(limit, window), asked, limit.limit)
            self.balances[limit.name] = Balance(limit.name, limit.limit, used, reset)
            if granted < asked:
                self.refused = True
                for above in allowances(self.caller, dataset)[:position]:
                    await self._return(above, window, reset, asked - granted)
        return granted

    async def refund(self, dataset: AnyDataset, number: int) -> None:
        """Give back calls that were reserved and not made."""
        if not self.enforced or number <= 0:
            return
        window, reset = _window(self.clock())
        for limit in allowances(self.caller, dataset):
            await self._return(limit, window, reset, number)

    async def _return(self, limit: Allowance, window: int, reset: datetime, number: int) -> None:
        before = self.balances.get(limit.name)
        if before is None or before.reset != reset:
            return  # the window that they were taken from is over
        await self.counters.give_back(self._key(limit, window), number)
        self.balances[limit.name] = Balance(limit.name, limit.limit, max(before.used - number, 0), reset)

    async def balances_of(self, limits: Sequence[Allowance]) -> list[Balance]:
        """Counters as they stand, without touching them."""
        window, reset = _window(self.clock())
        used = await self.counters.read([self._key(limit, window) for limit in limits])
        return [Balance(limit.name, limit.limit, number, reset) for limit, number in zip(limits, used, strict=True)]

    def retry_in(self) -> int:
        """Seconds until the windows start anew."""
        now = self.clock()
        return max(math.ceil((_window(now)[1] - now).total_seconds()), 1)

    def headers(self) -> dict[str, str]:
        """The ecosystem's headers, for the counter that leaves the least; a habilitation's own one comes first."""
        if not self.balances:
            return {}
        shown = self.balances.get(CUSTOM) or min(self.balances.values(), key=lambda one: one.remaining / one.limit)
        found = {
            "RateLimit-Limit": str(shown.limit),
            "RateLimit-Remaining": str(shown.remaining),
            "RateLimit-Reset": str(int(shown.reset.timestamp())),
        }
        if self.refused:
            found["Retry-After"] = str(self.retry_in())
        return found

    def _key(self, limit: Allowance, window: int) -> str:
        return f"{self.caller.habilitation}:{limit.name}:{window}"


def _window(now: datetime) -> tuple[int, datetime]:
    """The number of the window that `now` is in, and its end."""
    seconds = int(WINDOW.total_seconds())
    number = int(now.timestamp()) // seconds
    return number, datetime.fromtimestamp((number + 1) * seconds, tz=now.tzinfo)


# --- Addresses ---------------------------------------------------------------------------------------


class AddressCeiling:
    """How many requests one address may send a minute to this process: a guard, checked before anything is read."""

    def __init__(self, limit: int, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._window = -1
        self._numbers: dict[str, int] = {}

    def seconds_to_wait(self, address: str) -> int | None:
        """Count one request; `None` when it may go on, else how long to wait."""
        if self._limit == 0:
            return None
        now = self._clock()
        window, reset = _window(now)
        if window != self._window:
            self._window = window
            self._numbers.clear()
        number = self._numbers[address] = self._numbers.get(address, 0) + 1
        return None if number <= self._limit else max(math.ceil((reset - now).total_seconds()), 1)
