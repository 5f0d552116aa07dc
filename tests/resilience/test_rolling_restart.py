"""Processes replaced one after the other under load: no request is lost, and no entry."""

import asyncio
import contextlib
import itertools
import os
import signal
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send
from stdnum import luhn

import graph.connections
from auth.instants import now
from cli.demo import make_tokens
from graph.connections import Lingering
from settings import Settings
from tests.conftest import REASON, Providers
from tracing.archive import verify
from tracing.entry import Nature
from tracing.journal import Journal
from tracing.search import Filter, in_progress, search

REPLICAS = Path(__file__).with_name("replicas.py")
QUERY = (
    "query($s: Siren!) { entreprise(siren: $s) { rcs { siren } certifications { ingenierie { numeroCertificat } } } }"
)
DATASETS = {"infogreffe.extrait_rcs", "opqibi.certification_ingenierie"}
CALLERS = 6
TIMEOUT_S = 300


# --- Replicas behind a balancer ----------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Replicas:
    """Real processes of `graphe serve` on ports of their own."""

    process: asyncio.subprocess.Process
    running: dict[int, int] = field(default_factory=dict)
    """Their process, by port."""

    async def start(self) -> int:
        """A new one, that serves; gives its port."""
        port = free_port()
        self.running[port] = int(await self._told(f"start {port}"))
        async with httpx.AsyncClient() as client:
            while not await ready(client, port):  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.01)
        return port

    async def stop(self, port: int) -> None:
        """Told to stop, and waited for."""
        os.kill(self.running[port], signal.SIGTERM)
        assert await self._told(f"wait {self.running.pop(port)}") == str(signal.SIGTERM.value)

    async def _told(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n".encode())
        return (await self.process.stdout.readline()).decode().strip()


async def ready(client: httpx.AsyncClient, port: int) -> bool:
    try:
        return (await client.get(f"http://127.0.0.1:{port}/pret")).status_code == 200
    except httpx.HTTPError:
        return False


@pytest.fixture
async def replicas(tmp_path: Path, providers: Providers) -> AsyncIterator[Replicas]:
    environment = {
        **os.environ, "GRAPHE_DATA_DIR": str(tmp_path / "var"), "GRAPHE_SANDBOX_PORT": str(providers.first_port),
        "GRAPHE_QUOTAS": "0", "GRAPHE_ADDRESS_CALLS_PER_MINUTE": "0", "GRAPHE_GRAPHIQL": "0", "GRAPHE_DRAIN_SECONDS": "0.3",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(REPLICAS), env=environment, cwd=Path(__file__).parents[2],
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    started = Replicas(process)
    yield started
    for child in started.running.values():
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    process.kill()
    await process.communicate()


@dataclass
class Balancer:
    """Sends each request to the next process whose `/pret` says yes, and never repeats one that left."""

    replicas: Replicas
    client: httpx.AsyncClient
    ready: list[int] = field(default_factory=list)
    answered: list[tuple[httpx.Response, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    turn: "itertools.count[int]" = field(default_factory=itertools.count)
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(60_000_000))

    async def watch(self) -> None:
        while True:
            ports = list(self.replicas.running)
            states = await asyncio.gather(*(ready(self.client, port) for port in ports))
            self.ready = [port for port, state in zip(ports, states, strict=True) if state]
            await asyncio.sleep(0.02)

    async def call(self, headers: dict[str, str]) -> None:
        while True:
            stem = next(self.numbers)
            siren = f"{stem}{luhn.calc_check_digit(str(stem))}"
            await self._answered({"query": QUERY, "variables": {"s": siren}}, siren, headers)

    async def _answered(self, body: Any, siren: str, headers: dict[str, str]) -> None:
        while True:
            if not self.ready:
                await asyncio.sleep(0.01)
                continue
            port = self.ready[next(self.turn) % len(self.ready)]
            try:
                response = await self.client.post(f"http://127.0.0.1:{port}/graphql", json=body, headers=headers)
            except httpx.ConnectError:
                await asyncio.sleep(0.01)  # it never left: the next one takes it
            except httpx.HTTPError as error:
                self.lost.append(f"{type(error).__name__} from {port}")
                return
            else:
                self.answered.append((response, siren))
                return

    async def more(self, number: int) -> None:
        """Until so many more requests are answered, or one is lost."""
        wanted = len(self.answered) + number
        while len(self.answered) < wanted and not self.lost:  # noqa: ASYNC110 - the callers go on meanwhile
            await asyncio.sleep(0.01)


async def test_a_rolling_restart_under_load_loses_no_request_and_no_entry(
    replicas: Replicas, tmp_path: Path, providers: Providers
) -> None:
    settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port)
    settings.data_dir.mkdir()
    token = (await make_tokens(settings))["tous les droits"]
    for provider in ("infogreffe", "opqibi"):
        providers.misbehave(provider, latence=0.03)
    async with asyncio.timeout(TIMEOUT_S), httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        balancer = Balancer(replicas, client)
        first = [await replicas.start(), await replicas.start()]
        headers = {"Authorization": f"Bearer {token}", **REASON}
        tasks = [asyncio.create_task(balancer.call(headers)) for _ in range(CALLERS)]
        tasks.append(asyncio.create_task(balancer.watch()))
        for port in first:
            await balancer.more(10)
            await replicas.start()
            await balancer.more(10)
            await replicas.stop(port)
        await balancer.more(10)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(TIMEOUT_S):
        for port in list(replicas.running):
            await replicas.stop(port)
    assert balancer.lost == []
    assert {response.status_code for response, _ in balancer.answered} == {200}
    codes = {
        error["extensions"]["code"] for response, _ in balancer.answered for error in response.json().get("errors", ())
    }
    assert codes <= {"PROVIDER_UNAVAILABLE"}, "which the simulator says of some companies"
    await accounted_for(settings.journal, balancer.answered)


async def accounted_for(url: str, answered: list[tuple[httpx.Response, str]]) -> None:
    """Each answer has its entries, once, each intention its outcome, and the chain holds."""
    journal = await Journal.open(url, signing_key=None, clock=now)
    store = journal.store
    for response, siren in answered:
        page = await search(store, Filter(requete=response.headers["x-request-id"]), first=20)
        told = Counter((entry.jeu_de_donnees, entry.sujet) for entry in page.entries if entry.nature is Nature.ACCES)
        assert told == Counter({(dataset, siren): 1 for dataset in DATASETS})
    assert await in_progress(store, Filter()) == []
    assert (await verify(store, public_keys=[])).problemes == ()
    await journal.close()


# --- Connections of a process that stops ---------------------------------------------------------------


async def say(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(Request(scope, receive).url.path)(scope, receive, send)


async def request_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> bytes:
    """The answer to a request on a connection that is open."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    body = await reader.readexactly(len(path))
    assert head.startswith(b"HTTP/1.1 200")
    assert body == path.encode()
    return head


async def test_a_request_that_leaves_while_its_process_stops_is_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """On connections kept open, on one that was never used, and on one that waits for the rest of its request."""
    monkeypatch.setattr(graph.connections, "LINGERS", float(TIMEOUT_S))
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(say, lifespan="off", http=Lingering, log_level="error"))
    serving = asyncio.create_task(server._serve([listener]))
    address = listener.getsockname()
    async with asyncio.timeout(TIMEOUT_S):
        used = [await asyncio.open_connection(*address[:2]) for _ in range(3)]
        for reader, writer in used:
            assert b"connection: close" not in await request_on(reader, writer, "/avant")
        new, half = [await asyncio.open_connection(*address[:2]) for _ in range(2)]
        half[1].write(b"GET /apres HTTP/1.1\r\n")
        while len(server.server_state.connections) < 5:  # noqa: ASYNC110 - the server accepts in its own time
            await asyncio.sleep(0)
        server.should_exit = True
        while listener.fileno() != -1:  # noqa: ASYNC110 - it stops in its own time
            await asyncio.sleep(0.001)
        half[1].write(b"Host: x\r\n\r\n")
        assert b"connection: close" in await half[0].readuntil(b"\r\n\r\n")
        for reader, writer in [*used, new]:
            assert b"connection: close" in await request_on(reader, writer, "/apres")
            assert await reader.read() == b"", "and then it is closed"
        await serving
    for _, writer in [*used, new, half]:
        writer.close()
        await writer.wait_closed()


async def test_a_connection_that_nobody_uses_does_not_keep_its_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph.connections, "LINGERS", 0.05)
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(say, lifespan="off", http=Lingering, log_level="error"))
    serving = asyncio.create_task(server._serve([listener]))
    async with asyncio.timeout(TIMEOUT_S):
        reader, writer = await asyncio.open_connection(*listener.getsockname()[:2])
        await request_on(reader, writer, "/avant")
        server.should_exit = True
        assert await reader.read() == b""
        await serving
    writer.close()
    await writer.wait_closed()
