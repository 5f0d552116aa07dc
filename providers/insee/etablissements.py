"""All the establishments of a legal unit, page by page. Key: a SIREN, a filter, a size and a cursor.

Source: INSEE, API Sirene 3.11, `POST /siret` with a cursor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import (
    Access,
    Call,
    Completion,
    Dataset,
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
from providers.identifiers import Siren, siren_of
from providers.insee import wire
from providers.insee.etablissement import (
    LEFT_OUT,
    OPENING,
    labels_of,
    read_establishment,
    units_once,
)
from providers.insee.libelle import LIBELLE, CodeNomenclature
from providers.insee.masque import page_publique
from providers.insee.sirene import PageDEtablissements, UniteLegaleCouranteSirene
from providers.insee.unite import Labels, labelled_activity, labelled_unit


@dataclass(frozen=True, kw_only=True, slots=True)
class PageEtablissements:
    """One page. `actifs` keeps the active ones, or the closed ones, or both when null; `curseur` is `*` at first."""

    sujet: Siren
    actifs: bool | None
    taille: int
    curseur: str


_STATES: Final[Mapping[bool | None, str]] = {True: "A", False: "F"}


# --- How to ask ----------------------------------------------------------------------------------


def page_size(asked: int) -> int:
    """`nombre` as INSEE accepts it; none at all would give twenty, zero a count without items."""
    return min(max(asked, 1), wire.PAGE_MAX)


def call(key: PageEtablissements, access: Access) -> Call:
    q = f'siren:"{key.sujet}"'
    if key.actifs is not None:
        # The state is historised: without the bound on `dateFin` any past period would do.
        q += f" AND periode(etatAdministratifEtablissement:{_STATES[key.actifs]} AND -dateFin:*)"
    size = str(page_size(key.taille))
    return wire.search(access, "/siret", ("q", q), ("nombre", size), ("curseur", key.curseur))


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: PageEtablissements) -> PageDEtablissements:
    envelope = wire.search_answer(response, "etablissements")
    if not envelope.items and key.curseur == wire.FIRST_PAGE:
        raise NotFound
    read_unit = units_once()
    items = [read_establishment(item, read_unit=read_unit) for item in envelope.items]
    if any(siren_of(item.siret) != key.sujet for item in items):
        raise Unreadable
    return PageDEtablissements(
        total=envelope.total,
        curseur_suivant=envelope.cursor_after(page_size(key.taille), key.curseur),
        items=items,
    )


# --- Labels --------------------------------------------------------------------------------------


def _labels_of_page(page: PageDEtablissements) -> frozenset[CodeNomenclature]:
    return frozenset(code for item in page.items for code in labels_of(item))


def _labelled_page(page: PageDEtablissements, labels: Labels) -> PageDEtablissements:
    """The page with its labels; the unit, which all items share, is labelled once."""
    units: dict[int, UniteLegaleCouranteSirene] = {}
    items = []
    for item in page.items:
        unit = units.get(id(item.unite_legale))
        if unit is None:
            unit = units[id(item.unite_legale)] = labelled_unit(item.unite_legale, labels)
        items.append(
            replace(
                item,
                activite_principale=labelled_activity(item.activite_principale, labels),
                activite_principale_naf_rev2=labelled_activity(item.activite_principale_naf_rev2, labels),
                unite_legale=unit,
            )
        )
    return replace(page, items=items)


# --- The declaration -----------------------------------------------------------------------------

ETABLISSEMENTS_SOURCE: Final[Source[PageEtablissements, PageDEtablissements]] = Source(
    id="insee.etablissements",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=wire.SEARCH_TIMEOUTS,
    life=For(wire.FRESH_FOR),
    not_found_life=NotKept(),
    completion=Completion(source=LIBELLE, wanted=_labels_of_page, apply=_labelled_page),
    max_bytes=32_000_000,
    # A diffusion status is never relied on for longer than a day.
    stale_for=timedelta(days=1),
)

ETABLISSEMENTS: Final[Dataset[PageEtablissements, PageDEtablissements, PageDEtablissements]] = Dataset(
    id="insee.etablissements",
    seed=None,
    title="Établissements d'une unité légale",
    description="Liste des établissements d'une unité légale, actifs ou fermés, par pages.",
    ouverture=Ouverture.MIXTE,
    opening=Opening(scopes=OPENING.scopes, unmasked_for=OPENING.unmasked_for, mask=page_publique, by_diffusion=False),
    source=ETABLISSEMENTS_SOURCE,
    record=PageDEtablissements,
    read=as_is,
    source_date=None,
    perimeter="Tous les établissements des unités inscrites au répertoire Sirene, actifs ou fermés, hors unités que la "
    "loi cache.",
    key="SIREN, avec un filtre d'état, une taille de page (mille au plus) et un curseur",
    freshness="Mise à jour chaque nuit ; réponse gardée une heure.",
    not_found_means="Aucun établissement ne répond à la demande : SIREN inconnu, caché par la loi, doublon d'un autre, "
    "ou aucun établissement dans l'état demandé.",
    quota=QuotaGroup.JSON,
    rest_path="",
    example=PageEtablissements(sujet=Siren("910203041"), actifs=None, taille=20, curseur=wire.FIRST_PAGE),
    left_out=LEFT_OUT,
    open_questions=("Durée de validité d'un curseur : l'INSEE ne l'écrit pas.",),
)
