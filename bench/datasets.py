"""Speed of the datasets: the whole profile of one company over all providers at 20 ms each, and the cost of each `parse`.

`python -m bench datasets` prints both and keeps them in `bench/figures/`.
"""

import asyncio
import logging
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from bench.figures import show
from cli.demo import agefiph_delivery, load_agefiph
from graph.profile import PROFILE_QUERY, profile_variables
from providers import PROVIDERS
from providers.declaration import Dataset, Http
from providers.errors import ProviderError
from sandbox.personas import CLAIR_VALLON
from sandbox.serve import SIMULATORS, Sandbox, serve
from settings import Settings, sandbox_port
from tests.conformance import checks
from tests.conftest import START, Api, Clock, _free_ports, _wait_until_open, started

LATENCY = 0.02
CHAIN = 2
"""Calls of the longest chain, once sessions are open."""
COMMAND = "python -m bench datasets"


# --- The profile ---------------------------------------------------------------------------------


async def profiles(runs: int) -> list[dict[str, Any]]:
    """Wall time of a cold profile, without and with latency at the providers."""
    sandbox, first = Sandbox(), _free_ports(len(PROVIDERS) + 1)
    settings = Settings(sandbox_port=first)
    ports = {provider.id: sandbox_port(settings, provider) for provider in PROVIDERS if provider.id in SIMULATORS}
    loop = asyncio.new_event_loop()
    task: list[asyncio.Task[None]] = []

    async def run() -> None:
        task.append(asyncio.ensure_future(serve(sandbox, "127.0.0.1", first, ports)))
        await asyncio.gather(*task, return_exceptions=True)

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),), daemon=True)
    thread.start()
    _wait_until_open([first, *ports.values()])
    try:
        with tempfile.TemporaryDirectory() as folder:
            here = Settings(data_dir=Path(folder) / "var", sandbox_port=first)
            await load_agefiph(here, agefiph_delivery(Path(folder) / "agefiph"))
            async with started(here, Clock()) as api:
                return [await _cold_profiles(api, sandbox, latency, runs) for latency in (0.0, LATENCY)]
    finally:
        loop.call_soon_threadsafe(task[0].cancel)
        thread.join(10)


async def _cold_profiles(api: Api, sandbox: Sandbox, latency: float, runs: int) -> dict[str, float]:
    for name in SIMULATORS:
        sandbox.set(name, {"latence": latency})
    spent = []
    for _ in range(runs + 1):
        await _forget(api)
        begun = time.perf_counter()
        answer = await api.ask(PROFILE_QUERY, variables=profile_variables(CLAIR_VALLON, START.date()))
        spent.append((time.perf_counter() - begun) * 1000)
        assert answer.errors == [], answer.errors
    spent = sorted(spent[1:])  # the first run also logs in everywhere
    chain = CHAIN * latency * 1000
    median = statistics.median(spent)
    return {
        "latence par appel (ms)": latency * 1000,
        "médiane (ms)": median,
        "p90 (ms)": spent[int(len(spent) * 0.9)],
        "au-delà de la plus longue chaîne (ms)": median - chain,
    }


async def _forget(api: Api) -> None:
    """Nothing in memory but sessions; another minute, so that no quota stands in the way."""
    api.service.road.memory.clear()
    api.clock.advance(minutes=2)


# --- Reading -------------------------------------------------------------------------------------


def parses() -> Iterator[tuple[str, int, float]]:
    """For each dataset, the size of its largest sample and the time that its reading takes, in microseconds."""
    for provider in PROVIDERS:
        for dataset in provider.datasets:
            if isinstance(dataset.source.how, Http):
                yield _parse(dataset)


def _parse(dataset: "Dataset[Any, Any, Any]") -> tuple[str, int, float]:
    samples = [sample for _, sample in checks.samples_of(dataset) if "record" in sample]
    sample = max(samples, key=lambda item: len(checks.response_of(item).content))
    key = checks.key_of(dataset, sample["key"])
    content, headers = checks.response_of(sample).content, sample.get("headers", {})
    spent = []
    for _ in range(20):
        response = httpx.Response(sample["status"], headers=headers, content=content)
        begun = time.process_time()
        try:
            dataset.source.how.parse(response, key)
        except ProviderError:
            raise SystemExit(f"{dataset.id}: its largest sample can't be read") from None
        spent.append((time.process_time() - begun) * 1e6)
    return dataset.id, len(content), round(statistics.median(spent), 1)


def run(*, quick: bool) -> None:
    logging.getLogger("pypdf").setLevel(logging.ERROR)
    rows = [
        {"jeu de données": name, "octets": size, "µs": spent}
        for name, size, spent in sorted(parses(), key=lambda line: -line[2])
    ]
    show("Lecture d'une réponse : le plus grand exemple de chaque jeu", rows, command=COMMAND)
    show(
        "Profil complet : une entreprise, tous les fournisseurs, rien en mémoire",
        asyncio.run(profiles(5 if quick else 15)),
        command=COMMAND,
        note="La plus longue chaîne est de deux appels : siège puis jeux par SIRET, ou liasse puis dictionnaire.",
    )
