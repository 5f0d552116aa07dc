"""The provider's limits: a whole number of calls over any span, whoever makes them, and whatever Redis does."""

import random
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest

from providers.declaration import Rate
from providers.errors import Overloaded
from resolvers.budgets import Budget
from resolvers.sealing import Seal
from resolvers.shared import SharedState, connected
from tests.conftest import Clock
from tests.resilience.conftest import RedisServer

MINUTE = timedelta(minutes=1)
RATE = Rate(calls=6, per=MINUTE)
NO_WAIT = timedelta()


def most_in_a_span(calls: list[datetime], span: timedelta) -> int:
    """The most calls that any span of this length holds."""
    return max((sum(start <= other < start + span for other in calls) for start in calls), default=0)


def budget(clock: Clock, url: str = "", *, workers: int = 1, rate: Rate = RATE) -> Budget:
    return Budget("essai", (rate,), {}, SharedState(connected(url), Seal("essai"), workers=workers), clock)


async def taken(one: Budget) -> bool:
    try:
        await one.take(NO_WAIT)
    except Overloaded:
        return False
    return True


async def test_as_many_calls_as_declared_and_the_next_is_told_when(clock: Clock) -> None:
    one = budget(clock)
    assert [await taken(one) for _ in range(6)] == [True] * 6
    clock.advance(seconds=20)
    with pytest.raises(Overloaded) as refused:
        await one.take(NO_WAIT)
    assert refused.value.retry_in == timedelta(seconds=40)
    assert one.quotas()[0].left == 0
    clock.advance(seconds=40)
    assert await taken(one)


async def test_a_short_wait_is_waited_for(clock: Clock) -> None:
    one = budget(clock, rate=Rate(calls=1, per=timedelta(milliseconds=20)))
    await one.take(MINUTE)
    await one.take(MINUTE)
    with pytest.raises(Overloaded):
        await one.take(timedelta(milliseconds=30))


async def test_a_rate_that_does_not_hold_on_this_plane_holds_nobody_back(clock: Clock) -> None:
    rate = Rate(calls=1, per=MINUTE, when=lambda settings: "api_key" in settings)
    free = Budget("essai", (rate,), {}, SharedState(None, Seal("essai")), clock)
    held = Budget("essai", (rate,), {"api_key": "x"}, SharedState(None, Seal("essai")), clock)
    assert [await taken(free) for _ in range(3)] == [True] * 3
    assert [await taken(held) for _ in range(3)] == [True, False, False]


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"retry-after": "12"}, 12),
        (200, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "15"}, 15),
        (200, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "{now+9}"}, 9),
        (200, {"ratelimit": "limit=20, remaining=0, reset=33"}, 33),
        (200, {"ratelimit": "limit=20, remaining=1, reset=33"}, 0),
        (200, {"x-rate-limit-remaining": "5", "x-rate-limit-reset": "15"}, 0),
        (200, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "demain"}, 0),
        (429, {"retry-after": "999999"}, 3600),
        (429, {}, 0),
    ],
)
async def test_what_the_answers_say_is_learned(
    clock: Clock, status: int, headers: dict[str, str], seconds: int
) -> None:
    later = str(int(clock().timestamp()) + 9)
    one = budget(clock)
    said = {name: value.replace("{now+9}", later) for name, value in headers.items()}
    await one.learn(httpx.Response(status, headers=said), None)
    until = one.paused_until
    assert (0 if until is None else (until - clock()).total_seconds()) == seconds


# --- Several workers ---------------------------------------------------------------------------------


class Fleet:
    """Workers that call as often as they may, and the instants of their calls."""

    def __init__(self, clock: Clock, url: str, workers: int, rate: Rate) -> None:
        self.clock = clock
        self.shares = [SharedState(connected(url), Seal("essai"), workers=workers) for _ in range(workers)]
        self.budgets = [Budget("essai", (rate,), {}, share, clock) for share in self.shares]
        self.calls: list[datetime] = []

    async def rush(self, chance: random.Random, times: int) -> None:
        for _ in range(times):
            self.clock.advance(seconds=chance.random() * 3)
            if await taken(chance.choice(self.budgets)):
                self.calls.append(self.clock())

    async def notice(self) -> None:
        """Let each worker look at Redis, as time does."""
        for share in self.shares:
            share._leave_alone_until = 0.0

    async def close(self) -> None:
        for share in self.shares:
            await share.close()


@pytest.fixture
async def fleet(clock: Clock, redis_server: RedisServer) -> AsyncIterator[Fleet]:
    fleet = Fleet(clock, redis_server.url, workers=3, rate=Rate(calls=12, per=MINUTE))
    yield fleet
    await fleet.close()


async def test_workers_share_one_limit_and_use_it(fleet: Fleet) -> None:
    chance = random.Random(7)
    await fleet.rush(chance, 200)
    assert most_in_a_span(fleet.calls, MINUTE) <= 12
    settled = [call for call in fleet.calls if call > fleet.calls[0] + MINUTE]
    assert most_in_a_span(settled, MINUTE) == 12


@pytest.mark.parametrize("seed", range(6))
async def test_losing_redis_never_exceeds_the_limit_by_more_than_the_number_of_workers(
    fleet: Fleet, redis_server: RedisServer, seed: int
) -> None:
    chance = random.Random(seed)
    for _ in range(3):
        await fleet.rush(chance, 40)
        redis_server.stop()
        await fleet.rush(chance, chance.choice((3, 40)))
        redis_server.start()
        await fleet.notice()
    await fleet.rush(chance, 120)
    last = [call for call in fleet.calls if call > fleet.clock() - 2 * MINUTE]
    assert most_in_a_span(last, MINUTE) == 12, "nobody is held back for good"
    assert most_in_a_span(fleet.calls, MINUTE) <= 12 + 3


async def test_what_one_worker_used_up_is_not_given_again_when_redis_goes_or_comes_back_empty(
    fleet: Fleet, redis_server: RedisServer
) -> None:
    await fleet.rush(random.Random(1), 1)
    fleet.clock.advance(minutes=2)
    fleet.calls.clear()

    async def insist(budgets: list[Budget]) -> None:
        for one in budgets * 12:
            if await taken(one):
                fleet.calls.append(fleet.clock())

    await insist(fleet.budgets[:1])
    assert len(fleet.calls) == 12
    fleet.clock.advance(seconds=5)
    redis_server.stop()
    await insist(fleet.budgets)
    assert len(fleet.calls) <= 12 + 3
    redis_server.start()
    await fleet.notice()
    fleet.clock.advance(seconds=5)
    await insist(fleet.budgets)
    assert most_in_a_span(fleet.calls, MINUTE) <= 12 + 3
