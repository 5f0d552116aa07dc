"""A real server killed under a real load, again and again: every answer and every call is accounted for."""

import asyncio
import os
import random
import re
import socket
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import httpx
import pytest

from auth.instants import now
from cli.demo import make_tokens
from settings import Settings
from tests.conftest import Providers
from tests.postgres import SERVER, own_database
from tracing.archive import verify
from tracing.entry import Entry, Issue, Nature
from tracing.journal import Journal
from tracing.rows import ENTRY_COLUMNS, ORIGIN_COLUMNS, read_entry, read_origin
from tracing.search import Filter, in_progress

LOAD = Path(__file__).with_name("crash_load.py")
KILLS = int(os.environ.get("GRAPHE_CRASHES", "3"))
ANSWERS = (1, 12, 60)
"""How many answers are waited for before a kill: right after the start, or under way."""
TIMEOUT_S = 240
DATASETS = {
    "insee": "insee.unite_legale",
    "cma_france": "cma_france.entreprise_artisanale",
    "opqibi": "opqibi.certification_ingenierie",
    "infogreffe": "infogreffe.extrait_rcs",
}
_SIREN = re.compile(r"(?<![0-9])[0-9]{9}(?![0-9])")


@pytest.fixture(params=["sqlite", "postgres"])
async def journal_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/journal.db"
        return
    async with own_database() as name:
        yield f"{SERVER}/{name}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def answers(url: str) -> None:
    async with asyncio.timeout(TIMEOUT_S), httpx.AsyncClient() as client:
        while True:
            try:
                if (await client.get(f"{url}/sante")).status_code == 200:
                    return
            except httpx.HTTPError:
                await asyncio.sleep(0.02)


async def gone(url: str) -> None:
    """PostgreSQL notices on its own time that the other end of a connection died."""
    if not url.startswith("postgresql"):
        return
    server = await asyncpg.connect(url)
    async with asyncio.timeout(TIMEOUT_S):
        while await server.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND application_name LIKE 'journal%'"
        ):
            await server.execute("SELECT pg_stat_clear_snapshot()")
    await server.close()


async def everything(journal: Journal) -> list[Entry]:
    columns = ", ".join([*(f"e.{name}" for name in ENTRY_COLUMNS), *(f"o.{name}" for name in ORIGIN_COLUMNS)])
    width = len(ENTRY_COLUMNS)
    found = []
    for month in await journal.store.months():
        rows = await journal.store.fetch(
            f"SELECT {columns} FROM entrees_{month.suffix} e JOIN origines_{month.suffix} o ON o.rang = e.origine ORDER BY e.rang"
        )
        found += [read_entry(row[:width], read_origin(row[width:])) for row in rows]
    return found


async def test_after_kills_under_load_every_answer_and_every_call_has_its_entry(
    journal_url: str, tmp_path: Path, providers: Providers
) -> None:
    settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port)
    settings.data_dir.mkdir()
    token = (await make_tokens(settings))["tous les droits"]
    source = random.Random(0)
    received: list[tuple[str, str]] = []
    for provider in providers.sandbox.conducts:
        providers.misbehave(provider, latence=0.03)
    for kill in range(KILLS):
        port = free_port()
        environment = {
            **os.environ, "GRAPHE_DATA_DIR": str(settings.data_dir), "GRAPHE_PORT": str(port), "GRAPHE_QUOTAS": "0",
            "GRAPHE_SANDBOX_PORT": str(providers.first_port), "GRAPHE_JOURNAL_URL": journal_url,
            "GRAPHE_ADDRESS_CALLS_PER_MINUTE": "0", "GRAPHE_GRAPHIQL": "0",
        }  # fmt: skip
        server = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", "serve", env=environment,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            await answers(f"http://127.0.0.1:{port}")
            load = await asyncio.create_subprocess_exec(
                sys.executable, str(LOAD), f"http://127.0.0.1:{port}", token, str(20_000_000 + kill * 100_000),
                stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            assert load.stdout is not None
            async with asyncio.timeout(TIMEOUT_S):
                lines = [await load.stdout.readline() for _ in range(ANSWERS[kill % 3] + source.randrange(8))]
                server.kill()
                await server.wait()
                lines += (await load.stdout.read()).splitlines(keepends=True)
                await load.wait()
        finally:
            if server.returncode is None:
                server.kill()
                await server.wait()
        received += [tuple(line.decode().split()) for line in lines if line.endswith(b"\n")]  # type: ignore[misc]
        await gone(journal_url)
    journal = await Journal.open(journal_url, signing_key=None, clock=now)
    entries = await everything(journal)
    assert await in_progress(journal.store, Filter()) == []
    report = await verify(journal.store, public_keys=[])
    await journal.close()
    assert report.problemes == ()

    # Every answer that the client received.
    told: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for entry in entries:
        if entry.nature is Nature.ACCES and entry.statut_http == 200:
            told[entry.origine.requete][entry.sujet, entry.jeu_de_donnees] += 1
    assert len(received) >= sum(ANSWERS[kill % 3] for kill in range(KILLS))
    for request, siren in received:
        assert told[request] == Counter({(siren, dataset): 1 for dataset in DATASETS.values()})

    # Every call that a provider received.
    intentions = {entry.id: entry for entry in entries if entry.nature is Nature.INTENTION}
    intended = {(entry.jeu_de_donnees, entry.sujet) for entry in intentions.values()}
    for provider, dataset in DATASETS.items():
        asked = {siren for path in providers.paths(provider) for siren in _SIREN.findall(path)}
        assert {(dataset, siren) for siren in asked} <= intended
        assert provider == "infogreffe" or len(asked) >= len(received)
        made = sum(number for path, number in providers.paths(provider).items() if "token" not in path)
        assert provider == "insee" or made <= sum(entry.jeu_de_donnees == dataset for entry in intentions.values())

    # Every intention has one outcome; what the process did not live to tell is interrupted.
    outcomes = Counter(entry.intention for entry in entries if entry.nature is Nature.ACCES and entry.intention)
    assert outcomes == Counter(dict.fromkeys(intentions, 1))
    interrupted = [entry for entry in entries if entry.issue is Issue.INTERROMPU]
    assert interrupted
    assert {entry.origine.requete for entry in interrupted}.isdisjoint(request for request, _ in received)
