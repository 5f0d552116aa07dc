"""A call that never left is tried again; one that may have left is not."""

import math
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from providers.declaration import Access, Call, Timeouts
from providers.errors import TimedOut, Unavailable
from providers.infogreffe import INFOGREFFE
from resolvers.budgets import Budget
from resolvers.circuits import Circuit
from resolvers.http_client import Answer, NotConnected
from resolvers.lane import Lane
from resolvers.sealing import Seal
from resolvers.shared import SharedState
from resolvers.traffic import Traffic
from tests.conftest import Clock

SPAN = timedelta(seconds=5)
TIMEOUTS = Timeouts(connect=SPAN, read=SPAN, total=SPAN)


class Failing:
    """A client whose first calls fail."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.calls = 0

    async def send(self, _call: Call, _timeouts: Timeouts, _max_bytes: int) -> httpx.Response:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        return httpx.Response(200, content=b"ok")

    def stream(self, call: Call, timeouts: Timeouts, max_bytes: int) -> AbstractAsyncContextManager[Answer]:
        raise NotImplementedError

    async def close(self) -> None: ...


async def exchange(clock: Clock, client: Failing, ends: float = math.inf) -> Any:
    shared = SharedState(None, Seal("essai"))
    lane = Lane(
        provider=INFOGREFFE,
        settings={},
        client=client,
        circuit=Circuit("essai", shared, clock),
        budget=Budget("essai", (), {}, shared, clock),
        traffic=Traffic(),
        clock=clock,
        timing=lambda timeouts: timeouts,
        spans=None,
    )
    return await lane.exchange(
        lambda _access: Call(method="POST", url="http://x"),
        lambda response: response.text,
        label="infogreffe.essai",
        access=Access(settings={}, session="", recipient=""),
        timeouts=TIMEOUTS,
        max_bytes=1000,
        ends=ends,
    )


async def test_a_connection_that_does_not_open_is_tried_twice_more(clock: Clock) -> None:
    client = Failing(NotConnected(), NotConnected())
    assert await exchange(clock, client) == "ok"
    assert client.calls == 3


async def test_and_no_more(clock: Clock) -> None:
    client = Failing(*[NotConnected() for _ in range(9)])
    with pytest.raises(Unavailable):
        await exchange(clock, client)
    assert client.calls == 3


@pytest.mark.parametrize("error", [TimedOut(), Unavailable()])
async def test_a_call_that_may_have_left_is_not_made_twice(clock: Clock, error: Exception) -> None:
    client = Failing(error)
    with pytest.raises(Unavailable):
        await exchange(clock, client)
    assert client.calls == 1


async def test_nothing_is_tried_again_when_nobody_waits_any_more(clock: Clock) -> None:
    client = Failing(NotConnected(), NotConnected())
    with pytest.raises(Unavailable):
        await exchange(clock, client, ends=0.0)
    assert client.calls == 0, "no call leaves after the deadline"
