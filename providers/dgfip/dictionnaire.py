"""The dictionary of the tax return: what each cell of each form is called, year by year.

Asked of Adélie, operation `dictionnaire`, once for a year. A copy shipped with this room (`dictionnaire.json`) answers
for the main forms when the operation can't, and fills what it leaves out. Source: DGFIP, Adélie v1, and the forms' 2024
versions; pairs of a form and a cell have not changed their meaning from 2006 to 2025.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import httpx
import orjson

from providers import reading
from providers.declaration import Access, Call, For, Http, NotKept, Source
from providers.dgfip import wire
from providers.errors import ProviderError, Unreadable


@dataclass(frozen=True, kw_only=True, slots=True)
class AnneeDictionnaire:
    """The dictionary of one year; it speaks of nobody."""

    sujet: str = ""
    annee: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rubrique:
    """What the dictionary says of one cell. The copy knows neither `code_absolu` nor every other value."""

    code: str | None
    code_edi: str | None
    code_absolu: str | None
    code_type_donnee: str | None
    intitule: str | None


Dictionnaire = Mapping[tuple[str, str], Rubrique]
"""By form and `code_nref`: a letter code isn't unique in a form."""


# --- The copy ------------------------------------------------------------------------------------

LAST_COPIED_YEAR: Final = 2025
"""Forms are renumbered from 2026 on: the copy says nothing of these."""

_COPY: Final = Path(__file__).with_name("dictionnaire.json")
_EDI: Final = MappingProxyType({
    "MOA": "C516:5004:1", "QTY": "C186:6060:1", "PCD": "C501:5482:1", "FTX": "C108:4440:1", "RFF": "C506:1154:1",
})  # fmt: skip
"""Suffix of an EDI code by type, for the types that have just one."""


@lru_cache(maxsize=1)
def copie_locale() -> Dictionnaire:
    forms: dict[str, dict[str, tuple[str | None, str, str | None]]] = orjson.loads(_COPY.read_bytes())["imprimes"]
    return MappingProxyType({
        (form, nref): _copied(*cell) for form, cells in forms.items() for nref, cell in cells.items()
    })  # fmt: skip


def _copied(code: str | None, kind: str, label: str | None) -> Rubrique:
    suffix = _EDI.get(kind)
    return Rubrique(
        code=code,
        code_edi=f"{code}:{suffix}" if code and suffix else None,
        code_absolu=None,
        code_type_donnee=kind,
        intitule=label,
    )


def rubrique_locale(form: str, nref: str, year: int) -> Rubrique | None:
    return copie_locale().get((form, nref)) if year <= LAST_COPIED_YEAR else None


# --- How to ask ----------------------------------------------------------------------------------


def call(key: AnneeDictionnaire, access: Access) -> Call:
    return wire.get(access, "dictionnaire", ("annee", str(key.annee)))


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, _key: AnneeDictionnaire) -> Dictionnaire:
    """Every cell that can be read; one that can't is left to the copy."""
    wire.refuse_failure(response)
    if response.status_code != 200:
        raise Unreadable
    answer = reading.json_value(response.content)
    if not isinstance(answer, dict):
        raise Unreadable
    entries: dict[tuple[str, str], Rubrique] = {}
    for form in wire.nodes(answer.get("dictionnaire")):
        for reference, entry in _cells(form):
            entries.setdefault(reference, entry)
    if not entries:
        raise Unreadable
    return MappingProxyType(entries)


def _cells(form: dict[str, Any]) -> list[tuple[tuple[str, str], Rubrique]]:
    """The cells of a form; none when the form doesn't exist in that year (`millesimes` is null)."""
    try:
        number = wire.needed_text(form, "numero_imprime")
        cells = wire.nodes(reading.node(form, "millesimes").get("declaration"))
    except ProviderError:
        return []
    readable = []
    for cell in cells:
        try:
            readable.append(((number, wire.needed_text(cell, "code_nref")), _rubrique(cell)))
        except ProviderError:
            continue
    return readable


def _rubrique(cell: dict[str, Any]) -> Rubrique:
    label = wire.text(cell, "intitule")
    return Rubrique(
        code=wire.text(cell, "code"),
        code_edi=wire.text(cell, "code_EDI"),
        code_absolu=wire.text(cell, "code_absolu"),
        code_type_donnee=wire.text(cell, "code_type_donnee"),
        # Labels end with blanks and line ends at random.
        intitule=label.strip() if label is not None else None,
    )


DICTIONNAIRE: Final[Source[AnneeDictionnaire, Dictionnaire]] = Source(
    id="dgfip.dictionnaire",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=wire.TIMEOUTS,
    life=For(timedelta(days=182)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=wire.MAX_BYTES,
)
