"""Reading the journal: entries by what is asked of them, consumption, public statistics.

Newest request first, and the entries of one request together. Each month is asked on its own, from the newest, with
the index that what is asked calls for. Intentions are never entries: `in_progress` tells those without an outcome.
"""

import base64
import binascii
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from tracing.entry import Entry, Issue, Nature
from tracing.rows import (
    ENTRY_COLUMNS,
    ISSUE_NUMBERS,
    ISSUES,
    NATURE_NUMBERS,
    ORIGIN_COLUMNS,
    Month,
    Row,
    instant_of,
    microseconds,
    rank,
    read_entry,
    read_origin,
)
from tracing.store import Store

DAY: Final = 86_400_000_000
FEWEST_HABILITATIONS: Final = 5
FEWEST_ACCESSES: Final = 20
"""A public volume is told only when at least so many habilitations made at least so many accesses."""
_MOST_ENTRIES: Final = 1_000
_RARE: Final = ISSUE_NUMBERS[Issue.INTROUVABLE]
"""Issues beyond this number have an index of their own."""
_WIDTH: Final = len(ENTRY_COLUMNS)


class InvalidCursor(ValueError):
    """`after` was not given by a former page."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Filter:
    """What is asked, all of it together. The period is that of the requests: from `depuis`, before `jusqua`."""

    habilitation: str | None = None
    jeton: str | None = None
    sujet: str | None = None
    jeu_de_donnees: str | None = None
    agent: str | None = None
    issue: Issue | None = None
    depuis: datetime | None = None
    jusqua: datetime | None = None
    requete: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, the place of each (to go on after it), and that of the last if others follow."""

    entries: tuple[Entry, ...]
    cursors: tuple[str, ...]
    suivant: str | None


class Axe(StrEnum):
    """What a consumption is grouped by."""

    JOUR = "JOUR"
    JEU_DE_DONNEES = "JEU_DE_DONNEES"
    FOURNISSEUR = "FOURNISSEUR"
    ISSUE = "ISSUE"
    AGENT = "AGENT"


@dataclass(frozen=True, slots=True)
class Consommation:
    """One group: the values of the axes, in the order asked, and how many accesses."""

    cle: tuple[date | Issue | str | None, ...]
    acces: int
    depuis_le_cache: int


@dataclass(frozen=True, slots=True)
class Volume:
    """Accesses to a dataset in a month; `acces` is none when the group is too small to be told."""

    mois: Month
    jeu_de_donnees: str
    acces: int | None


@dataclass(frozen=True, slots=True)
class Question:
    """The tables, conditions and order that answer a filter, the same in every month."""

    by_request: bool
    conditions: tuple[str, ...]
    values: tuple[Any, ...]

    def tables(self, month: Month) -> str:
        # CROSS JOIN is an inner join to PostgreSQL; to SQLite it also says which table comes first.
        entrees, origines = f"entrees_{month.suffix} e", f"origines_{month.suffix} o"
        first, second = (origines, entrees) if self.by_request else (entrees, origines)
        return f"FROM {first} CROSS JOIN {second} WHERE {' AND '.join(self.conditions)}"

    @property
    def order(self) -> str:
        first = "o.instant DESC, o.rang DESC" if self.by_request else "e.demande DESC, e.origine DESC"
        return f"ORDER BY {first}, e.rang DESC"

    def narrowed(self, condition: str, *values: Any) -> "Question":
        """With one more condition; `{}` stands for the number of each value."""
        numbers = [f"${len(self.values) + place}" for place in range(1, len(values) + 1)]
        return Question(self.by_request, (*self.conditions, condition.format(*numbers)), (*self.values, *values))


def question(store: Store, filter: Filter) -> Question:
    """A request, a subject, a caller, a dataset, an issue: the first that is given chooses the index."""
    by_caller = any((filter.habilitation, filter.jeton, filter.agent))
    by_dataset = filter.jeu_de_donnees is not None and store.indexes_datasets
    by_entry = by_dataset or (filter.issue is not None and ISSUE_NUMBERS[filter.issue] > _RARE)
    by_request = filter.requete is not None or (filter.sujet is None and (by_caller or not by_entry))
    asked = Question(by_request, ("o.rang = e.origine", "e.nature <> 0"), ())
    for column, value in (
        ("o.requete", filter.requete),
        ("o.habilitation", filter.habilitation),
        ("o.jeton", filter.jeton),
        ("o.agent", filter.agent),
        ("e.sujet", filter.sujet),
        ("e.jeu_de_donnees", filter.jeu_de_donnees),
    ):
        if value is not None:
            asked = asked.narrowed(f"{column} = {{}}", value)
    if filter.issue is not None:
        number = ISSUE_NUMBERS[filter.issue]
        asked = asked.narrowed("e.issue > 2 AND e.issue = {}" if number > _RARE else "e.issue = {}", number)
    instant = "o.instant" if by_request else "e.demande"
    if filter.depuis is not None:
        asked = asked.narrowed(f"{instant} >= {{}}", microseconds(filter.depuis))
    if filter.jusqua is not None:
        asked = asked.narrowed(f"{instant} < {{}}", microseconds(filter.jusqua))
    return asked


def months_of(filter: Filter, months: Iterable[Month]) -> list[Month]:
    """Those that the period touches, newest first."""
    depuis = None if filter.depuis is None else microseconds(filter.depuis)
    jusqua = None if filter.jusqua is None else microseconds(filter.jusqua)
    return sorted(
        (
            month
            for month in months
            if (depuis is None or month.plus(1).start > depuis) and (jusqua is None or month.start < jusqua)
        ),
        reverse=True,
    )


_COLUMNS = ", ".join([*(f"e.{name}" for name in ENTRY_COLUMNS), *(f"o.{name}" for name in ORIGIN_COLUMNS)])


def search_sql(asked: Question, month: Month, limit: int) -> str:
    return f"SELECT {_COLUMNS} {asked.tables(month)} {asked.order} LIMIT {limit:d}"


async def search(store: Store, filter: Filter, *, first: int = 50, after: str | None = None) -> Page:
    """A page of entries, newest request first."""
    first = max(1, min(first, _MOST_ENTRIES))
    asked = question(store, filter)
    months = months_of(filter, await store.months())
    if after is not None:
        demande, origine, rang = read_cursor(after)
        months = [month for month in months if month.start <= demande]
        instant, place = ("o.instant", "o.rang") if asked.by_request else ("e.demande", "e.origine")
        asked = asked.narrowed(f"{instant} <= {{}}", demande).narrowed(
            f"({instant}, {place}, e.rang) < ({{}}, {{}}, {{}})", demande, origine, rang
        )
    rows: list[Row] = []
    for month in months:
        rows += await store.fetch(search_sql(asked, month, first + 1 - len(rows)), *asked.values)
        if len(rows) > first:
            break
    kept = rows[:first]
    cursors = tuple(map(cursor, kept))
    return Page(tuple(map(entry_of, kept)), cursors, cursors[-1] if len(rows) > first else None)


async def count(store: Store, filter: Filter) -> int:
    """How many entries an export will have."""
    asked = question(store, filter)
    total = 0
    for month in months_of(filter, await store.months()):
        ((found,),) = await store.fetch(f"SELECT count(*) {asked.tables(month)}", *asked.values)
        total += found
    return total


async def entries(store: Store, filter: Filter) -> AsyncIterator[Sequence[Row]]:
    """All rows of a filter by pieces, oldest month first, `ENTRY_COLUMNS` then `ORIGIN_COLUMNS`."""
    asked = question(store, filter)
    for month in reversed(months_of(filter, await store.months())):
        async for piece in store.stream(f"SELECT {_COLUMNS} {asked.tables(month)} ORDER BY e.rang", *asked.values):
            yield piece


def entry_of(row: Row) -> Entry:
    return read_entry(row[:_WIDTH], read_origin(row[_WIDTH:]))


def cursor(row: Row) -> str:
    rang, origine, demande = row[:3]
    return base64.urlsafe_b64encode(f"{demande}.{origine}.{rang}".encode()).decode()


def read_cursor(text: str) -> tuple[int, int, int]:
    try:
        demande, origine, rang = map(int, base64.urlsafe_b64decode(text).split(b"."))
    except (binascii.Error, ValueError) as error:
        raise InvalidCursor("not a cursor of the journal") from error
    if any(not -(2**63) <= number < 2**63 for number in (demande, origine, rang)):
        raise InvalidCursor("not a cursor of the journal")
    return demande, origine, rang


async def in_progress(store: Store, filter: Filter) -> list[Entry]:
    """The intentions of living writers whose outcome is not known yet, oldest first."""
    writers = await store.fetch("SELECT id, bas FROM ecrivains WHERE ferme IS NULL")
    asked = question(store, Filter(habilitation=filter.habilitation, jeton=filter.jeton, sujet=filter.sujet))
    conditions = ("o.rang = e.origine", "e.nature = 0", *asked.conditions[2:])
    found: list[Entry] = []
    months = await store.months()
    for month in months_of(filter, months):
        for writer, low in writers:
            alone = Question(False, conditions, asked.values).narrowed(
                "e.rang >= {} AND e.rang < {}", rank(writer, low), rank(writer + 1, 0)
            )
            # Most have their outcome in the same month: these are dropped by the database.
            rows = await store.fetch(
                f"SELECT {_COLUMNS} {alone.tables(month)} AND NOT EXISTS (SELECT 1 FROM origines_{month.suffix} p"
                f" JOIN entrees_{month.suffix} s ON s.origine = p.rang AND s.nature <> 0"
                " WHERE p.requete = o.requete AND s.intention = e.id) ORDER BY e.rang LIMIT 1000",
                *alone.values,
            )
            found += map(entry_of, rows)
    return [intention for intention in found if not await has_outcome(store, months, intention)]


async def has_outcome(store: Store, months: Sequence[Month], intention: Entry) -> bool:
    """Whether an entry, of whatever month and writer, closes the intention: it has the same request."""
    for month in months:
        rows = await store.fetch(
            f"SELECT e.intention FROM origines_{month.suffix} o CROSS JOIN entrees_{month.suffix} e"
            " WHERE e.origine = o.rang AND e.nature <> 0 AND o.requete = $1 AND e.intention IS NOT NULL",
            intention.origine.requete,
        )
        if any(str(row[0]) == intention.id for row in rows):
            return True
    return False


_AXES = {
    Axe.JOUR: f"e.demande / {DAY}",
    Axe.JEU_DE_DONNEES: "e.jeu_de_donnees",
    Axe.FOURNISSEUR: "e.fournisseur",
    Axe.ISSUE: "e.issue",
    Axe.AGENT: "o.agent",
}


async def consumption(store: Store, filter: Filter, by: Sequence[Axe]) -> list[Consommation]:
    """How many accesses, grouped; days are UTC. Without an axis, one group."""
    asked = question(store, filter)
    # The constant keeps the statement one shape when there is no axis.
    axes = ", ".join(_AXES[axe] for axe in by) or "1"
    accesses: Counter[tuple[Any, ...]] = Counter()
    cached: Counter[tuple[Any, ...]] = Counter()
    for month in months_of(filter, await store.months()):
        sql = f"SELECT count(*), sum(e.cache), {axes} {asked.tables(month)}"
        for number, from_cache, *key in await store.fetch(f"{sql} GROUP BY {axes}" if by else sql, *asked.values):
            group = tuple(map(_axis_value, by, key))
            accesses[group] += number
            cached[group] += from_cache or 0
    return [
        Consommation(group, accesses[group], cached[group])
        for group in sorted(accesses, key=lambda group: tuple(str(value) for value in group))
    ]


def _axis_value(axe: Axe, value: Any) -> date | Issue | str | None:
    match axe:
        case Axe.JOUR:
            return instant_of(value * DAY).date()
        case Axe.ISSUE:
            return ISSUES[value]
        case Axe.JEU_DE_DONNEES | Axe.FOURNISSEUR | Axe.AGENT:
            return None if value is None else str(value)


def statistics_sql(month: Month) -> str:
    return (
        "SELECT e.jeu_de_donnees, count(*), count(DISTINCT o.habilitation)"
        f" FROM entrees_{month.suffix} e JOIN origines_{month.suffix} o ON o.rang = e.origine"
        " WHERE e.nature <> 0 AND e.nature = $1 AND e.issue IN ($2, $3) GROUP BY e.jeu_de_donnees"
    )


async def statistics(store: Store, *, now: datetime, months: Sequence[Month] | None = None) -> list[Volume]:
    """Public volumes of what was granted, per dataset, of the months that are over at `now`, oldest first.

    Reads every entry of these months: for who serves it, a month that is over does not change, keep the answer. The
    month that runs is not told: a volume that crosses a threshold under one's eyes would tell who crossed it.
    """
    over = [month for month in await store.months() if month.plus(1).start <= microseconds(now)]
    volumes = []
    for month in over if months is None else [month for month in over if month in months]:
        rows = await store.fetch(
            statistics_sql(month),
            NATURE_NUMBERS[Nature.ACCES],
            ISSUE_NUMBERS[Issue.REPONDU],
            ISSUE_NUMBERS[Issue.INTROUVABLE],
        )
        volumes += [
            Volume(month, dataset, number if told(number, habilitations) else None)
            for dataset, number, habilitations in sorted(rows)
        ]
    return volumes


def told(accesses: int, habilitations: int) -> bool:
    return accesses >= FEWEST_ACCESSES and habilitations >= FEWEST_HABILITATIONS
