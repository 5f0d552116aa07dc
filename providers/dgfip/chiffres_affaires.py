"""The turnover of the last three fiscal years that a company declared. Key: a SIRET.

Source: DGFIP, Adélie, operation `chiffreAffaires`. A single year comes as an object, several as an array; "nothing"
is written in four ways: status 204, an empty body, `null`, or an empty `liste_ca`.
"""

import re
from datetime import date
from decimal import Decimal
from typing import Any, Final

import httpx

from auth import scopes
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
from providers.dgfip import wire
from providers.errors import NotFound, Unreadable
from providers.identifiers import Siret
from providers.record import inherits, record

SCOPES: Final = frozenset({scopes.CHIFFRE_AFFAIRES_DGFIP, scopes.EXERCICES})
"""Names of today and of before the renaming."""

# --- What it says --------------------------------------------------------------------------------


@record("Chiffre d'affaires d'un exercice clos, déclaré à l'administration fiscale.")
class ExerciceFiscal:
    chiffre_affaires: Decimal = inherits("Chiffre d'affaires net, en euros.", source="liste_ca[].ca")
    date_fin_exercice: date = inherits("Date de clôture de l'exercice.", source="liste_ca[].dateFinExercice")


@record("Chiffres d'affaires des derniers exercices déclarés.")
class ChiffresAffaires:
    items: list[ExerciceFiscal] = inherits(
        "Exercices, du plus récent au plus ancien : trois au plus.", source="liste_ca"
    )
    count: int = inherits("Nombre d'exercices.")


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return wire.get(access, "chiffreAffaires", ("siret", key))


# --- How to read ---------------------------------------------------------------------------------

_WHOLE: Final = re.compile(r"-?[0-9]{1,18}")


def parse(response: httpx.Response, _key: Siret) -> ChiffresAffaires:
    """The years, in the provider's order: the most recent first."""
    wire.refuse_failure(response)
    if response.status_code in (204, 404):
        raise NotFound
    if response.status_code != 200:
        raise Unreadable
    if not response.content.strip():
        raise NotFound
    answer = reading.json_value(response.content)
    if answer is None:
        raise NotFound
    if not isinstance(answer, dict) or "liste_ca" not in answer:
        raise Unreadable
    years = wire.nodes(answer["liste_ca"])
    if not years:
        raise NotFound
    return ChiffresAffaires(items=[_exercice(year) for year in years], count=len(years))


def _exercice(year: dict[str, Any]) -> ExerciceFiscal:
    closed = wire.day(year, "dateFinExercice")
    if closed is None:
        raise Unreadable
    return ExerciceFiscal(chiffre_affaires=_euros(wire.needed_text(year, "ca")), date_fin_exercice=closed)


def _euros(amount: str) -> Decimal:
    if not _WHOLE.fullmatch(amount):
        raise Unreadable
    return Decimal(amount)


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, ChiffresAffaires]] = Source(
    id="dgfip.chiffres_affaires",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=wire.TIMEOUTS,
    life=For(wire.FRESH_FOR),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=1_000_000,
)

CHIFFRES_AFFAIRES: Final[Dataset[Siret, ChiffresAffaires, ChiffresAffaires]] = Dataset(
    id="dgfip.chiffres_affaires",
    seed="exercices",
    title="Chiffres d'affaires",
    description=(
        "Chiffre d'affaires des trois derniers exercices déclarés à l'administration fiscale, du plus récent au plus "
        "ancien. Plusieurs exercices peuvent se clore la même année civile."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(scopes=SCOPES, unmasked_for=frozenset(), mask=None, by_diffusion=False),
    source=SOURCE,
    record=ChiffresAffaires,
    read=as_is,
    source_date=None,
    perimeter=(
        "Entreprises au régime réel, normal ou simplifié, de l'impôt sur les sociétés ou des bénéfices industriels et "
        "commerciaux, qui ont déposé leurs comptes. Sans les micro-entreprises."
    ),
    key="SIRET",
    freshness="Dès le traitement de la déclaration ; réponse gardée une heure.",
    not_found_means=(
        "Aucun chiffre d'affaires déclaré : entreprise hors périmètre, récente, ou comptes non déposés. Ce n'est pas un "
        "manquement en soi."
    ),
    quota=QuotaGroup.JSON,
    rest_path="/v3/dgfip/etablissements/{siret}/chiffres_affaires",
    example=Siret("91020304100025"),
    left_out={"liste_ca[].dateFinExercice (heure)": "Toujours minuit à Paris : seul le jour a un sens."},
    open_questions=(
        "La réponse pour un établissement secondaire n'est pas documentée : demandez de préférence le siège.",
        "Un chiffre d'affaires écrit avec des décimales, jamais vu, donnerait une réponse illisible.",
        "La page d'erreur d'Adélie est lue comme une panne du fournisseur (03000), quel que soit son statut.",
    ),
)
