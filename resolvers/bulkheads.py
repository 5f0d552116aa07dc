"""Room for so many calls at once at one provider, and for so many that wait: a slow one never takes the others' share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from providers.errors import Overloaded, TimedOut

QUEUE: Final = 1000
"""Beyond so many waiting calls a provider's new ones are refused at once: they would only wait for their deadline."""


class Bulkhead:
    """The places of one provider."""

    def __init__(self, places: int, queue: int = QUEUE) -> None:
        self._places = asyncio.Semaphore(places)
        self._size = places
        self._queue = queue
        self.busy = 0
        self.waiting = 0

    @asynccontextmanager
    async def place(self, patience: timedelta) -> AsyncIterator[None]:
        """A place, waited for no longer than `patience`. Raises `TimedOut`, or `Overloaded` when too many wait."""
        if self.waiting >= self._queue:
            raise Overloaded(
                "Trop d'appels attendent déjà ce fournisseur. Réessayez plus tard.", retry_in=timedelta(seconds=5)
            )
        self.waiting += 1
        try:
            async with asyncio.timeout(max(patience.total_seconds(), 0)):
                await self._places.acquire()
        except TimeoutError:
            raise TimedOut from None
        finally:
            self.waiting -= 1
        self.busy += 1
        try:
            yield
        finally:
            self.busy -= 1
            self._places.release()
