"""`make soak`, or `python -m bench.soak [--minutes 45] [--rate 25]`: one process of the API under mixed load, for long.

Many companies, ever new documents, providers that fail and come back. Every ten seconds: resident memory, open files, threads,
tasks of the event loop. The process keeps less than in production (see `KEPT`), so that what it keeps is full when the warm-up ends.

It passes when, after the warm-up (the first half: the collector walks its oldest generation seldom), memory does not grow: the
slope of the straight line through the samples is within three times its own error, or below ten percent of the median an hour; when
the medians of files, threads and tasks over the last third are at most a tenth, and ten, above those of the third before; and when,
a minute after the last request, no task is left that was not there at the start: those that are left are told by what they wait
for. Exit status: 0, 1, or 3 when PostgreSQL or Redis are not installed here.
"""

import argparse
import asyncio
import collections
import contextlib
import os
import random
import statistics
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import uvicorn
from rich.console import Console
from rich.table import Table
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

import graph.documents
import tracing.journal
from bench.chaos.__main__ import TOOLS, TOOLS_MISSING, prepared
from bench.chaos.load import Balancer, Load
from bench.chaos.servers import Child, Fleet, Postgres, Redis, ToolMissing, ended, listening, program, until
from bench.chaos.story import _until, flap
from bench.figures import keep
from bench.stage import free_port
from graph.app import Front, from_environment
from graph.connections import Lingering
from settings import Settings

EVERY = 10.0
AT_REST = 60.0
"""Seconds after the last request: longer than any call, wait or connection kept open."""
KEPT = {"GRAPHE_CACHE_ENTRIES": "1500"}
REMEMBERED = 500
"""Origins that the journal remembers, in the place of thousands."""
GROWTH_AN_HOUR = 0.10
CHARACTERS = 100_000
"""Of documents kept parsed, in the place of millions."""
console = Console(width=150)


# --- The process that is watched ---------------------------------------------------------------------


class Watched:
    """The application as it is, and a page that tells what its process holds."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/tenu":
            await Response(orjson.dumps(held()))(scope, receive, send)
        elif scope["type"] == "http" and scope["path"] == "/attentes":
            await Response(orjson.dumps(waits()))(scope, receive, send)
        else:
            await self._front(scope, receive, send)


def held() -> dict[str, float]:
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    return {
        "memory": resident / 1e6,
        "files": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "threads": threading.active_count(),
        "tasks": len(asyncio.all_tasks()),
    }


def waits() -> dict[str, int]:
    """How many tasks wait in the same place: the coroutines from the task's own to the innermost."""
    return collections.Counter(" > ".join(_chain(task.get_coro())) for task in asyncio.all_tasks())


def _chain(waiting: Any) -> list[str]:
    names = []
    while (name := getattr(waiting, "__qualname__", None)) is not None:
        names.append(name)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return names


def watched() -> Watched:
    tracing.journal.REMEMBERED_ORIGINS = REMEMBERED
    graph.documents._CACHE_CHARACTERS = CHARACTERS
    return Watched(from_environment())


def serve() -> None:
    """As `graphe serve` does."""
    settings = Settings()
    uvicorn.run(
        "bench.soak:watched", factory=True, host=settings.host, port=settings.port, log_level="warning", access_log=False,
        server_header=False, date_header=False, ws="none", http=Lingering, timeout_graceful_shutdown=20,
    )  # fmt: skip


# --- The watch ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process held, so many seconds after the start. Memory in MB."""

    at: float
    memory: float
    files: int
    threads: int
    tasks: int


@dataclass(frozen=True, slots=True)
class Slope:
    """Of the memory: MB an hour, its standard error, and the median."""

    an_hour: float
    error: float
    median: float

    @property
    def flat(self) -> bool:
        return self.an_hour <= 3 * self.error or self.an_hour <= GROWTH_AN_HOUR * self.median


def slope_of(samples: list[Sample]) -> Slope:
    """Least squares."""
    ats, sizes = [one.at for one in samples], [one.memory for one in samples]
    line = statistics.linear_regression(ats, sizes)
    spread = sum((at - statistics.fmean(ats)) ** 2 for at in ats)
    rest = sum((size - line.slope * at - line.intercept) ** 2 for at, size in zip(ats, sizes, strict=True))
    error = (rest / max(len(samples) - 2, 1) / spread) ** 0.5
    return Slope(line.slope * 3600, error * 3600, statistics.median(sizes))


def grown(samples: list[Sample], name: str) -> tuple[float, float, bool]:
    """The medians of the third before the last and of the last, and whether the last is too high."""
    third = len(samples) // 3
    before = statistics.median(getattr(one, name) for one in samples[third : 2 * third])
    after = statistics.median(getattr(one, name) for one in samples[2 * third :])
    return before, after, after > before * 1.1 + 10


async def watch(url: str, seconds: float) -> list[Sample]:
    samples: list[Sample] = []
    started = time.monotonic()
    async with httpx.AsyncClient(timeout=20) as client:
        while time.monotonic() - started < seconds:
            await asyncio.sleep(EVERY)
            found: dict[str, Any] = (await client.get(f"{url}/tenu")).json()
            samples.append(Sample(at=round(time.monotonic() - started, 1), **found))
    return samples


async def waits_of(url: str) -> collections.Counter[str]:
    async with httpx.AsyncClient(timeout=20) as client:
        return collections.Counter((await client.get(f"{url}/attentes")).json())


async def run(wish: argparse.Namespace, folder: Path) -> int:
    postgres, redis, port = Postgres(folder), Redis(folder), free_port(27000, 60)
    environment = {
        **os.environ, **KEPT, "GRAPHE_DATA_DIR": str(folder / "var"), "GRAPHE_DATABASE_URL": postgres.url,
        "GRAPHE_REDIS_URL": redis.url, "GRAPHE_SANDBOX_PORT": str(port), "GRAPHE_QUOTAS": "false",
        "GRAPHE_ADDRESS_CALLS_PER_MINUTE": "0", "GRAPHE_GRAPHIQL": "false",
    }  # fmt: skip
    sandbox = Child("simulateurs", [sys.executable, "-m", "cli", "sandbox"], folder / "sandbox.log", env=environment)
    fleet = Fleet(environment, folder, ("-m", "bench.soak", "serve"))
    with ended([sandbox, redis.child, postgres.child]), contextlib.ExitStack() as stack:
        stack.callback(lambda: [worker.child.kill() for worker in fleet.all])
        postgres.start()
        redis.start()
        sandbox.spawn()
        _, token = await prepared(environment, folder)
        worker = fleet.start()
        fleet.serving.append(worker)
        until(lambda: listening(port), "the simulators")
        await _until(lambda: bool(fleet.readiness(worker)), 120)
        balancer = Balancer(fleet)
        load = Load(balancer, token, wish.rate, 1, documents=10**9)
        tasks = [
            asyncio.create_task(balancer.watch()),
            asyncio.create_task(load.run()),
            asyncio.create_task(flap(f"http://127.0.0.1:{port}", random.Random(1))),
        ]
        before = await waits_of(worker.url)
        try:
            samples = await watch(worker.url, wish.minutes * 60)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(AT_REST)
        left = await waits_of(worker.url) - before
        await asyncio.to_thread(worker.child.end)
    return report(wish, samples, left, load)


def report(wish: argparse.Namespace, samples: list[Sample], left: collections.Counter[str], load: Load) -> int:
    steady = samples[len(samples) // 2 :]
    slope = slope_of(steady)
    kinds = {name: grown(samples, name) for name in ("files", "threads", "tasks")}
    table = Table("", "first", "after the warm-up", "last", "verdict", title="Soak", title_justify="left")
    table.add_row(
        "memory (MB)", f"{samples[0].memory:.0f}", f"{steady[0].memory:.0f}", f"{samples[-1].memory:.0f}",
        f"{'flat' if slope.flat else 'GROWS'}: {slope.an_hour:+.1f} MB an hour, ±{slope.error:.1f}",
    )  # fmt: skip
    for name, (before, after, high) in kinds.items():
        table.add_row(
            name, str(getattr(samples[0], name)), f"{before:g}", f"{after:g}", "GROWS" if high else "flat"
        )  # fmt: skip
    console.print(table)
    for place, count in left.most_common():
        console.print(f"LEFT: {count} x {place}", soft_wrap=True)
    answered = sum(answer.status == 200 for answer in load.answers)
    console.print(f"{len(load.answers):,} requests, {answered:,} answered, {wish.minutes:g} minutes")
    holds = slope.flat and not any(high for _, _, high in kinds.values()) and not left and answered > 0
    keep(
        "soak",
        f"make soak (python -m bench.soak --minutes {wish.minutes:g} --rate {wish.rate:g})",
        {
            "flat": holds, "requests": len(load.answers), "memory_mb_an_hour": round(slope.an_hour, 2),
            "standard_error": round(slope.error, 2), "median_mb": round(slope.median, 1),
            "left": dict(left), "samples": [asdict(one) for one in samples],
        },
    )  # fmt: skip
    return 0 if holds else 1


def main() -> int:
    parser = argparse.ArgumentParser(description="One process under mixed load, for long.")
    parser.add_argument("what", nargs="?", choices=["serve"], help=argparse.SUPPRESS)
    parser.add_argument("--minutes", type=float, default=45)
    parser.add_argument("--rate", type=float, default=25, help="requests a second")
    wish = parser.parse_args()
    if wish.what == "serve":
        serve()
        return 0
    try:
        for name in TOOLS:
            program(name)
    except ToolMissing as error:
        console.print(f"soak: {error} is not installed here (PostgreSQL and Redis are needed): nothing was run.")
        return TOOLS_MISSING
    with tempfile.TemporaryDirectory(prefix="graphe-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs under an account of its own
        return asyncio.run(run(wish, folder))


if __name__ == "__main__":
    sys.exit(main())
