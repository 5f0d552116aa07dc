"""Legal units found by words of their name, département and activity. Key: the criteria.

The search runs over sièges (`POST /siret`): a unit alone has no place. Source: INSEE, API Sirene 3.11.
"""

import re
import unicodedata
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import httpx

from auth.scopes import ENTREPRISES, OPEN_DATA, UNITES_LEGALES_ETABLISSEMENTS_INSEE
from providers import reading
from providers.declaration import (
    Access,
    Call,
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
from providers.errors import NotFound
from providers.identifiers import siren_of
from providers.insee import wire
from providers.insee.etablissements import page_size
from providers.insee.masque import recherche_publique
from providers.insee.nomenclatures import ETATS_UNITE_LEGALE, STATUTS_DIFFUSION, type_of
from providers.insee.sirene import PageDeRecherche, UniteLegaleTrouvee
from providers.insee.wire import Json, joined
from providers.personne import TypePersonne
from providers.reading import text


@dataclass(frozen=True, kw_only=True, slots=True)
class Recherche:
    """The criteria, all to be met. Words of `texte` may come in any order, with or without accents."""

    sujet: str = ""
    texte: str
    departement: str | None
    activite: str | None
    actives: bool
    taille: int
    curseur: str


# --- How to ask ----------------------------------------------------------------------------------

# No acronym here: it is hidden from the public, and being found by it would tell it.
_NAMES = (
    "denominationUniteLegale",
    "denominationUsuelle1UniteLegale",
    "nomUniteLegale",
    "nomUsageUniteLegale",
    "prenom1UniteLegale",
    "prenomUsuelUniteLegale",
)
_MOST_WORDS = 10
_LIGATURES = str.maketrans({"Œ": "OE", "œ": "oe", "Æ": "AE", "æ": "ae", "ß": "ss"})
_NOT_A_WORD = re.compile(r"[^0-9A-Z]+")
_NOTHING = 'siren:"000000000"'
"""A condition that no unit meets: a criterion without a searchable character must not widen the search."""
_DEPARTEMENT = re.compile(r"(?:[0-9]{2}|2[AB]|9[78][0-9])\Z")
_ACTIVITY = re.compile(r"([0-9]{2})\.?([0-9]{2}[A-Z])\Z")


def words_of(texte: str) -> tuple[str, ...]:
    """The words as the register writes names: capitals without accents.

    Only letters and digits are left, so that no text can ever add to the grammar of `q`.
    """
    split_accents = unicodedata.normalize("NFKD", texte[:500].translate(_LIGATURES))
    plain = "".join(letter for letter in split_accents if not unicodedata.combining(letter)).upper()
    return tuple(word for word in _NOT_A_WORD.split(plain) if word)[:_MOST_WORDS]


def _name_condition(word: str) -> str:
    return "(" + " OR ".join(f'{variable}:"{word}"' for variable in _NAMES) + ")"


def _departement_condition(departement: str) -> str:
    code = departement.strip().upper()
    return f"codeCommuneEtablissement:{code}*" if _DEPARTEMENT.match(code) else _NOTHING


def _activity_condition(activite: str) -> str:
    code = _ACTIVITY.match(activite.strip().upper())
    return f'activitePrincipaleUniteLegale:"{code[1]}.{code[2]}"' if code else _NOTHING


def query(key: Recherche) -> str:
    """The criteria in the grammar of `q`."""
    conditions = ["etablissementSiege:true"]
    words = words_of(key.texte)
    if key.texte.strip() and not words:
        conditions.append(_NOTHING)
    conditions.extend(_name_condition(word) for word in words)
    if key.departement is not None:
        conditions.append(_departement_condition(key.departement))
    if key.activite is not None:
        conditions.append(_activity_condition(key.activite))
    if key.actives:
        conditions.append("etatAdministratifUniteLegale:A")
    return " AND ".join(conditions)


def call(key: Recherche, access: Access) -> Call:
    size = str(page_size(key.taille))
    return wire.search(access, "/siret", ("q", query(key)), ("nombre", size), ("curseur", key.curseur))


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: Recherche) -> PageDeRecherche:
    envelope = wire.search_answer(response, "etablissements")
    if not envelope.items and key.curseur == wire.FIRST_PAGE:
        raise NotFound
    return PageDeRecherche(
        total=envelope.total,
        curseur_suivant=envelope.cursor_after(page_size(key.taille), key.curseur),
        items=[_found(item) for item in envelope.items],
    )


def _found(establishment: Json) -> UniteLegaleTrouvee:
    siret = wire.siret(establishment.get("siret"))
    unit = reading.needed_node(establishment, "uniteLegale")
    type_ = type_of(text(unit, "categorieJuridiqueUniteLegale"))
    address = reading.needed_node(establishment, "adresseEtablissement")
    return UniteLegaleTrouvee(
        siren=siren_of(siret),
        denomination=_name(unit, type_),
        type=type_,
        etat_administratif=ETATS_UNITE_LEGALE.get(text(unit, "etatAdministratifUniteLegale")),
        status_diffusion=STATUTS_DIFFUSION.get(text(unit, "statutDiffusionUniteLegale")),
        siret_siege_social=siret,
        code_activite_principale_naf_rev2=text(unit, "activitePrincipaleUniteLegale"),
        libelle_commune=text(address, "libelleCommuneEtablissement"),
    )


def _name(unit: Json, type_: TypePersonne | None) -> str | None:
    if type_ is TypePersonne.PERSONNE_PHYSIQUE:
        first_name = text(unit, "prenomUsuelUniteLegale") or text(unit, "prenom1UniteLegale")
        last_name = text(unit, "nomUsageUniteLegale") or text(unit, "nomUniteLegale")
        return joined(" ", first_name, last_name) or None
    return text(unit, "denominationUniteLegale") or text(unit, "denominationUsuelle1UniteLegale")


# --- The declaration -----------------------------------------------------------------------------

RECHERCHE_SOURCE: Final[Source[Recherche, PageDeRecherche]] = Source(
    id="insee.recherche",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=wire.SEARCH_TIMEOUTS,
    life=For(wire.FRESH_FOR),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=32_000_000,
)

RECHERCHE: Final[Dataset[Recherche, PageDeRecherche, PageDeRecherche]] = Dataset(
    id="insee.recherche",
    seed=None,
    title="Recherche d'unités légales",
    description="Unités légales trouvées par les mots de leur nom, le département de leur siège et leur activité, par "
    "pages.",
    ouverture=Ouverture.MIXTE,
    opening=Opening(
        scopes=frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE, ENTREPRISES, OPEN_DATA}),
        unmasked_for=frozenset({UNITES_LEGALES_ETABLISSEMENTS_INSEE, ENTREPRISES}),
        mask=recherche_publique,
        by_diffusion=False,
    ),
    source=RECHERCHE_SOURCE,
    record=PageDeRecherche,
    read=as_is,
    source_date=None,
    perimeter="Unités inscrites au répertoire Sirene, hors unités que la loi cache. Les personnes physiques qui se sont "
    "opposées à la publication ne sont pas montrées au public.",
    key="Mots du nom, département du siège, code NAF rév. 2, état, avec une taille de page et un curseur",
    freshness="Mise à jour chaque nuit ; réponse gardée une heure.",
    not_found_means="Aucune unité légale visible ne répond à tous les critères.",
    quota=QuotaGroup.JSON,
    rest_path="",
    example=Recherche(
        texte="clair vallon", departement="49", activite=None, actives=True, taille=20, curseur=wire.FIRST_PAGE
    ),
    left_out=MappingProxyType({
        "etablissement": "Le détail se lit dans l'unité légale et dans son siège.",
        "score": "L'ordre de la réponse est gardé.",
    }),
    open_questions=(
        "Ce que l'INSEE pardonne de lui-même (accents…) n'est pas écrit : les mots partent en capitales sans accents.",
    ),
)  # fmt: skip
