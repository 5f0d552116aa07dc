"""Everything that one process of the API holds, built once at start-up and closed at its end."""

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from graphql import GraphQLSchema
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from auth.instants import Clock, now
from auth.registry import Registry
from auth.tokens import PATIENCE, Tokens, key_of
from graph.documents import Documents as GraphQLDocuments
from graph.lanes import TimingByProvider, as_declared, lanes_of
from graph.schema import REGISTRY, SCHEMA
from graph.trusted.store import TrustedDocuments
from migrations import upgrade
from providers import PROVIDERS
from providers.declaration import Dataset, Ouverture
from providers.insee.nomenclatures import StatutDiffusion
from providers.insee.unite_legale import UNITE_LEGALE
from resolvers.cache import Memory
from resolvers.documents import Documents
from resolvers.health import Watch
from resolvers.history import History
from resolvers.operation import Diffusion
from resolvers.probes import Probes
from resolvers.quotas import AddressCeiling, Counters, Local, Shared
from resolvers.records import Records, shapes_of
from resolvers.road import Road
from resolvers.sealing import Seal
from resolvers.shared import SharedState, connected
from resolvers.spans import Spans
from resolvers.trace import Commit
from settings import Environment, Settings
from tracing.entry import Entry
from tracing.journal import Journal, JournalUnavailable

if TYPE_CHECKING:
    from graph.spans import Tracing

logger = logging.getLogger(__name__)

REVOCATION_BITES_WITHIN = timedelta(milliseconds=500)
DIFFUSION = Diffusion(dataset=UNITE_LEGALE, is_open=lambda unit: unit.status_diffusion is StatutDiffusion.DIFFUSIBLE)


@dataclass(frozen=True, kw_only=True)
class Service:
    """The parts of one process; see `graph.http` for how a request goes through them."""

    settings: Settings
    schema: GraphQLSchema
    registry: Registry
    documents: GraphQLDocuments
    trusted: TrustedDocuments
    engine: AsyncEngine
    tokens: Tokens
    journal: Journal
    commit: Commit
    """Writes the entries of requests, or raises `JournalUnavailable` (see `committing`)."""
    road: Road
    files: Documents
    shared: SharedState
    watch: Watch
    history: History
    probes: Probes
    spans: Spans | None
    """OpenTelemetry's, when the operator wants them."""
    counters: Counters
    addresses: AddressCeiling
    clock: Clock


@asynccontextmanager
async def running(
    settings: Settings, clock: Clock = now, timing: TimingByProvider = as_declared
) -> AsyncIterator[Service]:
    """A started service; everything is closed, and every call in flight has its outcome, when the block ends.

    `timing` changes the declared timeouts: trials wait less for failures, and longer for machines that stall.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    engine = engine_of(settings.database)
    if settings.environment is Environment.SANDBOX:
        await upgrade(engine)
    journal = await Journal.open(settings.journal, signing_key=settings.journal_signing_key, clock=clock)
    commit = committing(journal, public_anyway=settings.public_data_without_journal)
    files = Documents(
        settings.documents, secret=settings.secret.get_secret_value(), base_url=settings.base_url, clock=clock
    )
    tokens = Tokens(
        engine,
        algorithm=settings.jwt_algorithm,
        key=key_of(settings.jwt_algorithm, settings.jwt_key.get_secret_value()),
        environment=settings.environment.value,
        known_scopes=REGISTRY.all_scopes(),
        clock=clock,
        public_data_unchecked=settings.public_data_without_journal,
    )
    redis_url = settings.redis_url.get_secret_value()
    shared = SharedState(connected(redis_url), Seal(settings.secret.get_secret_value()), workers=settings.workers)
    tracing = traces_of(settings)
    lanes = lanes_of(settings, shared, clock, timing, None if tracing is None else tracing.spans)
    memory = Memory(settings.cache_entries, clock)
    road = Road(
        lanes=lanes,
        memory=memory,
        records=Records(shared, shapes_of(datasets()), clock),
        commit=commit,
        documents=files,
        engine=engine,
        clock=clock,
        mirrors=first_dataset_of_each_source(),
    )
    await shared.start()
    await tokens.watch(REVOCATION_BITES_WITHIN)
    watch = Watch(lanes, shared, clock)
    history = History(engine, lanes, watch, clock)
    history.start()
    probes = Probes(lanes, watch, shared, clock, random.random)
    if settings.probes_providers:
        probes.start()
    counters: Counters = Shared(redis_url) if redis_url else Local()
    trusted = TrustedDocuments(engine)
    await trusted.watch(REVOCATION_BITES_WITHIN)
    try:
        yield Service(
            settings=settings,
            schema=SCHEMA,
            registry=REGISTRY,
            documents=GraphQLDocuments(SCHEMA, REGISTRY, settings.limits),
            trusted=trusted,
            engine=engine,
            tokens=tokens,
            journal=journal,
            commit=commit,
            road=road,
            files=files,
            shared=shared,
            watch=watch,
            history=history,
            probes=probes,
            spans=None if tracing is None else tracing.spans,
            counters=counters,
            addresses=AddressCeiling(settings.address_calls_per_minute, clock),
            clock=clock,
        )
    finally:
        await probes.close()
        await road.settled()
        await history.close()
        await tokens.close()
        await counters.close()
        await trusted.close()
        await asyncio.gather(*(lane.client.close() for lane in lanes.values()))
        await shared.close()
        await journal.close()
        await engine.dispose()
        if tracing is not None:
            await tracing.close()


def engine_of(url: str) -> AsyncEngine:
    """The engine of a database URL. A PostgreSQL that does not answer is given up after a while, and its return is seen at once."""
    if make_url(url).get_backend_name() != "postgresql":
        return create_async_engine(url)
    return create_async_engine(url, pool_pre_ping=True, connect_args={"timeout": PATIENCE, "command_timeout": PATIENCE})


def traces_of(settings: Settings) -> "Tracing | None":
    """OpenTelemetry's traces when a collector is named. Their libraries are not even loaded otherwise.

    Raises `ImportError`, which says what to install, where they are not installed.
    """
    if not settings.traces_url:
        return None
    try:
        from graph import spans
    except ImportError as error:
        message = "GRAPHE_TRACES_URL demande les traces : installez « graphe-entreprise[traces] »."
        raise ImportError(message) from error
    return spans.tracing(settings, spans.to_collector)


def committing(journal: Journal, *, public_anyway: bool) -> Commit:
    """How requests write their entries: no trace, no answer.

    With `public_anyway`, the operator's choice, entries that speak of public datasets only may be lost while the journal
    can't be written, and the public data are served; the loss is logged. Protected data never are.
    """
    if not public_anyway:
        return journal.commit
    public = frozenset(dataset.id for dataset in datasets() if dataset.ouverture is Ouverture.PUBLIQUE)

    def opens_nothing(entry: Entry) -> bool:
        # Whether a unit is open to the public is read for the service's own use: no field of it goes out.
        return entry.jeu_de_donnees in public or (entry.jeu_de_donnees == DIFFUSION.dataset.id and not entry.champs)

    async def commit(entries: Sequence[Entry]) -> None:
        try:
            await journal.commit(entries)
        except JournalUnavailable:
            if not all(map(opens_nothing, entries)):
                raise
            logger.error("journal: %d entries about public data could not be written", len(entries))

    return commit


def datasets() -> tuple[Dataset[Any, Any, Any], ...]:
    """Every dataset of every room, in the order of the rooms."""
    return tuple(dataset for provider in PROVIDERS for dataset in provider.datasets)


def first_dataset_of_each_source() -> Mapping[str, Dataset[Any, Any, Any]]:
    """The dataset under whose name the documents of a source are kept."""
    found: dict[str, Dataset[Any, Any, Any]] = {}
    for dataset in datasets():
        found.setdefault(dataset.source.id, dataset)
    return found
