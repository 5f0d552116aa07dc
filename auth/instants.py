"""Instants are UTC and aware everywhere inside the service; calendars are Paris."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

Clock = Callable[[], datetime]
"""What time it is. Given to whatever needs it, so that tests decide."""


def utc(instant: datetime) -> datetime:
    """The same instant in UTC; a naive one (SQLite) is taken for UTC."""
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def now() -> datetime:
    """The system clock, the only place that reads it."""
    return datetime.now(UTC)


@lru_cache(maxsize=16_384)
def utc_text(instant: datetime) -> str:
    """An instant as answers write it: ISO 8601, UTC, to the second."""
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def months_later(instant: datetime, months: int) -> datetime:
    """The same hour so many calendar months later, on the last day of a shorter month."""
    index = instant.month - 1 + months
    year, month = instant.year + index // 12, index % 12 + 1
    for day in range(instant.day, 27, -1):
        try:
            return instant.replace(year=year, month=month, day=day)
        except ValueError:
            continue
    return instant.replace(year=year, month=month)
