"""One request on the road: what its caller may read, what it asked, what it got.

The context of a GraphQL execution. A dataset's field calls `load`; the answer comes at once when memory holds
it, else from one `aiodataloader` per source, which batches and merges the keys of the request.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from inspect import isawaitable
from typing import Any, TypeVar

from aiodataloader import DataLoader
from graphql import GraphQLResolveInfo

from auth.caller import Caller
from auth.instants import Clock
from providers.declaration import Dataset, Ouverture, Source, subject_of
from providers.errors import NotFound, ProviderError
from providers.record import Document, DocumentDistant
from resolvers.cache import Obtained
from resolvers.decision import AnyDataset, Level, level
from resolvers.documents import Documents
from resolvers.errors import (
    BudgetExceeded,
    DeadlineExceeded,
    Denied,
    FieldError,
    ProviderFailed,
    RightsUnchecked,
    TraceabilityMissing,
)
from resolvers.later import Later
from resolvers.quotas import Meter, calls_for, keys_for
from resolvers.refusals import (
    deadline_exceeded,
    denied_field,
    journal_down,
    over_budget,
    rights_unchecked,
    traceability_missing,
)
from resolvers.road import Asker, Road
from resolvers.trace import NOTHING, Line, Selection, Trace, Untraced
from resolvers.views import hides, unit_of, view
from tracing.entry import Issue

K = TypeVar("K")
S = TypeVar("S")
R = TypeVar("R")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why a caller asks: the legal frame, the file, the body entitled to the data. `missing` names what lacks."""

    contexte: str | None
    objet: str | None
    destinataire: str
    agent: str | None
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Diffusion:
    """How to know whether INSEE says that a unit is fully open to the public."""

    dataset: AnyDataset
    is_open: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where one dataset of the answer comes from."""

    path: tuple[str | int, ...]
    line: Line
    obtained: Obtained | None
    cache: bool
    masked: bool
    source_date: str | None


class Operation:
    """The state of one request. `select` tells the leaves asked below a field; it comes from the schema's layer."""

    def __init__(
        self,
        *,
        caller: Caller,
        reason: Reason,
        road: Road,
        documents: Documents,
        trace: Trace,
        select: Callable[[GraphQLResolveInfo[Any], "Operation"], Selection],
        denied: frozenset[str],
        denied_datasets: frozenset[str],
        diffusion: Diffusion | None,
        clock: Clock,
        deadline: float,
        meter: Meter,
    ) -> None:
        self.caller = caller
        self.reason = reason
        self.trace = trace
        self.meter = meter
        self.denied = denied
        self.provenance: list[Provenance] = []
        self.refusals: dict[str, frozenset[str]] = {}
        self.variables: Mapping[str, Any] = {}
        self.house: Any = None
        """The process that answers, for the fields that speak of the service itself (see `graph.loading.service_of`)."""
        self._denied_datasets = denied_datasets
        self._road = road
        self._documents = documents
        self._select = select
        self._diffusion = diffusion
        self._clock = clock
        self._deadline = deadline
        self._loaders: dict[str, DataLoader[Any, Obtained]] = {}
        self._asked: dict[tuple[str, Any], AnyDataset] = {}
        self._asker = Asker(trace=trace, recipient=reason.destinataire, datasets=self._asked, deadline=deadline)
        self._fresh_after: datetime | None = None

    # --- What fields call --------------------------------------------------------------------------

    def load(self, info: GraphQLResolveInfo[Any], dataset: Dataset[K, S, R], key: K) -> R | None:
        """The record of `dataset` for `key`, or `None` when the provider knows nothing of it.

        Raises a `FieldError` or a `ProviderError`. Declared as the value that the field has; it is an
        awaitable of it when a provider must be asked first, which the executor awaits.
        """
        selection = self._select(info, self)
        subject = subject_of(key)
        if dataset.id in self._denied_datasets:
            self.trace.refuse(dataset, subject, selection, dataset.opening.scopes)
            raise self.denial(f"{info.parent_type.name}.{info.field_name}", dataset.opening.scopes)
        if not self.caller.checked and dataset.ouverture is not Ouverture.PUBLIQUE:
            line = self._open(dataset, subject, selection)
            line.settle(Issue.ECHEC, RightsUnchecked.code)
            raise rights_unchecked(dataset)
        declared = not self.reason.missing
        if dataset.ouverture is Ouverture.PROTEGEE and not declared:
            line = self._open(dataset, subject, selection)
            line.settle(Issue.REFUSE, TraceabilityMissing.code)
            raise traceability_missing(self.reason.missing)
        readable = level(self.caller, dataset, declared=declared)
        masked = readable is Level.MASKED
        line = self._open(dataset, subject, selection)
        path = tuple(info.path.as_list())
        if readable is Level.DIFFUSIBLE:
            return self._later(line, partial(self._load_diffusible, dataset, key, line, path))  # type: ignore[return-value]
        known = self._remembered(dataset.source.id, key)
        if known is not None and not (masked and dataset.opening.by_diffusion):
            cache = self._was_kept(dataset.source.id, key, known)
            return self._finish(dataset, key, known, line, path, masked=masked, cache=cache)
        return self._later(line, partial(self._load_later, dataset, key, line, path, masked=masked))  # type: ignore[return-value]

    def consult(self, dataset: Dataset[K, S, R], key: K) -> S | ProviderError | Awaitable[S | ProviderError]:
        """What the service itself must know to answer: a head office, a diffusion status.

        Not served to the caller, so not subject to its rights; but a provider may be called, so it is traced, with
        no field. At once when memory holds it. Raises `DeadlineExceeded`.
        """
        line = self._open(dataset, subject_of(key), NOTHING)
        known = self._remembered(dataset.source.id, key)
        if known is not None:
            cache = self._was_kept(dataset.source.id, key, known)
            return self._consulted(dataset, key, known, line, cache=cache)

        async def later() -> S | ProviderError:
            try:
                obtained, cache = await self._obtained(dataset, key)
            except FieldError as error:
                line.settle(Issue.ECHEC, error.code, consulted=True)
                raise
            return self._consulted(dataset, key, obtained, line, cache=cache)

        return Later(later)

    def _consulted(
        self, dataset: Dataset[K, S, R], key: K, obtained: Obtained, line: Line, *, cache: bool
    ) -> S | ProviderError:
        self._close(line, obtained, cache=cache, outcome=obtained.error, consulted=True)
        value: S | ProviderError = obtained.value if obtained.error is None else obtained.error
        return value

    def failure(self, dataset: AnyDataset, error: ProviderError) -> ProviderFailed:
        """The typed error that tells the client which provider failed."""
        return ProviderFailed(error, self._road.provider(dataset.provider_id), dataset.id)

    def refuse(self, dataset: AnyDataset, subject: str, info: GraphQLResolveInfo[Any]) -> Denied:
        """Trace the refusal of a whole dataset and give the error to raise."""
        self.trace.refuse(dataset, subject, self._select(info, self), dataset.opening.scopes)
        return self.denial(f"{info.parent_type.name}.{info.field_name}", dataset.opening.scopes)

    def share(self, other: "Operation") -> None:
        """Tell what an identical request of the same caller was told, from where and with which refusals."""
        self.provenance = other.provenance
        self.refusals = other.refusals

    def restart(self) -> None:
        """Forget what is told in the order of execution: the same operation is executed from its start."""
        self.provenance.clear()
        self.refusals.clear()

    def denial(self, coordinate: str, scopes: frozenset[str]) -> Denied:
        """The error of a refused field, remembered for the summary of the answer."""
        self.refusals[coordinate] = scopes
        return denied_field(coordinate, scopes)

    def now(self) -> datetime:
        return self._clock()

    def refuse_older_than(self, age: timedelta) -> None:
        """The caller wants nothing that was obtained longer ago than that, whatever the caches hold."""
        self._fresh_after = self._clock() - age

    def _remembered(self, source: str, key: Any) -> Obtained | None:
        """What memory holds, when it is as recent as the caller wants it."""
        known = self._road.memory.get((source, key))
        if known is not None and self._fresh_after is not None and known.at <= self._fresh_after:
            return None
        return known

    def _was_kept(self, source: str, key: Any, known: Obtained) -> bool:
        """Whether what memory holds was there before: not when this very request asked for it."""
        return known.cached or (source, key) not in self._asked

    def document_link(self, document: Document) -> str:
        return self._documents.link(document, token=self.caller.jeton)

    def remote_link(self, document: DocumentDistant) -> str:
        return self._documents.remote_link(document, token=self.caller.jeton, recipient=self.reason.destinataire)

    # --- Inside ------------------------------------------------------------------------------------

    def _open(self, dataset: AnyDataset, subject: str, selection: Selection) -> Line:
        line = self.trace.line(dataset, subject)
        line.asked = True
        line.select(selection)
        return line

    def _later(self, line: Line, load: Callable[[], Awaitable[T]]) -> Later[T]:
        """What `load` will give; a failure of any step on the way is the outcome of the line."""

        async def told() -> T:
            try:
                return await load()
            except FieldError as error:
                line.settle(Issue.ECHEC, error.extensions.get("code", error.code))
                raise

        return Later(told)

    async def _load_later(
        self, dataset: Dataset[K, S, R], key: K, line: Line, path: tuple[str | int, ...], *, masked: bool
    ) -> R | None:
        obtained, cache = await self._obtained(dataset, key)
        if masked and dataset.opening.by_diffusion and obtained.error is None:
            masked = not await self._is_open(subject_of(key))
        return self._finish(dataset, key, obtained, line, path, masked=masked, cache=cache)

    async def _load_diffusible(
        self, dataset: Dataset[K, S, R], key: K, line: Line, path: tuple[str | int, ...]
    ) -> R | None:
        """The record of an entity that is fully open to the public; any other is not found, and not even asked for.

        Raises INSEE's failure when it can't be known: that is no reason to say that nothing was found.
        """
        unit = unit_of(subject_of(key))
        if unit is not None and self._diffusion is not None:
            found = self.consult(self._diffusion.dataset, unit)
            if isawaitable(found):
                found = await found
            if isinstance(found, ProviderError) and not isinstance(found, NotFound):
                raise self.failure(self._diffusion.dataset, found)
            if isinstance(found, NotFound) or not self._diffusion.is_open(found):
                return self._finish(dataset, key, self._nothing(), line, path, masked=True, cache=False)
        obtained, cache = await self._obtained(dataset, key)
        masked = not dataset.opening.by_diffusion or unit is None
        if masked and isinstance(key, str) and hides(dataset, key, obtained):
            return self._finish(dataset, key, self._nothing(), line, path, masked=True, cache=cache)
        return self._finish(dataset, key, obtained, line, path, masked=masked, cache=cache)

    def _nothing(self) -> Obtained:
        now = self._clock()
        return Obtained(None, NotFound(), now, now, 0.0)

    async def _obtained(self, dataset: Dataset[K, S, R], key: K) -> tuple[Obtained, bool]:
        source = dataset.source
        known = self._remembered(source.id, key)
        if known is not None:
            return known, self._was_kept(source.id, key, known)
        self._asked.setdefault((source.id, key), dataset)
        left = self._deadline - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(max(left, 0)):
                # Another field may wait for the same future: whoever leaves must not take it away.
                obtained = await asyncio.shield(self._loader(source).load(key))
        except TimeoutError:
            raise deadline_exceeded(dataset) from None
        if isinstance(obtained.error, Untraced):
            raise journal_down(dataset)
        if obtained.instead_of is not None and self._fresh_after is not None and obtained.at <= self._fresh_after:
            return replace(obtained, value=None, error=obtained.instead_of, views={}, stale=False, cached=False), False
        return obtained, obtained.cached

    async def _is_open(self, subject: str) -> bool:
        """Whether INSEE says that this unit is fully open. Anything but a plain yes hides it."""
        unit = unit_of(subject)
        if self._diffusion is None or unit is None:
            return False
        try:
            found = self.consult(self._diffusion.dataset, unit)
            if isawaitable(found):
                found = await found
        except (DeadlineExceeded, BudgetExceeded):
            return False
        return not isinstance(found, ProviderError) and self._diffusion.is_open(found)

    def _loader(self, source: Source[K, S]) -> "DataLoader[K, Obtained]":
        loader = self._loaders.get(source.id)
        if loader is None:
            batch: Any = partial(
                self._batch, source
            )  # a failure among the values fails its key: the types don't say it
            loader = self._loaders[source.id] = DataLoader(batch)
        return loader

    async def _batch(self, source: Source[K, S], keys: list[K]) -> list[Obtained | BudgetExceeded]:
        """What the source says of each key that the caller's quotas leave room for.

        What no call of ours was needed for (already in flight, in maintenance) is given back.
        """
        recalled = {} if self._fresh_after is not None else await self._road.recall(source, keys)
        # What landed since this request looked: another's call answers it too.
        landed = {key: known for key in keys if (known := self._remembered(source.id, key)) is not None}
        found = {**recalled, **landed}
        if not found:
            return await self._call(source, keys)
        missing = [key for key in keys if key not in found]
        called = dict(zip(missing, await self._call(source, missing), strict=True)) if missing else {}
        return [found.get(key) or called[key] for key in keys]

    async def _call(self, source: Source[K, S], keys: list[K]) -> list[Obtained | BudgetExceeded]:
        dataset = self._asked[source.id, keys[0]]
        wanted = calls_for(source, len(keys))
        granted = await self.meter.reserve(dataset, wanted)
        allowed = keys if granted == wanted else keys[: keys_for(source, granted)]
        obtained: list[Obtained | BudgetExceeded] = []
        obtained += await self._road.obtain(source, allowed, self._asker) if allowed else []
        made = sum((source.id, key) in self.trace.intentions for key in allowed)
        await self.meter.refund(dataset, granted - calls_for(source, made))
        beyond = len(keys) - len(allowed)
        if beyond:
            obtained += [over_budget(dataset, self.meter.retry_in())] * beyond
        return obtained

    def _finish(
        self,
        dataset: Dataset[K, S, R],
        key: K,
        obtained: Obtained,
        line: Line,
        path: tuple[str | int, ...],
        *,
        masked: bool,
        cache: bool,
    ) -> R | None:
        record = view(dataset, key, obtained, masked=masked)
        failure = record if isinstance(record, ProviderError) else None
        self._close(line, obtained, cache=cache, outcome=failure, consulted=False)
        date = None
        if dataset.source_date is not None and not isinstance(record, ProviderError):
            found = dataset.source_date(record)
            date = None if found is None else found.isoformat()
        self.provenance.append(Provenance(path, line, obtained, cache, masked, date))
        if isinstance(record, NotFound):
            return None
        if isinstance(record, ProviderError):
            raise self.failure(dataset, record)
        return record

    def _close(
        self, line: Line, obtained: Obtained, *, cache: bool, outcome: ProviderError | None, consulted: bool
    ) -> None:
        issue, code = Issue.REPONDU, None
        if isinstance(outcome, NotFound):
            issue = Issue.INTROUVABLE
        elif outcome is not None:
            issue, code = Issue.ECHEC, outcome.code
        line.close(obtained, issue=issue, code=code, cache=cache, consulted=consulted)
