"""PRO BTP's certificate: the contracts held, and that their contributions are paid at a date. Key: a SIRET.

Source: PRO BTP, operation `getAttestationCotisation`. The PDF comes as base64 in JSON. An account that is late has no
certificate: that is what PRO BTP says of the company, hence a value; an unknown establishment is not found.
"""

from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

import httpx

from providers.attestation import Situation
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Delivered,
    Ouverture,
    QuotaGroup,
    Source,
    as_is,
)
from providers.errors import NotFound, Unreadable
from providers.identifiers import Siret
from providers.pdf import MAX_BYTES, certificate_source, pdf_file, strict_base64
from providers.probtp import wire
from providers.record import Document, inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Attestation de cotisations de retraite du bâtiment et des travaux publics.")
class AttestationCotisationsRetraite:
    situation: Situation = inherits("Ce que PRO BTP dit de l'établissement.", source="entete", personal=True)
    libelle: str = inherits("Situation, en quelques mots.")
    description: str = inherits("Situation, en une phrase.")
    document: Document | None = inherits(
        "L'attestation (PDF), qui peut nommer des dirigeants ; nulle quand elle n'est pas délivrée. La date d'expiration "
        "est celle du lien, pas celle de l'attestation.",
        source="data",
        personal=True,
    )
    code_api: str | None = inherits(
        "Code de l'API Entreprise quand le compte n'est pas à jour (09003).", source="entete.code"
    )


DELIVREE: Final = AttestationCotisationsRetraite(
    situation=Situation.DELIVREE,
    libelle="Attestation délivrée",
    description="PRO BTP délivre l'attestation : les cotisations dues à la date qu'elle porte sont payées.",
    document=None,
    code_api=None,
)
REFUSEE: Final = AttestationCotisationsRetraite(
    situation=Situation.REFUSEE,
    libelle="Compte non à jour",
    description="PRO BTP ne délivre pas l'attestation : le compte n'est pas à jour de ses cotisations.",
    document=None,
    code_api="09003",
)

# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return wire.post("getAttestationCotisation", key, access)


# --- How to read ---------------------------------------------------------------------------------

_KEPT_FOR: Final = timedelta(hours=24)


def parse(
    response: httpx.Response, _key: Siret
) -> AttestationCotisationsRetraite | Delivered[AttestationCotisationsRetraite]:
    """The certificate, or what stands in its place: a late account and an unknown one share a code."""
    code, answer = wire.answered(response)
    if code == wire.NO_ANSWER:
        if wire.message(answer).startswith(wire.NOT_UP_TO_DATE):
            return REFUSEE
        raise NotFound("PRO BTP ne connaît pas cet établissement.")
    encoded = answer.get("data")
    if not isinstance(encoded, str):
        raise Unreadable
    content = strict_base64(encoded)
    if content is None:
        raise Unreadable("PRO BTP a remis un document mal encodé.", "051")
    file = pdf_file(content, name="attestation_cotisation_retraite_probtp.pdf", kept_for=_KEPT_FOR, producer="PRO BTP")
    return Delivered(file, _attached)


def _attached(document: Document) -> AttestationCotisationsRetraite:
    return replace(DELIVREE, document=document)


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, AttestationCotisationsRetraite]] = certificate_source(
    "probtp.attestation_cotisations_retraite", call, parse, max_bytes=MAX_BYTES
)

ATTESTATION_COTISATIONS_RETRAITE: Final[
    Dataset[Siret, AttestationCotisationsRetraite, AttestationCotisationsRetraite]
] = Dataset(
    id="probtp.attestation_cotisations_retraite",
    seed=wire.SEED,
    title="Attestation de cotisations de retraite du bâtiment",
    description=(
        "Attestation (PDF) qui nomme les contrats de retraite et de prévoyance d'un établissement du bâtiment ou des "
        "travaux publics, et dit que les cotisations dues à une date donnée sont payées. Un compte en retard est une "
        "réponse, pas une erreur."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=wire.OPENING,
    source=SOURCE,
    record=AttestationCotisationsRetraite,
    read=as_is,
    source_date=None,
    perimeter=wire.PERIMETER,
    key="SIRET",
    freshness="Interrogation en direct ; l'attestation est contrôlée chaque nuit. Aucune réponse n'est gardée.",
    not_found_means=wire.NOT_FOUND_MEANS,
    quota=QuotaGroup.DOCS_LOW,
    rest_path="/v3/probtp/etablissements/{siret}/attestation_cotisations_retraite",
    example=Siret("91020304100025"),
    left_out=MappingProxyType({
        "entete.message": "Texte libre, qui nomme parfois l'établissement ; seul son début est lu.",
        "PDF, contrats et date": "Imprimés dans le document, qui est remis tel quel.",
    }),
    open_questions=(
        "Un document vide porte le sous-code 056, comme chez les autres producteurs de PDF, et non 055.",
        *wire.OPEN_QUESTIONS,
        "Un compte en retard est rendu comme une situation `REFUSEE` avec `codeApi` 09003, là où l'API REST répond 404.",
        "La date dont parle l'attestation n'est lue que dans le document : aucune date de situation n'est donnée.",
    ),
)  # fmt: skip
