"""What happens, and when, as shares of the run; each event waits for the one before, and says how long the service took."""

import asyncio
import contextlib
import random
import time
from dataclasses import dataclass, field

import httpx

from bench.chaos.load import Balancer, Load
from bench.chaos.servers import STARTS_WITHIN, Fleet, Postgres, Redis, Worker
from sandbox.serve import SIMULATORS

MEASURED = "opqibi"
"""The provider whose return is timed; the flapping spares it."""
FAULTS = (
    {"panne": "status", "statut": 503},
    {"panne": "status", "statut": 500, "fois": 10},
    {"panne": "status", "statut": 429, "reessayer_dans": 3, "fois": 3},
    {"panne": "reset"},
    {"panne": "reset_mid_body"},
    {"panne": "timeout"},
    {"panne": "truncated_gzip", "fois": 5},
    {"panne": "malformed", "fois": 5},
    {"panne": "wrong_type", "fois": 5},
    {"latence": 1.5},
)
CALM = {"panne": "none", "latence": 0.0, "statut": 503, "reessayer_dans": None, "fois": None}


async def conduct(admin: str, wish: dict, provider: str) -> None:
    async with httpx.AsyncClient(timeout=30) as client:
        (await client.post(f"{admin}/conduite", json={**wish, "fournisseur": provider})).raise_for_status()


async def flap(admin: str, chance: random.Random) -> None:
    """Providers fail and come back, two at a time, until cancelled."""
    names = [name for name in SIMULATORS if name != MEASURED]

    async def one() -> None:
        while True:
            name = chance.choice(names)
            await conduct(admin, {**CALM, **chance.choice(FAULTS)}, name)
            await asyncio.sleep(chance.uniform(2, 6))
            await conduct(admin, CALM, name)
            await asyncio.sleep(chance.uniform(0, 2))

    await asyncio.gather(one(), one())


@dataclass(frozen=True, slots=True)
class Event:
    """`began` to `given_back` it was away; the service was whole again `recovered` seconds after that."""

    name: str
    began: float
    given_back: float
    recovered: float | None


@dataclass
class Story:
    """One run."""

    fleet: Fleet
    balancer: Balancer
    load: Load
    postgres: Postgres
    redis: Redis
    admin: str
    seconds: float
    chance: random.Random
    events: list[Event] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    """Workers that had to be killed after they were told to stop."""
    redis_away: list[tuple[float, float]] = field(default_factory=list)

    async def tell(self) -> None:
        """Everything, in order."""
        self._started = time.monotonic()
        flapping = asyncio.create_task(flap(self.admin, self.chance))
        try:
            await self._at(0.10)
            await self._provider_down(8)
            await self._at(0.22)
            await self._redis_away("Redis killed", self.redis.kill, self.seconds * 0.07)
            await self._at(0.36)
            await self._postgres_away("PostgreSQL stopped", self.postgres.stop, self.seconds * 0.05)
            await self._at(0.48)
            await self._worker_killed()
            await self._at(0.56)
            await self._rolling()
            await self._at(0.76)
            await self._postgres_away("PostgreSQL killed", self.postgres.kill, 1)
            await self._redis_away("Redis restarted", self.redis.stop, 0.5)
            await self._worker_killed()
        finally:
            flapping.cancel()
            await asyncio.gather(flapping, return_exceptions=True)
        for name in SIMULATORS:
            await self._conduct(CALM, name)
        await self._at(1.0)

    async def _at(self, share: float) -> None:
        left = self._started + share * self.seconds - time.monotonic()
        if left > 0:
            await asyncio.sleep(left)

    async def _conduct(self, wish: dict, provider: str) -> None:
        await conduct(self.admin, wish, provider)

    # --- Events ------------------------------------------------------------------------------------

    async def _provider_down(self, seconds: float) -> None:
        began = time.time()
        await self._conduct({**CALM, "panne": "status", "statut": 503}, MEASURED)
        await asyncio.sleep(seconds)
        await self._conduct(CALM, MEASURED)
        back = time.time()

        def answered() -> bool:
            return any(
                answer.sent > back and any(dataset.startswith(MEASURED) and word == "REPONDU" for dataset, _, word in answer.told)
                for answer in reversed(self.load.answers[-200:])
            )  # fmt: skip

        await self._noted(f"provider down ({MEASURED})", began, back, answered, 150)

    async def _redis_away(self, name: str, stop, seconds: float) -> None:
        began = time.time()
        await asyncio.to_thread(stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.redis.start)
        back = time.time()
        await self._noted(name, began, back, lambda: self._everywhere("redis"), 30)
        self.redis_away.append((began, time.time()))

    async def _postgres_away(self, name: str, stop, seconds: float) -> None:
        began = time.time()
        await asyncio.to_thread(stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self.postgres.start)
        back = time.time()
        serving = [worker.name for worker in self.fleet.serving]

        def answered() -> bool:
            whole = {answer.worker for answer in self.load.answers[-400:] if answer.sent > back and answer.told}
            return whole >= set(serving)

        await self._noted(name, began, back, answered, 60)

    async def _worker_killed(self) -> None:
        worker = self.chance.choice(self.fleet.serving)
        began = time.time()
        worker.killed = True
        await asyncio.to_thread(worker.child.kill)
        worker.gone = time.time()
        self.fleet.serving.remove(worker)
        new = self.fleet.start()
        back = time.time()
        await self._noted("worker killed", began, back, lambda: self._serves(new), STARTS_WITHIN)

    async def _rolling(self) -> None:
        """Each worker in turn: its replacement serves first, then it is told to stop, and is waited for."""
        began = time.time()
        for worker in list(self.fleet.serving):
            new = self.fleet.start()
            await _until(lambda new=new: self._serves(new), STARTS_WITHIN)
            worker.leaving = True
            if not await asyncio.to_thread(worker.child.end):
                self.stuck.append(worker.name)
            worker.gone = time.time()
            self.fleet.serving.remove(worker)
        self.events.append(Event("rolling restart", began, time.time(), 0.0))

    def _serves(self, worker: Worker) -> bool:
        self.fleet.revive(worker)
        if not self.fleet.readiness(worker):
            return False
        if worker not in self.fleet.serving:
            self.fleet.serving.append(worker)
        return worker in self.balancer.ready

    def _everywhere(self, what: str) -> bool:
        return all(self.fleet.readiness(worker).get(what) for worker in list(self.fleet.serving))

    async def _noted(self, name: str, began: float, back: float, condition, within: float) -> None:
        recovered = await _until(condition, within)
        self.events.append(Event(name, began, back, None if recovered is None else time.time() - back))


async def _until(condition, seconds: float) -> float | None:
    """Seconds until the condition holds; `None` when it did not in time."""
    started = time.monotonic()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not await asyncio.to_thread(condition):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.1)
            return time.monotonic() - started
    return None
