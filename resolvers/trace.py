"""What one request did, line by line, until the journal takes it: one line per (subject, dataset).

A line is opened when a dataset field is really resolved, whatever path led there, and closed by its
outcome. What was never resolved (`@skip`) leaves no line; what was refused does.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec.structs import replace
from uuid_utils import uuid7

from auth.instants import Clock
from providers.declaration import Dataset, subject_of
from providers.errors import Unavailable
from resolvers.cache import Obtained
from tracing.entry import Entry, Issue, Nature, Origin

AnyDataset = Dataset[Any, Any, Any]
Commit = Callable[[Sequence[Entry]], Awaitable[None]]

_WEIGHT = (Issue.EN_COURS, Issue.INTROUVABLE, Issue.REFUSE, Issue.ECHEC, Issue.REPONDU)
"""Of several outcomes under one line the last in this order is told: what was read outweighs what was not."""


class GivenUp(Unavailable):
    """Whoever asked has left before the call was made: it is not made on its behalf."""


class Untraced(GivenUp):
    """The journal could not take the intention: the call is not made, and the provider has nothing to do with it."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The leaves asked below a dataset's field, as schema paths, in order: readable by this caller, or not."""

    granted: tuple[str, ...]
    refused: tuple[str, ...]
    missing: tuple[str, ...]
    """The scopes, any of which would have opened a refused one."""

    def __or__(self, other: "Selection") -> "Selection":
        """All that either holds. Nearly every line has one selection, which is kept as it is."""
        if other is self or other is NOTHING:
            return self
        if self is NOTHING:
            return other
        return Selection(
            _union(self.granted, other.granted),
            _union(self.refused, other.refused),
            _union(self.missing, other.missing),
        )


def _union(one: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({*one, *other}))


NOTHING = Selection((), (), ())


@dataclass(slots=True)
class Line:
    """One (subject, dataset) of this request. `issue` stays `EN_COURS` until the outcome is known."""

    dataset: AnyDataset
    subject: str
    selection: Selection = NOTHING
    asked: bool = False
    denied: bool = False
    """The whole dataset was refused, whatever the fields."""
    issue: Issue = Issue.EN_COURS
    code: str | None = None
    cache: bool = False
    stale: bool = False
    duration_ms: float | None = None
    intention: str | None = None
    announced: "asyncio.Future[None] | None" = None
    """The writing of the intention."""
    told: bool = False
    """`issue` is that of a field of the answer, and not only of what the service consulted."""

    def select(self, selection: Selection) -> None:
        self.selection |= selection

    def close(self, obtained: Obtained, *, issue: Issue, code: str | None, cache: bool, consulted: bool) -> None:
        """Take an outcome. The line was served by the cache when all its outcomes were."""
        first = self.issue is Issue.EN_COURS
        self.cache = cache and (first or self.cache)
        self.stale = self.stale or obtained.stale
        if not cache:
            self.duration_ms = max(obtained.duration_ms, self.duration_ms or 0.0)
        self.settle(issue, code, consulted=consulted)

    def settle(self, issue: Issue, code: str | None, *, consulted: bool = False) -> None:
        """Take an issue; one of the service's own consultation never hides that of a field."""
        if self.told and consulted:
            return
        if self.told is consulted or _WEIGHT.index(issue) > _WEIGHT.index(self.issue):
            self.issue, self.code = issue, code
        self.told = not consulted


class Trace:
    """The lines of one request."""

    def __init__(self, origin: Origin, clock: Clock) -> None:
        self.origin = origin
        self._clock = clock
        self._lines: dict[tuple[str, str], Line] = {}
        self.intentions: dict[tuple[str, Any], str] = {}
        """Intentions announced on behalf of this request, by (source, key)."""
        self.written = False
        """The entries were asked for: whatever begins later would leave no trace."""
        self.calls: Counter[str] = Counter()
        """Calls for data made on behalf of this request, by provider."""

    def line(self, dataset: AnyDataset, subject: str) -> Line:
        """The line of this dataset and subject, opened at its first use."""
        reference = (dataset.id, subject)
        line = self._lines.get(reference)
        if line is None:
            line = self._lines[reference] = Line(dataset, subject)
        return line

    def refuse(self, dataset: AnyDataset, subject: str, selection: Selection, missing: frozenset[str]) -> None:
        """The whole dataset was refused for this subject."""
        line = self.line(dataset, subject)
        line.denied = True
        refused = Selection((), _union(selection.granted, selection.refused), tuple(sorted(missing)))
        line.select(refused)

    async def announce(self, asked: Iterable[tuple[AnyDataset, Any]], source: str, commit: Commit) -> None:
        """Return once a durable intention stands for each dataset and key: one for all the keys of a line.

        Raises `GivenUp` when the request is over, and whatever `commit` raises.
        """
        if self.written:
            raise GivenUp
        entries: list[Entry] = []
        fresh: list[Line] = []
        writings: set[asyncio.Future[None]] = set()
        for dataset, key in asked:
            line = self.line(dataset, subject_of(key))
            if line.intention is None:
                entry = self._entry(line, Nature.INTENTION, Issue.EN_COURS, self._clock(), None)
                line.intention = entry.id
                entries.append(entry)
                fresh.append(line)
            elif line.announced is not None:
                writings.add(line.announced)
            self.intentions[source, key] = line.intention
        if entries:
            writings.add(_announced(fresh, asyncio.ensure_future(commit(entries))))
        if len(writings) > 1:
            await asyncio.wait(writings)
        for writing in writings:
            await asyncio.shield(writing)

    def entries(self, status: int) -> list[Entry]:
        """What the journal must hold before the answer leaves. A line without outcome was given up."""
        self.written = True
        return list(self._closed(self._clock(), status))

    def told_again(self, entries: Sequence[Entry]) -> list[Entry]:
        """The entries of an identical request, as those of this one: it made no call, and so closes no intention."""
        self.written = True
        now = self._clock()
        return [replace(entry, id=str(uuid7()), instant=now, origine=self.origin, intention=None) for entry in entries]

    def _closed(self, now: datetime, status: int) -> Iterator[Entry]:
        for line in self._lines.values():
            if line.asked:
                issue = Issue.ABANDONNE if line.issue is Issue.EN_COURS else line.issue
                yield self._entry(line, Nature.ACCES, issue, now, status)
            if line.selection.refused or line.denied:
                refused = self._entry(line, Nature.ACCES, Issue.REFUSE, now, status)
                yield replace(
                    refused,
                    champs=line.selection.refused,
                    portees_manquantes=line.selection.missing,
                    code="UNAUTHORIZED_FIELD_OR_TYPE",
                    cache=False,
                    perimee=False,
                    duree_ms=None,
                    intention=None,
                )

    def _entry(self, line: Line, nature: Nature, issue: Issue, now: datetime, status: int | None) -> Entry:
        return Entry(
            id=str(uuid7()),
            nature=nature,
            instant=now,
            origine=self.origin,
            sujet=line.subject,
            jeu_de_donnees=line.dataset.id,
            fournisseur=line.dataset.provider_id,
            champs=line.selection.granted,
            issue=issue,
            code=line.code,
            portees_manquantes=(),
            cache=line.cache,
            perimee=line.stale,
            duree_ms=line.duration_ms,
            statut_http=status,
            intention=line.intention,
        )


def _announced(lines: Sequence[Line], writing: "asyncio.Future[None]") -> "asyncio.Future[None]":
    """The writing of the intentions of these lines, which have none if it fails."""

    def forget(done: "asyncio.Future[None]") -> None:
        if done.cancelled() or done.exception() is not None:
            for line in lines:
                line.intention, line.announced = None, None

    for line in lines:
        line.announced = writing
    writing.add_done_callback(forget)
    return writing
