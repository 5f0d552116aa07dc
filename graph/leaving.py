"""A caller that leaves before its answer."""

import asyncio
from typing import Final, TypeVar

from starlette.requests import Request

T = TypeVar("T")

GONE: Final = 499
"""What the journal and the log say when the caller left before the answer."""


class ClientGone(Exception):
    """The caller closed the connection before the answer."""


async def unless_gone(request: Request, execution: "asyncio.Future[T]") -> T:
    """The result, or `ClientGone` as soon as the caller has left: nobody is waiting for the rest."""
    watcher = asyncio.ensure_future(_disconnected(request))
    watcher.add_done_callback(lambda _: execution.cancel())
    try:
        return await execution
    except asyncio.CancelledError:
        if watcher.done():
            raise ClientGone from None
        raise
    finally:
        watcher.cancel()


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
