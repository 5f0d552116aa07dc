"""The legal unit: identity, legal form, activity, headcount bracket, state. Key: a SIREN.

Source: INSEE, API Sirene 3.11, `/siren/{siren}` and `POST /siren`.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

import httpx

from auth.scopes import ENTREPRISES, OPEN_DATA, UNITES_LEGALES_ETABLISSEMENTS_INSEE
from providers import reading
from providers.declaration import (
    Access,
    Bulk,
    Call,
    Completion,
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
from providers.errors import ProviderError, Unreadable
from providers.identifiers import Siren
from providers.identifiers import siren as checked_siren
from providers.insee import doublon, wire
from providers.insee.libelle import LIBELLE
from providers.insee.masque import unite_publique
from providers.insee.sirene import UniteLegaleSirene
from providers.insee.unite import labelled_unit, labels_wanted, whole_unit

# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    return wire.get(access, f"/siren/{key}")


def call_bulk(keys: Sequence[Siren], access: Access) -> Call:
    # Without `nombre` INSEE gives twenty and says nothing of the others.
    return wire.search(access, "/siren", ("q", wire.any_of("siren", keys)), ("nombre", str(len(keys))))


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: Siren) -> UniteLegaleSirene | Follow[UniteLegaleSirene]:
    return _read(response, key, (key,))


def _read(
    response: httpx.Response, asked: Siren, path: tuple[Siren, ...]
) -> UniteLegaleSirene | Follow[UniteLegaleSirene]:
    """`path` holds the SIRENs called so far: the last one is the one that `response` speaks of."""
    survivor = doublon.survivor(response, path, checked_siren)
    if survivor is not None:
        further = (*path, survivor)
        return Follow(partial(call, survivor), lambda answer: _read(answer, asked, further))
    body = wire.unit_answer(response)
    unit = whole_unit(reading.needed_node(body, "uniteLegale"), asked if len(path) > 1 else None)
    if unit.siren != path[-1]:
        raise Unreadable
    return unit


def parse_bulk(response: httpx.Response, keys: Sequence[Siren]) -> Mapping[Siren, UniteLegaleSirene | ProviderError]:
    """The units that the answer holds, in any order. Those it leaves out are asked alone, which tells why."""
    found = doublon.items_of(response, "unitesLegales", "siren", keys)
    return {key: doublon.or_error(partial(whole_unit, asked=None), item) for key, item in found}


# --- The declaration -----------------------------------------------------------------------------

UNITE_LEGALE_SOURCE: Final[Source[Siren, UniteLegaleSirene]] = Source(
    id="insee.unite_legale",
    how=Http(
        call=call,
        parse=parse,
        bulk=Bulk(size=wire.PAGE_MAX, call=call_bulk, parse=parse_bulk, missing_alone=True),
        steps=1 + doublon.HOPS,
    ),
    timeouts=wire.UNIT_TIMEOUTS,
    life=For(wire.FRESH_FOR),
    not_found_life=NotKept(),
    completion=Completion(
        source=LIBELLE,
        wanted=lambda unit: frozenset(labels_wanted(unit)),
        apply=labelled_unit,
    ),
    max_bytes=32_000_000,
    # A diffusion status is never relied on for longer than a day.
    stale_for=timedelta(days=1),
)

UNITE_LEGALE: Final[Dataset[Siren, UniteLegaleSirene, UniteLegaleSirene]] = Dataset(
    id="insee.unite_legale",
    seed="entreprises",
    title="Unité légale",
    description="Identité, forme juridique, activité, tranche d'effectif et état d'une unité légale inscrite au "
    "répertoire Sirene.",
    ouverture=Ouverture.MIXTE,
    opening=Opening(
        scopes=frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE, ENTREPRISES, OPEN_DATA}),
        unmasked_for=frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE, ENTREPRISES}),
        mask=unite_publique,
        by_diffusion=False,
    ),
    source=UNITE_LEGALE_SOURCE,
    record=UniteLegaleSirene,
    read=as_is,
    source_date=lambda unit: unit.date_derniere_mise_a_jour,
    perimeter="Toutes les unités inscrites au répertoire : sociétés, entrepreneurs individuels, professions libérales, "
    "associations qui ont un SIREN, organismes publics, entités étrangères actives en France, loueurs en meublé et, "
    "depuis 2022, une partie des particuliers employeurs. Métropole, départements d'outre-mer, Saint-Pierre-et-Miquelon, "
    "Saint-Barthélemy et Saint-Martin ; ailleurs outre-mer, les seules administrations. Hors périmètre : les unités "
    "que la loi cache.",
    key="SIREN",
    freshness="Mise à jour chaque nuit ; réponse gardée une heure.",
    not_found_means="Ce SIREN n'est pas inscrit au répertoire Sirene, ou l'unité n'est pas diffusible au public.",
    quota=QuotaGroup.JSON,
    rest_path="/v4/insee/sirene/unites_legales/{siren}",
    example=Siren("910203041"),
    left_out=MappingProxyType({
        "periodesUniteLegale": "Seules la période courante et la date de cessation sont montrées.",
        "denominationUsuelle1UniteLegale": "Ne sert qu'à l'adresse postale des établissements.",
        "unitePurgeeUniteLegale": "Se voit à l'absence des autres valeurs.",
        "anneeCategorieEntreprise": "Absente de la ressource d'API Entreprise.",
        "societeMissionUniteLegale": "Absente de la ressource d'API Entreprise.",
        "caractereEmployeurUniteLegale": "N'est plus renseigné par l'INSEE.",
        "dateNaissanceUniteLegale": "Réservé à des utilisateurs habilités par l'INSEE, comme le lieu de naissance et "
        "la nationalité.",
    }),
    open_questions=(
        "Effet du statut de diffusion « M » annoncé par l'INSEE : traité comme une diffusion partielle.",
        "Nom que prendra la NAF 2025 dans `nomenclatureActivitePrincipale…` en 2027 : les deux écritures sont reconnues.",
        "Un refus (401) de la clé d'accès du plan public est rendu comme celui d'un jeton, avec le sous-code 011.",
    ),
)  # fmt: skip
