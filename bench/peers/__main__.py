"""Every peer on the same works, in interleaved rounds, one core each: `python -m bench.peers`.

`--quick` shows in some minutes that everything works; its figures are those of one round of a second.
Results: a table by work on the screen, and `bench/peers.json` (not with `--quick`).
"""

import argparse
import contextlib
import json
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.peers import contenders
from bench.peers.contenders import CONTENDERS, ROOT, Contender
from bench.peers.measures import Measure, load, median, set_delay, verify
from bench.peers.ours import TOKEN_FILE
from bench.peers.processes import CORES, OTHER_CORE, PEER_CORE, Server, free_port, running
from bench.peers.works import WORKS, Work, expected, leaves

CONNECTIONS = (1, 32)
RESULTS = ROOT / "bench" / "peers.json"
CONSOLE = Console(width=150)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how often."""

    rounds: int
    seconds: float
    warm_up: float
    verified: int
    """Companies whose answers are compared before each work."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A contender that runs, and what the load sends it."""

    contender: Contender
    server: Server
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one contender on one work."""

    contender: str
    work: str
    measures: Mapping[int, Measure]
    peak_memory_mb: float


@contextlib.contextmanager
def all_running(wanted: Sequence[Contender], upstream: Server, folder: Path, *, cached: bool) -> Iterator[list[Ready]]:
    """All of them at once on one core: a contender that nobody asks anything costs nothing."""
    with contextlib.ExitStack() as stack:
        ready: list[Ready] = []
        for number, contender in enumerate(wanted):
            place = folder / f"{number}-{cached}"
            place.mkdir()
            port = free_port()
            environment = contender.environment(upstream=upstream.url, port=port, folder=place, cached=cached)
            contenders.prepare(contender, environment)
            server = stack.enter_context(
                running(
                    contender.name,
                    contender.argv(cached=cached),
                    environment,
                    port=port,
                    core=PEER_CORE,
                    folder=contender.folder,
                    log=place / "log",
                )
            )
            ready.append(Ready(contender, server, _headers(place)))
        yield ready


def _headers(place: Path) -> dict[str, str]:
    token = place / TOKEN_FILE
    authorization = {"Authorization": f"Bearer {token.read_text()}"} if token.exists() else {}
    return {"Content-Type": "application/json", "Accept": "application/json", **authorization}


def measured(work: Work, ready: Sequence[Ready], upstream: Server, plan: Plan) -> list[Row]:
    """Everyone on one work: answers verified, warmed up, then rounds in turn, each round beginning with another."""
    set_delay(upstream, work.delay_ms)
    found: dict[str, dict[int, list[Measure]]] = {}
    for one in ready:
        verify(one.server, upstream, work, one.headers, plan.verified)
        load(one.server, upstream, work, one.headers, connections=max(CONNECTIONS), seconds=plan.warm_up)
        found[one.contender.name] = {connections: [] for connections in CONNECTIONS}
    for connections in CONNECTIONS:
        for number in range(plan.rounds):
            first = number % len(ready)
            for one in [*ready[first:], *ready[:first]]:
                measure = load(one.server, upstream, work, one.headers, connections=connections, seconds=plan.seconds)
                found[one.contender.name][connections].append(measure)
    return [
        Row(
            one.contender.name,
            work.label,
            {connections: median(rounds) for connections, rounds in found[one.contender.name].items()},
            one.server.peak_memory(),
        )
        for one in ready
    ]


# --- What is shown --------------------------------------------------------------------------------


def table(work: Work, rows: Sequence[Row]) -> Table:
    """One work: `x` is how many times our processor time, with authorisation and journal, a contender takes."""
    size = leaves(expected(work.query, work.variables()[0]))
    shown = Table(title=f"{work.label}: {size:,} leaves, {work.calls} upstream calls", title_justify="left")
    for name in ("contender", *_columns(work)):
        shown.add_column(name, justify="left" if name == "contender" else "right")
    ours = next((row for row in rows if row.contender == "ours"), None)
    for row in rows:
        cells: list[str] = []
        for connections, measure in row.measures.items():
            times = measure.cpu_us / ours.measures[connections].cpu_us if ours else 0.0
            cells += [f"{measure.rate:,.0f}", f"{measure.cpu_us:,.0f}", f"{times:.2f}"]
            cells += [f"{measure.p50_ms:.1f}", f"{measure.p99_ms:.1f}"]
        if work.delay_ms:
            cells.append(f"{row.measures[1].p50_ms - work.waiting_ms:.1f}")
        crowd = row.measures[max(CONNECTIONS)]
        shown.add_row(_name(row, work), *cells, f"{crowd.calls:.2f}", f"{row.peak_memory_mb:,.0f}")
    return shown


def _columns(work: Work) -> Iterator[str]:
    for connections in CONNECTIONS:
        yield from (f"{connections}: req/s", "CPU us", "x", "p50 ms", "p99 ms")
    if work.delay_ms:
        yield "added ms"
    yield from ("calls", "RSS MB")


def _name(row: Row, work: Work) -> str:
    keeps = next(contender.keeps for contender in CONTENDERS if contender.name == row.contender)
    return f"{row.contender} ({keeps})" if work.cached else row.contender


def kept(rows: Sequence[Row], plan: Plan, absent: str | None) -> dict[str, Any]:
    """What `bench/peers.json` holds."""
    node = None if absent else subprocess.run(["node", "--version"], capture_output=True, check=True).stdout.decode()
    ours = ("aiohttp", "graphql-core", "uvicorn", "uvloop", "orjson", "aiodataloader")
    return {
        "command": " ".join(["python", "-m", "bench.peers", *sys.argv[1:]]),
        "machine": {"cores": len(CORES), "processor": _processor(), "python": platform.python_version()},
        "versions": {"node": node and node.strip(), **contenders.versions(), **{name: version(name) for name in ours}},
        "plan": asdict(plan),
        "peers_absent": absent,
        "rows": [asdict(row) for row in rows],
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")


# --- The command ----------------------------------------------------------------------------------


def run(plan: Plan, wanted: Sequence[Contender], works: Sequence[Work]) -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="peers-") as name:
        folder, port = Path(name), free_port()
        command = (sys.executable, "-m", "bench.peers.upstream", str(port))
        log = folder / "upstream.log"
        with running("upstream", command, {}, port=port, core=OTHER_CORE, folder=ROOT, log=log) as upstream:
            for cached in (False, True):
                mine = [work for work in works if work.cached is cached]
                if not mine:
                    continue
                concerned = [one for one in wanted if any(one.does(work) for work in mine)]
                with all_running(concerned, upstream, folder, cached=cached) as ready:
                    for work in mine:
                        found = measured(work, [one for one in ready if one.contender.does(work)], upstream, plan)
                        CONSOLE.print(table(work, found))
                        rows += found
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description="Every peer on the same works, one core each.")
    parser.add_argument("--quick", action="store_true", help="one round of one second")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--peers", nargs="*", help="parts of names; all by default")
    parser.add_argument("--works", nargs="*", choices=sorted({work.name for work in WORKS}), help="all by default")
    parser.add_argument("--output", type=Path, help="bench/peers.json by default; with --quick, nowhere")
    options = parser.parse_args()
    plan = Plan(1, 1.0, 0.5, 4) if options.quick else Plan(options.rounds, options.seconds, 2.0, 64)
    absent = contenders.install()
    if absent:
        CONSOLE.print(f"Only ours is measured: {absent}.", style="yellow")
    wanted = [
        one
        for one in CONTENDERS
        if (one.package is None or not absent)
        and (not options.peers or any(part.lower() in one.name.lower() for part in options.peers))
    ]
    works = [work for work in WORKS if not options.works or work.name in options.works]
    if PEER_CORE == OTHER_CORE:
        CONSOLE.print("One core only: the load and the peers share it, rates mean little.", style="yellow")
    rows = run(plan, wanted, works)
    output = options.output or (None if options.quick else RESULTS)
    if output is not None:
        output.write_text(json.dumps(kept(rows, plan, absent), indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
