"""What must hold at the end of a run, from three accounts that don't know each other: the callers', the simulators', the journal's.

- every answer that speaks of a dataset has its entry in the journal, under its request's id, its subject and its dataset;
- every call that a simulator received about a company was announced by an intention, before it;
- every intention has one outcome; the chain of the journal holds;
- no provider received more calls in a span than its declared rate allows, or more than the number of workers above it around an
  absence of Redis;
- no request was lost by a worker that was told to stop, and none by a worker that nobody touched;
- nothing that a caller was told is unforeseen, and no failure was told as "not found": one dataset of one company is found or
  not, all along.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from auth.instants import now
from bench.chaos.load import Answer
from bench.chaos.servers import Worker
from bench.chaos.story import Event
from providers import PROVIDERS
from sandbox.insee import lot
from settings import Settings, provider_settings
from tracing.archive import verify
from tracing.entry import Entry, Nature
from tracing.journal import Journal
from tracing.rows import ENTRY_COLUMNS, ORIGIN_COLUMNS, read_entry, read_origin

ON_ITS_WAY = 2.0
"""Seconds that may pass between the instant that a call reserved and its arrival, on a busy machine."""
SHORT_SPAN = 10.0
"""A rate by the second is looked at over so many: what was reserved a second apart may arrive together."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as a simulator received it."""

    instant: float
    provider: str
    companies: frozenset[str]
    path: str


def calls_of(path: Path, known: frozenset[str]) -> list[Call]:
    """What the recorder wrote; only companies that the load asked about count as such."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        instant, provider, companies, path = line.split(" ", 3)
        found.append(Call(float(instant), provider, frozenset(companies.split(",")) & known, path))
    return found


async def entries_of(url: str) -> tuple[list[Entry], Sequence[str]]:
    """Every entry, and what the verification of the chain finds wrong. Opening it closes what the killed left open."""
    journal = await Journal.open(url, signing_key=None, clock=now)
    columns = ", ".join([*(f"e.{name}" for name in ENTRY_COLUMNS), *(f"o.{name}" for name in ORIGIN_COLUMNS)])
    width = len(ENTRY_COLUMNS)
    found = []
    for month in await journal.store.months():
        rows = await journal.store.fetch(
            f"SELECT {columns} FROM entrees_{month.suffix} e JOIN origines_{month.suffix} o ON o.rang = e.origine"
        )
        found += [read_entry(row[:width], read_origin(row[width:])) for row in rows]
    report = await verify(journal.store, public_keys=[])
    await journal.close()
    return found, [str(problem) for problem in report.problemes]


def missing_entries(answers: Iterable[Answer], entries: Iterable[Entry]) -> list[str]:
    told: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for entry in entries:
        if entry.nature is Nature.ACCES:
            told[entry.origine.requete].add((entry.jeu_de_donnees, entry.sujet))
    return [
        f"{answer.request} {dataset}"
        for answer in answers
        if answer.data
        for dataset, subject, _ in answer.told
        if (dataset, subject) not in told[answer.request]
    ] + [
        f"{answer.request} {dataset} (in error)"
        for answer in answers
        if answer.data
        for _, dataset in answer.failed
        if dataset and dataset not in {name for name, _ in told[answer.request]}
    ]


def unannounced_calls(calls: Iterable[Call], entries: Iterable[Entry]) -> list[str]:
    first: dict[tuple[str, str], float] = {}
    for entry in entries:
        if entry.nature is Nature.INTENTION:
            asked = entry.sujet[:9]
            # A duplicate leads INSEE to the company that it is: one exchange, announced for the number that was asked.
            for company in {asked, lot(asked).duplicate_of or asked} if asked.isdigit() else {asked}:
                place = entry.fournisseur, company
                first[place] = min(first.get(place, float("inf")), entry.instant.timestamp())
    return [
        f"{call.instant:.3f} {call.provider} {company} {call.path} {first.get((call.provider, company))}"
        for call in calls
        for company in call.companies
        if first.get((call.provider, company), float("inf")) > call.instant
    ]


def outcomes_amiss(entries: Sequence[Entry]) -> list[str]:
    """Intentions with no outcome, or more than one."""
    intentions = {entry.id for entry in entries if entry.nature is Nature.INTENTION}
    outcomes = Counter(entry.intention for entry in entries if entry.nature is Nature.ACCES and entry.intention)
    return [f"{one} has {outcomes[one]}" for one in intentions if outcomes[one] != 1]


def over_limits(
    calls: Sequence[Call], away: Sequence[tuple[float, float]], settings: Settings, workers: Sequence[Worker]
) -> tuple[list[str], Mapping[str, int]]:
    """Spans with too many calls, and the largest number above its rate that each provider saw around an absence of Redis."""
    broken, excess = [], {}
    for provider in PROVIDERS:
        values = provider_settings(settings, provider)
        instants = sorted(call.instant for call in calls if call.provider == provider.id)
        for rate in provider.rates:
            if rate.when is None or rate.when(values):
                span = rate.per.total_seconds()
                # Calls that arrive in a span of this length reserved their instants in one that is longer by their way.
                length = max(span, SHORT_SPAN) - ON_ITS_WAY
                allowed = rate.calls * math.ceil((length + ON_ITS_WAY) / span)
                for begin, number in _spans(instants, length):
                    above = number - allowed
                    # What was reserved before the loss, and until the shared log is whole again.
                    near = any(left - span <= begin <= back + 2 * span for left, back in away)
                    there = sum(worker.born <= begin + span and worker.gone >= begin for worker in workers)
                    if above > (there if near else 0):
                        broken.append(f"{provider.id}: {number} calls in {length:.0f} s, of {allowed}")
                    elif above > 0:
                        excess[provider.id] = max(excess.get(provider.id, 0), above)
    return broken, excess


def _spans(instants: Sequence[float], length: float) -> Iterable[tuple[float, int]]:
    """The number of calls in the span that begins at each call."""
    end = 0
    for index, begin in enumerate(instants):
        while end < len(instants) and instants[end] < begin + length:
            end += 1
        yield begin, end - index


def lost(answers: Iterable[Answer], workers: Sequence[Worker]) -> tuple[int, int, int]:
    """Requests cut by workers that were told to stop, by workers that nobody touched, and by those that were killed."""
    leaving = {worker.name for worker in workers if worker.leaving}
    cut = [answer for answer in answers if answer.status == 0]
    return (
        sum(not answer.excused and answer.worker in leaving for answer in cut),
        sum(not answer.excused and answer.worker not in leaving for answer in cut),
        sum(answer.excused for answer in cut),
    )


def contradictions(answers: Iterable[Answer]) -> list[str]:
    """Datasets of one company that were found once, and said not to exist another time."""
    words: dict[tuple[str, str], set[str]] = defaultdict(set)
    for answer in answers:
        for dataset, subject, word in answer.told:
            words[dataset, subject].add(word)
    return [
        f"{dataset} {subject}" for (dataset, subject), found in words.items() if {"REPONDU", "INTROUVABLE"} <= found
    ]


UNFORESEEN = frozenset({"INTERNAL_SERVER_ERROR", "INTERNAL", "?"})


def unforeseen(answers: Iterable[Answer]) -> list[str]:
    return [
        f"{answer.worker} {answer.request} {answer.status} {code}"
        for answer in answers
        for code, _ in (answer.failed or (("", ""),))
        if code in UNFORESEEN or (answer.status >= 500 and answer.status != 503)
    ]


def recovered(events: Iterable[Event]) -> list[str]:
    return [event.name for event in events if event.recovered is None]
