"""Reading a legal unit, whether it comes alone with its periods or flat inside one of its establishments."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, Final, TypeVar

from providers import reading
from providers.identifiers import Siren
from providers.insee import wire
from providers.insee.libelle import CodeNomenclature, code_of_activity, code_of_legal_form
from providers.insee.nomenclatures import (
    CATEGORIES_ENTREPRISE,
    ETATS_UNITE_LEGALE,
    NON_REFERENCE,
    STATUTS_DIFFUSION,
    TRANCHES_EFFECTIFS,
    EtatAdministratifUniteLegale,
    StatutDiffusion,
    type_of,
)
from providers.insee.sirene import (
    ActivitePrincipaleSirene,
    FormeJuridiqueSirene,
    PersonneMoraleAttributsSirene,
    PersonnePhysiqueAttributsSirene,
    TrancheEffectifSalarieSirene,
    UniteLegaleCouranteSirene,
    UniteLegaleSirene,
)
from providers.insee.wire import Json, day
from providers.reading import text

U = TypeVar("U", bound=UniteLegaleCouranteSirene)

NAF_2025: Final = "NAF2025"

Labels = Mapping[CodeNomenclature, str]


# --- Small values, shared by all records that hold the same ---------------------------------------


@lru_cache(maxsize=4096)
def activity(code: str | None, nomenclature: str | None) -> ActivitePrincipaleSirene:
    return ActivitePrincipaleSirene(code=code, nomenclature=nomenclature, libelle=None)


@lru_cache(maxsize=1024)
def headcount(code: str | None, year: str | None) -> TrancheEffectifSalarieSirene:
    """The bracket of a code: all null without a code, code alone when the table does not know it."""
    if code is None:
        return TrancheEffectifSalarieSirene(code=None, intitule=None, de=None, a=None, date_reference=None)
    bracket = TRANCHES_EFFECTIFS.get(code)
    if bracket is None:
        return TrancheEffectifSalarieSirene(code=code, intitule=NON_REFERENCE, de=None, a=None, date_reference=year)
    return TrancheEffectifSalarieSirene(
        code=code, intitule=bracket.intitule, de=bracket.de, a=bracket.a, date_reference=year
    )


@lru_cache(maxsize=1024)
def legal_form(code: str | None) -> FormeJuridiqueSirene:
    return FormeJuridiqueSirene(code=code, libelle=None)


# --- The unit ------------------------------------------------------------------------------------


def current_unit(state: Json, siren: Siren) -> UniteLegaleCouranteSirene:
    """The unit of an establishment: `state` is flat and has no SIREN of its own."""
    return UniteLegaleCouranteSirene(**_values(state, siren))


def whole_unit(unit: Json, asked: Siren | None) -> UniteLegaleSirene:
    """A unit with its periods. `asked` is the duplicate from which INSEE redirected, if it did."""
    periods = reading.nodes(unit, "periodesUniteLegale")
    state = unit | (wire.current_period(periods) or {})
    values = _values(state, wire.siren(unit.get("siren")))
    active = values["etat_administratif"] is EtatAdministratifUniteLegale.A
    return UniteLegaleSirene(
        **values,
        date_cessation=None if active else wire.last_change(periods, "changementEtatAdministratifUniteLegale"),
        date_derniere_mise_a_jour=day(unit, "dateDernierTraitementUniteLegale"),
        redirige_depuis=asked,
    )


def _values(state: Json, siren: Siren) -> dict[str, Any]:
    form = text(state, "categorieJuridiqueUniteLegale")
    status = STATUTS_DIFFUSION.get(text(state, "statutDiffusionUniteLegale"))
    ess = text(state, "economieSocialeSolidaireUniteLegale")
    return {
        "siren": siren,
        "siret_siege_social": wire.siret_of_nic(siren, text(state, "nicSiegeUniteLegale")),
        "rna": text(state, "identifiantAssociationUniteLegale"),
        "type": type_of(form),
        "categorie_entreprise": CATEGORIES_ENTREPRISE.get(text(state, "categorieEntreprise")),
        "personne_morale_attributs": PersonneMoraleAttributsSirene(
            raison_sociale=text(state, "denominationUniteLegale"), sigle=text(state, "sigleUniteLegale")
        ),
        "personne_physique_attributs": PersonnePhysiqueAttributsSirene(
            pseudonyme=text(state, "pseudonymeUniteLegale"),
            prenom_usuel=text(state, "prenomUsuelUniteLegale"),
            prenom_1=text(state, "prenom1UniteLegale"),
            prenom_2=text(state, "prenom2UniteLegale"),
            prenom_3=text(state, "prenom3UniteLegale"),
            prenom_4=text(state, "prenom4UniteLegale"),
            nom_usage=text(state, "nomUsageUniteLegale"),
            nom_naissance=text(state, "nomUniteLegale"),
            sexe=text(state, "sexeUniteLegale"),
        ),
        "status_diffusion": status,
        "diffusable_commercialement": status is StatutDiffusion.DIFFUSIBLE,
        "forme_juridique": legal_form(form),
        "activite_principale": activity(text(state, "activitePrincipaleNAF25UniteLegale"), NAF_2025),
        "activite_principale_naf_rev2": activity(
            text(state, "activitePrincipaleUniteLegale"), text(state, "nomenclatureActivitePrincipaleUniteLegale")
        ),
        "tranche_effectif_salarie": headcount(
            text(state, "trancheEffectifsUniteLegale"), text(state, "anneeEffectifsUniteLegale")
        ),
        "economie_sociale_et_solidaire": None if ess is None else ess == "O",
        "etat_administratif": ETATS_UNITE_LEGALE.get(text(state, "etatAdministratifUniteLegale")),
        "date_creation": wire.birth_day(state, "dateCreationUniteLegale"),
    }


# --- Labels --------------------------------------------------------------------------------------


def labels_wanted(unit: UniteLegaleCouranteSirene) -> Iterator[CodeNomenclature]:
    codes = (
        code_of_legal_form(unit.forme_juridique),
        code_of_activity(unit.activite_principale),
        code_of_activity(unit.activite_principale_naf_rev2),
    )
    return (code for code in codes if code is not None)


def labelled_activity(value: ActivitePrincipaleSirene, labels: Labels) -> ActivitePrincipaleSirene:
    code = code_of_activity(value)
    label = labels.get(code) if code else None
    return replace(value, libelle=label) if label else value


def _labelled_form(value: FormeJuridiqueSirene, labels: Labels) -> FormeJuridiqueSirene:
    code = code_of_legal_form(value)
    label = labels.get(code) if code else None
    return replace(value, libelle=label) if label else value


def labelled_unit(unit: U, labels: Labels) -> U:
    """The unit with the labels that could be had; what could not stays null."""
    return replace(
        unit,
        forme_juridique=_labelled_form(unit.forme_juridique, labels),
        activite_principale=labelled_activity(unit.activite_principale, labels),
        activite_principale_naf_rev2=labelled_activity(unit.activite_principale_naf_rev2, labels),
    )
