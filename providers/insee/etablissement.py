"""One place of activity, with its unit's current values and its address. Key: a SIRET.

The address, including its seven postal lines, has no call of its own: it is a view of the establishment.
Source: INSEE, API Sirene 3.11, `/siret/{siret}` and `POST /siret`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import Final

import httpx

from auth.scopes import ETABLISSEMENTS, OPEN_DATA, UNITES_LEGALES_ETABLISSEMENTS_INSEE
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
from providers.identifiers import Siren, Siret, siren_of
from providers.identifiers import siret as checked_siret
from providers.insee import doublon, wire
from providers.insee.libelle import LIBELLE, CodeNomenclature, code_of_activity
from providers.insee.masque import etablissement_public
from providers.insee.nomenclatures import (
    ETATS_ETABLISSEMENT,
    INDICES_REPETITION,
    STATUTS_DIFFUSION,
    TYPES_VOIE,
    EtatAdministratifEtablissement,
    StatutDiffusion,
)
from providers.insee.sirene import (
    AcheminementPostalSirene,
    AdresseSirene,
    EtablissementSirene,
    UniteLegaleCouranteSirene,
)
from providers.insee.unite import (
    NAF_2025,
    Labels,
    activity,
    current_unit,
    headcount,
    labelled_activity,
    labelled_unit,
    labels_wanted,
)
from providers.insee.wire import Json, joined
from providers.personne import TypePersonne
from providers.reading import text

ReadUnit = Callable[[Json, Siren], UniteLegaleCouranteSirene]

OPENING: Final = Opening(
    scopes=frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE, ETABLISSEMENTS, OPEN_DATA}),
    unmasked_for=frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE, ETABLISSEMENTS}),
    mask=etablissement_public,
    by_diffusion=False,
)
"""Shared with the siège, which is an establishment."""


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return wire.get(access, f"/siret/{key}")


def call_bulk(keys: Sequence[Siret], access: Access) -> Call:
    return wire.search(access, "/siret", ("q", wire.any_of("siret", keys)), ("nombre", str(len(keys))))


# --- How to read an establishment ----------------------------------------------------------------


def read_establishment(
    establishment: Json, asked: Siret | None = None, read_unit: ReadUnit = current_unit
) -> EtablissementSirene:
    """One `etablissement`. `asked` is the duplicate from which INSEE redirected, if it did."""
    siret = wire.siret(establishment.get("siret"))
    periods = reading.nodes(establishment, "periodesEtablissement")
    period = wire.current_period(periods)
    head_office = reading.flag(establishment, "etablissementSiege")
    if period is None or head_office is None:
        raise Unreadable
    unit_state = reading.needed_node(establishment, "uniteLegale")
    unit = read_unit(unit_state, siren_of(siret))
    status = STATUTS_DIFFUSION.get(text(establishment, "statutDiffusionEtablissement"))
    state = ETATS_ETABLISSEMENT.get(text(period, "etatAdministratifEtablissement"))
    return EtablissementSirene(
        siret=siret,
        siege_social=head_office,
        etat_administratif=state,
        date_creation=wire.birth_day(establishment, "dateCreationEtablissement"),
        date_fermeture=None
        if state is EtatAdministratifEtablissement.A
        else wire.last_change(periods, "changementEtatAdministratifEtablissement"),
        enseigne=_signs(period),
        activite_principale=activity(text(establishment, "activitePrincipaleNAF25Etablissement"), NAF_2025),
        activite_principale_naf_rev2=activity(
            text(period, "activitePrincipaleEtablissement"),
            text(period, "nomenclatureActivitePrincipaleEtablissement"),
        ),
        tranche_effectif_salarie=headcount(
            text(establishment, "trancheEffectifsEtablissement"), text(establishment, "anneeEffectifsEtablissement")
        ),
        status_diffusion=status,
        diffusable_commercialement=status is StatutDiffusion.DIFFUSIBLE,
        unite_legale=unit,
        adresse=_address(reading.needed_node(establishment, "adresseEtablissement"), status, unit_state, unit.type),
        date_derniere_mise_a_jour=wire.day(establishment, "dateDernierTraitementEtablissement"),
        redirige_depuis=asked,
    )


def _signs(period: Json) -> str | None:
    signs = [text(period, f"enseigne{rank}Etablissement") for rank in (1, 2, 3)]
    return None if signs == [None, None, None] else joined(", ", *signs)


def units_once() -> ReadUnit:
    """A reader of nested units that reads only once the one that all establishments of a page repeat."""
    last: list[tuple[Json, Siren, UniteLegaleCouranteSirene]] = []

    def read(state: Json, siren: Siren) -> UniteLegaleCouranteSirene:
        if last and last[0][1] == siren and last[0][0] == state:
            return last[0][2]
        unit = current_unit(state, siren)
        last[:] = [(state, siren, unit)]
        return unit

    return read


# --- How to read an address ----------------------------------------------------------------------


_ADDRESS: Final[Mapping[str, str]] = MappingProxyType({
    field: f"{name}Etablissement"
    for field, name in {
        "complement_adresse": "complementAdresse", "numero_voie": "numeroVoie",
        "indice_repetition_voie": "indiceRepetition", "type_voie": "typeVoie", "libelle_voie": "libelleVoie",
        "code_postal": "codePostal", "distribution_speciale": "distributionSpeciale", "code_cedex": "codeCedex",
        "libelle_cedex": "libelleCedex", "code_commune": "codeCommune", "libelle_commune": "libelleCommune",
        "libelle_commune_etranger": "libelleCommuneEtranger", "code_pays_etranger": "codePaysEtranger",
        "libelle_pays_etranger": "libellePaysEtranger",
    }.items()
})  # fmt: skip


def _address(
    address: Json, status: StatutDiffusion | None, unit: Json, unit_type: TypePersonne | None
) -> AdresseSirene:
    values = {field: text(address, name) for field, name in _ADDRESS.items()}
    index, way = values["indice_repetition_voie"], values["type_voie"]
    values["indice_repetition_voie"] = INDICES_REPETITION.get(index, index)
    values["type_voie"] = way and TYPES_VOIE.get(way, way.upper())
    person = unit_type is TypePersonne.PERSONNE_PHYSIQUE
    return AdresseSirene(
        **values,
        status_diffusion=status,
        acheminement_postal=AcheminementPostalSirene(
            l1="" if person else _company_line(unit),
            l2=joined(" ", text(unit, "nomUniteLegale"), text(unit, "prenom1UniteLegale")) if person else "",
            l3=values["complement_adresse"] or "",
            l4=_way_line(values, index),
            l5=values["distribution_speciale"] or "",
            l6=_town_line(values),
            l7=values["libelle_pays_etranger"] or "FRANCE",
        ),
    )


def _company_line(unit: Json) -> str:
    name = text(unit, "denominationUniteLegale")
    usual = text(unit, "denominationUsuelle1UniteLegale")
    return " ".join(joined(" ", name, usual if usual != name else None).split())


def _way_line(address: Mapping[str, str | None], index: str | None) -> str:
    """A repetition index that has no word (A, D…) is left out of the line, as the REST API does."""
    shown = index if index == wire.NON_DIFFUSE else INDICES_REPETITION.get(index)
    return joined(" ", address["numero_voie"], shown, address["type_voie"], address["libelle_voie"]).upper()


def _town_line(address: Mapping[str, str | None]) -> str | None:
    if address["code_cedex"]:
        return joined(" ", address["code_cedex"], address["libelle_cedex"])
    if address["code_pays_etranger"]:
        return address["libelle_commune_etranger"]
    return joined(" ", address["code_postal"], address["libelle_commune"]) or None


# --- How to read an answer -----------------------------------------------------------------------


def parse(response: httpx.Response, key: Siret) -> EtablissementSirene | Follow[EtablissementSirene]:
    return _read(response, key, (key,))


def _read(
    response: httpx.Response, asked: Siret, path: tuple[Siret, ...]
) -> EtablissementSirene | Follow[EtablissementSirene]:
    """`path` holds the SIRETs called so far. A duplicate gives way to the siège of the surviving unit."""
    survivor = doublon.survivor(response, path, checked_siret)
    if survivor is not None:
        further = (*path, survivor)
        return Follow(partial(call, survivor), lambda answer: _read(answer, asked, further))
    body = wire.unit_answer(response)
    establishment = read_establishment(_only(body), asked if len(path) > 1 else None)
    if establishment.siret != path[-1]:
        raise Unreadable
    return establishment


def _only(body: Json) -> Json:
    """The establishment of a body: under its own name, or the first of a list."""
    if body.get("etablissement") is not None:
        return reading.needed_node(body, "etablissement")
    found = reading.nodes(body, "etablissements")
    if not found:
        raise Unreadable
    return found[0]


def parse_bulk(response: httpx.Response, keys: Sequence[Siret]) -> Mapping[Siret, EtablissementSirene | ProviderError]:
    """The establishments that the answer holds, in any order. Those it leaves out are asked alone."""
    read = partial(read_establishment, read_unit=units_once())
    found = doublon.items_of(response, "etablissements", "siret", keys)
    return {key: doublon.or_error(read, item) for key, item in found}


# --- Labels --------------------------------------------------------------------------------------


def labels_of(establishment: EtablissementSirene) -> frozenset[CodeNomenclature]:
    own = (
        code_of_activity(establishment.activite_principale),
        code_of_activity(establishment.activite_principale_naf_rev2),
    )
    return frozenset((*labels_wanted(establishment.unite_legale), *(code for code in own if code is not None)))


def labelled_establishment(establishment: EtablissementSirene, labels: Labels) -> EtablissementSirene:
    return replace(
        establishment,
        activite_principale=labelled_activity(establishment.activite_principale, labels),
        activite_principale_naf_rev2=labelled_activity(establishment.activite_principale_naf_rev2, labels),
        unite_legale=labelled_unit(establishment.unite_legale, labels),
    )


COMPLETION: Final[Completion[EtablissementSirene]] = Completion(
    source=LIBELLE, wanted=labels_of, apply=labelled_establishment
)


# --- The declaration -----------------------------------------------------------------------------

ETABLISSEMENT_SOURCE: Final[Source[Siret, EtablissementSirene]] = Source(
    id="insee.etablissement",
    how=Http(
        call=call,
        parse=parse,
        bulk=Bulk(size=wire.PAGE_MAX, call=call_bulk, parse=parse_bulk, missing_alone=True),
        steps=1 + doublon.HOPS,
    ),
    timeouts=wire.UNIT_TIMEOUTS,
    life=For(wire.FRESH_FOR),
    not_found_life=NotKept(),
    completion=COMPLETION,
    max_bytes=32_000_000,
    # A diffusion status is never relied on for longer than a day.
    stale_for=timedelta(days=1),
)

LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType({
    "periodesEtablissement": "Seules la période courante et la date de fermeture sont montrées.",
    "adresse2Etablissement": "Seconde adresse, qui n'est plus tenue à jour.",
    "activitePrincipaleRegistreMetiersEtablissement": "Absente de la ressource d'API Entreprise.",
    "denominationUsuelleEtablissement": "Absente de la ressource d'API Entreprise.",
    "caractereEmployeurEtablissement": "N'est plus renseigné par l'INSEE.",
    "dernierNumeroVoieEtablissement": "Absent de la ressource d'API Entreprise.",
    "identifiantAdresseEtablissement": "Absent de la ressource d'API Entreprise, comme les coordonnées Lambert.",
})  # fmt: skip

ETABLISSEMENT: Final[Dataset[Siret, EtablissementSirene, EtablissementSirene]] = Dataset(
    id="insee.etablissement",
    seed="etablissements",
    title="Établissement",
    description="État, enseigne, activité, tranche d'effectif et adresse d'un établissement inscrit au répertoire Sirene, "
    "avec les valeurs courantes de son unité légale.",
    ouverture=Ouverture.MIXTE,
    opening=OPENING,
    source=ETABLISSEMENT_SOURCE,
    record=EtablissementSirene,
    read=as_is,
    source_date=lambda establishment: establishment.date_derniere_mise_a_jour,
    perimeter="Tous les établissements des unités inscrites au répertoire Sirene, actifs ou fermés, hors unités que la "
    "loi cache.",
    key="SIRET",
    freshness="Mise à jour chaque nuit ; réponse gardée une heure.",
    not_found_means="Ce SIRET n'est pas inscrit au répertoire Sirene, ou l'établissement n'est pas diffusible au public.",
    quota=QuotaGroup.JSON,
    rest_path="/v4/insee/sirene/etablissements/{siret}",
    example=Siret("91020304100025"),
    left_out=LEFT_OUT,
    open_questions=(
        "Effet du statut de diffusion « M » annoncé par l'INSEE : traité comme une diffusion partielle.",
        "Nombre d'identifiants qu'un lot accepte vraiment : l'INSEE ne l'écrit pas, mille sont utilisés par des tiers.",
    ),
)
