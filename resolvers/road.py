"""The road below the cache, shared by all requests of this process: single flight, intention, call, parse.

One upstream call per (source, key) at a time, whoever asks, over all workers; a failure is shared like a success, and a
waiter that leaves never cancels the call of the others. Nothing that a provider or a room does leaves this module
as anything but an `Obtained`.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import httpx
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from auth.instants import Clock
from providers.declaration import (
    Access,
    Bulk,
    Call,
    Delivered,
    Fleeting,
    Follow,
    Http,
    Provider,
    Source,
    Table,
    subject_of,
)
from providers.errors import InMaintenance, NotFound, ProviderError, Unavailable, Unreadable
from resolvers.cache import Memory, Obtained
from resolvers.documents import Documents
from resolvers.http_client import Answer
from resolvers.lane import Lane
from resolvers.maintenance import until_end
from resolvers.records import Records
from resolvers.tasks import ended, together
from resolvers.trace import AnyDataset, Commit, GivenUp, Trace, Untraced
from tracing.journal import JournalUnavailable

logger = logging.getLogger(__name__)

AnySource = Source[Any, Any]


_SETTLES_WITHIN: Final = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Asker:
    """On whose behalf a provider is called: its trace, the recipient it declared, and what each key is for."""

    trace: Trace
    recipient: str
    datasets: Mapping[tuple[str, Any], AnyDataset]
    deadline: float = math.inf
    """When its answer is given up, of the event loop's clock: no call leaves after that."""


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A value that must not be served once the document it names is gone."""

    value: Any
    until: datetime


@dataclass(slots=True, eq=False)
class _Flight:
    """One key being asked; `ends` is when the last of those who wait for it gives up."""

    landing: "asyncio.Future[Obtained]"
    ends: float


class Road:
    """Asks sources. One per process."""

    def __init__(
        self,
        *,
        lanes: Mapping[str, Lane],
        memory: Memory,
        records: Records,
        commit: Commit,
        documents: Documents,
        engine: AsyncEngine,
        clock: Clock,
        mirrors: Mapping[str, AnyDataset],
    ) -> None:
        self._lanes = lanes
        self.memory = memory
        self._records = records
        self._commit = commit
        self._documents = documents
        self._engine = engine
        self._clock = clock
        self._mirrors = mirrors
        self._flights: dict[tuple[str, Any], _Flight] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def provider(self, provider_id: str) -> Provider:
        return self._lanes[provider_id].provider

    @property
    def lanes(self) -> Mapping[str, Lane]:
        return self._lanes

    async def recall(self, source: AnySource, keys: Sequence[Any]) -> Mapping[Any, Obtained]:
        """Of these keys, what the workers' shared cache may still serve; memory holds it from now on."""
        found = await self._records.recall(source, keys)
        for key, obtained in found.items():
            self.memory.put((source.id, key), obtained)
        now = self._clock()
        return {key: obtained for key, obtained in found.items() if obtained.until > now}

    async def obtain(self, source: AnySource, keys: Sequence[Any], asker: Asker) -> list[Obtained]:
        """What `source` says of each key, in order; joins the calls that are already in flight."""
        waits: list[asyncio.Future[Obtained]] = []
        mine: list[Any] = []
        for key in keys:
            flight = self._flights.get((source.id, key))
            if flight is None:
                flight = _Flight(asyncio.get_running_loop().create_future(), asker.deadline)
                self._flights[source.id, key] = flight
                mine.append(key)
            flight.ends = max(flight.ends, asker.deadline)
            waits.append(flight.landing)
        if mine:
            task = asyncio.create_task(self._fly(source, mine, asker))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        found = await together([asyncio.shield(wait) for wait in waits])
        left = [key for key, obtained in zip(keys, found, strict=True) if type(obtained.error) is GivenUp]
        if left and not asker.trace.written:
            # They were another request's, whose caller left before they were made: they are ours now.
            ours = dict(zip(left, await self.obtain(source, left, asker), strict=True))
            found = [ours.get(key, obtained) for key, obtained in zip(keys, found, strict=True)]
        return found

    async def settled(self, within: float = _SETTLES_WITHIN) -> None:
        """Wait for the calls in flight: at shutdown, so that each has its outcome. Nobody waits for them any more by then:

        those that take longer than `within` seconds are given up, or a provider that hangs would keep the process.
        """
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=within)
        await asyncio.gather(*map(ended, list(self._tasks)))

    # --- One flight: the keys that nobody else is asking ---------------------------------------------

    async def _fly(self, source: AnySource, keys: Sequence[Any], asker: Asker) -> None:
        started = time.perf_counter()
        try:
            leased = await self._records.lease(source, keys, self._ends(source, keys))
            for key, obtained in leased.theirs.items():
                self._arrive(source, key, obtained)
            if leased.mine:
                await self._fly_alone(source, leased.mine, asker, started)
        finally:
            for key in keys:
                if (source.id, key) in self._flights:  # nobody waits for ever, whatever happened
                    self._land(source, key, Unavailable(), time.perf_counter() - started, None)

    async def _fly_alone(self, source: AnySource, keys: Sequence[Any], asker: Asker, started: float) -> None:
        """The keys that no other worker is asking."""
        outcomes: Mapping[Any, Any] = {}
        landed: dict[Any, Obtained] = {}
        try:
            async with self._records.holding(source, keys):
                outcomes = await self._intended(source, keys, asker)
        except ProviderError as error:
            outcomes = dict.fromkeys(keys, error)
        except JournalUnavailable:
            outcomes = dict.fromkeys(keys, Untraced())
        except Exception as error:
            logger.error("road: %s failed with %s", source.id, type(error).__name__, exc_info=error)
            outcomes = dict.fromkeys(keys, Unreadable())
        finally:
            duration = time.perf_counter() - started
            for key in keys:
                outcome = outcomes.get(key, Unavailable())
                intention = asker.trace.intentions.get((source.id, key))
                landed[key] = self._land(source, key, outcome, duration, intention)
            beside = _held_beside(source, landed)
            for reference, obtained in beside.items():
                self.memory.put(reference, obtained)
            await self._records.keep(source, landed, beside)

    def _land(self, source: AnySource, key: Any, outcome: Any, seconds: float, intention: str | None) -> Obtained:
        """Remember what became of a key and tell those who wait. Gives what happened, before anything stale."""
        obtained = _obtained(source, outcome, self._clock(), seconds * 1000, intention)
        self._arrive(source, key, obtained)
        return obtained

    def _arrive(self, source: AnySource, key: Any, obtained: Obtained) -> None:
        reference = (source.id, key)
        flight = self._flights.pop(reference, None)
        shown = obtained
        if obtained.error is not None and obtained.error.retryable and not isinstance(obtained.error, GivenUp):
            stale = self.memory.stale(reference)
            if stale is not None:
                shown = replace(stale, instead_of=obtained.error, intention=obtained.intention)
        if shown is obtained:
            self.memory.put(reference, obtained)
        if flight is not None and not flight.landing.done():
            flight.landing.set_result(shown)

    def _ends(self, source: AnySource, keys: Iterable[Any]) -> float:
        """When the last of those who wait for these keys gives up."""
        flights = [flight for key in keys if (flight := self._flights.get((source.id, key))) is not None]
        return max((flight.ends for flight in flights), default=math.inf)

    async def _intended(self, source: AnySource, keys: Sequence[Any], asker: Asker) -> Mapping[Any, Any]:
        how = source.how
        if isinstance(how, Table):
            return await self._from_table(how, keys)
        lane = self._lanes[source.id.partition(".")[0]]
        left = until_end(lane.provider.maintenance, self._clock())
        if left is not None:
            raise InMaintenance(retry_in=left)
        lane.circuit.refuse_if_open()
        asked = [(dataset, key) for key in keys if (dataset := asker.datasets.get((source.id, key))) is not None]
        await asker.trace.announce(asked, source.id, self._commit)
        return await self._from_http(lane, source, how, keys, asker)

    # --- Over HTTP --------------------------------------------------------------------------------

    async def _from_http(
        self, lane: Lane, source: AnySource, how: Http[Any, Any], keys: Sequence[Any], asker: Asker
    ) -> Mapping[Any, Any]:
        outcomes: dict[Any, Any] = {}
        alone = list(keys)
        if how.bulk is not None and len(keys) > 1:
            chunks = [keys[start : start + how.bulk.size] for start in range(0, len(keys), how.bulk.size)]
            answers = await together([self._bulk(lane, source, how.bulk, chunk, asker) for chunk in chunks])
            for answer in answers:
                outcomes.update(answer)
            missing = [key for key in keys if key not in outcomes]
            alone = missing if how.bulk.missing_alone else []
            if not how.bulk.missing_alone:
                outcomes.update((key, NotFound()) for key in missing)
        singles = await together([self._single(lane, source, how, key, asker) for key in alone])
        outcomes.update(zip(alone, singles, strict=True))
        if source.completion is not None:
            outcomes = await self._completed(source, outcomes, asker)
        return outcomes

    async def _bulk(
        self, lane: Lane, source: AnySource, bulk: Bulk[Any, Any], keys: Sequence[Any], asker: Asker
    ) -> Mapping[Any, Any]:
        try:
            found: Mapping[Any, Any] = await self._exchange(
                lane,
                source,
                keys,
                asker,
                lambda access: bulk.call(keys, access),
                lambda response: bulk.parse(response, keys),
            )
        except ProviderError as error:
            return dict.fromkeys(keys, error)
        return found

    async def _single(self, lane: Lane, source: AnySource, how: Http[Any, Any], key: Any, asker: Asker) -> Any:
        """The value of one key, a `Fleeting` one, or the typed error as a value."""
        build: Callable[[Access], Call] = lambda access: how.call(key, access)  # noqa: E731
        read: Callable[[httpx.Response], Any] = lambda response: how.parse(response, key)  # noqa: E731
        try:
            for _ in range(how.steps):
                outcome = await self._exchange(lane, source, (key,), asker, build, read)
                if isinstance(outcome, Follow):
                    build, read = outcome.call, outcome.parse
                    continue
                if isinstance(outcome, Delivered):
                    document = await self._documents.keep(
                        outcome.file, subject=subject_of(key), dataset=self._mirrors[source.id].id
                    )
                    return _Bounded(outcome.attach(document), document.expire_le)
                return outcome
        except ProviderError as error:
            return error
        return Unavailable("Le fournisseur renvoie sans fin d'une adresse à l'autre.", "000")

    async def _exchange(
        self,
        lane: Lane,
        source: AnySource,
        keys: Sequence[Any],
        asker: Asker,
        build: Callable[[Access], Call],
        read: Callable[[httpx.Response], Any],
    ) -> Any:
        """What `read` makes of the answer to one call, made and counted on behalf of `asker`."""
        counted = source.id not in self._mirrors  # labels and logins are on us

        def counting(access: Access) -> Call:
            nonlocal counted
            if not counted:
                counted = True
                asker.trace.calls[lane.provider.id] += 1
            return build(access)

        return await lane.exchange(
            counting,
            read,
            label=_label(source, keys, asker),
            access=_access(lane, asker, self._clock()),
            timeouts=source.timeouts,
            max_bytes=source.max_bytes,
            ends=self._ends(source, keys),
        )

    def download(
        self, dataset: AnyDataset, reference: str, recipient: str, request_id: str
    ) -> AbstractAsyncContextManager[Answer]:
        """The answer to the download of a file that stays at its provider. Raises `ProviderError`."""
        lane, how = self._lanes[dataset.provider_id], dataset.source.download
        left = until_end(lane.provider.maintenance, self._clock())
        if left is not None:
            raise InMaintenance(retry_in=left)
        if how is None:
            raise Unavailable("Ce fournisseur ne remet pas ce document.")
        access = Access(
            settings=lane.settings, session="", recipient=recipient, request_id=request_id, now=self._clock()
        )
        ends = asyncio.get_running_loop().time() + _DOWNLOAD_STARTS_WITHIN
        return lane.download(how, dataset.id, reference, access, ends)

    async def _completed(self, source: AnySource, outcomes: dict[Any, Any], asker: Asker) -> dict[Any, Any]:
        """The same outcomes with the labels of their codes; a label that can't be had stays null."""
        completion = source.completion
        assert completion is not None  # noqa: S101 - the caller checked; says it to the type checker
        values = {key: _plain(outcome) for key, outcome in outcomes.items() if not isinstance(outcome, ProviderError)}
        wanted = list(frozenset[Any]().union(*map(completion.wanted, values.values())))
        labels: dict[Any, Any] = {}
        unknown = []
        for label_key in wanted:
            known = self.memory.get((completion.source.id, label_key))
            if known is None:
                unknown.append(label_key)
            elif known.error is None:
                labels[label_key] = known.value
        failed = False
        for label_key, obtained in zip(unknown, await self._labels(completion.source, unknown, asker), strict=True):
            if obtained.error is None:
                labels[label_key] = obtained.value
            elif not isinstance(obtained.error, NotFound):
                failed = True
        for key, value in values.items():
            completed = completion.apply(value, labels)
            # A label missing because its service failed is asked again with the next request.
            outcomes[key] = Fleeting(completed) if failed or isinstance(outcomes[key], Fleeting) else completed
        return outcomes

    async def _labels(self, source: AnySource, keys: Sequence[Any], asker: Asker) -> Sequence[Obtained]:
        recalled = await self.recall(source, keys)
        missing = [key for key in keys if key not in recalled]
        asked = dict(zip(missing, await self.obtain(source, missing, asker), strict=True)) if missing else {}
        return [recalled.get(key) or asked[key] for key in keys]

    # --- From a table ------------------------------------------------------------------------------

    async def _from_table(self, how: Table[Any, Any], keys: Sequence[Any]) -> Mapping[Any, Any]:
        try:
            async with self._engine.connect() as connection:
                if (await connection.execute(how.loaded())).first() is None:
                    raise Unavailable("Aucune livraison de ce fournisseur n'a encore été chargée.")
                rows = await connection.execute(how.select(keys))
                found = dict(how.read(row) for row in rows)
        except (SQLAlchemyError, OSError) as error:
            raise Unavailable from error
        return {key: found.get(key, NotFound()) for key in keys}


_DOWNLOAD_STARTS_WITHIN = 15.0
"""How long a download may wait for its turn at the provider, in seconds."""


def _label(source: AnySource, keys: Sequence[Any], asker: Asker) -> str:
    """What traces call an exchange: the dataset that it was asked for, or the source of what we need ourselves."""
    dataset = asker.datasets.get((source.id, keys[0]))
    return source.id if dataset is None else dataset.id


def _access(lane: Lane, asker: Asker, now: datetime) -> Access:
    return Access(
        settings=lane.settings,
        session="",
        recipient=asker.recipient,
        request_id=asker.trace.origin.requete,
        now=now,
    )


def _plain(outcome: Any) -> Any:
    return outcome.value if isinstance(outcome, (Fleeting, _Bounded)) else outcome


def _held_beside(source: AnySource, landed: Mapping[Any, Obtained]) -> dict[tuple[str, Any], Obtained]:
    """What these answers held of other sources, by (source id, key): it lives as long as the answer that held it."""
    if source.also is None:
        return {}
    return {
        reference: replace(obtained, value=value, intention=None, views={})
        for obtained in landed.values()
        if obtained.error is None
        for reference, value in source.also(obtained.value).items()
    }


def _obtained(source: AnySource, outcome: Any, now: datetime, duration: float, intention: str | None) -> Obtained:
    if isinstance(outcome, ProviderError):
        # It may be kept for long: not with the frames that it went through, and the answer that they hold.
        outcome.__traceback__ = outcome.__cause__ = outcome.__context__ = None
        until = source.not_found_life.until(now) if isinstance(outcome, NotFound) else now
        return Obtained(None, outcome, now, until, duration, intention)
    if isinstance(outcome, Fleeting):
        return Obtained(outcome.value, None, now, now, duration, intention)
    if isinstance(outcome, _Bounded):
        until = min(source.life.until(now), outcome.until)
        return Obtained(outcome.value, None, now, until, duration, intention)
    stale_until = None if source.stale_for is None else now + source.stale_for
    return Obtained(outcome, None, now, source.life.until(now), duration, intention, stale_until=stale_until)
