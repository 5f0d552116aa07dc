"""How a provider answers, from the calls really made: counts by outcome and latencies, minute by minute.

A minute holds a histogram, so that minutes of several workers add up. What this process counted and has not yet told
(to Redis, to the history) is kept apart as increments.
"""

from bisect import bisect_left
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(minutes=10)
ANSWERED: Final = "ok"
BOUNDS: Final = tuple(0.001 * 1.3**step for step in range(42))
"""Upper bounds of the histogram's steps, in seconds: from a millisecond to a minute."""


@dataclass(slots=True)
class Minute:
    """The calls of one minute."""

    number: int
    outcomes: Counter[str] = field(default_factory=Counter)
    steps: Counter[int] = field(default_factory=Counter)

    def add(self, other: "Minute") -> None:
        self.outcomes.update(other.outcomes)
        self.steps.update(other.steps)


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """What the last ten minutes say. Latencies in milliseconds; `None` without a call."""

    calls: int
    failures: int
    by_code: dict[str, int]
    error_rate: float | None
    p50: float | None
    p95: float | None


class Traffic:
    """The calls to one provider made by this process."""

    def __init__(self) -> None:
        self._minutes: deque[Minute] = deque()
        self._untold: dict[int, Minute] = {}
        self._unsaved: Counter[tuple[str, bool]] = Counter()
        self.outcomes: Counter[str] = Counter()
        """All calls since the start, by outcome, and how long they took in all."""
        self.seconds = 0.0
        self.last_success: datetime | None = None
        self.last_failure: datetime | None = None

    def note(self, at: datetime, seconds: float, failed: str | None) -> None:
        """One call: how long it took, and the code of its failure."""
        number = int(at.timestamp()) // 60
        step = bisect_left(BOUNDS, seconds)
        untold = self._untold.get(number)
        if untold is None:
            untold = self._untold[number] = Minute(number)
        if not self._minutes or self._minutes[-1].number < number:
            self._minutes.append(Minute(number))
            while self._minutes[0].number <= number - _MINUTES:
                self._minutes.popleft()
        for minute in (self._minutes[-1], untold):
            minute.outcomes[failed or ANSWERED] += 1
            minute.steps[step] += 1
        self.outcomes[failed or ANSWERED] += 1
        self.seconds += seconds
        self._unsaved[at.date().isoformat(), failed is None] += 1
        if failed is None:
            self.last_success = at
        else:
            self.last_failure = at

    def recent(self, now: datetime) -> list[Minute]:
        """The minutes of the window."""
        first = int(now.timestamp()) // 60 - _MINUTES
        return [minute for minute in self._minutes if minute.number > first]

    def untold(self) -> list[Minute]:
        """What was counted since the last time, taken away."""
        minutes, self._untold = list(self._untold.values()), {}
        return minutes

    def unsaved(self) -> Counter[tuple[str, bool]]:
        """Calls by (day, answered) since the last time, taken away."""
        counted, self._unsaved = self._unsaved, Counter()
        return counted

    def save_again(self, counted: Counter[tuple[str, bool]]) -> None:
        """Put back what could not be saved."""
        self._unsaved.update(counted)

    def tell_again(self, minutes: list[Minute]) -> None:
        for minute in minutes:
            self._untold.setdefault(minute.number, Minute(minute.number)).add(minute)


_MINUTES: Final = int(WINDOW.total_seconds()) // 60


def figures(minutes: list[Minute]) -> Figures:
    """Several minutes as one set of figures."""
    whole = Minute(0)
    for minute in minutes:
        whole.add(minute)
    calls = whole.outcomes.total()
    failures = calls - whole.outcomes[ANSWERED]
    return Figures(
        calls=calls,
        failures=failures,
        by_code={code: number for code, number in sorted(whole.outcomes.items()) if code != ANSWERED},
        error_rate=failures / calls if calls else None,
        p50=_percentile(whole.steps, 0.50),
        p95=_percentile(whole.steps, 0.95),
    )


def _percentile(steps: Counter[int], share: float) -> float | None:
    """The upper bound of the step that holds this share of the calls, in milliseconds."""
    wanted = steps.total() * share
    seen = 0
    for step in sorted(steps):
        seen += steps[step]
        if seen >= wanted:
            return round(BOUNDS[min(step, len(BOUNDS) - 1)] * 1000, 1)
    return None
