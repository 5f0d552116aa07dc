"""The cache of records that workers share in Redis, and one upstream call per key over all of them.

A record is written as its fields, compressed and encrypted, under a name that does not show its key; its type's shape is part of
the name, so that another version of the service never reads it wrongly. Whoever calls a provider holds a lease on the key; the
others wait for what it writes, a failure like a success. See docs/decisions/0032.
"""

import asyncio
import contextlib
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec
from aiodataloader import DataLoader
from uuid_utils import uuid7

from auth.instants import Clock
from providers import errors
from providers.declaration import Delivered, Fleeting, Follow, Http, Source, as_is
from providers.errors import ProviderError
from resolvers.cache import Obtained
from resolvers.decision import AnyDataset
from resolvers.sealing import digest_of
from resolvers.shared import SharedState
from resolvers.tasks import ended
from resolvers.trace import GivenUp

T = TypeVar("T")
AnySource = Source[Any, Any]

LEASE: Final = timedelta(seconds=3)
"""How long the calls of a worker that died are waited for."""
_RENEWED_EVERY: Final = 1.0
_POLL: Final = 0.02
_FAILURE_KEPT: Final = timedelta(seconds=5)
"""How long a failure, or an answer that is not kept, stays for those who are already waiting for it."""


class _Kept(msgspec.Struct, array_like=True):
    """What is written: the value as its fields, or the error by its class."""

    value: msgspec.Raw
    error: tuple[str, str, str, float | None, str | None] | None
    at: float
    until: float
    stale_until: float | None
    duration_ms: float


@dataclass(frozen=True, slots=True)
class _Names:
    """Where one key of a source stands: its record, what became of the last call, the lease on it."""

    record: str
    outcome: str
    lease: str


@dataclass(slots=True)
class Leased:
    """Of the keys of a flight, those that this worker asks itself, and what others found for the rest."""

    mine: list[Any]
    theirs: dict[Any, Obtained]


class Records:
    """The shared cache. Without Redis nothing is recalled, and every key is ours to ask."""

    def __init__(self, shared: SharedState, shapes: Mapping[str, Any], clock: Clock) -> None:
        self._shared = shared
        self._shapes = {name: _Shape(type_) for name, type_ in shapes.items()}
        self._clock = clock
        self._worker = str(uuid7())
        # One exchange for all that is asked in the same turn of the loop, whichever sources and requests ask it.
        self._reader: DataLoader[str, bytes | None] | None = None

    async def recall(self, source: AnySource, keys: Sequence[Any]) -> dict[Any, Obtained]:
        """What other workers obtained and may still be served, or served when the provider fails."""
        if not self._shared.configured or source.id not in self._shapes:
            return {}
        names = [self._names(source, key).record for key in keys]
        sealed = await self._read(names)
        found: dict[Any, Obtained] = {}
        for key, name, value in zip(keys, names, sealed, strict=True):
            obtained = None if value is None else self._opened(source, name, value)
            if obtained is not None and obtained.kept_until() > self._clock():
                found[key] = obtained
        return found

    async def lease(self, source: AnySource, keys: Sequence[Any], ends: float) -> Leased:
        """Share the keys with the other workers: waits for those that others are asking, until `ends`."""
        if not self._shared.configured or source.id not in self._shapes:
            return Leased(list(keys), {})
        waiting = await self._marks(source, keys)
        mine: list[Any] = []
        theirs: dict[Any, Obtained] = {}
        while waiting:
            left = list(waiting)
            won = [key for key, taken in zip(left, await self._take(source, left), strict=True) if taken]
            if won:  # nobody asks for these, their holder is gone, or Redis is; or the answer came in between
                late = await self._arrived(source, {key: waiting[key] for key in won})
                await self._give_back(source, list(late))
                theirs.update(late)
                mine += [key for key in won if key not in late]
                waiting = {key: mark for key, mark in waiting.items() if key not in won}
            if not waiting or asyncio.get_running_loop().time() >= ends:
                break
            await asyncio.sleep(_POLL)
            theirs.update(await self._arrived(source, waiting))
            waiting = {key: mark for key, mark in waiting.items() if key not in theirs}
        return Leased(mine + list(waiting), theirs)

    @contextlib.asynccontextmanager
    async def holding(self, source: AnySource, keys: Sequence[Any]) -> typing.AsyncIterator[None]:
        """Keep the leases on these keys while their call lasts."""
        if not self._shared.configured or source.id not in self._shapes:
            yield
            return
        renewing = asyncio.create_task(self._renew(source, keys))
        try:
            yield
        finally:
            await ended(renewing)

    async def keep(
        self, source: AnySource, landed: Mapping[Any, Obtained], beside: Mapping[tuple[str, Any], Obtained]
    ) -> None:
        """Write what became of these keys, for the workers that wait and for later, and end the leases.

        `beside` is what the same answers held of other sources, by (source id, key): records that nobody leased.
        """
        if not self._shared.configured or source.id not in self._shapes:
            return
        await self._shared.attempt(lambda redis: self._write(redis, source, landed, beside), None)

    # --- Inside ------------------------------------------------------------------------------------

    async def _write(
        self,
        redis: Any,
        source: AnySource,
        landed: Mapping[Any, Obtained],
        beside: Mapping[tuple[str, Any], Obtained],
    ) -> None:
        now = self._clock()
        pipeline = redis.pipeline(transaction=False)
        for key, obtained in landed.items():
            names = self._names(source, key)
            if isinstance(obtained.error, GivenUp):
                pass  # nobody was asked: whoever waits asks for itself
            elif obtained.kept_until() > now:
                self._set(pipeline, source.id, names.record, obtained, obtained.kept_until())
            else:
                self._set(pipeline, source.id, names.outcome, obtained, now + _FAILURE_KEPT)
            pipeline.delete(names.lease)
        for (source_id, key), obtained in beside.items():
            if source_id in self._shapes and obtained.kept_until() > now:
                name = self._names_of(source_id, key).record
                self._set(pipeline, source_id, name, obtained, obtained.kept_until())
        await pipeline.execute()

    def _set(self, pipeline: Any, source_id: str, name: str, obtained: Obtained, until: datetime) -> None:
        milliseconds = int((until - self._clock()).total_seconds() * 1000)
        if milliseconds > 0:
            sealed = self._shared.seal.close(name, self._shapes[source_id].encoded(obtained))
            pipeline.set(name, sealed, px=milliseconds)

    def _opened(self, source: AnySource, name: str, sealed: bytes) -> Obtained | None:
        plain = self._shared.seal.open(name, sealed)
        return None if plain is None else self._shapes[source.id].decoded(plain)

    async def _read(self, names: Sequence[str]) -> Sequence[bytes | None]:
        if self._reader is None:
            self._reader = DataLoader(self._read_together, cache=False, max_batch_size=1000)
        found: Sequence[bytes | None] = await self._reader.load_many(list(names))
        return found

    async def _read_together(self, names: list[str]) -> list[bytes | None]:
        async def read(redis: Any) -> list[bytes | None]:
            pipeline = redis.pipeline(transaction=False)
            for name in names:
                pipeline.get(name)
            found: list[bytes | None] = await pipeline.execute()
            return found

        return await self._shared.attempt(read, [None] * len(names))

    async def _marks(self, source: AnySource, keys: Iterable[Any]) -> dict[Any, tuple[bytes | None, bytes | None]]:
        """What stands under each key now: each writing differs from the one before, by its nonce."""
        listed = list(keys)
        names = [name for key in listed for name in self._places(source, key)]
        found = await self._read(names)
        return {key: (found[2 * index], found[2 * index + 1]) for index, key in enumerate(listed)}

    async def _arrived(
        self, source: AnySource, waiting: Mapping[Any, tuple[bytes | None, bytes | None]]
    ) -> dict[Any, Obtained]:
        arrived: dict[Any, Obtained] = {}
        for key, mark in (await self._marks(source, waiting)).items():
            for name, value, old in zip(self._places(source, key), mark, waiting[key], strict=True):
                obtained = None if value is None or value == old else self._opened(source, name, value)
                if obtained is not None:
                    arrived[key] = obtained
        return arrived

    async def _take(self, source: AnySource, keys: Sequence[Any]) -> list[bool]:
        async def take(redis: Any) -> list[bool]:
            pipeline = redis.pipeline(transaction=False)
            for key in keys:
                pipeline.set(self._names(source, key).lease, self._worker, nx=True, px=_milliseconds(LEASE))
            return [bool(taken) for taken in await pipeline.execute()]

        return await self._shared.attempt(take, [True] * len(keys))

    async def _give_back(self, source: AnySource, keys: Sequence[Any]) -> None:
        """End leases that were taken for nothing."""

        async def give_back(redis: Any) -> None:
            await redis.delete(*(self._names(source, key).lease for key in keys))

        if keys:
            await self._shared.attempt(give_back, None)

    async def _renew(self, source: AnySource, keys: Sequence[Any]) -> None:
        async def renew(redis: Any) -> None:
            pipeline = redis.pipeline(transaction=False)
            for key in keys:
                pipeline.pexpire(self._names(source, key).lease, _milliseconds(LEASE))
            await pipeline.execute()

        while True:
            await asyncio.sleep(_RENEWED_EVERY)
            await self._shared.attempt(renew, None)

    def _names(self, source: AnySource, key: Any) -> _Names:
        return self._names_of(source.id, key)

    def _names_of(self, source_id: str, key: Any) -> _Names:
        provider, _, module = source_id.partition(".")
        digest = self._shared.seal.digest(f"{source_id} {key!r}")
        shape = self._shapes[source_id].digest
        name: Callable[[str], str] = lambda kind: self._shared.key(provider, kind, module, shape, digest)  # noqa: E731
        return _Names(name("fiche"), name("issue"), name("bail"))

    def _places(self, source: AnySource, key: Any) -> tuple[str, str]:
        names = self._names(source, key)
        return names.record, names.outcome


def _milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)


# --- Values as bytes ---------------------------------------------------------------------------------


class _Shape:
    """How the values of one source are written and read."""

    def __init__(self, type_: Any) -> None:
        self._encoder = msgspec.msgpack.Encoder(enc_hook=_thawed)
        self._decoder = msgspec.msgpack.Decoder(type_)
        self._kept = msgspec.msgpack.Decoder(_Kept)
        self.digest = digest_of(repr(msgspec.inspect.type_info(type_)))

    def encoded(self, obtained: Obtained) -> bytes:
        stale_until = obtained.stale_until
        kept = _Kept(
            msgspec.Raw(self._encoder.encode(obtained.value)),
            None if obtained.error is None else _error_as_fields(obtained.error),
            obtained.at.timestamp(),
            obtained.until.timestamp(),
            None if stale_until is None else stale_until.timestamp(),
            obtained.duration_ms,
        )
        return self._encoder.encode(kept)

    def decoded(self, plain: bytes) -> Obtained | None:
        try:
            kept = self._kept.decode(plain)
            value = None if kept.error is not None else self._decoder.decode(kept.value)
        except msgspec.MsgspecError:
            return None
        return Obtained(
            value,
            None if kept.error is None else _error_of_fields(kept.error),
            _instant(kept.at),
            _instant(kept.until),
            kept.duration_ms,
            stale_until=None if kept.stale_until is None else _instant(kept.stale_until),
            cached=True,
        )


def _thawed(value: object) -> object:
    """A frozen mapping as one that can be written."""
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise NotImplementedError(f"{type(value).__name__} can't be written")


def _instant(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, tz=UTC)


_ERRORS: Final = {
    name: found for name, found in vars(errors).items() if isinstance(found, type) and issubclass(found, ProviderError)
}


def _error_as_fields(error: ProviderError) -> tuple[str, str, str, float | None, str | None]:
    known = next(type_.__name__ for type_ in type(error).__mro__ if type_.__name__ in _ERRORS)
    wait = None if error.retry_in is None else error.retry_in.total_seconds()
    return known, error.message, error.subcode, wait, error.code_api


def _error_of_fields(fields: tuple[str, str, str, float | None, str | None]) -> ProviderError:
    name, message, subcode, wait, code_api = fields
    error_type = _ERRORS.get(name, ProviderError)
    return error_type(message, subcode, None if wait is None else timedelta(seconds=wait), code_api)


def shapes_of(datasets: Iterable[AnyDataset]) -> dict[str, Any]:
    """The type of the value of each source that is asked over HTTP, from what its room declares.

    A table is in our own database already: sharing its rows would only keep them twice.
    """
    shapes: dict[str, Any] = {}
    for dataset in datasets:
        source = dataset.source
        if isinstance(source.how, Http):
            shapes.setdefault(source.id, dataset.record if dataset.read is as_is else _type_given(source.how.parse))
        completion = source.completion
        if completion is not None and isinstance(completion.source.how, Http):
            shapes.setdefault(completion.source.id, _type_given(completion.source.how.parse))
    return shapes


@lru_cache(maxsize=256)
def _type_given(parse: Callable[..., Any]) -> Any:
    """The type of the value in a parser's return annotation, below `Follow`, `Delivered` and `Fleeting`."""
    given = typing.get_type_hints(parse)["return"]
    arms = typing.get_args(given) if typing.get_origin(given) is typing.Union else (given,)
    wrapped = (Follow, Delivered, Fleeting)
    values = {typing.get_args(arm)[0] if typing.get_origin(arm) in wrapped else arm for arm in arms}
    (value,) = values
    return value
