"""`python -m bench.chaos [--seconds 180] [--workers 3] [--rate 12] [--seed 1]`: runs, reports, and fails when something broke.

Exit status: 0 when everything held, 1 when something did not, 3 when PostgreSQL or Redis are not installed here.
"""

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.chaos import verdict
from bench.chaos.load import Balancer, Load
from bench.chaos.servers import Child, Fleet, Postgres, Redis, ToolMissing, ended, listening, program, until
from bench.chaos.story import Story, _until
from bench.figures import keep
from bench.stage import ALL, free_port
from cli.demo import agefiph_delivery, load_agefiph, make_tokens
from settings import Settings

TOOLS = ("initdb", "postgres", "pg_isready", "redis-server")
TOOLS_MISSING = 3
console = Console(width=150)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Chaos: everything taken away and given back, under load.")
    parser.add_argument("--seconds", type=float, default=180, help="of load; events may make it longer")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--rate", type=float, default=12, help="requests a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="keep the logs and the record of calls in this folder")
    return parser.parse_args()


async def run(wish: argparse.Namespace, folder: Path) -> int:
    postgres, redis = Postgres(folder), Redis(folder)
    port = free_port(23000, 60)
    environment = {
        **os.environ, "GRAPHE_DATA_DIR": str(folder / "var"), "GRAPHE_DATABASE_URL": postgres.url,
        "GRAPHE_REDIS_URL": redis.url, "GRAPHE_SANDBOX_PORT": str(port), "GRAPHE_QUOTAS": "false",
        "GRAPHE_ADDRESS_CALLS_PER_MINUTE": "0", "GRAPHE_PROVIDER_RATES": "true", "GRAPHE_GRAPHIQL": "false",
        "GRAPHE_DRAIN_SECONDS": "1.5", "GRAPHE_PUBLIC_URL": "http://127.0.0.1:1", "PYTHONFAULTHANDLER": "1",
    }  # fmt: skip
    record = folder / "appels.txt"
    record.touch()
    simulators = Child(
        "simulateurs", [sys.executable, "-m", "bench.chaos.simulators", str(record)], folder / "sandbox.log",
        env=environment,
    )  # fmt: skip
    fleet = Fleet(environment, folder)
    children = [simulators, redis.child, postgres.child]
    with ended(children), contextlib.ExitStack() as stack:
        stack.callback(lambda: [worker.child.kill() for worker in fleet.all])
        postgres.start()
        redis.start()
        simulators.spawn()
        settings, token = await prepared(environment, folder)
        for _ in range(wish.workers):
            fleet.serving.append(fleet.start())
        until(lambda: listening(port), "the simulators")
        for worker in fleet.serving:
            await _until(lambda worker=worker: bool(fleet.readiness(worker)), 120)
        balancer = Balancer(fleet)
        load = Load(balancer, token, wish.rate, wish.seed)
        story = Story(
            fleet, balancer, load, postgres, redis, f"http://127.0.0.1:{port}", wish.seconds, random.Random(wish.seed)
        )
        started = time.monotonic()
        watching, loading = asyncio.create_task(balancer.watch()), asyncio.create_task(load.run())
        await _until(lambda: len(balancer.ready) == wish.workers, 60)
        try:
            await story.tell()
        finally:
            loading.cancel()
            await asyncio.gather(loading, return_exceptions=True)
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
        spent = time.monotonic() - started
        ends = await asyncio.gather(*(asyncio.to_thread(worker.child.end) for worker in fleet.serving))
        story.stuck += [worker.name for worker, ended in zip(fleet.serving, ends, strict=True) if not ended]
        entries, problems = await verdict.entries_of(postgres.url)
    calls = verdict.calls_of(record, frozenset(load.companies))
    return report(wish, story, calls, entries, problems, settings, spent)


async def prepared(environment: dict[str, str], folder: Path) -> tuple[Settings, str]:
    """The database brought to its version, a token, AGEFIPH's file."""
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        settings = Settings()
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        token = (await make_tokens(settings))[ALL]
        await load_agefiph(settings, agefiph_delivery(folder / "agefiph"))
    finally:
        os.environ.clear()
        os.environ.update(before)
    return settings, token


def report(wish, story: Story, calls, entries, problems, settings: Settings, spent: float) -> int:
    answers, workers = story.load.answers, story.fleet.all
    rolled, untouched, killed = verdict.lost(answers, workers)
    broken, excess = verdict.over_limits(calls, story.redis_away, settings, workers)
    failed: dict[str, Sequence[str]] = {
        "entries missing for an answer": verdict.missing_entries(answers, entries),
        "calls without an intention before them": verdict.unannounced_calls(calls, entries),
        "intentions without one outcome": verdict.outcomes_amiss(entries),
        "breaks in the chain of the journal": problems,
        "calls over a provider's limit": broken,
        "requests lost by a worker told to stop": [""] * rolled,
        "requests lost by a worker that nobody touched": [""] * untouched,
        "workers that did not stop when told to": story.stuck,
        "answers that nobody foresaw": verdict.unforeseen(answers),
        "found once, not found another time": verdict.contradictions(answers),
        "events that the service did not recover from": verdict.recovered(story.events),
    }
    if not any(answer.told for answer in answers) or not any(call.companies for call in calls):
        failed["nothing was asked or answered"] = ["the run proves nothing"]
    times = sorted(answer.ended - answer.sent for answer in answers if answer.status == 200)
    codes = Counter(code for answer in answers for code, _ in answer.failed)
    facts = {
        "requests": len(answers),
        "seconds": round(spent),
        "workers": f"{wish.workers} at once, {len(workers)} in all",
        "by status": _counted(Counter({0: "cut", -1: "no worker"}.get(answer.status, str(answer.status)) for answer in answers)),
        "with data": sum(answer.data for answer in answers),
        "errors by code": _counted(codes),
        "p50 / p99 of 200s (ms)": f"{statistics.median(times) * 1000:.0f} / {times[int(len(times) * 0.99)] * 1000:.0f}" if times else "",
        "calls to providers": len(calls),
        "journal entries": len(entries),
        "cut by a killed worker": killed,
        "above a rate while Redis was away (allowed: the workers)": _counted(Counter(excess)) or "0",
    }  # fmt: skip
    _print(facts, story, failed)
    keep(
        "chaos",
        f"make chaos (python -m bench.chaos --seconds {wish.seconds:.0f} --workers {wish.workers} --rate {wish.rate:g} --seed {wish.seed})",
        {
            "facts": facts,
            "events": [
                {"event": event.name, "away_s": round(event.given_back - event.began, 1), "recovered_s": None if event.recovered is None else round(event.recovered, 1)}
                for event in story.events
            ],
            "must_be_zero": {name: len(found) for name, found in failed.items()},
        },
    )  # fmt: skip
    return 1 if any(failed.values()) else 0


def _counted(counter: Counter) -> str:
    return ", ".join(f"{name} {number:,}" for name, number in counter.most_common())


def _print(facts, story: Story, failed) -> None:
    table = Table(title="Chaos: what happened", title_justify="left", show_header=False)
    for name, value in facts.items():
        table.add_row(name, str(value))
    console.print(table)
    table = Table("event", "away (s)", "whole again after (s)", title="Recovery", title_justify="left")
    for event in story.events:
        after = "never" if event.recovered is None else f"{event.recovered:.1f}"
        table.add_row(event.name, f"{event.given_back - event.began:.1f}", after)
    console.print(table)
    table = Table("must be 0", "", "first ones", title="Verdict", title_justify="left")
    for name, found in failed.items():
        table.add_row(name, str(len(found)), "; ".join(found[:3]), style="red" if found else None)
    console.print(table)


def main() -> int:
    wish = options()
    try:
        for name in TOOLS:
            program(name)
    except ToolMissing as error:
        console.print(f"chaos: {error} is not installed here (PostgreSQL and Redis are needed): nothing was run.")
        return TOOLS_MISSING
    with tempfile.TemporaryDirectory(prefix="graphe-chaos-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs under an account of its own
        try:
            return asyncio.run(run(wish, folder))
        finally:
            if wish.keep:
                shutil.copytree(folder, wish.keep, dirs_exist_ok=True, ignore=shutil.ignore_patterns("postgres", "var"))


if __name__ == "__main__":
    sys.exit(main())
