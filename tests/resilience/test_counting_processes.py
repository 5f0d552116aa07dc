"""Processes count each other, over machines that know nothing of each other: so each knows its share when Redis goes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import pytest

import resolvers.shared
from providers.declaration import Rate
from resolvers.budgets import Budget
from resolvers.sealing import Seal
from resolvers.shared import SharedState, connected
from tests.conftest import Clock
from tests.resilience.conftest import RedisServer
from tests.resilience.test_budgets import MINUTE, most_in_a_span, taken

RATE = Rate(calls=12, per=MINUTE)


class Process:
    """One that was told nothing of the others."""

    def __init__(self, clock: Clock, url: str) -> None:
        self.clock = clock
        self.shared = SharedState(connected(url), Seal("essai"))
        self.budget = Budget("essai", (RATE,), {}, self.shared, clock)

    async def insist(self) -> list[datetime]:
        """The calls that it may make now."""
        return [self.clock() for _ in range(RATE.calls + 1) if await taken(self.budget)]


@pytest.fixture
async def processes(clock: Clock, redis_server: RedisServer) -> AsyncIterator[list[Process]]:
    async with AsyncExitStack() as stack:
        found = [Process(clock, redis_server.url) for _ in range(3)]
        for process in [*found, *found]:
            await process.shared.count()
        for process in found:
            stack.push_async_callback(process.shared.close)
        yield found


async def test_each_knows_how_many_they_are(processes: list[Process], monkeypatch: pytest.MonkeyPatch) -> None:
    assert [process.shared.workers for process in processes] == [3, 3, 3]
    assert not any(process.shared.alone for process in processes)
    monkeypatch.setattr(resolvers.shared, "ABSENT_AFTER", -1)
    await processes[0].shared.count()
    monkeypatch.setattr(resolvers.shared, "ABSENT_AFTER", 5.0)
    await processes[0].shared.count()
    assert processes[0].shared.alone, "those that show no sign are forgotten"


async def test_without_redis_a_process_is_as_many_as_its_settings_say() -> None:
    assert SharedState(None, Seal("essai")).alone
    assert SharedState(None, Seal("essai"), workers=4).share(12) == 3


async def test_replicas_that_were_told_nothing_keep_the_limit_when_redis_goes(
    processes: list[Process], redis_server: RedisServer, clock: Clock
) -> None:
    calls: list[datetime] = []
    for process in processes:
        await process.insist()
    clock.advance(minutes=2)
    for process in processes:
        calls += await process.insist()
    assert len(calls) == RATE.calls
    clock.advance(seconds=5)
    redis_server.stop()
    for process in processes:
        calls += await process.insist()
    assert most_in_a_span(calls, MINUTE) <= RATE.calls + len(processes)
    for _ in range(6):
        clock.advance(seconds=30)
        for process in processes:
            calls += await process.insist()
    assert most_in_a_span(calls, MINUTE) <= RATE.calls + len(processes)
    late = [call for call in calls if call > clock() - timedelta(seconds=90)]
    assert most_in_a_span(late, MINUTE) == RATE.calls, "each keeps to its share, and uses it"


async def test_one_that_begins_while_redis_is_away_makes_one_call_a_span(
    redis_server: RedisServer, clock: Clock
) -> None:
    redis_server.stop()
    new = Process(clock, redis_server.url)
    calls = []
    for _ in range(5):
        calls += await new.insist()
        clock.advance(seconds=20)
    assert most_in_a_span(calls, MINUTE) == 1
    await new.shared.close()
