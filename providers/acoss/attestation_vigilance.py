"""The certificate of vigilance: URSSAF certifies that an employer is in order with its contributions.

Source: URSSAF, service "attestations" (`attn/entreprise/v1`). A certificate comes as bare base64 of a PDF under a
JSON content type; everything else is a JSON array of coded outcomes, whatever the HTTP status. A refusal and an
examination under way are what URSSAF says of the company: values, not errors.
"""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Any, Final

import httpx
import orjson

from auth.scopes import ATTESTATION_SOCIALE_URSSAF, ATTESTATIONS_SOCIALES
from providers.acoss.lecture import lire
from providers.attestation import Extraction, Situation
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Delivered,
    Fleeting,
    Http,
    NotKept,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    Timeouts,
    UntilTomorrow,
    as_is,
)
from providers.errors import Misidentified, NotFound, Overloaded, Unreadable, internal_error
from providers.http_status import refuse_failure, refuse_outage
from providers.identifiers import Siren
from providers.pdf import pdf_file, strict_base64
from providers.record import Document, inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Attestation de vigilance de l'Urssaf.")
class AttestationVigilance:
    situation: Situation = inherits("Ce que l'Urssaf dit de l'entreprise.", source="corps de la réponse")
    situation_au: date | None = inherits(
        "Date dont parle la situation : celle à laquelle l'Urssaf a constaté que l'entreprise était à jour.",
        source="PDF, page 2",
    )
    libelle: str = inherits("Situation, en quelques mots.")
    description: str = inherits("Situation, en une phrase.")
    document: Document | None = inherits(
        "L'attestation (PDF) ; nul quand elle n'est pas délivrée.",
        source="corps de la réponse",
        # It names the person when the company is a micro-entrepreneur.
        personal=True,
    )
    date_debut_validite: date | None = inherits("Début de validité, lu dans le document.", source="PDF, page 2")
    date_fin_validite: date | None = inherits(
        "Fin de validité : dernier jour du sixième mois qui suit le début.", source="PDF, page 2"
    )
    code_securite: str | None = inherits(
        "Code de sécurité de quinze caractères, qui permet de vérifier l'attestation sur urssaf.fr.",
        source="PDF, page 1",
    )
    extraction: Extraction = inherits("Ce qu'a donné la lecture du document.")
    reessayer_dans_secondes: int | None = inherits(
        "Délai conseillé avant de redemander, quand un examen est en cours.", source="[].code"
    )
    code_api: str | None = inherits(
        "Code de l'API Entreprise pour une attestation en cours d'examen (04501, 04502).", source="[].code"
    )


def _without_document(
    situation: Situation, libelle: str, description: str, *, wait: timedelta | None = None, code_api: str | None = None
) -> AttestationVigilance:
    return AttestationVigilance(
        situation=situation,
        situation_au=None,
        libelle=libelle,
        description=description,
        document=None,
        date_debut_validite=None,
        date_fin_validite=None,
        code_securite=None,
        extraction=Extraction.SANS_OBJET,
        reessayer_dans_secondes=int(wait.total_seconds()) if wait else None,
        code_api=code_api,
    )


REFUSEE: Final = _without_document(
    Situation.REFUSEE,
    "Attestation refusée",
    "L'Urssaf refuse de délivrer l'attestation : l'entreprise n'est pas à jour de ses cotisations sociales.",
)
EXAMEN_DEMANDE: Final = _without_document(
    Situation.EN_COURS_D_EXAMEN,
    "Dossier transmis à un agent de l'Urssaf",
    "L'Urssaf ne peut pas répondre automatiquement : un agent va examiner le dossier. Redemandez dans deux jours.",
    wait=timedelta(days=2),
    code_api="04501",
)
EXAMEN_EN_COURS: Final = _without_document(
    Situation.EN_COURS_D_EXAMEN,
    "Dossier en cours d'examen par l'Urssaf",
    "Un agent de l'Urssaf examine le dossier : l'attestation n'est ni délivrée ni refusée. Redemandez plus tard.",
    code_api="04502",
)

# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    """Ask for the certificate of one company, in the name of the body entitled to it."""
    return Call(
        method="POST",
        url=access.settings["url"] + "/attn/entreprise/v1/demandes/api_entreprise",
        headers=(("Authorization", f"Bearer {access.session}"), ("Content-Type", "application/json")),
        json={
            "typeAttestation": "AVG_UR",
            "siren": key,
            "idClient": access.settings["id_client"],
            "beneficiaire": access.recipient,
        },
    )


# --- How to read ---------------------------------------------------------------------------------

_KEPT_FOR: Final = timedelta(hours=24)
_BROKEN_PAGE: Final = b"Une erreur est survenue sur le serveur"
_INTERNAL_FAULTS: Final = frozenset(f"FUNC{number}" for number in range(510, 517))
_UNKNOWN: Final = frozenset({"FUNC501", "FUNC517"})


Answer = AttestationVigilance | Delivered[AttestationVigilance] | Fleeting[AttestationVigilance]


def parse(response: httpx.Response, key: Siren) -> Answer:
    """The certificate, or the outcome that stands in its place. A certificate may come with any status."""
    status, body = response.status_code, response.content
    refuse_outage(response)
    answer = _json(body)
    if isinstance(answer, list) and answer:
        return _outcome(frozenset(_codes(answer)))
    # Only an answer without any code is judged by its status.
    if status == 401:
        raise Misidentified
    if status == 429:
        refuse_failure(response)
    if not body.strip() or (status == 404 and _BROKEN_PAGE in body):
        raise internal_error()
    if isinstance(answer, dict | list):
        raise Unreadable
    content = strict_base64(body)
    if content is None:
        raise Unreadable
    return delivered(content, key)


def _json(body: bytes) -> Any:
    """The JSON value of the body, if it is one: a certificate is not, and that is the ordinary case."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _codes(errors: list[Any]) -> list[str]:
    codes = (error.get("code") for error in errors if isinstance(error, dict))
    return [code for code in codes if isinstance(code, str)]


def _outcome(codes: frozenset[str]) -> AttestationVigilance | Fleeting[AttestationVigilance]:
    """What several codes mean together: the refusal first, then in this order.

    A refusal stands until the provider's next update; an examination ends without notice.
    """
    if "FUNC502" in codes:
        return REFUSEE
    if "FUNC503" in codes:
        return Fleeting(EXAMEN_DEMANDE)
    if "FUNC504" in codes:
        return Fleeting(EXAMEN_EN_COURS)
    if "FUNC429" in codes:
        raise Overloaded("Le quota quotidien de demandes à l'Urssaf pour cette entreprise est atteint.")
    if codes & _INTERNAL_FAULTS:
        raise internal_error()
    if codes & _UNKNOWN:
        raise NotFound("L'Urssaf ne connaît pas cette entreprise, ou elle est radiée ou hors de son périmètre.")
    raise Unreadable


def delivered(content: bytes, key: Siren) -> Delivered[AttestationVigilance]:
    """The certificate with what is printed on it; what is not a PDF is not a certificate."""
    file = pdf_file(content, name=f"attestation_vigilance_{key}.pdf", kept_for=_KEPT_FOR, producer="L'Urssaf")
    printed = lire(content)
    certificate = AttestationVigilance(
        situation=Situation.DELIVREE,
        situation_au=printed.date_debut_validite if printed else None,
        libelle="Attestation délivrée",
        description="L'Urssaf délivre l'attestation de vigilance à cette entreprise.",
        document=None,
        date_debut_validite=printed.date_debut_validite if printed else None,
        date_fin_validite=printed.date_fin_validite if printed else None,
        code_securite=printed.code_securite if printed else None,
        extraction=Extraction.REUSSIE if printed else Extraction.ECHOUEE,
        reessayer_dans_secondes=None,
        code_api=None,
    )
    return Delivered(file, lambda document: replace(certificate, document=document))


# --- The declaration -----------------------------------------------------------------------------

SOURCE = Source(
    id="acoss.attestation_vigilance",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=20), read=timedelta(seconds=20), total=timedelta(seconds=40)),
    # URSSAF counts ten requests a day and company, all consumers together; its data change every night.
    life=UntilTomorrow(time(8)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=15_000_000,
)

ATTESTATION_VIGILANCE = Dataset(
    id="acoss.attestation_vigilance",
    seed="attestations_sociales_acoss",
    title="Attestation de vigilance",
    description=(
        "Document par lequel l'Urssaf atteste qu'un employeur est à jour de ses cotisations sociales, ou qu'il "
        "respecte un plan de paiement, ne doit plus que des pénalités ou conteste sa dette. Un refus de délivrance est une "
        "réponse, pas une erreur."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        scopes=frozenset({ATTESTATION_SOCIALE_URSSAF, ATTESTATIONS_SOCIALES}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SOURCE,
    record=AttestationVigilance,
    read=as_is,
    source_date=lambda attestation: attestation.situation_au,
    perimeter=(
        "Entreprises et associations du régime général, professions libérales et micro-entrepreneurs libéraux, "
        "entreprises étrangères, administrations. Sans les autres micro-entrepreneurs, les artisans et commerçants, "
        "les artistes-auteurs, les utilisateurs du Tese et du CEA, ni les entités sans salarié ou radiées."
    ),
    key="SIREN",
    freshness="Données actualisées chaque nuit ; l'attestation porte sur une période de moins de trois mois.",
    not_found_means="L'Urssaf ne connaît pas l'entreprise, radiée ou hors de son périmètre : ce n'est pas un manquement.",
    quota=QuotaGroup.URSSAF,
    rest_path="/v4/urssaf/unites_legales/{siren}/attestation_vigilance",
    example="910203041",
    left_out={
        "[].message": "Texte libre du fournisseur ; le code suffit.",
        "[].description": "Texte libre du fournisseur ; le code suffit.",
        "PDF, effectif et masse salariale": "Imprimés dans le document, qui est remis tel quel.",
        "PDF, période et liste des SIRET": "Imprimés dans le document, qui est remis tel quel.",
    },
    open_questions=(
        "Le statut HTTP de chaque code n'est connu que pour FUNC517 : le corps seul décide.",
        "Le sens de chaque code de FUNC510 à FUNC516 n'est pas documenté : tous sont lus comme une panne interne.",
        "La durée du quota signalé par FUNC429 n'est pas documentée : aucun délai n'est annoncé.",
        "La durée d'un examen (FUNC503, FUNC504) au-delà du conseil de deux jours n'est pas documentée.",
        "Une attestation protégée par mot de passe, jamais vue, serait remise sans être lue.",
    ),
)
