"""What in the use of a habilitation deserves a question to its owner: a report, never a decision.

Counts and thresholds only: no SIREN, no token but the id that the owner asked about.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from statistics import median
from typing import Final
from zoneinfo import ZoneInfo

from tracing.entry import Issue
from tracing.rows import ISSUE_NUMBERS, instant_of
from tracing.search import Filter, months_of, question
from tracing.store import Store

MINUTE: Final = 60_000_000
PARIS: Final = ZoneInfo("Europe/Paris")


class Signe(StrEnum):
    """What was noticed."""

    HORAIRES_INHABITUELS = "HORAIRES_INHABITUELS"
    RAFALE = "RAFALE"
    PERSONNES_PHYSIQUES = "PERSONNES_PHYSIQUES"
    REFUS_NOMBREUX = "REFUS_NOMBREUX"
    PLUSIEURS_CONTEXTES = "PLUSIEURS_CONTEXTES"
    """One token is for one procedure."""
    PLUSIEURS_OBJETS = "PLUSIEURS_OBJETS"


@dataclass(frozen=True, kw_only=True, slots=True)
class Seuils:
    """From where on a number is told. Hours are those of Paris."""

    premiere_heure: int = 7
    derniere_heure: int = 20
    part_hors_horaires: float = 0.2
    rafale_par_minute: int = 120
    rafale_contre_mediane: float = 10.0
    personnes_physiques: int = 100
    part_de_refus: float = 0.2
    acces_au_moins: int = 50
    """Below so many, a share says nothing."""
    contextes: int = 1
    objets: int = 20


@dataclass(frozen=True, slots=True)
class Anomalie:
    """A measure above its threshold, for one token."""

    signe: Signe
    jeton: str
    mesure: float
    seuil: float


async def anomalies(
    store: Store,
    *,
    habilitation: str,
    jeton: str | None = None,
    depuis: datetime,
    jusqua: datetime,
    jeux_personnels: Collection[str],
    seuils: Seuils | None = None,
) -> list[Anomalie]:
    """The report of a habilitation, token by token; `jeux_personnels` are the datasets of natural persons."""
    limits = seuils or Seuils()
    filter = Filter(habilitation=habilitation, jeton=jeton, depuis=depuis, jusqua=jusqua)
    months = months_of(filter, await store.months())
    asked = question(store, filter)
    entry_asked = asked.narrowed(
        f"e.jeu_de_donnees IN ({', '.join(['{}'] * len(jeux_personnels))})", *sorted(jeux_personnels)
    )
    own = " AND ".join(asked.conditions[2:])
    minutes: dict[str, Counter[int]] = {}
    words: dict[tuple[str, str], set[str]] = {}
    accesses: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    subjects: dict[str, set[str]] = {}
    for month in months:
        origines = f"FROM origines_{month.suffix} o WHERE {own}"
        for token, minute, number in await store.fetch(
            f"SELECT o.jeton, o.instant / {MINUTE}, count(DISTINCT o.requete) {origines} GROUP BY 1, 2", *asked.values
        ):
            minutes.setdefault(token, Counter())[minute] += number
        for column in ("contexte", "objet"):
            for token, word in await store.fetch(
                f"SELECT DISTINCT o.jeton, o.{column} {origines} AND o.{column} IS NOT NULL", *asked.values
            ):
                words.setdefault((column, token), set()).add(word)
        for token, issue, number in await store.fetch(
            f"SELECT o.jeton, e.issue, count(*) {asked.tables(month)} GROUP BY o.jeton, e.issue", *asked.values
        ):
            accesses[token] += number
            refusals[token] += number if issue == ISSUE_NUMBERS[Issue.REFUSE] else 0
        if jeux_personnels:
            for token, subject in await store.fetch(
                f"SELECT DISTINCT o.jeton, e.sujet {entry_asked.tables(month)} AND e.issue = 1", *entry_asked.values
            ):
                subjects.setdefault(token, set()).add(subject)
    found = []
    for token in sorted(minutes):
        measures: list[tuple[Signe, float, float]] = [
            *rhythm(minutes[token], limits),
            (Signe.PERSONNES_PHYSIQUES, len(subjects.get(token, ())), limits.personnes_physiques),
            (Signe.REFUS_NOMBREUX, share(refusals[token], accesses[token], limits), limits.part_de_refus),
            (Signe.PLUSIEURS_CONTEXTES, len(words.get(("contexte", token), ())), limits.contextes),
            (Signe.PLUSIEURS_OBJETS, len(words.get(("objet", token), ())), limits.objets),
        ]
        found += [Anomalie(sign, token, measure, limit) for sign, measure, limit in measures if measure > limit]
    return found


def rhythm(minutes: Counter[int], limits: Seuils) -> list[tuple[Signe, float, float]]:
    """Unusual hours, and the busiest minute against the usual one."""
    unusual = sum(number for minute, number in minutes.items() if not usual(minute, limits))
    burst = max(limits.rafale_par_minute, limits.rafale_contre_mediane * median(minutes.values()))
    return [
        (Signe.HORAIRES_INHABITUELS, share(unusual, minutes.total(), limits), limits.part_hors_horaires),
        (Signe.RAFALE, max(minutes.values()), burst),
    ]


def usual(minute: int, limits: Seuils) -> bool:
    instant = instant_of(minute * MINUTE).astimezone(PARIS)
    return instant.weekday() < 5 and limits.premiere_heure <= instant.hour < limits.derniere_heure


def share(part: int, whole: int, limits: Seuils) -> float:
    return part / whole if whole >= limits.acces_au_moins else 0.0
