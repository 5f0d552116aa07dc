"""The closed lists of Sirene that come with the product: states, sizes, headcount brackets, types of way.

INSEE sends codes only. Labels of activities and of legal forms are too many to be written here: see
`providers.insee.libelle`. Source: INSEE, variables of the Sirene register.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from providers.personne import TypePersonne
from providers.record import enumeration

NON_REFERENCE: Final = "non référencé"


@enumeration(
    "État administratif d'une unité légale au répertoire Sirene.",
    A="Active.",
    C="Cessée.",
)
class EtatAdministratifUniteLegale(StrEnum):
    A = "A"
    C = "C"


@enumeration(
    "État administratif d'un établissement au répertoire Sirene.",
    A="Actif.",
    F="Fermé.",
)
class EtatAdministratifEtablissement(StrEnum):
    A = "A"
    F = "F"


@enumeration(
    "Statut de diffusion donné par l'INSEE à une unité légale ou à un établissement.",
    DIFFUSIBLE="Toutes les données sont publiques.",
    PARTIELLEMENT_DIFFUSIBLE="La personne s'est opposée à la publication : son identité et son adresse ne doivent pas "
    "être montrées au public.",
    NON_DIFFUSIBLE="Aucune donnée n'est publique. Valeur historique, remplacée depuis mars 2023 par la diffusion "
    "partielle.",
)
class StatutDiffusion(StrEnum):
    DIFFUSIBLE = "diffusible"
    PARTIELLEMENT_DIFFUSIBLE = "partiellement_diffusible"
    NON_DIFFUSIBLE = "non_diffusible"


@enumeration(
    "Catégorie statistique de taille de l'entreprise.",
    PME="Petite ou moyenne entreprise.",
    ETI="Entreprise de taille intermédiaire.",
    GE="Grande entreprise.",
)
class CategorieEntreprise(StrEnum):
    PME = "PME"
    ETI = "ETI"
    GE = "GE"


# What INSEE writes -> what we say. A value that is in no table is unknown to us: null.
ETATS_UNITE_LEGALE: Final[Mapping[str | None, EtatAdministratifUniteLegale]] = MappingProxyType(
    {str(etat): etat for etat in EtatAdministratifUniteLegale}
)
ETATS_ETABLISSEMENT: Final[Mapping[str | None, EtatAdministratifEtablissement]] = MappingProxyType(
    {str(etat): etat for etat in EtatAdministratifEtablissement}
)
CATEGORIES_ENTREPRISE: Final[Mapping[str | None, CategorieEntreprise]] = MappingProxyType(
    {str(categorie): categorie for categorie in CategorieEntreprise}
)
STATUTS_DIFFUSION: Final[Mapping[str | None, StatutDiffusion]] = MappingProxyType(
    {
        "O": StatutDiffusion.DIFFUSIBLE,
        "P": StatutDiffusion.PARTIELLEMENT_DIFFUSIBLE,
        "N": StatutDiffusion.NON_DIFFUSIBLE,
    }
)

ENTREPRENEUR_INDIVIDUEL: Final = "1000"


def type_of(categorie_juridique: str | None) -> TypePersonne | None:
    """Who stands behind a legal form; without one nobody can tell."""
    if not categorie_juridique:
        return None
    if categorie_juridique == ENTREPRENEUR_INDIVIDUEL:
        return TypePersonne.PERSONNE_PHYSIQUE
    return TypePersonne.PERSONNE_MORALE


@dataclass(frozen=True, slots=True)
class Bracket:
    """A headcount bracket; `a` is null for the last one, both for the units that employ nobody."""

    intitule: str
    de: int | None
    a: int | None


def _between(de: int, a: int) -> Bracket:
    return Bracket(f"{_spaced(de)} à {_spaced(a)} salariés", de, a)


def _spaced(number: int) -> str:
    return f"{number:,}".replace(",", " ")


TRANCHES_EFFECTIFS: Final[Mapping[str, Bracket]] = MappingProxyType({
    "NN": Bracket("Unités non employeuses", None, None),
    "00": Bracket("0 salarié", 0, 0),
    "01": Bracket("1 ou 2 salariés", 1, 2),
    "02": _between(3, 5), "03": _between(6, 9), "11": _between(10, 19), "12": _between(20, 49),
    "21": _between(50, 99), "22": _between(100, 199), "31": _between(200, 249), "32": _between(250, 499),
    "41": _between(500, 999), "42": _between(1000, 1999), "51": _between(2000, 4999), "52": _between(5000, 9999),
    "53": Bracket("10 000 salariés et plus", 10000, None),
})  # fmt: skip

TYPES_VOIE: Final[Mapping[str, str]] = MappingProxyType({
    "ALL": "ALLÉE", "AV": "AVENUE", "BD": "BOULEVARD", "CAR": "CARREFOUR", "CHE": "CHEMIN", "CHS": "CHAUSSÉE",
    "CITE": "CITÉ", "COR": "CORNICHE", "CRS": "COURS", "DOM": "DOMAINE", "DSC": "DESCENTE", "ECA": "ECART",
    "ESP": "ESPLANADE", "FG": "FAUBOURG", "GR": "GRANDE RUE", "HAM": "HAMEAU", "HLE": "HALLE", "IMP": "IMPASSE",
    "LD": "LIEU-DIT", "LOT": "LOTISSEMENT", "MAR": "MARCHÉ", "MTE": "MONTÉE", "PAS": "PASSAGE", "PL": "PLACE",
    "PLN": "PLAINE", "PLT": "PLATEAU", "PRO": "PROMENADE", "PRV": "PARVIS", "QUA": "QUARTIER", "QUAI": "QUAI",
    "RES": "RÉSIDENCE", "RLE": "RUELLE", "ROC": "ROCADE", "RPT": "ROND-POINT", "RTE": "ROUTE", "RUE": "RUE",
    "SEN": "SENTIER", "SQ": "SQUARE", "TPL": "TERRE-PLEIN", "TRA": "TRAVERSE", "VLA": "VILLA", "VLGE": "VILLAGE",
})  # fmt: skip
"""Short codes of ways; INSEE also sends whole words, which are taken as they are."""

INDICES_REPETITION: Final[Mapping[str | None, str]] = MappingProxyType(
    {"B": "bis", "T": "ter", "Q": "quater", "C": "quinquies"}
)
