"""The siège of a legal unit: the same record as an establishment. Key: a SIREN.

Found by a search, which can't tell an unknown unit from a hidden one or from a duplicate.
Source: INSEE, API Sirene 3.11, search on `/siret`.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Final

import httpx

from providers.declaration import Access, Bulk, Call, Dataset, For, Http, NotKept, Ouverture, QuotaGroup, Source, as_is
from providers.errors import NotFound, ProviderError, Unreadable
from providers.identifiers import Siren, siren_of
from providers.insee import wire
from providers.insee.doublon import or_error
from providers.insee.etablissement import (
    COMPLETION,
    ETABLISSEMENT_SOURCE,
    LEFT_OUT,
    OPENING,
    read_establishment,
    units_once,
)
from providers.insee.sirene import EtablissementSirene

# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    return wire.get(access, "/siret", ("q", f"etablissementSiege:true AND siren:{key}"))


def call_bulk(keys: Sequence[Siren], access: Access) -> Call:
    q = f"etablissementSiege:true AND ({wire.any_of('siren', keys)})"
    return wire.search(access, "/siret", ("q", q), ("nombre", str(len(keys))))


# --- How to read ---------------------------------------------------------------------------------


def _several() -> Unreadable:
    return Unreadable("Le répertoire Sirene donne plusieurs sièges à cette unité légale.", "501")


def parse(response: httpx.Response, key: Siren) -> EtablissementSirene:
    found = wire.search_answer(response, "etablissements")
    if found.total > 1:
        raise _several()
    if not found.items:
        raise NotFound
    head_office = read_establishment(found.items[0])
    if siren_of(head_office.siret) != key:
        raise Unreadable
    return head_office


def parse_bulk(response: httpx.Response, keys: Sequence[Siren]) -> Mapping[Siren, EtablissementSirene | ProviderError]:
    """The sièges that the answer holds. A unit that it leaves out has none, unless the answer was cut short."""
    try:
        envelope = wire.search_answer(response, "etablissements")
    except NotFound:
        return {}
    asked = {str(key): key for key in keys}
    read = partial(read_establishment, read_unit=units_once())
    found: dict[Siren, EtablissementSirene | ProviderError] = {}
    for item in envelope.items:
        name = item.get("siret")
        key = asked.get(name[:9]) if isinstance(name, str) else None
        if key is not None:
            found[key] = _several() if key in found else or_error(read, item)
    if envelope.total > len(envelope.items):
        # One unit with several sièges took the place of others: nothing can be said of those.
        return {key: found.get(key) or Unreadable() for key in keys}
    return found


# --- The declaration -----------------------------------------------------------------------------

SIEGE_SOURCE: Final[Source[Siren, EtablissementSirene]] = Source(
    id="insee.siege",
    how=Http(
        call=call,
        parse=parse,
        bulk=Bulk(size=wire.PAGE_MAX, call=call_bulk, parse=parse_bulk, missing_alone=False),
        steps=1,
    ),
    timeouts=wire.SEARCH_TIMEOUTS,
    life=For(wire.FRESH_FOR),
    not_found_life=NotKept(),
    completion=COMPLETION,
    max_bytes=32_000_000,
    # A diffusion status is never relied on for longer than a day.
    stale_for=timedelta(days=1),
    also=lambda head_office: {(ETABLISSEMENT_SOURCE.id, head_office.siret): head_office},
)

SIEGE: Final[Dataset[Siren, EtablissementSirene, EtablissementSirene]] = Dataset(
    id="insee.siege",
    seed="etablissements",
    title="Siège social",
    description="L'établissement siège d'une unité légale : état, enseigne, activité, tranche d'effectif et adresse.",
    ouverture=Ouverture.MIXTE,
    opening=OPENING,
    source=SIEGE_SOURCE,
    record=EtablissementSirene,
    read=as_is,
    source_date=lambda establishment: establishment.date_derniere_mise_a_jour,
    perimeter="Les sièges de toutes les unités inscrites au répertoire Sirene, hors unités que la loi cache.",
    key="SIREN",
    freshness="Mise à jour chaque nuit ; réponse gardée une heure.",
    not_found_means="L'INSEE ne donne pas de siège à ce SIREN : inconnu, caché par la loi, doublon d'un autre, ou non "
    "diffusible au public.",
    quota=QuotaGroup.JSON,
    rest_path="/v4/insee/sirene/unites_legales/{siren}/siege_social",
    example=Siren("910203041"),
    left_out=LEFT_OUT,
    open_questions=(),
)
