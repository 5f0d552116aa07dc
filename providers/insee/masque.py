"""What the public may see of an entity in partial diffusion: pure functions from record to record.

Each level is hidden by its own status, and a status that we don't know hides as partial diffusion does. The private
plane gives true values and leaves this to us; what the public plane has hidden already passes unchanged.
Source: INSEE, diffusion statuses of the Sirene register.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from providers.insee.nomenclatures import StatutDiffusion
from providers.insee.sirene import (
    AcheminementPostalSirene,
    AdresseSirene,
    EtablissementSirene,
    PageDeRecherche,
    PageDEtablissements,
    PersonneMoraleAttributsSirene,
    PersonnePhysiqueAttributsSirene,
    UniteLegaleCouranteSirene,
    UniteLegaleTrouvee,
)
from providers.insee.wire import NON_DIFFUSE
from providers.personne import TypePersonne

U = TypeVar("U", bound=UniteLegaleCouranteSirene)
R = TypeVar("R")

_NOBODY: Final = PersonnePhysiqueAttributsSirene(
    pseudonyme=NON_DIFFUSE,
    prenom_usuel=NON_DIFFUSE,
    prenom_1=NON_DIFFUSE,
    prenom_2=NON_DIFFUSE,
    prenom_3=NON_DIFFUSE,
    prenom_4=NON_DIFFUSE,
    nom_usage=NON_DIFFUSE,
    nom_naissance=NON_DIFFUSE,
    sexe=NON_DIFFUSE,
)


def _open(status: StatutDiffusion | None) -> bool:
    return status is StatutDiffusion.DIFFUSIBLE


def _secret(status: StatutDiffusion | None) -> bool:
    return status is StatutDiffusion.NON_DIFFUSIBLE


def _sharable(status: StatutDiffusion | None) -> bool:
    """What is left of a partial diffusion once masked may be shared; of an unknown status nobody has said so."""
    return status in (StatutDiffusion.DIFFUSIBLE, StatutDiffusion.PARTIELLEMENT_DIFFUSIBLE)


def _company(type_: TypePersonne | None) -> bool:
    """Whether the unit is certainly a legal person: one of unknown type is protected as a natural person."""
    return type_ is TypePersonne.PERSONNE_MORALE


def _hidden(value: str | None) -> str | None:
    return None if value is None else NON_DIFFUSE


# --- Units ---------------------------------------------------------------------------------------


def est_diffusible(unit: UniteLegaleCouranteSirene) -> bool:
    """Whether INSEE says in so many words that the unit is open to everyone."""
    return _open(unit.status_diffusion)


def unite_publique(unit: U) -> U | None:
    if _secret(unit.status_diffusion):
        return None
    if _open(unit.status_diffusion):
        return unit
    sharable = _sharable(unit.status_diffusion)
    company = unit.personne_morale_attributs
    if _company(unit.type):
        return replace(
            unit,
            personne_morale_attributs=replace(company, sigle=NON_DIFFUSE),
            diffusable_commercialement=sharable,
        )
    return replace(
        unit,
        # A sole trader's trade name may be its own: the public plane hides it too.
        personne_morale_attributs=PersonneMoraleAttributsSirene(
            raison_sociale=_hidden(company.raison_sociale), sigle=_hidden(company.sigle)
        ),
        personne_physique_attributs=_NOBODY,
        diffusable_commercialement=sharable,
    )


# --- Establishments ------------------------------------------------------------------------------


def etablissement_public(establishment: EtablissementSirene) -> EtablissementSirene | None:
    status = establishment.status_diffusion
    true_unit = establishment.unite_legale
    unit = unite_publique(true_unit)
    if unit is None or _secret(status):
        return None
    if _open(status):
        if unit is true_unit:
            return establishment
        return replace(
            establishment, unite_legale=unit, adresse=_without_name(establishment.adresse, _company(unit.type))
        )
    return replace(
        establishment,
        enseigne=establishment.enseigne if _company(unit.type) else NON_DIFFUSE,
        diffusable_commercialement=_sharable(status),
        unite_legale=unit,
        adresse=_only_town(establishment.adresse),
    )


def _without_name(address: AdresseSirene, company: bool) -> AdresseSirene:
    """The address of an open establishment, without the lines that name the person who opposed the publication."""
    if company:
        return address
    lines = address.acheminement_postal
    return replace(address, acheminement_postal=replace(lines, l1=_unnamed(lines.l1), l2=_unnamed(lines.l2)))


def _unnamed(line: str | None) -> str | None:
    return NON_DIFFUSE if line else line


def _only_town(address: AdresseSirene) -> AdresseSirene:
    return replace(
        address,
        complement_adresse=NON_DIFFUSE,
        numero_voie=NON_DIFFUSE,
        indice_repetition_voie=NON_DIFFUSE,
        type_voie=NON_DIFFUSE,
        libelle_voie=NON_DIFFUSE,
        code_postal=NON_DIFFUSE,
        distribution_speciale=NON_DIFFUSE,
        code_cedex=NON_DIFFUSE,
        libelle_cedex=NON_DIFFUSE,
        acheminement_postal=AcheminementPostalSirene(
            l1=NON_DIFFUSE,
            l2=NON_DIFFUSE,
            l3=NON_DIFFUSE,
            l4=NON_DIFFUSE,
            l5=NON_DIFFUSE,
            l6=NON_DIFFUSE,
            l7=address.acheminement_postal.l7,
        ),
    )


# --- Pages ---------------------------------------------------------------------------------------


def _shown(items: list[R], mask: Callable[[R], R | None]) -> list[R]:
    return [shown for item in items if (shown := mask(item)) is not None]


def page_publique(page: PageDEtablissements) -> PageDEtablissements | None:
    """The page without what the public may not know of; `None` when that is all there was."""
    items = _shown(page.items, etablissement_public)
    if not items and page.items and page.curseur_suivant is None:
        return None
    return replace(page, total=page.total - (len(page.items) - len(items)), items=items)


def recherche_publique(page: PageDeRecherche) -> PageDeRecherche | None:
    """The page without natural persons who opposed the publication.

    Hiding their name would not be enough: to be found by a name is to be told to bear it.
    """
    items = _shown(page.items, _findable)
    if not items and page.items and page.curseur_suivant is None:
        return None
    return replace(page, total=page.total - (len(page.items) - len(items)), items=items)


def _findable(unit: UniteLegaleTrouvee) -> UniteLegaleTrouvee | None:
    if _open(unit.status_diffusion) or (_company(unit.type) and not _secret(unit.status_diffusion)):
        return unit
    return None
