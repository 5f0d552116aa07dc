"""The time that simulators live in: the real one, unless a test stops it."""

import random
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

PARIS = ZoneInfo("Europe/Paris")


class SandboxClock:
    """One for all simulators; mutable on purpose: a test stops it at an instant, so that answers don't age."""

    def __init__(self) -> None:
        self._read: Callable[[], datetime] = _real

    def __call__(self) -> datetime:
        return self._read()

    def today(self) -> date:
        """The day in Paris."""
        return self().astimezone(PARIS).date()

    def recent_day(self, chance: random.Random, days: int = 330) -> date:
        """A day drawn among so many before this month: the same one all month long."""
        day = self.today().replace(day=1) - timedelta(days=chance.randint(1, days))
        return day.replace(day=min(day.day, 28))

    def stop_at(self, instant: datetime) -> None:
        self._read = lambda: instant

    def run(self) -> None:
        self._read = _real


def _real() -> datetime:
    return datetime.now(UTC)


CLOCK = SandboxClock()
