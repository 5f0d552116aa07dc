"""How a task of ours that runs beside the others is ended."""

import asyncio
from typing import Any, Final

_AGAIN: Final = 0.5
"""Seconds after which a task that goes on is cancelled once more."""


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
