"""Tasks of ours that run beside the others: how several are awaited, how one is ended."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")

_AGAIN: Final = 0.5
"""Seconds after which a task that goes on is cancelled once more."""


async def together(awaitables: Sequence[Awaitable[T]]) -> list[T]:
    """What each gives, in order, all at once; the only one of its kind, as it mostly is, needs no task of its own."""
    if len(awaitables) == 1:
        return [await awaitables[0]]
    return list(await asyncio.gather(*awaitables))


async def ended(task: "asyncio.Task[Any]") -> None:
    """Cancel a task until it has ended; what it ended with is nobody's concern.

    Once is not enough: before Python 3.12 `asyncio.wait_for` loses a cancellation that comes in the same turn of the loop as the
    end of what it waits for, and the Redis client sends its commands through it. A task that was renewing a lease then went on,
    and whoever waited for it waited for ever (CPython issue 86296).
    """
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=_AGAIN)
    if not task.cancelled():
        task.exception()
