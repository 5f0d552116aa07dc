"""The tax return of one fiscal year as Adélie gives it: one call, from which two datasets are read.

Source: DGFIP, Adélie, operation `getLiasseFiscale`. Everything that comes as an array may come as a lone object. A form
is a bag of cells; a repeatable cell comes once for each repetition, with its rank. The labels of the cells come
from the dictionaries, of the year of each form's version first, then of the year asked, then from our own copy.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

import httpx

from providers import reading
from providers.declaration import Access, Call, Completion, For, Http, NotKept, Source
from providers.dgfip import wire
from providers.dgfip.dictionnaire import (
    DICTIONNAIRE,
    AnneeDictionnaire,
    Dictionnaire,
    Rubrique,
    rubrique_locale,
)
from providers.errors import NotFound, Unreadable
from providers.identifiers import Siren

FIRST_YEAR: Final = 2006


def annees_ouvertes(today: date) -> range:
    """The fiscal years that may be asked: from 2006 to last year. `today` is the day in Paris."""
    return range(FIRST_YEAR, today.year)


# --- What an answer holds ------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class ExerciceDeclare:
    """The fiscal year of a company, named by the year in which it is closed."""

    sujet: Siren
    annee: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """All that a form holds of one `code_nref`: the values by rank, and how many times the cell came."""

    code_nref: str
    valeurs: tuple[tuple[int, str | None], ...]
    """Rank, from 1, and value. A rank that came twice keeps its first value."""
    occurrences: int
    rubrique: Rubrique | None

    def liste(self) -> list[str | None]:
        """The values in order, `None` in the place of a rank that is missing. A cell that came once has no rank."""
        if self.occurrences == 1:
            return [self.valeurs[0][1]]
        by_rank = dict(self.valeurs)
        return [by_rank.get(rank) for rank in range(1, self.dernier_rang + 1)]

    @property
    def dernier_rang(self) -> int:
        return max(rank for rank, _ in self.valeurs)


@dataclass(frozen=True, kw_only=True, slots=True)
class FormulaireDepose:
    """One form as filed. The same number may come several times: corrections, most recent first, or tax groups."""

    numero_imprime: str
    code_regime: str | None
    date_declaration: date | None
    fin_exercice: date | None
    duree_exercice: int | None
    millesime: str | None
    cases: tuple[Case, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Obligation:
    """One tax obligation of the company."""

    numero: str | None
    code: str | None
    libelle: str | None
    reference: str | None
    regime: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Liasse:
    annee: int
    itip: str | None
    obligations: tuple[Obligation, ...]
    formulaires: tuple[FormulaireDepose, ...]


# --- How to ask ----------------------------------------------------------------------------------


def call(key: ExerciceDeclare, access: Access) -> Call:
    return wire.get(access, "getLiasseFiscale", ("annee", str(key.annee)), ("siren", key.sujet))


# --- How to read ---------------------------------------------------------------------------------

_HIGHEST_RANK: Final = 10_000
_MOST_VALUES: Final = 500_000
"""Far above any return: a wild rank must not make a short answer unfold into a huge one."""


def parse(response: httpx.Response, key: ExerciceDeclare) -> Liasse:
    """The status speaks before the body: an error object has no declarations either, and isn't "not found"."""
    wire.refuse_failure(response)
    if response.status_code == 404:
        raise NotFound
    if response.status_code != 200:
        raise Unreadable
    answer = reading.json_value(response.content)
    if not isinstance(answer, dict) or not ("entreprise" in answer or "declarations" in answer):
        raise Unreadable
    company = reading.node(answer, "entreprise")
    if wire.text(company, "siren") not in (None, key.sujet):
        raise Unreadable
    forms = wire.nodes(answer.get("declarations"))
    if not forms:
        raise NotFound("Aucune déclaration de résultats n'est connue pour ce SIREN et cet exercice.")
    found = Liasse(
        annee=key.annee,
        itip=wire.text(company, "itip"),
        obligations=tuple(_obligation(item) for item in wire.nodes(company.get("setOcfis"))),
        formulaires=tuple(_formulaire(form, key.annee) for form in forms),
    )
    if sum(case.dernier_rang for form in found.formulaires for case in form.cases) > _MOST_VALUES:
        raise Unreadable
    return found


def _obligation(item: wire.Json) -> Obligation:
    reference = wire.text(item, "ROF")
    return Obligation(
        numero=wire.text(item, "numOcfi"),
        code=wire.text(item, "codeObf"),
        libelle=wire.text(item, "libelleObf"),
        reference=reference if reference is not None else wire.text(item, "rof"),
        regime=wire.text(item, "regime"),
    )


def _formulaire(form: wire.Json, year: int) -> FormulaireDepose:
    number, version = wire.needed_text(form, "numero_imprime"), wire.text(form, "millesime")
    return FormulaireDepose(
        numero_imprime=number,
        code_regime=wire.text(form, "code_regime"),
        date_declaration=wire.day(form, "date_declaration"),
        fin_exercice=wire.day(form, "fin_exercice"),
        duree_exercice=_leading_number(wire.text(form, "duree_exercice")),
        millesime=version,
        cases=_cases(number, dictionary_year(version, year), wire.nodes(reading.node(form, "imprime").get("donnees"))),
    )


def _leading_number(text: str | None) -> int | None:
    """`365 jours` gives 365; a text that begins otherwise gives 0, as today's REST API does."""
    if text is None:
        return None
    digits = text[: len(text) - len(text.lstrip("0123456789"))]
    if len(digits) > 6:
        raise Unreadable
    return int(digits or "0")


def _cases(form: str, year: int, cells: list[wire.Json]) -> tuple[Case, ...]:
    """Cells grouped by `code_nref`, in the order in which each appears first."""
    groups: dict[str, list[tuple[int, str | None]]] = {}
    for cell in cells:
        groups.setdefault(wire.needed_text(cell, "code_nref"), []).extend(_occurrences(cell))
    return tuple(
        Case(
            code_nref=nref,
            # Read backwards, so that the first occurrence of a rank is the one that stays.
            valeurs=tuple(sorted(dict(reversed(values)).items())),
            occurrences=len(values),
            rubrique=rubrique_locale(form, nref, year),
        )
        for nref, values in groups.items()
    )


def _occurrences(cell: wire.Json) -> list[tuple[int, str | None]]:
    repeated = wire.nodes(cell.get("valeurs"))
    if repeated:
        return [(_rank(wire.text(item, "indiceRepetition")), wire.text(item, "valeur")) for item in repeated]
    return [(1, wire.text(cell, "valeur"))]


def _rank(text: str | None) -> int:
    """A value without a rank is the first."""
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _HIGHEST_RANK):
        raise Unreadable
    return int(text)


# --- The labels ----------------------------------------------------------------------------------


def dictionary_year(version: str | None, asked: int) -> int:
    """The year whose dictionary knows this version of a form (`202301`); the year asked when that makes no sense."""
    head = (version or "")[:4]
    year = int(head) if len(head) == 4 and head.isascii() and head.isdigit() else asked
    return year if FIRST_YEAR <= year <= asked else asked


def dictionaries_wanted(liasse: Liasse) -> frozenset[AnneeDictionnaire]:
    years = {dictionary_year(form.millesime, liasse.annee) for form in liasse.formulaires} | {liasse.annee}
    return frozenset(AnneeDictionnaire(annee=year) for year in years)


def labelled(liasse: Liasse, dictionaries: Mapping[Any, Dictionnaire]) -> Liasse:
    """The same return with the provider's own labels wherever a dictionary has one."""
    by_year = {key.annee: dictionary for key, dictionary in dictionaries.items()}
    return replace(liasse, formulaires=tuple(_labelled(form, liasse.annee, by_year) for form in liasse.formulaires))


def _labelled(form: FormulaireDepose, asked: int, by_year: Mapping[int, Dictionnaire]) -> FormulaireDepose:
    years = (dictionary_year(form.millesime, asked), asked)
    known = [by_year[year] for year in years if year in by_year]
    return replace(form, cases=tuple(_with_label(form.numero_imprime, case, known) for case in form.cases))


def _with_label(form: str, case: Case, dictionaries: list[Dictionnaire]) -> Case:
    reference = (form, case.code_nref)
    found = next((dictionary[reference] for dictionary in dictionaries if reference in dictionary), None)
    return replace(case, rubrique=found) if found is not None else case


LIASSE: Final[Source[ExerciceDeclare, Liasse]] = Source(
    id="dgfip.liasse",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=wire.TIMEOUTS,
    life=For(wire.FRESH_FOR),
    # Capital links that a return doesn't hold are "not found" for as long as the return itself is kept.
    not_found_life=NotKept(),
    completion=Completion(source=DICTIONNAIRE, wanted=dictionaries_wanted, apply=labelled),
    max_bytes=wire.MAX_BYTES,
)
