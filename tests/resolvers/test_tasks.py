"""A task that is ended has ended, whatever becomes of its cancellation on the way."""

import asyncio

import pytest

from resolvers import tasks
from resolvers.tasks import ended


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_AGAIN", 0)


async def test_a_cancellation_that_is_lost_is_said_again() -> None:
    """As `asyncio.wait_for` loses it in Python 3.11: its wait ends in the very turn in which it is cancelled."""
    exchange: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    exchanges = 0

    async def renew() -> None:
        nonlocal exchanges
        await asyncio.wait_for(exchange, 60)
        exchanges += 1
        await asyncio.Event().wait()

    task = asyncio.create_task(renew())
    await asyncio.sleep(0)
    exchange.set_result(None)
    async with asyncio.timeout(120):
        await ended(task)
    assert task.cancelled()
    assert exchanges <= 1


async def test_a_task_that_fails_or_is_over_is_ended_too() -> None:
    async def failing() -> None:
        raise ValueError("of no concern")

    over = asyncio.create_task(failing())
    await asyncio.wait([over])
    async with asyncio.timeout(120):
        await ended(over)
        await ended(asyncio.create_task(failing()))
    assert isinstance(over.exception(), ValueError)
