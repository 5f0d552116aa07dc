"""Which establishments came before or after one: transfers, takeovers. Key: a SIRET.

Source: INSEE, API Sirene 3.11, `/siret/liensSuccession`.
"""

from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

import httpx

from auth.scopes import ETABLISSEMENTS, OPEN_DATA, UNITES_LEGALES_ETABLISSEMENTS_INSEE
from providers import reading
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Follow,
    For,
    Http,
    NotKept,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    as_is,
)
from providers.errors import NotFound, Unreadable
from providers.identifiers import Siret
from providers.insee import wire
from providers.insee.sirene import SuccessionSirene, SuccessionsSirene
from providers.insee.wire import Json

_BEFORE = "siretEtablissementPredecesseur"
_AFTER = "siretEtablissementSuccesseur"
_PAGES = 20
"""Pages read at most: twenty thousand links, far beyond what the busiest establishment has."""


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return _call_page(key, wire.FIRST_PAGE, access)


def _call_page(key: Siret, cursor: str, access: Access) -> Call:
    q = f"{_AFTER}:{key} OR {_BEFORE}:{key}"
    size = str(wire.PAGE_MAX)
    return wire.get(access, "/siret/liensSuccession", ("q", q), ("nombre", size), ("curseur", cursor))


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: Siret) -> SuccessionsSirene | Follow[SuccessionsSirene]:
    return _read(response, key, wire.FIRST_PAGE, ())


def _read(
    response: httpx.Response, key: Siret, cursor: str, before: tuple[Json, ...]
) -> SuccessionsSirene | Follow[SuccessionsSirene]:
    """One page; `before` holds the links of the pages that came first."""
    envelope = wire.search_answer(response, "liensSuccession")
    links = (*before, *envelope.items)
    if not links:
        raise NotFound
    if len(links) < envelope.total and envelope.items:
        following = envelope.next_cursor
        if following is None or following == cursor:
            raise Unreadable  # links are missing, and nothing says where they are
        return Follow(partial(_call_page, key, following), lambda answer: _read(answer, key, following, links))
    before_it = [link for link in links if link.get(_AFTER) == key]
    after_it = [link for link in links if link.get(_AFTER) != key and link.get(_BEFORE) == key]
    if len(before_it) + len(after_it) < len(links):
        raise Unreadable  # a link between two others
    return SuccessionsSirene(
        predecesseurs=[_link(link, _BEFORE) for link in before_it],
        successeurs=[_link(link, _AFTER) for link in after_it],
    )


def _link(link: Json, other: str) -> SuccessionSirene:
    return SuccessionSirene(
        siret=wire.siret(link.get(other)),
        date_succession=wire.day(link, "dateLienSuccession"),
        transfert_siege=reading.flag(link, "transfertSiege"),
        continuite_economique=reading.flag(link, "continuiteEconomique"),
    )


# --- The declaration -----------------------------------------------------------------------------

SUCCESSIONS_SOURCE: Final[Source[Siret, SuccessionsSirene]] = Source(
    id="insee.successions",
    how=Http(call=call, parse=parse, bulk=None, steps=_PAGES),
    timeouts=wire.SEARCH_TIMEOUTS,
    life=For(wire.FRESH_FOR),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=8_000_000,
    # A diffusion status is never relied on for longer than a day.
    stale_for=timedelta(days=1),
)

SUCCESSIONS: Final[Dataset[Siret, SuccessionsSirene, SuccessionsSirene]] = Dataset(
    id="insee.successions",
    seed="etablissements",
    title="Successions d'un établissement",
    description="Prédécesseurs et successeurs d'un établissement, avec la date d'effet, le transfert du siège et la "
    "continuité économique.",
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, ETABLISSEMENTS, UNITES_LEGALES_ETABLISSEMENTS_INSEE}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SUCCESSIONS_SOURCE,
    record=SuccessionsSirene,
    read=as_is,
    source_date=None,
    perimeter="Établissements inscrits au répertoire Sirene, quel que soit leur statut de diffusion, hors secteur public "
    "et unités purgées.",
    key="SIRET",
    freshness="Mise à jour chaque nuit ; réponse gardée une heure.",
    not_found_means="L'INSEE ne connaît aucun lien de succession à cet établissement.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/insee/sirene/etablissements/{siret}/successions",
    example=Siret("91020304100025"),
    left_out=MappingProxyType({"dateDernierTraitementLienSuccession": "Absente de la ressource d'API Entreprise."}),
    open_questions=(),
)
