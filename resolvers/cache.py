"""What providers answered, kept in memory for as long as each source says.

Above it stand authorisation and the journal: an answer in the cache is no one's in particular. Values are
frozen and shared between requests; a masked view of one is made once and kept beside it.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cachetools import LRUCache

from providers.errors import ProviderError


@dataclass(slots=True)
class Obtained:
    """What became of asking one source for one key, and when.

    `error` is `NotFound` when the provider knows nothing of the key. `until` bounds how long it may be served
    again, `stale_until` how long when the provider fails. `views` keeps what datasets made of the value: (dataset,
    masked or not) -> record or error.
    """

    value: Any
    error: ProviderError | None
    at: datetime
    until: datetime
    duration_ms: float
    intention: str | None = None
    views: dict[Hashable, Any] = field(default_factory=dict)
    stale_until: datetime | None = None
    cached: bool = False
    """Nobody was called for it: it comes from the cache that workers share, or it is stale."""
    stale: bool = False
    """Its life is over; it is served because its provider fails."""
    instead_of: ProviderError | None = None
    """The failure that a stale value is served in the place of."""

    def kept_until(self) -> datetime:
        return self.until if self.stale_until is None else max(self.until, self.stale_until)


class Memory:
    """A bounded map from (source, key) to what was obtained; the least recently used goes first."""

    def __init__(self, entries: int, now: Callable[[], datetime]) -> None:
        self._entries: LRUCache[Hashable, Obtained] = LRUCache(maxsize=entries)
        self._now = now

    def get(self, reference: Hashable) -> Obtained | None:
        obtained = self._entries.get(reference)
        if obtained is None or obtained.until > self._now():
            return obtained
        if obtained.kept_until() <= self._now():
            del self._entries[reference]
        return None

    def stale(self, reference: Hashable) -> Obtained | None:
        """What may be served because the provider fails: marked as such, with the date at which it was obtained."""
        obtained = self._entries.get(reference)
        now = self._now()
        if (
            obtained is None
            or obtained.error is not None
            or obtained.stale_until is None
            or obtained.stale_until <= now
        ):
            return None
        return replace(obtained, until=now, duration_ms=0.0, intention=None, cached=True, stale=True)

    def put(self, reference: Hashable, obtained: Obtained) -> None:
        if obtained.kept_until() > self._now():
            self._entries[reference] = obtained

    def clear(self) -> None:
        self._entries.clear()

    def __len__(self) -> int:
        return len(self._entries)
