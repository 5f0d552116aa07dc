"""Ours on the peers' work: an ASGI application made of the project's own parts on the hot path.

With nothing said: tokens resolved against a database, the decision on each protected field and at the loader, one
journal entry per (request, subject, dataset), committed to SQLite (synchronous=FULL, grouped) before the answer leaves.
`--bare` leaves the token, the loader's decision and the journal out, as the peers have none of them. `--cached` keeps
what providers answered. `--single-flight` makes identical requests in flight share one execution, and calls for the same answer one call, as the
service always does; their journal entries stay one each.
"""

import argparse
import asyncio
import gc
import os
import uuid
from collections.abc import Awaitable, Mapping
from functools import partial
from inspect import isawaitable
from pathlib import Path
from typing import Any, cast

import orjson
import uvicorn
import uvloop
from aiodataloader import DataLoader
from graphql import ExecutionResult, GraphQLResolveInfo
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.requests import Request
from starlette.responses import Response

from auth.caller import Caller, Usage
from auth.instants import now
from auth.issuing import grant, issue
from auth.tokens import Tokens, key_of
from bench.peers.room import REGISTRY, SCHEMA, SCOPE
from graph.documents import Documents
from graph.execution import run
from graph.sharing import Flights
from migrations import upgrade
from providers.declaration import Access, Dataset, Http, Life, NotKept, subject_of
from resolvers.cache import Memory, Obtained
from resolvers.decision import Level, level
from resolvers.http_client import AiohttpClient, shared_tls
from resolvers.later import Later
from resolvers.refusals import denied_field
from resolvers.tasks import together
from resolvers.trace import Line, Trace
from tracing.entry import Issue, Origin
from tracing.journal import Journal

AnyDataset = Dataset[Any, Any, Any]
TOKEN_FILE = "jeton"
_DESTINATAIRE = "13002526500013"


class Provider:
    """The one provider of the bench, as all requests of the process share it."""

    def __init__(self, url: str, *, cached: bool, single_flight: bool) -> None:
        self._access = Access(settings={"url": url}, session="", recipient=_DESTINATAIRE)
        self._client = AiohttpClient(tls=shared_tls(), max_concurrency=1_000)
        self._memory = Memory(10_000, now)
        self._cached = cached
        self._flights: dict[tuple[str, str], asyncio.Task[Any]] | None = {} if single_flight else None

    def remembered(self, dataset: AnyDataset, key: str) -> Obtained | None:
        return self._memory.get((dataset.id, key)) if self._cached else None

    async def obtain(self, dataset: AnyDataset, keys: list[str]) -> list[Obtained]:
        """What the upstream says of each key, in one call where the dataset has one for many."""
        how = dataset.source.how
        assert isinstance(how, Http)
        if how.bulk is None:
            return await together([self._one(dataset, key) for key in keys])
        response = await self._send(dataset, how.bulk.call(keys, self._access))
        found = how.bulk.parse(response, keys)
        return [self._kept(dataset, key, found[key]) for key in keys]

    async def _one(self, dataset: AnyDataset, key: str) -> Obtained:
        if self._flights is None:
            return await self._called(dataset, key)
        reference = (dataset.id, key)
        flight = self._flights.get(reference)
        if flight is None:
            flight = self._flights[reference] = asyncio.ensure_future(self._called(dataset, key))
            flight.add_done_callback(lambda _: self._flights and self._flights.pop(reference, None))
        return cast(Obtained, await asyncio.shield(flight))

    async def _called(self, dataset: AnyDataset, key: str) -> Obtained:
        how = cast("Http[str, Any]", dataset.source.how)
        response = await self._send(dataset, how.call(key, self._access))
        return self._kept(dataset, key, how.parse(response, key))

    async def _send(self, dataset: AnyDataset, call: Any) -> Any:
        return await self._client.send(call, dataset.source.timeouts, dataset.source.max_bytes)

    def _kept(self, dataset: AnyDataset, key: str, value: Any) -> Obtained:
        instant = now()
        life: Life = dataset.source.life if self._cached else NotKept()
        obtained = Obtained(value, None, instant, life.until(instant), 0.0)
        self._memory.put((dataset.id, key), obtained)
        return obtained


class Asked:
    """One request: the context of its execution. Without `caller` and `trace`, nobody is told apart or traced."""

    def __init__(
        self, provider: Provider, variables: Mapping[str, Any], caller: Caller | None, trace: Trace | None
    ) -> None:
        self.variables = variables
        self.denied = frozenset[str]() if caller is None else REGISTRY.denied(caller)
        self.select: Any = None
        self._provider = provider
        self._caller = caller
        self._trace = trace
        self._loaders: dict[str, DataLoader[str, Obtained]] = {}

    def load(self, info: GraphQLResolveInfo[Any], dataset: AnyDataset, key: str) -> Any:
        line = None
        if self._trace is not None and self._caller is not None:
            if level(self._caller, dataset, declared=True) is Level.NONE:
                raise self.refuse(dataset, subject_of(key), info)
            line = self._trace.line(dataset, subject_of(key))
            line.asked = True
            line.select(self.select(info, self))
        known = self._provider.remembered(dataset, key)
        if known is not None:
            return _told(known, line, cache=True)
        return Later(partial(self._load, dataset, key, line))

    async def _load(self, dataset: AnyDataset, key: str, line: Line | None) -> Any:
        loader = self._loaders.get(dataset.id)
        if loader is None:
            loader = self._loaders[dataset.id] = DataLoader(partial(self._provider.obtain, dataset))
        return _told(await loader.load(key), line, cache=False)

    def refuse(self, dataset: AnyDataset, subject: str, info: GraphQLResolveInfo[Any]) -> Exception:
        if self._trace is not None:
            self._trace.refuse(dataset, subject, self.select(info, self), dataset.opening.scopes)
        return denied_field(f"{info.parent_type.name}.{info.field_name}", dataset.opening.scopes)

    def restart(self) -> None:
        """Nothing is told here in the order of execution."""


def _told(obtained: Obtained, line: Line | None, *, cache: bool) -> Any:
    if line is not None:
        line.close(obtained, issue=Issue.REPONDU, code=None, cache=cache, consulted=False)
    return obtained.value


class Endpoint:
    """The ASGI application."""

    def __init__(
        self, provider: Provider, tokens: Tokens | None, journal: Journal | None, *, single_flight: bool
    ) -> None:
        self._provider = provider
        self._tokens = tokens
        self._journal = journal
        self._flights = Flights() if single_flight else None
        self._documents = Documents(SCHEMA, REGISTRY)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        body = await self._answer(request, orjson.loads(await request.body()))
        response = Response(orjson.dumps(body), media_type="application/json; charset=utf-8")
        await response(scope, receive, send)

    async def _answer(self, request: Request, asked: dict[str, Any]) -> dict[str, Any]:
        caller, trace = None, None
        address = request.client.host if request.client is not None else ""
        if self._tokens is not None:
            caller = await self._tokens.resolve(request.headers.get("authorization", "")[7:], address)
        prepared = self._documents.prepare(asked["query"])
        if prepared.document is None:
            return {"errors": [error.formatted for error in prepared.errors]}
        if caller is not None:
            trace = Trace(_origin(request, caller, prepared.digest, address), now)
        variables = asked.get("variables") or {}
        context = Asked(self._provider, variables, caller, trace)
        context.select = partial(self._documents.selection, prepared)
        key = None
        if self._flights is not None:
            key = (prepared.digest, orjson.dumps(variables), None if caller is None else caller.jeton)
            while (flight := self._flights.joined(key)) is not None:
                if flight.result is None:
                    await flight.landing()
                if flight.result is not None:
                    if trace is not None and self._journal is not None:
                        await self._journal.commit(trace.told_again(flight.entries))
                    return _body(flight.result, flight.data)
        with (self._flights or Flights()).leading(key) as flight:
            result = run(SCHEMA, prepared, prepared.operations[0], cast(Any, context), variables)
            if isawaitable(result):
                result = await cast("Awaitable[Any]", result)
            entries = [] if trace is None else trace.entries(200)
            flight.land(result, cast(Any, context), entries)
            if self._journal is not None:
                await self._journal.commit(entries)
        return _body(result, result.data)


def _body(result: ExecutionResult, data: Any) -> dict[str, Any]:
    if result.errors:
        return {"data": data, "errors": [error.formatted for error in result.errors]}
    return {"data": data}


def _origin(request: Request, caller: Caller, digest: str, address: str) -> Origin:
    return Origin(
        requete=str(uuid.uuid4()),
        habilitation=caller.habilitation,
        jeton=caller.jeton,
        siret_habilite=caller.siret,
        agent=None,
        contexte="Banc d'essai",
        objet="banc",
        destinataire=_DESTINATAIRE,
        operation=None,
        document=digest,
        adresse=address,
        agent_utilisateur=request.headers.get("user-agent", "")[:200],
    )


async def _tokens(folder: Path) -> Tokens:
    """A database with one habilitation, whose token is left in the folder for the load to send."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'banc.db'}")
    await upgrade(engine)
    tokens = Tokens(
        engine,
        algorithm="HS256",
        key=key_of("HS256", uuid.uuid4().hex * 2),
        environment="sandbox",
        known_scopes=REGISTRY.all_scopes(),
        clock=now,
    )
    async with engine.begin() as connection:
        habilitation = await grant(
            connection, siret=_DESTINATAIRE, intitule="Banc", usage=Usage.BACK_OFFICE, scopes=[SCOPE], now=now()
        )
        issued = await issue(connection, tokens, habilitation=habilitation, intitule="Banc", scopes=[SCOPE], now=now())
    (folder / TOKEN_FILE).write_text(issued.text)
    return tokens


async def serve(port: int, upstream: str, folder: Path, *, bare: bool, cached: bool, single_flight: bool) -> None:
    tokens = None if bare else await _tokens(folder)
    journal = None if bare else await Journal.open(f"sqlite:///{folder / 'journal.db'}", signing_key=None)
    provider = Provider(upstream, cached=cached, single_flight=single_flight)
    application = Endpoint(provider, tokens, journal, single_flight=single_flight)
    config = uvicorn.Config(
        application,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        lifespan="off",
        ws="none",
        server_header=False,
        date_header=False,
    )
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)  # as the service does at its start
    await uvicorn.Server(config).serve()
    if journal is not None:
        await journal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Ours on the peers' work.")
    parser.add_argument("--bare", action="store_true")
    parser.add_argument("--cached", action="store_true")
    parser.add_argument("--single-flight", action="store_true")
    options = parser.parse_args()
    serving = serve(int(os.environ["PORT"]), os.environ["UPSTREAM"], Path(os.environ["FOLDER"]), **vars(options))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serving)


if __name__ == "__main__":
    main()
