"""The journal of one process: entries go in, and `commit` returns once they are durable.

Requests that commit at the same time share one transaction: one flush at a time, and whatever came meanwhile is the
next one. No timer: an idle journal writes at once, a busy one writes in groups.
"""

import asyncio
import contextlib
import logging
import os
import socket
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from tracing.chain import entry_digest, genesis, next_seal, origin_digest
from tracing.entry import Entry, Issue, Nature, Origin
from tracing.rows import (
    ENTRY_COLUMNS,
    ORIGIN_COLUMNS,
    Draft,
    Month,
    draft,
    microseconds,
    origin_content,
    rank,
    read_entry,
    read_origin,
    sequence_of,
)
from tracing.search import has_outcome
from tracing.sqlite import SqliteStore
from tracing.store import MonthBatch, Refused, Store, StoreError

logger = logging.getLogger(__name__)

GROUP_ENTRIES: Final = 4_096
"""A flush takes no more, so that the first of a crowd does not wait for the last."""
REMEMBERED_ORIGINS: Final = 8_192
ROUND_S: Final = 1.0
"""How often the keeper looks: reconnect, seal, mark."""
BURY_EVERY_S: Final = 15
"""How often the intentions of writers that died meanwhile are closed: those of a killed worker, by its siblings."""
SEAL_EVERY_S: Final = 300
SEAL_EVERY_LINKS: Final = 100_000


class JournalUnavailable(Exception):
    """The entries could not be written; what they speak of must not be answered."""


def utc_now() -> datetime:
    return datetime.now(UTC)


def store_for(url: str) -> Store:
    """`sqlite:///relative/path`, `sqlite:////absolute/path` or `postgresql://...`; a driver's name is ignored."""
    scheme, separator, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    if kind == "sqlite" and rest.startswith("/") and len(rest) > 1:
        return SqliteStore(Path(rest[1:]))
    if kind in ("postgresql", "postgres") and separator:
        # Imported here: asyncpg is not needed, nor its time to load spent, with SQLite.
        from tracing.postgres import PostgresStore

        return PostgresStore(f"postgresql://{rest}")
    raise ValueError("the journal is kept in sqlite:///path or postgresql://host/database")


@dataclass(frozen=True, slots=True)
class Place:
    """Where an origin stands in the chain."""

    origin: Origin
    rang: int
    demande: int
    month: Month


@dataclass(frozen=True, slots=True)
class Pending:
    """What one call of `commit` waits for."""

    drafts: Sequence[Draft]
    done: asyncio.Future[None]


class Origins:
    """The origins of late, by request: two generations, the older forgotten at once. Forgetting only costs a row."""

    def __init__(self) -> None:
        self._young: dict[str, Place] = {}
        self._old: dict[str, Place] = {}

    def place_of(self, origin: Origin) -> Place | None:
        place = self._young.get(origin.requete) or self._old.get(origin.requete)
        return place if place is not None and (place.origin is origin or place.origin == origin) else None

    def remember(self, places: dict[str, Place]) -> None:
        self._young.update(places)
        if len(self._young) > REMEMBERED_ORIGINS:
            self._old, self._young = self._young, {}

    def forget(self) -> None:
        self._young, self._old = {}, {}


class Flush:
    """Links drafts to the head of a chain; the journal adopts the result once it is committed."""

    def __init__(self, writer: int, sequence: int, head: bytes, origins: Origins) -> None:
        self.sequence = sequence
        self.head = head
        self.batch: dict[Month, MonthBatch] = {}
        self.placed: dict[str, Place] = {}
        self.opened: dict[str, tuple[int, Entry]] = {}
        self.closed: list[str] = []
        self._first = rank(writer, 0)
        self._origins = origins
        self._month = Month(1970, 1)
        self._month_starts, self._month_ends = 0, 0

    def add(self, drafts: Iterable[Draft]) -> None:
        batch = self.batch
        for item in drafts:
            entry = item.entry
            origin = entry.origine
            place = self.placed.get(origin.requete)
            if place is None or (place.origin is not origin and place.origin != origin):
                place = self._origins.place_of(origin) or self._add_origin(origin, item.instant)
            self.sequence += 1
            rang = self._first + self.sequence
            self.head = entry_digest(self.head, rang, place.rang, place.demande, item.payload)
            rows = batch.get(place.month)
            if rows is None:
                rows = batch[place.month] = MonthBatch()
            rows.entries.append((rang, place.rang, place.demande, *item.content, self.head))
            if entry.nature is Nature.INTENTION:
                self.opened[entry.id] = (self.sequence, entry)
            elif entry.intention is not None:
                self.closed.append(entry.intention)

    def _add_origin(self, origin: Origin, instant: int) -> Place:
        content, payload = origin_content(origin, instant)
        self.sequence += 1
        rang = self._first + self.sequence
        self.head = origin_digest(self.head, rang, payload)
        month = self._month_of(instant)
        self.batch.setdefault(month, MonthBatch()).origins.append((rang, *content, self.head))
        place = self.placed[origin.requete] = Place(origin, rang, instant, month)
        return place

    def _month_of(self, instant: int) -> Month:
        # Nearly always that of the origin before: a comparison instead of a calendar.
        if not self._month_starts <= instant < self._month_ends:
            self._month = Month.of(instant)
            self._month_starts, self._month_ends = self._month.start, self._month.plus(1).start
        return self._month


class Journal:
    """Made by `Journal.open`; one per process, closed with `close`."""

    def __init__(self, store: Store, name: str, key: Ed25519PrivateKey | None, clock: Callable[[], datetime]) -> None:
        self.store = store
        self.available = False
        self._name = name
        self._key = key
        self._clock = clock
        self._writer = 0
        self._sequence = 0
        self._head = b""
        self._sealed = 0
        self._sealed_at = 0.0
        self._low = 1
        self._origins = Origins()
        self._open: dict[str, tuple[int, Entry]] = {}
        self._orphans: set[str] = set()
        """Open intentions whose outcome could not be written."""
        self._buried: set[str] = set()
        """Intentions that have an outcome by another process: no second one may be written."""
        self._waiting: list[Pending] = []
        self._flusher: asyncio.Task[None] | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._at_rest = asyncio.Lock()
        self._closing = False

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        writer: str | None = None,
        signing_key: bytes | None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Connect, take a writer's number, and close the intentions that dead writers left open.

        `signing_key` is the 32 bytes of an Ed25519 private key; without it the seals are chained but not signed.
        """
        key = None if signing_key is None else Ed25519PrivateKey.from_private_bytes(signing_key)
        journal = cls(store_for(url), writer or f"{socket.gethostname()}:{os.getpid()}", key, clock)
        try:
            await journal.store.connect()
            await journal._begin()
            journal.available = True
            await journal._bury_the_dead()
        except StoreError as error:
            await journal.store.close()
            raise JournalUnavailable("the journal can't be opened") from error
        journal._keeper = asyncio.create_task(journal._keep(), name="journal-keeper")
        return journal

    async def commit(self, entries: Sequence[Entry]) -> None:
        """Return once the entries are durable; whoever leaves before does not take them back.

        Raises `JournalUnavailable`, also for the outcome of an intention that another process closed meanwhile.
        """
        if not entries:
            return
        if not self.available or self._closing or self._interrupts(entries):
            self._orphan(entries)
            raise JournalUnavailable("the journal can't be written")
        done = asyncio.get_running_loop().create_future()
        self._waiting.append(Pending([draft(entry) for entry in entries], done))
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_all(), name="journal-flush")
        await done

    async def close(self) -> None:
        """Write what waits, say `INTERROMPU` of what has no outcome, seal for the last time."""
        if self._closing:
            return
        self._closing = True
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])
        while self._flusher is not None:
            await asyncio.wait([self._flusher])
        try:
            if self.available:
                async with self._at_rest:
                    if self._open:
                        await self._write(self._interrupted(entry for _, entry in self._open.values()))
                    await self._seal(final=True)
                    await self.store.retire(self._writer, microseconds(self._clock()))
        except StoreError as error:
            raise JournalUnavailable("the journal could not be closed well") from error
        finally:
            self.available = False
            await self.store.close()

    async def _begin(self) -> None:
        self._writer = await self.store.register(self._name, microseconds(self._clock()))
        self._sequence, self._head = 0, genesis(self._writer)
        self._sealed, self._low = 0, 1
        self._sealed_at = asyncio.get_running_loop().time()
        self._origins.forget()
        self._open.clear()

    async def _flush_all(self) -> None:
        taken: list[Pending] = []
        try:
            while self._waiting:
                group, size = 0, 0
                while group < len(self._waiting) and size < GROUP_ENTRIES:
                    size += len(self._waiting[group].drafts)
                    group += 1
                taken, self._waiting = self._waiting[:group], self._waiting[group:]
                async with self._at_rest:
                    await self._flush(taken)
        finally:
            # Whatever stopped the flush, nobody waits for ever, and the head of the chain is read again.
            self._flusher = None
            if unanswered := [pending for pending in [*taken, *self._waiting] if not pending.done.done()]:
                self._lose("the flush was stopped")
                self._orphan_all(unanswered)
                answer(unanswered, StoreError("the flush was stopped"))
                self._waiting = []

    async def _flush(self, group: Sequence[Pending]) -> None:
        try:
            await self._write(item for pending in group for item in pending.drafts)
        except Refused as error:
            if len(group) == 1:
                self._orphan_all(group)
                answer(group, error)
            else:
                # One of them can't be stored: alone, it fails alone.
                for pending in group:
                    await self._flush([pending])
        except StoreError as error:
            self._lose(str(error))
            self._orphan_all(group)
            answer(group, error)
        else:
            answer(group, None)

    def _orphan_all(self, group: Iterable[Pending]) -> None:
        self._orphan(item.entry for pending in group for item in pending.drafts)

    def _interrupts(self, entries: Sequence[Entry]) -> bool:
        """Whether one of them is the outcome of an intention that has one already."""
        return bool(self._buried) and any(entry.intention in self._buried for entry in entries)

    def _orphan(self, entries: Iterable[Entry]) -> None:
        """Their outcome is lost, and with it the answer: the intentions are closed as interrupted as soon as may be."""
        self._orphans.update(entry.intention for entry in entries if entry.intention is not None)

    def _lose(self, why: str) -> None:
        if self.available:
            logger.error("journal: lost (%s), nothing that must be traced is answered", why)
        self.available = False

    async def _write(self, drafts: Iterable[Draft]) -> None:
        if not self.available:
            raise StoreError("the journal is being opened again")
        flush = Flush(self._writer, self._sequence, self._head, self._origins)
        flush.add(drafts)
        if not flush.batch:
            return
        await self.store.append(flush.batch)
        self._sequence, self._head = flush.sequence, flush.head
        self._origins.remember(flush.placed)
        self._open.update(flush.opened)
        for intention in flush.closed:
            self._open.pop(intention, None)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        buried_at = loop.time()
        while True:
            await asyncio.sleep(ROUND_S)
            async with self._at_rest:
                try:
                    if not self.available or not self.store.connected:
                        # A connection that broke while nothing was written must not cost the next request its answer.
                        self._lose("connection")
                        await self._reopen()
                        logger.warning("journal: back")
                    await self._close_orphans()
                    unsealed = self._sequence - self._sealed
                    if unsealed >= SEAL_EVERY_LINKS or (unsealed and loop.time() - self._sealed_at >= SEAL_EVERY_S):
                        await self._seal(final=False)
                    await self._mark()
                except StoreError as error:
                    self._lose(str(error))
            if self.available and loop.time() - buried_at >= BURY_EVERY_S:
                # A failure here will be that of the next write; the dead can wait.
                with contextlib.suppress(StoreError):
                    await self._bury_the_dead()
                buried_at = loop.time()

    async def _reopen(self) -> None:
        """Connect again and find out what became of the batch in doubt: the chain goes on from what is stored."""
        await self.store.connect()
        if not await self.store.resume(self._writer):
            # Another process took this one for dead, and said of what was open that it was interrupted.
            self._buried.update(self._open)
            await self._begin()
            self.available = True
            return
        head = await self.store.head(self._writer)
        known = self._sequence
        self._sequence, self._head = (0, genesis(self._writer)) if head is None else (sequence_of(head[0]), head[1])
        self._origins.forget()
        self.available = True
        if self._sequence > known:
            # It was committed, though its callers were told that it was not: no call followed its intentions.
            for intention in await self._outcomes(self._writer, known + 1):
                self._open.pop(intention, None)
            await self._write(self._interrupted(await self._left_open(self._writer, known + 1)))

    async def _close_orphans(self) -> None:
        orphans = frozenset(self._orphans)
        # One that is not open any more was in a batch in doubt, and is closed, or was buried by another process.
        left = [self._open[intention][1] for intention in orphans if intention in self._open]
        if left:
            await self._write(self._interrupted(left))
        self._orphans -= orphans

    async def _seal(self, *, final: bool) -> None:
        instant = microseconds(self._clock())
        rang, tete = rank(self._writer, self._sequence), self._head
        await self.store.seal(
            lambda last: next_seal(last, rang=rang, tete=tete, instant=instant, final=final, key=self._key)
        )
        self._sealed = self._sequence
        self._sealed_at = asyncio.get_running_loop().time()

    async def _mark(self) -> None:
        low = min((sequence for sequence, _ in self._open.values()), default=self._sequence + 1)
        if low != self._low:
            await self.store.mark(self._writer, low)
            self._low = low

    async def _bury_the_dead(self) -> None:
        for writer, low in await self.store.dead():
            head = await self.store.head(writer)
            interrupted = self._interrupted(await self._left_open(writer, low))
            if interrupted:
                async with self._at_rest:
                    await self._write(interrupted)
            rang, tete = (rank(writer, 0), genesis(writer)) if head is None else head
            instant = microseconds(self._clock())
            await self.store.seal(
                lambda last, rang=rang, tete=tete, instant=instant: next_seal(  # type: ignore[misc]
                    last, rang=rang, tete=tete, instant=instant, final=True, key=self._key
                )
            )
            await self.store.retire(writer, instant)

    async def _left_open(self, writer: int, low: int) -> list[Entry]:
        """The intentions of a dead writer that no entry names; an outcome shares its intention's request."""
        months = await self.store.months()
        candidates: list[Entry] = []
        columns = ", ".join([*(f"i.{name}" for name in ENTRY_COLUMNS), *(f"o.{name}" for name in ORIGIN_COLUMNS)])
        for month in months:
            rows = await self.store.fetch(
                f"SELECT {columns} FROM entrees_{month.suffix} i JOIN origines_{month.suffix} o ON o.rang = i.origine"
                " WHERE i.rang >= $1 AND i.rang < $2 AND i.nature = 0 ORDER BY i.rang",
                rank(writer, low),
                rank(writer + 1, 0),
            )
            width = len(ENTRY_COLUMNS)
            candidates += [read_entry(row[:width], read_origin(row[width:])) for row in rows]
        outcomes = await self._outcomes(writer, low)
        return [
            entry
            for entry in candidates
            if entry.id not in outcomes
            # A former burial, itself interrupted, or the writer after a lost connection, may have written it.
            and not await has_outcome(self.store, months, entry)
        ]

    async def _outcomes(self, writer: int, low: int) -> set[str]:
        """The intentions that the writer closed from there on."""
        outcomes: set[str] = set()
        for month in await self.store.months():
            rows = await self.store.fetch(
                f"SELECT intention FROM entrees_{month.suffix} WHERE rang >= $1 AND rang < $2"
                " AND nature <> 0 AND intention IS NOT NULL",
                rank(writer, low),
                rank(writer + 1, 0),
            )
            outcomes.update(str(row[0]) for row in rows)
        return outcomes

    def _interrupted(self, intentions: Iterable[Entry]) -> list[Draft]:
        now = self._clock()
        return [
            draft(
                replace(
                    intention,
                    id=str(uuid.uuid4()),
                    nature=Nature.ACCES,
                    instant=now,
                    issue=Issue.INTERROMPU,
                    intention=intention.id,
                )
            )
            for intention in intentions
        ]


def answer(group: Iterable[Pending], error: StoreError | None) -> None:
    for pending in group:
        if pending.done.done():
            continue
        if error is None:
            pending.done.set_result(None)
        else:
            failure = JournalUnavailable("the journal can't be written")
            failure.__cause__ = error
            pending.done.set_exception(failure)
