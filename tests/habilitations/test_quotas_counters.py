"""The counters themselves: never over the limit, whatever runs at once, in the process or in Redis."""

import asyncio
import socket
import uuid
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from resolvers.quotas import AddressCeiling, Counters, Local, Shared
from tests.conftest import Clock

URL = "redis://127.0.0.1:6379/15"


@pytest.fixture(params=["process", "redis"])
async def counters(request: pytest.FixtureRequest) -> AsyncIterator[Counters]:
    if request.param == "process":
        yield Local()
        return
    try:
        socket.create_connection(("127.0.0.1", 6379), 0.3).close()
    except OSError:
        pytest.skip("no Redis on 127.0.0.1:6379")
    prefix = f"essai:{uuid.uuid4().hex}:"
    made = Shared(URL, prefix)
    yield made
    await made.close()
    cleaner = Redis.from_url(URL)
    async for key in cleaner.scan_iter(f"{prefix}*"):
        await cleaner.delete(key)
    await cleaner.aclose()


async def test_two_hundred_at_once_take_no_more_than_the_limit(counters: Counters) -> None:
    taken = await asyncio.gather(*(counters.take("h:json:1", 3, 250) for _ in range(200)))
    assert sum(added for added, _ in taken) == 250
    assert max(used for _, used in taken) == 250
    assert await counters.read(["h:json:1", "h:json:2"]) == [250, 0]


async def test_what_was_not_needed_is_given_back_and_never_more(counters: Counters) -> None:
    await counters.take("h:json:1", 10, 250)
    await counters.give_back("h:json:1", 4)
    assert await counters.read(["h:json:1"]) == [6]
    await counters.give_back("h:json:1", 40)
    assert await counters.read(["h:json:1"]) == [0]


async def test_a_lower_limit_takes_nothing_back(counters: Counters) -> None:
    await counters.take("h:json:1", 10, 10)
    assert await counters.take("h:json:1", 1, 5) == (0, 10)


async def test_without_redis_each_process_counts_alone_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    away = Shared("redis://127.0.0.1:1/0")
    assert await away.take("h:json:1", 3, 2) == (2, 2)
    assert await away.take("h:json:1", 1, 2) == (0, 2)
    await away.give_back("h:json:1", 1)
    assert await away.read(["h:json:1"]) == [1]
    assert "Redis is away" in caplog.text
    await away.close()


def test_an_address_is_held_back_until_the_next_minute(clock: Clock) -> None:
    ceiling = AddressCeiling(2, clock)
    assert [ceiling.seconds_to_wait("192.0.2.1") for _ in range(3)] == [None, None, 60]
    assert ceiling.seconds_to_wait("192.0.2.2") is None
    clock.advance(seconds=59.5)
    assert ceiling.seconds_to_wait("192.0.2.1") == 1
    clock.advance(seconds=1)
    assert ceiling.seconds_to_wait("192.0.2.1") is None
    unlimited = AddressCeiling(0, clock)
    assert all(unlimited.seconds_to_wait("192.0.2.1") is None for _ in range(5000))
