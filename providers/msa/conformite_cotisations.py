"""Whether an establishment is up to date with its agricultural social contributions. Key: a SIRET.

Source: Caisse centrale de la MSA. One letter says it all; a fault of the MSA's own backend comes relayed in JSON,
with a status that tells nothing of it.
"""

from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import httpx

from auth import scopes
from providers import reading
from providers.attestation import Situation
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Fleeting,
    For,
    Http,
    NotKept,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Timeouts,
    as_is,
)
from providers.errors import NotFound, ProviderError, Unreadable, internal_error
from providers.http_status import refuse_outage, retry_after
from providers.identifiers import Siret
from providers.record import enumeration, inherits, record

# --- What it says --------------------------------------------------------------------------------


@enumeration(
    "Régularité d'un établissement envers la MSA.",
    UP_TO_DATE="À jour de ses cotisations.",
    OUTDATED="Pas à jour de ses cotisations.",
    UNDER_INVESTIGATION="Régularité inconnue : un agent de la MSA doit examiner le dossier. Redemandez dans quelques jours.",
)
class StatutCotisationsMsa(StrEnum):
    UP_TO_DATE = "UP_TO_DATE"
    OUTDATED = "OUTDATED"
    UNDER_INVESTIGATION = "UNDER_INVESTIGATION"


@record("Conformité des cotisations de sécurité sociale agricole d'un établissement.")
class ConformiteCotisationsMsa:
    status: StatutCotisationsMsa = inherits(
        "Régularité de l'établissement envers la MSA. « À jour » suppose aussi que la contribution annuelle pour l'emploi "
        "des travailleurs handicapés est payée.",
        source="TopRMPResponse.topRegMarchePublic",
        personal=True,
    )
    situation: Situation = inherits(
        "La même chose, dans les mots communs à toutes les attestations.",
        source="TopRMPResponse.topRegMarchePublic",
        personal=True,
    )


def _said(status: StatutCotisationsMsa, situation: Situation) -> ConformiteCotisationsMsa:
    return ConformiteCotisationsMsa(status=status, situation=situation)


A_JOUR: Final = _said(StatutCotisationsMsa.UP_TO_DATE, Situation.DELIVREE)
PAS_A_JOUR: Final = _said(StatutCotisationsMsa.OUTDATED, Situation.REFUSEE)
EN_COURS_D_EXAMEN: Final = _said(StatutCotisationsMsa.UNDER_INVESTIGATION, Situation.EN_COURS_D_EXAMEN)

# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    """The MSA knows us by our address: no credentials travel."""
    return Call(method="GET", url=f"{access.settings['url']}/{key}", headers=(("Content-Type", "application/json"),))


# --- How to read ---------------------------------------------------------------------------------

_BACKEND_FAULTS: Final = frozenset({"502 Bad Gateway", "504 Gateway Timeout"})


def parse(response: httpx.Response, key: Siret) -> ConformiteCotisationsMsa | Fleeting[ConformiteCotisationsMsa]:
    """What the letter means. Statuses of the gateway itself are judged before any body."""
    status = response.status_code
    refuse_outage(response)
    if status == 500:
        raise internal_error(retry_after(response))
    answer = reading.json_object(response.content)
    verdict = answer.get("TopRMPResponse") if status == 200 else None
    if verdict is None:
        raise _fault(answer.get("Erreur"))
    if not isinstance(verdict, dict):
        raise Unreadable
    debtor = verdict.get("identifiantDebiteur")
    # Another establishment's regularity would be worse than no answer.
    if isinstance(debtor, str) and debtor.strip() != key:
        raise Unreadable
    return _outcome(verdict.get("topRegMarchePublic"))


def _fault(error: object) -> ProviderError:
    """A fault of the MSA's backend, relayed with any status, 200 perhaps included."""
    message = error.get("Message") if isinstance(error, dict) else None
    if isinstance(message, str) and message.strip() in _BACKEND_FAULTS:
        return internal_error()
    return Unreadable()


def _outcome(letter: object) -> ConformiteCotisationsMsa | Fleeting[ConformiteCotisationsMsa]:
    match letter:
        case "O":
            return A_JOUR
        case "N":
            return PAS_A_JOUR
        case "A":
            return Fleeting(EN_COURS_D_EXAMEN)
        case "S":
            raise NotFound("La MSA ne connaît pas cet établissement, ou il ne relève pas du régime agricole.")
    raise Unreadable


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, ConformiteCotisationsMsa]] = Source(
    id="msa.conformite_cotisations",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    # The MSA answers live: a few minutes spare it a page that is reloaded, and an examination isn't kept at all.
    life=For(timedelta(minutes=5)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=100_000,
)

CONFORMITE_COTISATIONS: Final[Dataset[Siret, ConformiteCotisationsMsa, ConformiteCotisationsMsa]] = Dataset(
    id="msa.conformite_cotisations",
    seed="cotisations_msa",
    title="Conformité des cotisations de sécurité sociale agricole",
    description=(
        "Dit si un établissement est à jour de ses cotisations sociales agricoles, contribution pour l'emploi des "
        "travailleurs handicapés comprise. Un dossier en cours d'examen est une réponse, pas une erreur."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        scopes=frozenset({scopes.COTISATIONS_MSA, scopes.MSA_COTISATIONS}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SOURCE,
    record=ConformiteCotisationsMsa,
    read=as_is,
    source_date=None,
    perimeter=(
        "Établissements du régime agricole : culture et élevage, dressage, travaux agricoles et forestiers, "
        "conchyliculture et pisciculture, pêche à pied professionnelle (hors régime des marins). Les entreprises du "
        "régime général n'en sont pas."
    ),
    key="SIRET",
    freshness="Interrogation en direct ; réponse gardée cinq minutes, jamais quand un dossier est en cours d'examen.",
    not_found_means=(
        "La MSA ne connaît pas cet établissement, ou il ne relève pas du régime agricole : ce n'est pas un manquement."
    ),
    quota=QuotaGroup.JSON,
    rest_path="/v3/msa/etablissements/{siret}/conformite_cotisations",
    # A farming group: the MSA knows nothing of the general scheme's establishments.
    example=Siret("41200356800018"),
    left_out=MappingProxyType({
        "TopRMPResponse.identifiantDebiteur": "Le SIRET demandé, répété.",
        "Erreur.Code": "Code technique ; seul le message distingue les pannes.",
    }),
    open_questions=(
        "Type et jeu de caractères des réponses n'ont jamais été relevés : le corps est lu comme du JSON en UTF-8.",
        "Statut HTTP des réponses `Erreur` : inconnu, tous sont acceptés sauf 500, 502, 503 et 504.",
        "Réponse pour un établissement fermé, ou pour un siège dont un autre établissement est en retard : non documentée.",
        "Une réponse qui nomme un autre SIRET que celui demandé est refusée.",
    ),
)  # fmt: skip
