"""What the chain costs: a memory hit, a hit in Redis, a miss, and a bare httpx call to the same simulator.

    python -m bench resilience

Everything runs in this process over loopback: ratios are what to read, not the figures. Redis is that of `GRAPHE_BENCH_REDIS`
(by default the base 15 of this machine's); where none answers its figures are left out, and said to be.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bench.figures import console, show
from bench.stage import free_port
from graph.service import running
from providers import PROVIDERS
from providers.declaration import Access
from providers.fabrique_numerique.conventions_collectives import CONVENTIONS_COLLECTIVES
from resolvers.road import Asker
from resolvers.trace import Trace
from sandbox.serve import SIMULATORS, Sandbox, serve
from settings import Settings, sandbox_port
from tracing.entry import Origin

COMMAND = "python -m bench resilience"
REDIS = os.environ.get("GRAPHE_BENCH_REDIS", "redis://127.0.0.1:6379/15")
ORIGIN = Origin(
    requete="bench", habilitation="bench", jeton="bench", siret_habilite="13002526500013", agent=None, contexte=None,
    objet=None, destinataire=None, operation=None, document=None, adresse="", agent_utilisateur="",
)  # fmt: skip


async def timed(works: dict[str, Callable[[], Awaitable[Any]]], times: int) -> dict[str, tuple[float, float]]:
    """The median time of each work and the least, in microseconds; they take turns, so that what else runs weighs on all."""
    spent = {name: [] for name in works}
    for _ in range(times):
        for name, work in works.items():
            started = time.perf_counter()
            await work()
            spent[name].append((time.perf_counter() - started) * 1e6)
    return {name: (statistics.median(values), min(values)) for name, values in spent.items()}


async def measure(redis: str, port: int, times: int) -> list[dict]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        settings = Settings(data_dir=Path(folder) / "var", sandbox_port=port, redis_url=SecretStr(redis))
        service = await stack.enter_async_context(running(settings))
        source = CONVENTIONS_COLLECTIVES.source
        key = CONVENTIONS_COLLECTIVES.example
        how: Any = source.how
        asker = Asker(trace=Trace(ORIGIN, lambda: datetime.now(UTC)), recipient="13002526500013", datasets={})
        road = service.road

        async def miss() -> None:
            road.memory.clear()
            await road.obtain(source, [key], asker)

        async def recall() -> None:
            road.memory.clear()
            await road.recall(source, [key])

        async def hit() -> None:
            road.memory.get((source.id, key))

        (obtained,) = await road.obtain(source, [key], asker)
        if obtained.error is not None:
            raise obtained.error
        client = await stack.enter_async_context(httpx.AsyncClient())
        access = Access(settings=road.lanes["fabrique_numerique"].settings, session="", recipient="")
        call = how.call(key, access)
        works = {
            "bare httpx call": lambda: client.request(call.method, call.url, params=call.params, headers=call.headers),
            "miss, the whole chain": miss,
            **({"hit in Redis": recall} if redis else {}),
        }
        spent = await timed(works, times)
        await road.obtain(source, [key], asker)
        spent |= await timed({"hit in memory": hit}, 20_000)
        bare, least = spent["bare httpx call"]
        where = "with Redis" if redis else "without Redis"
        return [
            {
                "state": where,
                "work": name,
                "us": us,
                "of a bare call": us / bare,
                "least us": quick,
                "of its least": quick / least,
            }
            for name, (us, quick) in spent.items()
        ]


async def _answers(redis: str) -> bool:
    client = Redis.from_url(redis, socket_connect_timeout=1, socket_timeout=1)
    try:
        await client.ping()
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
    return True


async def _measured(times: int) -> list[dict]:
    sandbox, port = Sandbox(), free_port(31000, 60)
    settings = Settings(sandbox_port=port)
    ports = {provider.id: sandbox_port(settings, provider) for provider in PROVIDERS if provider.id in SIMULATORS}
    task = asyncio.create_task(serve(sandbox, "127.0.0.1", port, ports))
    try:
        async with httpx.AsyncClient() as client:
            await _started(client, [port, *ports.values()])
        rows = await measure("", port, times)
        if await _answers(REDIS):
            rows += await measure(REDIS, port, times)
        else:
            console.print("No Redis answers at GRAPHE_BENCH_REDIS: its figures are left out.")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return rows


async def _started(client: httpx.AsyncClient, ports: list[int]) -> None:
    for port in ports:
        for _ in range(1000):
            try:
                await client.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.01)


def run(quick: bool) -> None:
    show(
        "Resilience: the chain from a loader to a provider", asyncio.run(_measured(50 if quick else 300)),
        command=COMMAND, note="One process holds the API and the simulator: the ratios are what to read; those of the least times where the machine is busy.",
    )  # fmt: skip
