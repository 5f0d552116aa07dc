"""What tests start: the simulated providers on real sockets, and one API of their own each.

Tests ask through GraphQL over HTTP and state the scopes that they hold. The clock is theirs; calls received
by each provider are counted by the simulators.
"""

import asyncio
import os
import socket
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import auth.tokens
import graph.service
import graph.status
import tracing.postgres
from auth.caller import Usage
from auth.issuing import grant, issue
from cli.demo import agefiph_delivery, load_agefiph
from graph.app import create_app
from graph.schema import REGISTRY
from graph.service import Service
from providers import PROVIDERS
from providers.declaration import Timeouts
from sandbox.clock import CLOCK
from sandbox.serve import SIMULATORS, Sandbox, serve
from settings import Settings, sandbox_port
from settings.surface import Limits
from tracing.search import Filter, search

DINUM = "13002526500013"
START = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)
"""A Tuesday morning in Paris, outside of every maintenance window."""
REASON = {"X-Contexte": "Marche public 2026-17", "X-Objet": "Analyse des candidatures"}
ALL = "*all*"
PATIENCE = 20
"""How many times longer than in production a test waits: a machine that stalls is no failure of a provider."""


HURRIED = Timeouts(connect=timedelta(seconds=2), read=timedelta(seconds=2), total=timedelta(seconds=4))
UNHURRIED: Mapping[str, Any] = {"operation_seconds": 300.0, "limits": Limits(validation_ms=60_000)}
"""What a test that does not say otherwise sets, for the same reason."""


def patient(_provider: str, timeouts: Timeouts) -> Timeouts:
    return Timeouts(connect=timeouts.connect * PATIENCE, read=timeouts.read * PATIENCE, total=timeouts.total * PATIENCE)


class Haste:
    """Timeouts of a trial: short for the providers that fail by letting us wait, long for all others."""

    def __init__(self) -> None:
        self.of: frozenset[str] = frozenset()

    def __call__(self, provider: str, timeouts: Timeouts) -> Timeouts:
        if provider not in self.of:
            return patient(provider, timeouts)
        return Timeouts(
            connect=min(timeouts.connect, HURRIED.connect),
            read=min(timeouts.read, HURRIED.read),
            total=min(timeouts.total, HURRIED.total),
        )


@pytest.fixture(scope="session", autouse=True)
def _patience_with_databases() -> Iterator[None]:
    """A database that answers late is not away, unless a test is about that."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (tracing.postgres, auth.tokens, graph.service, graph.status):
            for name in ("TIMEOUT_S", "PATIENCE", "_PATIENCE"):
                if hasattr(module, name):
                    patch.setattr(module, name, 120.0)
        yield


class Clock:
    """A clock that only moves when told."""

    def __init__(self, instant: datetime = START) -> None:
        self.instant = instant

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, **spans: float) -> None:
        self.instant += timedelta(**spans)


def _free_ports(count: int) -> int:
    """The first of `count` ports in a row that nobody holds; each worker of a parallel run has its own range."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for first in range(12000 + 2000 * worker, 32000, 97):
        held = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                held.append(probe)
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in held:
                probe.close()
    raise RuntimeError("no free ports")


@dataclass
class Providers:
    """The running simulators: `calls` counts what they received, `misbehave` sets a fault."""

    sandbox: Sandbox
    first_port: int

    def calls(self, provider: str, containing: str = "") -> int:
        counted = self.sandbox.conducts[provider].calls
        return sum(number for path, number in counted.items() if containing in path)

    def paths(self, provider: str) -> Mapping[str, int]:
        return dict(self.sandbox.conducts[provider].calls)

    def misbehave(self, provider: str, **wish: Any) -> None:
        self.sandbox.set(provider, wish)


@pytest.fixture(scope="session")
def _simulators() -> Iterator[Providers]:
    sandbox = Sandbox()
    first = _free_ports(len(PROVIDERS) + 1)
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
    yield Providers(sandbox, first)
    loop.call_soon_threadsafe(task[0].cancel)
    thread.join(10)
    loop.close()


def _wait_until_open(ports: Iterable[int]) -> None:
    for port in ports:
        for _ in range(12_000):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                threading.Event().wait(0.005)
        else:
            raise RuntimeError(f"the simulator on port {port} did not start")


@pytest.fixture
def providers(_simulators: Providers) -> Iterator[Providers]:
    _simulators.sandbox.reset()
    CLOCK.stop_at(START)
    yield _simulators
    _simulators.sandbox.reset()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Answer:
    """An answer of the API. `errors` are by code; `at` reads a dotted path of the data."""

    response: httpx.Response

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = self.response.json()
        return body

    @property
    def data(self) -> Any:
        return self.body.get("data")

    @property
    def errors(self) -> list[dict[str, Any]]:
        return list(self.body.get("errors", []))

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.errors]

    def at(self, path: str) -> Any:
        found = self.data
        for name in path.split("."):
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found

    def provenance(self, dataset: str) -> list[dict[str, Any]]:
        return [item for item in self.body["extensions"]["provenance"] if item["jeuDeDonnees"] == dataset]


@dataclass
class Api:
    """One API, and tokens for whatever scopes a test says that it holds."""

    client: httpx.AsyncClient
    service: Service
    clock: Clock
    settings: Settings
    haste: Haste
    """Whose timeouts are short; nobody's at first."""
    tokens: dict[Any, str] = field(default_factory=dict)

    async def token(
        self, scopes: Iterable[str] | str, *, usage: Usage = Usage.BACK_OFFICE, addresses: tuple[str, ...] = ()
    ) -> str:
        held = REGISTRY.all_scopes() if scopes == ALL else frozenset(scopes)
        key = (held, usage, addresses)
        if key not in self.tokens:
            async with self.service.engine.begin() as connection:
                habilitation = await grant(
                    connection,
                    siret=DINUM,
                    intitule="Essai",
                    usage=usage,
                    scopes=held,
                    now=self.clock(),
                    addresses=addresses,
                )
                issued = await issue(
                    connection,
                    self.service.tokens,
                    habilitation=habilitation,
                    intitule="Essai",
                    scopes=held,
                    now=self.clock(),
                )
            self.tokens[key] = issued.text
        return self.tokens[key]

    async def ask(
        self,
        query: str,
        *,
        scopes: Iterable[str] | str = ALL,
        variables: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        reason: Mapping[str, str] = REASON,
        usage: Usage = Usage.BACK_OFFICE,
        **body: Any,
    ) -> Answer:
        token = await self.token(scopes, usage=usage)
        sent = {"Authorization": f"Bearer {token}", **reason, **(headers or {})}
        response = await self.client.post(
            "/graphql", json={"query": query, "variables": variables, **body}, headers=sent
        )
        return Answer(response)

    async def journal(self) -> list[dict[str, Any]]:
        """Every entry of the journal, in order."""
        return await read_journal(self.service)

    async def journal_of(self, answer: Answer) -> list[dict[str, Any]]:
        """The entries of one request, in order."""
        wanted = Filter(requete=answer.response.headers["x-request-id"])
        page = await search(self.service.journal.store, wanted, first=1000)
        return [_plain(entry) for entry in page.entries]


async def read_journal(service: Service) -> list[dict[str, Any]]:
    page = await search(service.journal.store, Filter(), first=1000)
    return [_plain(entry) for entry in page.entries]


def _plain(entry: Any) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in entry.__struct_fields__}


@pytest.fixture
async def api(tmp_path: Path, providers: Providers, clock: Clock) -> AsyncIterator[Api]:
    settings = Settings(data_dir=tmp_path / "var", sandbox_port=providers.first_port)
    await load_agefiph(settings, agefiph_delivery(tmp_path / "agefiph"))
    async with started(settings, clock) as running:
        yield running


class started:  # noqa: N801 - reads as a verb: `async with started(settings, clock) as api`
    """An API with these settings, in this event loop."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        unsaid = {name: value for name, value in UNHURRIED.items() if name not in settings.model_fields_set}
        self.settings = settings.model_copy(update=unsaid)
        self.clock = clock
        self.haste = Haste()

    async def __aenter__(self) -> Api:
        app = create_app(self.settings, clock=self.clock, timing=self.haste)
        self._lifespan = app.router.lifespan_context(app)
        await self._lifespan.__aenter__()
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 40000))
        self._client = httpx.AsyncClient(transport=transport, base_url="http://api.test")
        return Api(self._client, app.state.service, self.clock, self.settings, self.haste)

    async def __aexit__(self, *error: object) -> None:
        await self._client.aclose()
        await self._lifespan.__aexit__(None, None, None)
