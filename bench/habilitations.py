"""Two figures of the rights: how long a revocation takes to bite on every worker, and what the decision costs.

    python -m bench habilitations

Revocation: two API processes share one database; a token is revoked in it, both are asked without pause until they
refuse. Decision: one process, one cached answer, asked with the decision in force and on a schema without it.
"""

import asyncio
import contextlib
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import httpx
import strawberry
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.requests import Request

import resolvers.operation
from auth.caller import Usage
from auth.instants import now
from auth.issuing import Issued, grant, issue
from auth.lifecycle import revoke
from auth.registry import Registry
from auth.rules import Inherits
from auth.tokens import Tokens, key_of
from bench.stage import ALL, REASON, Stage, _wait, free_port, stage
from graph.documents import Documents
from graph.guard import enforce
from graph.http import Endpoint
from graph.scalars import CONFIG
from graph.schema import REGISTRY
from graph.service import running
from graph.types.requete import Query
from resolvers.decision import Level
from sandbox.personas import CLAIR_VALLON

CACHED = """query($s: Siren!) { entreprise(siren: $s) { sirene { siren etatAdministratif formeJuridique { code libelle } }
    siege { siret adresse { libelleVoie libelleCommune } } attestations { vigilance { situation } } } }"""
"""Datasets whose answers are kept: nothing but our own work is measured."""
ASK = {"query": "{ moi { siret } }"}
WITHOUT_CEILING = {"GRAPHE_ADDRESS_CALLS_PER_MINUTE": "0", "GRAPHE_QUOTAS": "false"}


@contextlib.contextmanager
def second_worker(first: Stage) -> Iterator[str]:
    """Another process of the API, on the database of the first."""
    port = free_port(25000)
    environment = {
        **os.environ, **WITHOUT_CEILING, "GRAPHE_DATA_DIR": str(first.settings.data_dir), "GRAPHE_PORT": str(port),
        "GRAPHE_SANDBOX_PORT": str(first.settings.sandbox_port),
    }  # fmt: skip
    child = subprocess.Popen([sys.executable, "-m", "cli", "serve"], env=environment, start_new_session=True)
    try:
        _wait(f"http://127.0.0.1:{port}/sante")
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(20)


async def refused_after(url: str, text: str, started: asyncio.Future[float]) -> float:
    """Milliseconds from the revocation to the first refusal of one worker."""
    async with httpx.AsyncClient(timeout=5) as client:
        while True:
            response = await client.post(f"{url}/graphql", json=ASK, headers={"Authorization": f"Bearer {text}"})
            if response.status_code == 401:
                return (time.perf_counter() - started.result()) * 1000
            await asyncio.sleep(0.002)


async def revocation(first: Stage, second: str, rounds: int) -> list[float]:
    settings = first.settings
    engine = create_async_engine(settings.database)
    tokens = Tokens(
        engine, algorithm=settings.jwt_algorithm, key=key_of(settings.jwt_algorithm, settings.jwt_key.get_secret_value()),
        environment=settings.environment.value, known_scopes=REGISTRY.all_scopes(), clock=now,
    )  # fmt: skip
    delays: list[float] = []
    for _ in range(rounds):
        issued = await _issued(engine, tokens)
        started: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        asking = [asyncio.create_task(refused_after(url, issued.text, started)) for url in (first.url, second)]
        await asyncio.sleep(0.3)  # both workers know the token by now
        started.set_result(time.perf_counter())
        async with engine.begin() as connection:
            await revoke(connection, issued.jeton, now(), now())
        delays.append(max(await asyncio.gather(*asking)))
    await engine.dispose()
    return delays


async def _issued(engine: Any, tokens: Tokens) -> Issued:
    async with engine.begin() as connection:
        habilitation = await grant(
            connection,
            siret="13002526500013",
            intitule="bench",
            usage=Usage.BACK_OFFICE,
            scopes=["open_data"],
            now=now(),
        )
        return await issue(
            connection, tokens, habilitation=habilitation, intitule="bench", scopes=["open_data"], now=now()
        )


# --- What the decision costs -------------------------------------------------------------------------


def request(token: str) -> Request:
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", **REASON}
    body = httpx.Request("POST", "http://x", json={"query": CACHED, "variables": {"s": CLAIR_VALLON}}).content
    sent = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> Any:
        try:
            return next(sent)
        except StopIteration:
            await asyncio.Event().wait()

    scope = {
        "type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "client": ("127.0.0.1", 1),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()], "state": {},
    }  # fmt: skip
    return Request(scope, receive)


async def decision(first: Stage, turns: int) -> tuple[float, float]:
    """CPU of one cached profile, in microseconds: with the decision, without it."""
    async with running(first.settings) as service:
        ends = {}
        for kind, registry in {
            True: REGISTRY,
            False: Registry(MappingProxyType(dict.fromkeys(REGISTRY.rules, Inherits()))),
        }.items():
            schema = strawberry.Schema(query=Query, config=CONFIG)._schema
            enforce(schema, registry)
            documents = Documents(schema, REGISTRY, first.settings.limits)
            ends[kind] = Endpoint(replace(service, schema=schema, documents=documents, registry=registry))
        levels = {True: resolvers.operation.level, False: lambda *_a, **_n: Level.WHOLE}
        best = {True: float("inf"), False: float("inf")}
        token = first.tokens[ALL]
        for turn in range(turns):
            for kind in (True, False) if turn % 2 else (False, True):
                endpoint = ends[kind]
                resolvers.operation.level = levels[kind]
                await endpoint(request(token))
                before = time.process_time()
                for _ in range(100):
                    response = await endpoint(request(token))
                    assert response.status_code == 200
                best[kind] = min(best[kind], (time.process_time() - before) / 100 * 1e6)
        resolvers.operation.level = levels[True]
    return best[True], best[False]


def run(*, quick: bool) -> None:
    with stage(**WITHOUT_CEILING) as first:
        with second_worker(first) as second:
            delays = asyncio.run(revocation(first, second, 3 if quick else 10))
        print(
            f"revocation, two workers, {len(delays)} rounds: median {statistics.median(delays):.0f} ms, "
            f"longest {max(delays):.0f} ms (aim: under 1000 ms)"
        )
        with_, without = asyncio.run(decision(first, 5 if quick else 20))
        print(
            f"decision, cached company: {with_:.0f} µs with, {without:.0f} µs without, ratio {with_ / without:.3f} "
            "(aim: under 1.05)"
        )
