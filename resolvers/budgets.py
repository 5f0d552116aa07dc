"""The calls that a provider allows us: its declared rates, and what its answers say of them, over all workers.

A call reserves an instant: the first at which the provider's limit leaves room for it. Near, the call waits for it; too far, it
is refused with the time to wait, and is never taken for "not found". The log of reserved instants is in Redis.

While Redis is away each worker keeps to a share of its own, and for one whole span after it noticed, to a single call: what the
others did before is not known. So the limit is never exceeded by more than the number of workers. See docs/decisions/0031.
"""

import asyncio
from bisect import insort
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from redis.asyncio import Redis
from uuid_utils import uuid7

from auth.instants import Clock
from providers.declaration import Rate
from providers.errors import Overloaded, ProviderError
from providers.http_status import retry_after
from resolvers.shared import SharedState

LONGEST_WAIT: Final = timedelta(seconds=5)
"""No call waits longer for its turn: its caller is better told when to come back."""
LONGEST_ADVICE: Final = timedelta(hours=1)
"""A provider that asks to be left alone for longer is tried again after that."""

_RESERVE = """
-- KEYS: the log, then the mark of its age. ARGV: now, span, limit, longest wait, name, presence (ms).
local now, span, limit = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local since = tonumber(redis.call('GET', KEYS[2]) or '-1')
if since < 0 then
  since = now
  redis.call('SET', KEYS[2], ARGV[1])
end
redis.call('PEXPIRE', KEYS[2], math.ceil(span * 4) + 3600000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - span)
local held = redis.call('ZCARD', KEYS[1])
local at = now
if held >= limit then
  at = math.max(now, tonumber(redis.call('ZRANGE', KEYS[1], held - limit, held - limit, 'WITHSCORES')[2]) + span)
end
local young = (ARGV[6] == '1' and now - since < span) and 1 or 0
if young == 0 and at - now <= tonumber(ARGV[4]) then
  redis.call('ZADD', KEYS[1], at, ARGV[5])
  redis.call('PEXPIRE', KEYS[1], math.ceil(span + at - now) + 1000)
end
return {tostring(at - now), young, held}
"""


@dataclass(slots=True)
class _Log:
    """The instants that this worker reserved for one rate, those of the past span and those to come."""

    rate: Rate
    instants: list[datetime] = field(default_factory=list)

    def wait(self, now: datetime, limit: int) -> timedelta:
        """How long until there is room for one more."""
        held = self.recent(now)
        return timedelta() if held < limit else max(self.instants[held - limit] + self.rate.per - now, timedelta())

    def recent(self, now: datetime) -> int:
        while self.instants and self.instants[0] <= now - self.rate.per:
            self.instants.pop(0)
        return len(self.instants)


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a declared rate, as far as this worker knows."""

    limit: int
    per: timedelta
    left: int


class Budget:
    """The budget of one provider."""

    def __init__(
        self, provider: str, rates: Sequence[Rate], settings: Mapping[str, str], shared: SharedState, clock: Clock
    ) -> None:
        self._shared = shared
        self._clock = clock
        applied = [rate for rate in rates if rate.when is None or rate.when(settings)]
        self._logs = [_Log(rate) for rate in applied]
        self._used = [0 for _ in applied]
        self._keys = [
            (
                shared.key(provider, "debit", str(int(rate.per.total_seconds()))),
                shared.key(provider, "debit", str(int(rate.per.total_seconds())), "depuis"),
            )
            for rate in applied
        ]
        self._pause_key = shared.key(provider, "pause")
        self._paused_until: datetime | None = None
        self._losses = shared.losses
        self._hole = False
        """Whether calls of ours may be missing from the shared log."""
        self._unsure_since: datetime | None = None
        """Since when this worker does not know what the others do."""

    async def take(self, patience: timedelta) -> None:
        """Reserve a call and wait for its turn, no longer than `patience`. Raises `Overloaded`."""
        longest = min(patience, LONGEST_WAIT)
        await self._refuse_if_paused(longest)
        wait = timedelta()
        for index, log in enumerate(self._logs):
            wait = max(wait, await self._reserve(index, log, longest))
        if wait > timedelta():
            await asyncio.sleep(wait.total_seconds())

    async def learn(self, response: httpx.Response, error: ProviderError | None) -> None:
        """What an answer says of our use: a 429 with its delay, a count that reached zero."""
        if response.status_code == 429:
            advice = error.retry_in if error is not None and error.retry_in is not None else retry_after(response)
        else:
            advice = _until_reset(response, self._clock())
        if advice is not None and advice > timedelta():
            await self._pause(min(advice, LONGEST_ADVICE))

    @property
    def paused_until(self) -> datetime | None:
        until = self._paused_until
        return until if until is not None and until > self._clock() else None

    def quotas(self) -> list[Quota]:
        """What is left of each declared rate."""
        now = self._clock()
        return [
            Quota(log.rate.calls, log.rate.per, max(log.rate.calls - max(used, log.recent(now)), 0))
            for log, used in zip(self._logs, self._used, strict=True)
        ]

    # --- A provider's own word ---------------------------------------------------------------------

    async def _pause(self, span: timedelta) -> None:
        until = self._clock() + span
        if self._paused_until is None or until > self._paused_until:
            self._paused_until = until
        milliseconds = max(int(span.total_seconds() * 1000), 1)
        await self._shared.attempt(
            lambda redis: redis.set(self._pause_key, str(until.timestamp()), px=milliseconds), None
        )

    async def _refuse_if_paused(self, longest: timedelta) -> None:
        found = await self._shared.get(self._pause_key)
        if found is not None:
            self._paused_until = datetime.fromtimestamp(float(found), tz=UTC)
        until = self._paused_until
        if until is None:
            return
        left = until - self._clock()
        if left > longest:
            raise Overloaded(retry_in=left)
        if left > timedelta():
            await asyncio.sleep(left.total_seconds())

    # --- Declared rates ----------------------------------------------------------------------------

    async def _reserve(self, index: int, log: _Log, longest: timedelta) -> timedelta:
        """How long to wait for the reserved instant. Raises `Overloaded`."""
        now = self._clock()
        answer = await self._shared.attempt(lambda redis: self._reserve_shared(redis, index, log, now, longest), None)
        if self._shared.losses != self._losses:
            self._losses, self._unsure_since, self._hole = self._shared.losses, now, True
        if answer is not None and self._hole:
            await self._shared.attempt(lambda redis: self._mark_hole(redis, index, log, now), None)
            self._hole, alone = False, True
        elif answer is not None and not answer[1]:
            self._unsure_since, alone = None, False
        else:
            alone = True
            if answer is not None and self._unsure_since is None:
                self._unsure_since = now
        if alone or answer is None:
            wait = self._wait_alone(log, now)
        else:
            self._used[index] = answer[2]
            wait = max(answer[0], log.wait(now, log.rate.calls))
        if wait > longest:
            raise Overloaded(retry_in=wait)
        insort(log.instants, now + wait)
        if alone:
            await self._shared.attempt(lambda redis: self._tell(redis, index, [now + wait]), None)
        return wait

    async def _reserve_shared(
        self, redis: "Redis", index: int, log: _Log, now: datetime, longest: timedelta
    ) -> tuple[timedelta, bool, int]:
        """How long to wait, whether the log may still have a hole, how many calls it holds."""
        arguments: list[Any] = [
            now.timestamp() * 1000,
            log.rate.per.total_seconds() * 1000,
            log.rate.calls,
            longest.total_seconds() * 1000,
            str(uuid7()),
            int(not self._shared.alone),
        ]
        wait, young, held = await redis.eval(_RESERVE, 2, *self._keys[index], *arguments)
        return timedelta(milliseconds=float(wait)), bool(young), int(held)

    async def _mark_hole(self, redis: "Redis", index: int, log: _Log, now: datetime) -> None:
        """The log is whole again one span from now, when what this worker did alone is written there too."""
        await redis.set(self._keys[index][1], now.timestamp() * 1000)
        await self._tell(redis, index, log.instants)

    async def _tell(self, redis: "Redis", index: int, instants: Sequence[datetime]) -> None:
        if instants:
            await redis.zadd(self._keys[index][0], {str(uuid7()): at.timestamp() * 1000 for at in instants})

    def _wait_alone(self, log: _Log, now: datetime) -> timedelta:
        """The wait by what this worker knows by itself."""
        unsure = self._unsure_since
        if unsure is not None and now - unsure < log.rate.per and not self._shared.alone:
            made_one = any(instant >= unsure for instant in log.instants)
            return unsure + log.rate.per - now if made_one else timedelta()
        return log.wait(now, self._shared.share(log.rate.calls))


def _until_reset(response: httpx.Response, now: datetime) -> timedelta | None:
    """The time left when an answer says that nothing remains: `x-rate-limit-*`, or the drafts of `RateLimit`."""
    headers = response.headers
    for remaining, reset in (
        ("x-rate-limit-remaining", "x-rate-limit-reset"),
        ("x-ratelimit-remaining", "x-ratelimit-reset"),
        ("ratelimit-remaining", "ratelimit-reset"),
    ):
        if headers.get(remaining, "").strip() == "0":
            return _span(headers.get(reset, ""), now)
    words = dict(part.strip().partition("=")[::2] for part in headers.get("ratelimit", "").replace(";", ",").split(","))
    return _span(words.get("reset", ""), now) if words.get("remaining") == "0" else None


_EPOCH_FROM: Final = 1_000_000_000


def _span(text: str, now: datetime) -> timedelta | None:
    """A reset given as seconds left, or as an instant in seconds or milliseconds."""
    if not (text.isascii() and text.isdigit()) or len(text) > 13:
        return None
    number = int(text)
    if number > _EPOCH_FROM * 1000:
        number //= 1000
    return timedelta(seconds=number - now.timestamp() if number >= _EPOCH_FROM else number)
