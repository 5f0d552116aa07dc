"""Cached, authorised and traced answers, with each store, beside the limit of the server. `python -m bench speed`.

PostgreSQL and Redis are those of `GRAPHE_BENCH_POSTGRES` (a URL of a server where databases may be created) and
`GRAPHE_BENCH_REDIS`; where none answers, their rows are left out, and said to be.
"""

import asyncio
import contextlib
import itertools
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import asyncpg
import httpx
import redis

from bench.figures import console, show
from bench.profile import CACHED, OF_INSEE, leaves, ordinary
from bench.slices import NoSlices, sliced
from bench.stage import API_CORE, CORES, Stage, free_port, process_cpu, stage
from sandbox.personas import CLAIR_VALLON, GROUPE

COMMAND = "python -m bench speed"
POSTGRES = os.environ.get("GRAPHE_BENCH_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
REDIS = os.environ.get("GRAPHE_BENCH_REDIS", "redis://127.0.0.1:6379/15")
CONNECTIONS = 32
SLICE = 0.4
"""Of a core, for each worker: two of them, the load and PostgreSQL fit in two cores."""

IN_TURN = f"query Profil($siren: Siren!) {{ entreprise(siren: $siren) {{ {OF_INSEE} }} }} }}"
"""Asked of many companies in turn, so that no two requests in flight are the same."""

SITES = """query Sites($siren: Siren!) { entreprise(siren: $siren) { etablissements(first: 50) { nodes { siret sirene {
  siret siegeSocial etatAdministratif dateCreation dateFermeture enseigne statusDiffusion diffusableCommercialement
  activitePrincipale { code nomenclature libelle } activitePrincipaleNafRev2 { code nomenclature libelle }
  trancheEffectifSalarie { code intitule de a dateReference } dateDerniereMiseAJour redirigeDepuis
  adresse { statusDiffusion complementAdresse numeroVoie indiceRepetitionVoie typeVoie libelleVoie codePostal
   distributionSpeciale codeCedex libelleCedex codeCommune libelleCommune libelleCommuneEtranger codePaysEtranger
   libellePaysEtranger acheminementPostal { l1 l4 l6 } } } } } } }"""


@dataclass(frozen=True)
class Work:
    """One row: a stage, and what is asked of it."""

    name: str
    stage: Stage
    bodies: list[dict]

    def prepare(self) -> int:
        """Fill the caches; gives the leaves of an answer."""
        for body in self.bodies:
            answer = self.stage.ask(body["query"], body["variables"])
            if "errors" in answer:
                raise RuntimeError(answer["errors"])
        return leaves(answer["data"])


def works(found: Stage, store: str) -> list[Work]:
    one = [{"query": CACHED, "variables": {"siren": CLAIR_VALLON}}]
    many = [
        {"query": IN_TURN, "variables": {"siren": siren}} for siren in itertools.islice(ordinary(), 4 * CONNECTIONS)
    ]
    sites = [{"query": SITES, "variables": {"siren": GROUPE}}]
    return [
        Work(f"profile of one company, {store}", found, one),
        Work(f"128 companies in turn, {store}", found, many),
        Work(f"50 establishments, {store}", found, sites),
    ]


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """The URL of a database of our own, dropped afterwards. Raises `OSError` where no server answers."""
    name = f"banc_{uuid.uuid4().hex[:12]}"

    async def run(statement: str) -> None:
        connection = await asyncpg.connect(POSTGRES)
        await connection.execute(statement)
        await connection.close()

    asyncio.run(run(f"CREATE DATABASE {name}"))
    try:
        yield POSTGRES.rpartition("/")[0].replace("postgresql:", "postgresql+asyncpg:") + f"/{name}"
    finally:
        asyncio.run(run(f"DROP DATABASE {name} WITH (FORCE)"))


@contextlib.contextmanager
def bare() -> Iterator[tuple[int, int]]:
    """The server alone, on the API's core: its port and its process."""
    port = free_port(24_000)
    child = subprocess.Popen([sys.executable, "-m", "bench.bare", str(port)])
    os.sched_setaffinity(child.pid, {API_CORE})
    try:
        for _ in range(200):
            with contextlib.suppress(httpx.HTTPError):
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            time.sleep(0.05)
        yield port, child.pid
    finally:
        child.terminate()
        child.wait(10)


def per_core(rounds: int, seconds: float) -> list[dict]:
    """Every work of every store, and the bare server, in interleaved rounds: medians."""
    with contextlib.ExitStack() as stack:
        asked = works(stack.enter_context(stage(GRAPHE_QUOTAS="false")), "SQLite")
        try:
            redis.Redis.from_url(REDIS).flushdb()
            url = stack.enter_context(postgres())
        except (OSError, redis.RedisError):
            console.print("PostgreSQL or Redis does not answer: their rows are left out.")
        else:
            served = stack.enter_context(stage(GRAPHE_QUOTAS="false", GRAPHE_DATABASE_URL=url, GRAPHE_REDIS_URL=REDIS))
            asked += works(served, "Redis + PostgreSQL")
        limit = stack.enter_context(bare())
        counts = [work.prepare() for work in asked]
        measured: list[list[dict]] = [[] for _ in asked]
        bared: list[dict] = []
        for _ in range(rounds):
            for work, rows in zip(asked, measured, strict=True):
                rows.append(work.stage.load(work.bodies, connections=CONNECTIONS, seconds=seconds))
            bared.append(_bare_load(asked[0].stage, *limit, seconds))
        found = [
            {"work": work.name, "leaves": count, **_medians(rows), "peak RSS MB": work.stage.memory()}
            for work, count, rows in zip(asked, counts, measured, strict=True)
        ]
        return [*found, {"work": "bare ASGI, 3 kB prepared", "leaves": 0, **_medians(bared), "peak RSS MB": 0.0}]


def _bare_load(found: Stage, port: int, pid: int, seconds: float) -> dict:
    before = process_cpu(pid)
    measured = found.send([{"query": "-"}], connections=CONNECTIONS, seconds=seconds, port=port)
    spent = process_cpu(pid) - before
    return measured | {"cpu_us": spent / measured["requests"] * 1e6, "per_core": measured["requests"] / spent}


def _medians(rows: list[dict]) -> dict:
    def median(name: str) -> float:
        return statistics.median(row[name] for row in rows)

    return {
        "requests/s": median("rate"), "requests/s per core": median("per_core"), "CPU us/request": median("cpu_us"),
        "p50 ms": median("p50_ms"), "p99 ms": median("p99_ms"),
    }  # fmt: skip


def workers(rounds: int, seconds: float) -> list[dict]:
    """One worker and two, journal on PostgreSQL: requests per second of the whole.

    First on all that the machine has, the load and the databases beside them; then each worker on its own slice of a core.
    """
    with contextlib.ExitStack() as stack:
        stages = []
        for number in (1, 2):
            url = stack.enter_context(postgres())
            cores = set(CORES[:number])
            stages.append(
                stack.enter_context(
                    stage(
                        cores, GRAPHE_QUOTAS="false", GRAPHE_DATABASE_URL=url, GRAPHE_REDIS_URL=REDIS,
                        GRAPHE_WORKERS=str(number),
                    )
                )
            )  # fmt: skip
        bodies = works(stages[0], "")[1].bodies
        for found in stages:
            for _ in range(4):  # each worker has a memory of its own
                found.load(bodies, connections=CONNECTIONS, seconds=1, errors=True)
        rows = _compared(stages, bodies, rounds, seconds, "as much as there is")
        pids = [pid for found in stages for pid in found.workers()]
        try:
            with sliced(pids, SLICE):
                rows += _compared(stages, bodies, rounds, seconds, f"{SLICE:.0%} of a core each")
        except NoSlices as error:
            console.print(f"No slices of a core here ({error}): two workers are measured on the whole machine alone.")
    return rows


def _compared(stages: list[Stage], bodies: list[dict], rounds: int, seconds: float, processor: str) -> list[dict]:
    measured: list[list[dict]] = [[] for _ in stages]
    for _ in range(rounds):
        for found, kept in zip(stages, measured, strict=True):
            kept.append(found.load(bodies, connections=CONNECTIONS, seconds=seconds))
    rows = [
        {"workers": number, "processor": processor, **_medians(kept)} for number, kept in enumerate(measured, start=1)
    ]
    return [{**row, "of one": row["requests/s"] / rows[0]["requests/s"]} for row in rows]


def run(quick: bool) -> None:
    rounds, seconds = (3, 1.0) if quick else (7, 3.0)
    show(
        "Speed: cached, authorised, traced, one worker on one core", per_core(rounds, seconds), command=COMMAND,
        note=f"Medians of {rounds} interleaved rounds, {CONNECTIONS} connections. Requests for one company overlap and share executions "
        "(decision 0090); those for companies in turn do not. Every entry is durable before its answer leaves.",
    )  # fmt: skip
    try:
        rows = workers(rounds, seconds)
    except (OSError, redis.RedisError):
        console.print("PostgreSQL or Redis does not answer: two workers are not measured.")
        return
    show(
        "Workers: 128 companies in turn, journal on PostgreSQL", rows, command=COMMAND,
        note="On a machine of two cores the load and PostgreSQL take their time from the workers' cores: what a second worker is "
        "worth shows where each has a slice of a core, small enough to leave room for the rest.",
    )  # fmt: skip
