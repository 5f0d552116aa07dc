"""The circuit of a provider: when it keeps failing, it is left alone for a while, and its callers are told at once.

Closed, it lets calls through and counts how they end. Enough failures among the recent calls open it: every call is
refused without a wait. When the pause is over, one call at a time is let through, over all workers: it closes the circuit or
opens it for twice as long. Only timeouts, broken connections and 5xx count: a "not found" is an answer.
See docs/decisions/0030.
"""

from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec
from redis.asyncio import Redis

from auth.instants import Clock
from providers.errors import Unavailable
from resolvers.shared import SharedState

RECENT: Final = timedelta(seconds=30)
LEAST_FAILURES: Final = 5
LEAST_SHARE: Final = 0.5
FIRST_PAUSE: Final = timedelta(seconds=10)
LONGEST_PAUSE: Final = timedelta(minutes=2)
TRIAL: Final = timedelta(seconds=60)
"""After so long a trial call that gave no news is forgotten: its worker is gone."""


class State(StrEnum):
    CLOSED = "FERME"
    OPEN = "OUVERT"
    HALF_OPEN = "SEMI_OUVERT"


@dataclass(frozen=True, slots=True)
class Break:
    """An open circuit: since when, until when it is left alone, and how long this pause is."""

    since: datetime
    until: datetime
    pause: timedelta

    def doubled(self, now: datetime) -> "Break":
        pause = min(self.pause * 2, LONGEST_PAUSE)
        return Break(self.since, now + pause, pause)


class CircuitOpen(Unavailable):
    """The provider was not called: it has just failed too often."""

    default_message = "Le fournisseur est en panne : il n'est pas appelé pour le moment. Réessayez plus tard."


@dataclass(slots=True, eq=False)
class Ticket:
    """Leave to make one call. `trial` when it decides whether the circuit closes."""

    circuit: "Circuit"
    trial: bool
    told: bool = False

    async def succeeded(self) -> None:
        if not self.told:
            self.told = True
            await self.circuit.note(failed=False, trial=self.trial)

    async def failed(self) -> None:
        if not self.told:
            self.told = True
            await self.circuit.note(failed=True, trial=self.trial)

    async def given_up(self) -> None:
        """The call told nothing of the provider: refused before it left, or cancelled."""
        if not self.told:
            self.told = True
            if self.trial:
                await self.circuit.end_trial()


class Circuit:
    """The circuit of one provider, the same for all workers that share Redis."""

    def __init__(self, provider: str, shared: SharedState, clock: Clock) -> None:
        self._shared = shared
        self._clock = clock
        self._key = shared.key(provider, "circuit")
        self._trial_key = shared.key(provider, "essai")
        self._ends: deque[tuple[datetime, bool]] = deque()
        self._failures = 0
        """Among those ends: a busy provider has thousands of them, which are not counted again at each."""
        self._break: Break | None = None
        self._trial_until: datetime | None = None
        self.since: datetime | None = None
        """Since when the state is what it is; `None` when nothing ever happened."""

    @property
    def state(self) -> State:
        if self._break is None:
            return State.CLOSED
        return State.OPEN if self._clock() < self._break.until else State.HALF_OPEN

    @property
    def opened_until(self) -> datetime | None:
        return None if self._break is None else self._break.until

    def refuse_if_open(self) -> None:
        """Raises `CircuitOpen` when this worker knows that the circuit is open: no wait, no exchange."""
        if self._break is not None and (left := self._break.until - self._clock()) > timedelta():
            raise CircuitOpen(retry_in=left)

    async def admit(self) -> Ticket:
        """Leave to call. Raises `CircuitOpen`."""
        await self._learn()
        self.refuse_if_open()
        if self._break is None:
            return Ticket(self, trial=False)
        now = self._clock()
        if (self._trial_until is not None and now < self._trial_until) or not await self._take_trial():
            raise CircuitOpen(retry_in=timedelta(seconds=1))
        self._trial_until = now + TRIAL
        return Ticket(self, trial=True)

    async def note(self, *, failed: bool, trial: bool) -> None:
        """How a call ended."""
        now = self._clock()
        if trial:
            await self.end_trial()
            known = self._break
            if failed:
                await self._open(known.doubled(now) if known is not None else _first(now))
            elif known is not None:
                await self._close(now)
            return
        self._ends.append((now, failed))
        self._failures += failed
        while self._ends and now - self._ends[0][0] > RECENT:
            self._failures -= self._ends.popleft()[1]
        enough = max(LEAST_FAILURES, len(self._ends) * LEAST_SHARE)
        if failed and self._break is None and self._failures >= enough:
            await self._open(_first(now))

    async def end_trial(self) -> None:
        self._trial_until = None
        await self._shared.attempt(lambda redis: redis.delete(self._trial_key), 0)

    async def refresh(self) -> None:
        """Learn what the other workers found out, for those who only look."""
        await self._learn()

    def _forget(self) -> None:
        self._ends.clear()
        self._failures = 0

    # --- Inside ------------------------------------------------------------------------------------

    async def _learn(self) -> None:
        """Take the break that the workers share; without Redis, ours stands."""
        unknown = b"?"

        found = await self._shared.get(self._key, unknown)
        if found == unknown:
            return
        known = None if found is None else _decoded(found)
        if known is None and self._break is not None:
            self._forget()
            self.since = self._clock()
        elif known is not None and self._break is None:
            self.since = known.since
        self._break = known

    async def _take_trial(self) -> bool:
        async def take(redis: "Redis") -> bool:
            return bool(await redis.set(self._trial_key, b"1", nx=True, ex=int(TRIAL.total_seconds())))

        return await self._shared.attempt(take, otherwise=True)

    async def _open(self, opened: Break) -> None:
        if self._break is None:
            self.since = opened.since
        self._break = opened
        # The key outlives the pause: half-open is remembered, so that one trial at a time is made.
        kept = int((opened.pause + timedelta(minutes=10)).total_seconds())
        await self._shared.attempt(lambda redis: redis.set(self._key, _encoded(opened), ex=kept), None)

    async def _close(self, now: datetime) -> None:
        self._break, self.since = None, now
        self._forget()
        await self._shared.attempt(lambda redis: redis.delete(self._key), 0)


def _first(now: datetime) -> Break:
    return Break(now, now + FIRST_PAUSE, FIRST_PAUSE)


def _encoded(opened: Break) -> bytes:
    return msgspec.json.encode(
        [opened.since.timestamp(), opened.until.timestamp(), opened.pause.total_seconds()],
    )


def _decoded(text: bytes) -> Break | None:
    try:
        since, until, pause = msgspec.json.decode(text, type=tuple[float, float, float])
    except msgspec.MsgspecError:
        return None
    return Break(datetime.fromtimestamp(since, tz=UTC), datetime.fromtimestamp(until, tz=UTC), timedelta(seconds=pause))
