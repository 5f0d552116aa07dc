"""When requests may be sent to a process: not before it can trace them, and not any more once it was told to stop."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.requests import Request

from graph.status import Status
from graph.stopping import Stopping
from settings import Environment, Settings
from tests.conftest import Api
from tests.resilience.matrix import closed_port
from tracing.store import StoreError

TVA = 'query { entreprise(siren: "910203041") { tva { tvaNumber } } }'
REQUEST = Request({"type": "http", "method": "GET", "path": "/pret", "headers": []})


async def asked(status: Status) -> tuple[int, dict[str, Any]]:
    response = await status.ready(REQUEST)
    body: dict[str, Any] = orjson.loads(response.body)
    return response.status_code, body


async def test_a_database_that_does_not_answer(api: Api) -> None:
    elsewhere = create_async_engine(f"postgresql+asyncpg://127.0.0.1:{closed_port()}/graphe")
    try:
        service = replace(api.service, engine=elsewhere)
        code, body = await asked(Status(service, Stopping(0)))
        assert (code, body["statut"], body["base"], body["journal"]) == (503, "indisponible", False, True)
        lenient = replace(service, settings=service.settings.model_copy(update={"public_data_without_journal": True}))
        code, body = await asked(Status(lenient, Stopping(0)))
        assert (code, body["statut"], body["base"]) == (200, "degrade", False)
    finally:
        await elsewhere.dispose()


async def test_a_journal_that_cannot_be_written(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise StoreError("disk full")

    store = api.service.journal.store
    with monkeypatch.context() as patch:
        patch.setattr(store, "append", full)
        patch.setattr(store, "connect", full)
        answer = await api.ask(TVA)
        assert answer.response.status_code == 503
        ready = await api.client.get("/pret")
        assert (ready.status_code, ready.json()["statut"], ready.json()["journal"]) == (503, "indisponible", False)
    await until(api.client, "/pret", 200)
    assert (await api.client.get("/pret")).json()["journal"] is True


async def test_a_process_told_to_stop_says_so(api: Api) -> None:
    stopping = Stopping(5)
    stopping.asked = True
    code, body = await asked(Status(api.service, stopping))
    assert (code, body["statut"], body["base"], body["journal"]) == (503, "arret", True, True)


@pytest.fixture
def stops() -> Iterator[list[int]]:
    """What the server that runs us would hear."""
    heard: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
    yield heard
    signal.signal(signal.SIGTERM, before)


async def test_the_server_hears_the_signal_when_the_time_to_drain_is_over(stops: list[int]) -> None:
    stopping = Stopping(0.001)
    stopping.listen()
    assert not stopping.asked
    signal.raise_signal(signal.SIGTERM)
    assert stopping.asked
    assert stops == [], "not yet"
    async with asyncio.timeout(120):
        while not stops:  # noqa: ASYNC110 - a signal is no event of the loop
            await asyncio.sleep(0.001)
    assert stops == [signal.SIGTERM]


async def test_a_second_signal_ends_the_wait(stops: list[int]) -> None:
    Stopping(60).listen()
    signal.raise_signal(signal.SIGTERM)
    assert stops == []
    signal.raise_signal(signal.SIGTERM)
    assert stops == [signal.SIGTERM]


async def test_with_nothing_to_wait_for_the_server_hears_it_at_once(stops: list[int]) -> None:
    Stopping(0).listen()
    signal.raise_signal(signal.SIGTERM)
    assert stops == [signal.SIGTERM]


def test_a_process_serves_for_a_while_outside_of_the_sandbox() -> None:
    secret = "x" * 40
    assert Settings().drains_for == 0
    assert Settings(drain_seconds=2).drains_for == 2
    assert Settings(environment=Environment.PRODUCTION, jwt_key=secret, secret=secret).drains_for == 5


@contextlib.contextmanager
def served(folder: Path, **more: str) -> Iterator[tuple["subprocess.Popen[bytes]", str]]:
    """A real process of `graphe serve`, as production starts it."""
    port = closed_port()
    environment = {**os.environ, "GRAPHE_DATA_DIR": str(folder / "var"), "GRAPHE_PORT": str(port), **more}
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "cli", "serve"], env=environment, stdout=log, stderr=log)
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)


async def status_of(client: httpx.AsyncClient, url: str) -> int:
    """The status of a page asked over a new connection, as a load balancer asks; 0 when none opens."""
    try:
        return (await client.get(url, headers={"Connection": "close"})).status_code
    except httpx.TransportError:
        return 0


async def until(client: httpx.AsyncClient, url: str, status: int) -> None:
    async with asyncio.timeout(120):
        while await status_of(client, url) != status:  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.01)


async def test_readiness_ends_before_the_service_does(tmp_path: Path) -> None:
    """A minute to drain, which the second signal ends: nothing here waits for it."""
    with served(tmp_path, GRAPHE_DRAIN_SECONDS="60") as (process, base):
        async with httpx.AsyncClient(timeout=120) as client:
            await until(client, f"{base}/pret", 200)
            process.send_signal(signal.SIGTERM)
            await until(client, f"{base}/pret", 503)
            assert (await client.get(f"{base}/pret")).json()["statut"] == "arret"
            # Longer than the server takes to see its own signal: it did not.
            assert {await status_of(client, f"{base}/pret") for _ in range(50)} == {503}
            assert await status_of(client, f"{base}/sante") == 200, "alive: not to be killed"
            answer = await client.post(f"{base}/graphql", json={"query": "{ moi { siret } }"})
            assert answer.json()["errors"][0]["extensions"]["idRequete"], "requests are still answered"
            process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) in (0, -signal.SIGTERM)


async def test_without_a_time_to_drain_the_first_signal_stops(tmp_path: Path) -> None:
    with served(tmp_path, GRAPHE_DRAIN_SECONDS="0") as (process, base):
        async with httpx.AsyncClient(timeout=120) as client:
            await until(client, f"{base}/pret", 200)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(process.wait, 30) in (0, -signal.SIGTERM)
