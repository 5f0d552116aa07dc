"""Probes: the harmless calls by which providers let themselves be watched, made when no real call tells how they are.

Only where a provider's documentation gives one that reads nothing of any company. A provider that somebody called lately is not
probed; of the workers that share Redis one at a time probes. A circuit about to be tried again is probed first, so that no
caller has to find out for the others that the provider is still down. See docs/decisions/0066.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

from auth.instants import Clock
from providers.declaration import Access, Probe
from resolvers.circuits import State
from resolvers.health import Sounding, Watch
from resolvers.lane import Lane
from resolvers.maintenance import until_end
from resolvers.shared import SharedState
from resolvers.tasks import ended

logger = logging.getLogger(__name__)

TRUSTED: Final = timedelta(minutes=10)
"""A circuit open for longer is tried by real calls alone: a probe that is wrong must not keep it open for ever."""
_LOOKED_EVERY: Final = 5.0


class Probes:
    """Makes the probes that are due. `jitter` gives from 0 to 1: how far in its spread the next one falls."""

    def __init__(
        self, lanes: Mapping[str, Lane], watch: Watch, shared: SharedState, clock: Clock, jitter: Callable[[], float]
    ) -> None:
        self._probed = {name: probe for name, lane in lanes.items() if (probe := lane.provider.probe) is not None}
        self._lanes = lanes
        self._watch = watch
        self._shared = shared
        self._clock = clock
        self._jitter = jitter
        self._since = clock()
        self._waits = {name: self._wait(probe) for name, probe in self._probed.items()}
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._looking = asyncio.create_task(self._keep_looking())

    async def close(self) -> None:
        if self._looking is not None:
            await ended(self._looking)

    async def turn(self) -> None:
        """Make the probes that are due now."""
        names = list(self._probed)
        ends = await asyncio.gather(*(self._look(name) for name in names), return_exceptions=True)
        for name, end in zip(names, ends, strict=True):
            if isinstance(end, Exception):
                logger.error("probes: that of %s failed with %s", name, type(end).__name__)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(_LOOKED_EVERY)
            with contextlib.suppress(TimeoutError):
                await self.turn()

    async def _look(self, name: str) -> None:
        lane, probe = self._lanes[name], self._probed[name]
        await lane.circuit.refresh()
        if not await self._is_due(name, lane) or not await self._is_ours(name, probe, lane.circuit.state):
            return
        access = Access(settings=lane.settings, session="", recipient="", request_id=str(uuid4()), now=self._clock())
        healthy = await lane.probe(probe, access)
        self._waits[name] = self._wait(probe)
        if healthy is not None:
            await self._watch.note_sounding(name, Sounding(self._clock(), healthy))

    async def _is_due(self, name: str, lane: Lane) -> bool:
        now, state = self._clock(), lane.circuit.state
        if state is State.OPEN or until_end(lane.provider.maintenance, now) is not None:
            return False
        sounding = await self._watch.sounding(name)
        if state is State.HALF_OPEN:
            return self._tells_a_trial(lane, sounding, now)
        last = self._since if sounding is None else max(sounding.at, self._since)
        return now - last >= self._waits[name] and await self._watch.quiet_since(name, now - self._probed[name].every)

    @staticmethod
    def _tells_a_trial(lane: Lane, sounding: Sounding | None, now: datetime) -> bool:
        """Whether the circuit is about to be tried, and the probe has not said yet what to expect."""
        opened, until = lane.circuit.since, lane.circuit.opened_until
        if opened is None or until is None or now - opened > TRUSTED:
            return False
        return sounding is None or sounding.at < until

    async def _is_ours(self, name: str, probe: Probe, state: State) -> bool:
        """Whether no other worker makes it; a trial is one worker's at a time by the circuit itself."""
        if state is State.HALF_OPEN:
            return True
        key, span = self._shared.key(name, "sonde", "tour"), int(probe.every.total_seconds() * 1000)

        async def take(redis: Any) -> bool:
            return bool(await redis.set(key, b"1", nx=True, px=span))

        return await self._shared.attempt(take, otherwise=True)

    def _wait(self, probe: Probe) -> timedelta:
        """The time to the next probe: workers and providers are not to fall in step."""
        return probe.every * (1 + 0.2 * self._jitter())
