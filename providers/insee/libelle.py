"""Labels of the codes that Sirene sends: activities (NAF rév. 2 and NAF 2025) and legal forms.

Asked of INSEE's metadata service, one code at a time, without credentials. The provider's dossier describes
this service for communes only: the routes of codes and the form of their answer (`code`, `uri`, `intitule`) are
taken from its public documentation and read with tolerance. A label that can't be had is never a failure.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import httpx

from providers import reading
from providers.declaration import Access, Call, For, Http, Source, Timeouts
from providers.errors import NotFound, Unreadable
from providers.http_status import refuse_other_than_ok
from providers.insee import wire
from providers.insee.sirene import ActivitePrincipaleSirene, FormeJuridiqueSirene


class Nomenclature(StrEnum):
    """A table of labels, by its path in the metadata service."""

    NAF_REV2 = "nafr2/sousClasse"
    NAF_2025 = "naf2025/sousClasse"
    CATEGORIES_JURIDIQUES = "cj/n3"


@dataclass(frozen=True, kw_only=True, slots=True)
class CodeNomenclature:
    """One code of one nomenclature; it speaks of nobody."""

    sujet: str = ""
    nomenclature: Nomenclature
    code: str


def call(key: CodeNomenclature, access: Access) -> Call:
    # The nomenclature's own slash is part of the path, a code's would not be.
    url = f"{access.settings['metadata_url']}/codes/{key.nomenclature}/{quote(key.code, safe='')}"
    return Call(method="GET", url=url, headers=(("Accept", "application/json"),))


def parse(response: httpx.Response, _key: CodeNomenclature) -> str:
    if response.status_code == 404:  # its body may be empty
        raise NotFound
    refuse_other_than_ok(response)
    label = reading.text(wire.json_object(response), "intitule")
    if not label:
        raise Unreadable
    return label


LIBELLE: Final[Source[CodeNomenclature, str]] = Source(
    id="insee.libelle",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=5), read=timedelta(seconds=5), total=timedelta(seconds=5)),
    life=For(timedelta(days=30)),
    # The tables of codes change less than once a year: a missing label may be a day late, never wrong.
    not_found_life=For(timedelta(days=1)),
    completion=None,
    max_bytes=1_000_000,
    stale_for=timedelta(days=180),
)


# --- Which codes have a label --------------------------------------------------------------------

_ACTIVITY = re.compile(r"[0-9]{2}\.[0-9]{2}[A-Z]\Z")
_LEGAL_FORM = re.compile(r"[0-9]{4}\Z")
_NO_ACTIVITY = "00.00Z"

# The name that INSEE will give to NAF 2025 in this place from 2027 is not settled: both spellings are taken.
_TABLES = MappingProxyType({
    "NAFRev2": Nomenclature.NAF_REV2,
    "NAF25": Nomenclature.NAF_2025,
    "NAF2025": Nomenclature.NAF_2025,
})  # fmt: skip


def code_of_activity(activity: ActivitePrincipaleSirene) -> CodeNomenclature | None:
    """Where the label of an activity is; `None` for old nomenclatures, whose codes would get a wrong label."""
    table = _TABLES.get(activity.nomenclature or "")
    if table is None or activity.code is None or activity.code == _NO_ACTIVITY or not _ACTIVITY.match(activity.code):
        return None
    return CodeNomenclature(nomenclature=table, code=activity.code)


def code_of_legal_form(form: FormeJuridiqueSirene) -> CodeNomenclature | None:
    if form.code is None or not _LEGAL_FORM.match(form.code):
        return None
    return CodeNomenclature(nomenclature=Nomenclature.CATEGORIES_JURIDIQUES, code=form.code)
