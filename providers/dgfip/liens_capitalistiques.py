"""Who holds a company and what it holds, from ten percent up, as its tax return of one fiscal year says.

Source: DGFIP, Adélie, operation `getLiasseFiscale`, forms 2059F and 2059G. Firms of other regimes say the same in forms of
their own, read here too when the return holds no 2059. A person is one rank of the cells of its kind: cells
left out make shorter lists, never a shift.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, TypeVar

from auth import scopes
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.dgfip.cartouches import (
    CAPITAL,
    PARTICIPATIONS,
    CasesAdresse,
    CasesCapital,
    CasesParticipations,
    CasesPersonnes,
)
from providers.dgfip.liasse import LIASSE, ExerciceDeclare, FormulaireDepose, Liasse
from providers.errors import NotFound
from providers.identifiers import Siren
from providers.personne import TypePersonne
from providers.record import inherits, record

SCOPES: Final = frozenset({scopes.LIENS_CAPITALISTIQUES_DGFIP, scopes.LIASSES_FISCALES_DGFIP, scopes.LIASSE_FISCALE})
"""Whoever may read the whole return may read this part of it; the last name is from before the renaming."""

# --- What it says --------------------------------------------------------------------------------


@record("Adresse telle que déclarée.")
class AdresseLien:
    numero: str | None = inherits(
        "Numéro, souvent complété de zéros, qui contient parfois toute la voie ; nul hors des formulaires 2059.",
        personal=True,
    )
    voie: str | None = inherits("Voie ; avec son numéro hors des formulaires 2059.", personal=True)
    complement: str | None = inherits("Complément de distribution ; nul dans les formulaires 2059.", personal=True)
    lieu_dit_hameau: str | None = inherits("Lieu-dit ou hameau.", personal=True)
    code_postal: str | None = inherits("Code postal.", personal=True)
    ville: str | None = inherits("Ville.", personal=True)
    pays: str | None = inherits("Pays, code ISO 3166 à deux lettres.", personal=True)


@record("Année et mois de naissance.")
class NaissanceActionnaire:
    annee: str | None = inherits("Année.", personal=True)
    mois: str | None = inherits("Mois, sur deux chiffres.", personal=True)


@record("Actionnaire ou associé personne physique. « NS » veut dire : non su.")
class ActionnairePersonnePhysique:
    civilite: str | None = inherits("Civilité.", source="2059F, 306874", personal=True)
    nom_patronymique_et_prenoms: str | None = inherits(
        "Nom patronymique et prénoms.", source="2059F, 304868", personal=True
    )
    nom_marital: str | None = inherits("Nom marital.", source="2059F, 304869", personal=True)
    date_naissance: NaissanceActionnaire = inherits(
        "Année et mois de naissance.", source="2059F, 304878", personal=True
    )


@record("Actionnaire ou associé personne morale. « NS » veut dire : non su.")
class ActionnairePersonneMorale:
    siren: str | None = inherits(
        "Numéro SIREN tel que déclaré ; fictif pour une société étrangère.", source="2059F, 304859"
    )
    denomination: str | None = inherits("Dénomination.", source="2059F, 304857")
    complement_denomination: str | None = inherits("Complément de dénomination.", source="2059F, 304858")
    forme_juridique: str | None = inherits("Forme juridique.", source="2059F, 306875")


@record("Actionnaire ou associé qui détient au moins 10 % du capital.")
class Actionnaire:
    type: TypePersonne = inherits("Personne morale ou physique.")
    pourcentage: Decimal | None = inherits("Part du capital, en pourcentage.", source="2059F, 304861 ou 304871")
    nombre_parts: Decimal | None = inherits("Nombre entier de parts ou d'actions.", source="2059F, 304860 ou 304870")
    personne_physique_attributes: ActionnairePersonnePhysique | None = inherits(
        "La personne physique ; nul pour une personne morale.", personal=True
    )
    personne_morale_attributes: ActionnairePersonneMorale | None = inherits(
        "La personne morale ; nul pour une personne physique."
    )
    adresse: AdresseLien = inherits("Son adresse.", personal=True)


@record("Combien de personnes d'une nature détiennent le capital, et combien de parts.")
class PartDuCapital:
    total_actions: Decimal | None = inherits("Nombre entier de parts ou d'actions.", source="2059F, 309324 ou 309326")
    nombre: int | None = inherits("Nombre de personnes.", source="2059F, 309323 ou 309325")


@record("Répartition du capital entre personnes physiques et morales.")
class RepartitionCapital:
    personnes_physiques: PartDuCapital = inherits("Personnes physiques.")
    personnes_morales: PartDuCapital = inherits("Personnes morales.")


@record("Composition du capital social.")
class CompositionCapital:
    numero_imprime: str | None = inherits("Formulaire lu (2059F en général) ; nul quand aucun n'est déposé.")
    actionnaires: list[Actionnaire] = inherits("Personnes morales, puis personnes physiques.", personal=True)
    repartition: RepartitionCapital = inherits("Répartition du capital.")
    depose_neant: bool | None = inherits(
        "Vrai si le formulaire est déposé avec la mention « néant » ; nul quand il n'est pas déposé.",
        source="2059F, 305767",
    )


@record("Filiale ou participation d'au moins 10 %.")
class Filiale:
    siren: str | None = inherits(
        "Numéro SIREN tel que déclaré ; fictif pour une société étrangère.", source="2059G, 304960"
    )
    denomination: str | None = inherits("Dénomination.", source="2059G, 304958")
    complement_denomination: str | None = inherits("Complément de dénomination.", source="2059G, 304959")
    forme_juridique: str | None = inherits("Forme juridique.", source="2059G, 306876")
    pourcentage_detention: Decimal | None = inherits("Part détenue, en pourcentage.", source="2059G, 304967")
    adresse: AdresseLien = inherits("Son adresse.", source="2059G, 304961 à 304966")


@record("Filiales et participations.")
class Participations:
    numero_imprime: str | None = inherits("Formulaire lu (2059G en général) ; nul quand aucun n'est déposé.")
    filiales: list[Filiale] = inherits("Filiales et participations.")
    nombre_filiales: int | None = inherits("Nombre de filiales déclaré.", source="2059G, 309327")
    depose_neant: bool | None = inherits(
        "Vrai si le formulaire est déposé avec la mention « néant » ; nul quand il n'est pas déposé.",
        source="2059G, 305768",
    )


@record("Liens capitalistiques d'une entreprise à la clôture d'un exercice.")
class LiensCapitalistiques:
    siren: Siren = inherits("Numéro SIREN demandé.")
    annee: int = inherits("Exercice demandé : année de sa clôture.")
    capital: CompositionCapital = inherits("Qui détient l'entreprise.", source="2059F")
    participations: Participations = inherits("Ce que l'entreprise détient.", source="2059G")


# --- How to read ---------------------------------------------------------------------------------

Ranks = Mapping[int, str | None]
Cells = Mapping[str, Ranks]
"""By `code_nref`, then by rank: a list would shift the persons after one whose cell is missing."""

C = TypeVar("C")


def read(liasse: Liasse, key: ExerciceDeclare) -> LiensCapitalistiques:
    shareholders = _first(liasse, CAPITAL)
    subsidiaries = _first(liasse, PARTICIPATIONS)
    if shareholders is None and subsidiaries is None:
        raise NotFound("La liasse de cet exercice ne contient pas de formulaire sur le capital ni les filiales.")
    return LiensCapitalistiques(
        siren=key.sujet,
        annee=key.annee,
        capital=_capital(*shareholders) if shareholders else NO_CAPITAL,
        participations=_participations(*subsidiaries) if subsidiaries else NO_PARTICIPATIONS,
    )


def _first(liasse: Liasse, layouts: Mapping[str, C]) -> tuple[FormulaireDepose, C] | None:
    """The first of its number, which is the latest correction, in the first regime that the return holds."""
    filed = {form.numero_imprime: form for form in reversed(liasse.formulaires)}
    return next(((filed[number], layout) for number, layout in layouts.items() if number in filed), None)


def _cells(form: FormulaireDepose) -> Cells:
    return {case.code_nref: dict(case.valeurs) for case in form.cases}


def _capital(form: FormulaireDepose, layout: CasesCapital) -> CompositionCapital:
    cells, legal, natural = _cells(form), layout.personnes_morales, layout.personnes_physiques
    return CompositionCapital(
        numero_imprime=form.numero_imprime,
        actionnaires=[_company(cells, legal, rank) for rank in _ranks(cells, _of_persons(legal))]
        + [_person(cells, natural, rank) for rank in _ranks(cells, _of_persons(natural))],
        repartition=RepartitionCapital(
            personnes_physiques=_share(cells, natural), personnes_morales=_share(cells, legal)
        ),
        depose_neant=layout.neant in cells,
    )


def _participations(form: FormulaireDepose, layout: CasesParticipations) -> Participations:
    cells = _cells(form)
    driving = (*layout.identite, layout.pourcentage, *_of_address(layout.adresse))
    return Participations(
        numero_imprime=form.numero_imprime,
        filiales=[_subsidiary(cells, layout, rank) for rank in _ranks(cells, driving)],
        nombre_filiales=_count(_value(cells, layout.nombre)),
        depose_neant=layout.neant in cells,
    )


def _of_persons(layout: CasesPersonnes) -> tuple[str, ...]:
    return (*layout.identite, layout.pourcentage, layout.nombre_parts, *_of_address(layout.adresse))


def _of_address(layout: CasesAdresse) -> tuple[str, ...]:
    return (layout.premiere, layout.seconde, layout.lieu_dit, layout.code_postal, layout.ville, layout.pays)


def _ranks(cells: Cells, names: tuple[str, ...]) -> range:
    """As many persons as the longest of their cells: one without SIREN still counts."""
    return range(1, max((rank for name in names for rank in cells.get(name, ())), default=0) + 1)


def _value(cells: Cells, name: str, rank: int = 1) -> str | None:
    return cells.get(name, {}).get(rank)


def _company(cells: Cells, layout: CasesPersonnes, rank: int) -> Actionnaire:
    siren, name, complement, legal_form = (_value(cells, cell, rank) for cell in layout.identite)
    return Actionnaire(
        type=TypePersonne.PERSONNE_MORALE,
        pourcentage=_percentage(_value(cells, layout.pourcentage, rank)),
        nombre_parts=_quantity(_value(cells, layout.nombre_parts, rank)),
        personne_physique_attributes=None,
        personne_morale_attributes=ActionnairePersonneMorale(
            siren=siren, denomination=name, complement_denomination=complement, forme_juridique=legal_form
        ),
        adresse=_address(cells, layout.adresse, rank),
    )


def _person(cells: Cells, layout: CasesPersonnes, rank: int) -> Actionnaire:
    title, names, married, born = (_value(cells, cell, rank) for cell in layout.identite)
    return Actionnaire(
        type=TypePersonne.PERSONNE_PHYSIQUE,
        pourcentage=_percentage(_value(cells, layout.pourcentage, rank)),
        nombre_parts=_quantity(_value(cells, layout.nombre_parts, rank)),
        personne_physique_attributes=ActionnairePersonnePhysique(
            civilite=title, nom_patronymique_et_prenoms=names, nom_marital=married, date_naissance=_birth(born)
        ),
        personne_morale_attributes=None,
        adresse=_address(cells, layout.adresse, rank),
    )


def _subsidiary(cells: Cells, layout: CasesParticipations, rank: int) -> Filiale:
    siren, name, complement, legal_form = (_value(cells, cell, rank) for cell in layout.identite)
    return Filiale(
        siren=siren,
        denomination=name,
        complement_denomination=complement,
        forme_juridique=legal_form,
        pourcentage_detention=_percentage(_value(cells, layout.pourcentage, rank)),
        adresse=_address(cells, layout.adresse, rank),
    )


def _share(cells: Cells, layout: CasesPersonnes) -> PartDuCapital:
    return PartDuCapital(
        total_actions=_quantity(_value(cells, layout.total_actions)), nombre=_count(_value(cells, layout.nombre))
    )


def _address(cells: Cells, layout: CasesAdresse, rank: int) -> AdresseLien:
    first, second, place, postcode, town, country = (_value(cells, cell, rank) for cell in _of_address(layout))
    whole = layout.voie_entiere
    return AdresseLien(
        numero=None if whole else first,
        voie=first if whole else second,
        complement=second if whole else None,
        lieu_dit_hameau=place,
        code_postal=postcode,
        ville=town,
        pays=country,
    )


def _birth(text: str | None) -> NaissanceActionnaire:
    """Year and month of `AAAAMMJJ`; the day is not shown. A shorter text gives what it holds."""
    digits = (text or "").strip()
    return NaissanceActionnaire(annee=digits[:4] or None, mois=digits[4:6] or None)


_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")


def _hundredths(text: str | None) -> int | None:
    """The number behind a quantity or a percentage, which hold two implied decimals; `NS` and blanks are none."""
    return int(text) if text is not None and _WHOLE.fullmatch(text) else None


def _percentage(text: str | None) -> Decimal | None:
    number = _hundredths(text)
    return Decimal(number).scaleb(-2) if number is not None else None


def _quantity(text: str | None) -> Decimal | None:
    number = _hundredths(text)
    return Decimal(number // 100) if number is not None else None


def _count(text: str | None) -> int | None:
    """A number of persons, which no company has more of than GraphQL's integers can tell."""
    number = _quantity(text)
    return int(number) if number is not None and abs(number) < 2**31 else None


NO_CAPITAL: Final = CompositionCapital(
    numero_imprime=None,
    actionnaires=[],
    repartition=RepartitionCapital(
        personnes_physiques=PartDuCapital(total_actions=None, nombre=None),
        personnes_morales=PartDuCapital(total_actions=None, nombre=None),
    ),
    depose_neant=None,
)
NO_PARTICIPATIONS: Final = Participations(numero_imprime=None, filiales=[], nombre_filiales=None, depose_neant=None)

# --- The declaration -----------------------------------------------------------------------------

LIENS_CAPITALISTIQUES: Final[Dataset[ExerciceDeclare, Liasse, LiensCapitalistiques]] = Dataset(
    id="dgfip.liens_capitalistiques",
    seed=None,
    title="Liens capitalistiques",
    description=(
        "Actionnaires ou associés qui détiennent au moins 10 % d'une entreprise, et filiales qu'elle détient à 10 % au "
        "moins, d'après sa liasse fiscale."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(scopes=SCOPES, unmasked_for=frozenset(), mask=None, by_diffusion=False),
    source=LIASSE,
    record=LiensCapitalistiques,
    read=read,
    source_date=None,
    perimeter=(
        "Entreprises qui ont télétransmis les formulaires de composition du capital (2059F) ou de filiales (2059G), ou "
        "ceux des autres régimes réels. Sans les micro-entreprises. Exercices de 2006 à l'an dernier."
    ),
    key="SIREN et année",
    freshness="Lendemain du dépôt de la liasse, ou trois jours avant un week-end.",
    not_found_means=(
        "Aucune liasse connue pour cet exercice, ou une liasse sans formulaire sur le capital ni les filiales."
    ),
    quota=QuotaGroup.JSON,
    rest_path="/v3/dgfip/unites_legales/{siren}/liens_capitalistiques/{year}",
    example=ExerciceDeclare(sujet=Siren("910203041"), annee=2024),
    left_out=MappingProxyType({
        "2059F, 304878 (jour)": "Donnée personnelle réduite à l'année et au mois.",
        "2059F, 905900 à 905902": "Lieu de naissance des personnes : donnée personnelle sans usage.",
        "déclarations suivantes du même formulaire": "Versions antérieures ; la liasse fiscale les montre toutes.",
    }),
    open_questions=(
        "Les formulaires des autres régimes (2033F et G, 2035F et G, 2139C et D, 2153 et 2154) sont lus quand il n'y a "
        "pas de 2059 ; leurs deux décimales implicites sont supposées, et vérifiées seulement pour les 2059.",
        "Un rang dont toutes les cases manquent donne un actionnaire ou une filiale sans valeur, jamais un décalage.",
        "Une quantité ou un pourcentage qui n'est pas un nombre (« NS ») est rendu nul.",
    ),
)  # fmt: skip
