"""How each provider is: from real traffic first, from its probe when nobody calls it.

What this process saw, and with Redis what all workers saw.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from auth.instants import Clock
from providers.declaration import Probe
from resolvers.budgets import Quota
from resolvers.circuits import State
from resolvers.lane import Lane
from resolvers.maintenance import upcoming
from resolvers.shared import SharedState
from resolvers.traffic import WINDOW, Figures, Minute, figures

AHEAD: Final = timedelta(days=2)
DEGRADED: Final = 0.1
DOWN: Final = 0.5
_KEPT: Final = int(WINDOW.total_seconds()) + 120


class Condition(StrEnum):
    """What may be expected of a provider now."""

    AVAILABLE = "DISPONIBLE"
    DEGRADED = "DEGRADE"
    DOWN = "INDISPONIBLE"
    MAINTENANCE = "EN_MAINTENANCE"
    UNKNOWN = "INCONNU"


class Origin(StrEnum):
    """What a condition is known from."""

    TRAFFIC = "TRAFIC"
    PROBE = "SONDE"


@dataclass(frozen=True, slots=True)
class Sounding:
    """What the probe of a provider found, and when."""

    at: datetime
    healthy: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Health:
    """One provider at one instant. `since` is when its present condition began, where that is known."""

    provider: str
    condition: Condition
    origin: Origin | None
    """`None` where nothing tells it, or where the calendar does."""
    sounded: datetime | None
    """When the provider's probe was last made; `None` for one that has none."""
    since: datetime | None
    last_success: datetime | None
    figures: Figures
    circuit: State
    quotas: tuple[Quota, ...]
    paused_until: datetime | None
    maintenance: tuple[tuple[datetime, datetime], ...]


class Watch:
    """Tells the figures of this process to the others, and reads those of all."""

    def __init__(self, lanes: Mapping[str, Lane], shared: SharedState, clock: Clock) -> None:
        self._lanes = lanes
        self._shared = shared
        self._clock = clock
        self._soundings: dict[str, Sounding] = {}

    async def tell(self) -> None:
        """Add what was counted since the last time to what the workers share."""
        counted = {name: minutes for name, lane in self._lanes.items() if (minutes := lane.traffic.untold())}
        if not counted or not self._shared.configured:
            return

        async def write(redis: Any) -> bool:
            pipeline = redis.pipeline(transaction=False)
            for name, minutes in counted.items():
                for minute in minutes:
                    key = self._key(name, minute.number)
                    for field, number in _fields(minute):
                        pipeline.hincrby(key, field, number)
                    pipeline.expire(key, _KEPT)
            await pipeline.execute()
            return True

        if not await self._shared.attempt(write, otherwise=False):
            for name, minutes in counted.items():
                self._lanes[name].traffic.tell_again(minutes)

    async def health(self, names: Iterable[str]) -> list[Health]:
        """The health of these providers, in order."""
        listed = list(names)
        await self.tell()
        now = self._clock()
        everybodys = await self._read(listed, now)
        found = []
        for name in listed:
            lane = self._lanes[name]
            await lane.circuit.refresh()
            minutes = everybodys[name] if everybodys is not None else lane.traffic.recent(now)
            found.append(_health(lane, figures(minutes), await self.sounding(name), now))
        return found

    async def quiet_since(self, name: str, instant: datetime) -> bool:
        """Whether no worker called this provider after that instant, to the minute; no longer ago than the window."""
        traffic = self._lanes[name].traffic
        if any(last is not None and last > instant for last in (traffic.last_success, traffic.last_failure)):
            return False
        everybodys = await self._read([name], self._clock())
        first = int(instant.timestamp()) // 60
        return everybodys is None or not any(minute.outcomes for minute in everybodys[name] if minute.number > first)

    async def note_sounding(self, name: str, found: Sounding) -> None:
        """What the probe of a provider found, for all workers."""
        self._soundings[name] = found
        written = f"{found.at.timestamp()} {int(found.healthy)}"
        probe = self._lanes[name].provider.probe
        kept = _KEPT if probe is None else int(believed(probe).total_seconds())
        await self._shared.attempt(lambda redis: redis.set(self._sounding_key(name), written, ex=kept), None)

    async def sounding(self, name: str) -> Sounding | None:
        """What the probe of a provider last found, whichever worker made it."""
        if self._lanes[name].provider.probe is None:
            return None
        written = await self._shared.get(self._sounding_key(name))
        if written is not None:
            at, _, healthy = written.decode().partition(" ")
            self._soundings[name] = Sounding(datetime.fromtimestamp(float(at), tz=UTC), healthy == "1")
        return self._soundings.get(name)

    def _sounding_key(self, name: str) -> str:
        return self._shared.key(name, "sonde")

    async def _read(self, names: list[str], now: datetime) -> dict[str, list[Minute]] | None:
        if not self._shared.configured:
            return None
        last = int(now.timestamp()) // 60
        numbers = range(last - int(WINDOW.total_seconds()) // 60 + 1, last + 1)

        async def read(redis: Any) -> list[dict[bytes, bytes]] | None:
            pipeline = redis.pipeline(transaction=False)
            for name in names:
                for number in numbers:
                    pipeline.hgetall(self._key(name, number))
            answers: list[dict[bytes, bytes]] = await pipeline.execute()
            return answers

        answers = await self._shared.attempt(read, None)
        if answers is None:
            return None
        size = len(numbers)
        return {
            name: [_minute(number, answers[index * size + place]) for place, number in enumerate(numbers)]
            for index, name in enumerate(names)
        }

    def _key(self, name: str, number: int) -> str:
        return self._shared.key(name, "trafic", str(number))


def _fields(minute: Minute) -> Iterable[tuple[str, int]]:
    yield from minute.outcomes.items()
    for step, number in minute.steps.items():
        yield f"#{step}", number


def _minute(number: int, fields: Mapping[bytes, bytes]) -> Minute:
    outcomes: Counter[str] = Counter()
    steps: Counter[int] = Counter()
    for field, count in fields.items():
        name = field.decode()
        if name.startswith("#"):
            steps[int(name[1:])] = int(count)
        else:
            outcomes[name] = int(count)
    return Minute(number, outcomes, steps)


def believed(probe: Probe) -> timedelta:
    """How long what a probe found is told: until the one after the next should have been made."""
    return 2 * probe.every


def _health(lane: Lane, seen: Figures, sounding: Sounding | None, now: datetime) -> Health:
    windows = tuple(upcoming(lane.provider.maintenance, now, AHEAD))
    since: datetime | None
    if windows and windows[0][0] <= now:
        condition, origin, since = Condition.MAINTENANCE, None, windows[0][0]
    else:
        condition, origin = _condition(lane, seen, sounding, now)
        since = None if origin is Origin.PROBE else lane.circuit.since
    return Health(
        provider=lane.provider.id,
        condition=condition,
        origin=origin,
        sounded=None if sounding is None else sounding.at,
        since=since,
        last_success=lane.traffic.last_success,
        figures=seen,
        circuit=lane.circuit.state,
        quotas=tuple(lane.budget.quotas()),
        paused_until=lane.budget.paused_until,
        maintenance=windows,
    )


def _condition(lane: Lane, seen: Figures, sounding: Sounding | None, now: datetime) -> tuple[Condition, Origin | None]:
    """What calls say; what the probe says where calls say nothing, or where they are about to be tried again."""
    probe, since = lane.provider.probe, lane.circuit.since
    recent = sounding if probe is not None and sounding is not None and now - sounding.at <= believed(probe) else None
    by_probe = None if recent is None else (Condition.AVAILABLE if recent.healthy else Condition.DOWN, Origin.PROBE)
    if lane.circuit.state is State.HALF_OPEN and recent is not None and since is not None and recent.at > since:
        return by_probe or (Condition.DOWN, Origin.TRAFFIC)
    if lane.circuit.state is not State.CLOSED:
        return Condition.DOWN, Origin.TRAFFIC
    if seen.error_rate is None:
        return by_probe or (Condition.UNKNOWN, None)
    if seen.error_rate >= DOWN:
        return Condition.DOWN, Origin.TRAFFIC
    return (Condition.DEGRADED if seen.error_rate >= DEGRADED else Condition.AVAILABLE), Origin.TRAFFIC
