"""The certificate of tax compliance: DGFIP certifies that a company has filed and paid its IS and its VAT.

Source: DGFIP, Adélie, operation `attestationFiscale`. The answer is a bare PDF; a refusal is a PDF too, under the same
status 200. It is what DGFIP says of the company, hence a value, but one that is never kept. The certificate speaks of the
last day of the month before: both its dates follow from the day of the answer, not from the document.
"""

from dataclasses import replace
from datetime import date, time, timedelta
from types import MappingProxyType
from typing import Final

import httpx

from auth import scopes
from providers.attestation import Situation
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Delivered,
    File,
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
from providers.dgfip import wire
from providers.dgfip.lecture import NotRead, is_refusal
from providers.errors import NotFound, Unreadable
from providers.http_status import answered_on
from providers.identifiers import Siren
from providers.pdf import is_pdf
from providers.record import Document, inherits, record

SCOPES: Final = frozenset({scopes.ATTESTATION_FISCALE_DGFIP, scopes.ATTESTATIONS_FISCALES})
"""Names of today and of before the renaming."""

# --- What it says --------------------------------------------------------------------------------


@record("Attestation de régularité fiscale.")
class AttestationFiscale:
    situation: Situation = inherits("Ce que la DGFiP dit de l'entreprise.", source="PDF, page 1")
    situation_au: date | None = inherits("Date dont parle la situation : dernier jour du mois précédent.")
    libelle: str = inherits("Situation, en quelques mots.")
    description: str = inherits("Situation, en une phrase.")
    document: Document | None = inherits(
        "L'attestation (PDF) ; nul quand elle n'est pas délivrée.",
        source="corps de la réponse",
        # It prints the name and the address of the company, which may be those of a person.
        personal=True,
    )
    date_delivrance_attestation: date | None = inherits(
        "Jour de la réponse de la DGFiP ; nul quand l'attestation n'est pas délivrée.", source="en-tête Date"
    )
    date_periode_analysee: date | None = inherits(
        "Dernier jour du mois qui précède la réponse : la situation est examinée à cette date.", source="en-tête Date"
    )
    code_api: str | None = inherits(
        "Code de l'API Entreprise pour une attestation qui n'est pas délivrée (03003, comme une entreprise inconnue)."
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    # The provider wants both flags; what a group would need beside its own SIREN isn't open to clients.
    return wire.get(access, "attestationFiscale", ("siren", key), ("groupeIS", "NON"), ("groupeTVA", "NON"))


# --- How to read ---------------------------------------------------------------------------------

_KEPT_FOR: Final = timedelta(hours=24)

Answer = Delivered[AttestationFiscale] | Fleeting[AttestationFiscale]


def parse(response: httpx.Response, key: Siren) -> Answer:
    """The certificate, or the refusal in its place. Only the first bytes tell a PDF, never the declared type."""
    wire.refuse_failure(response)
    if response.status_code == 404:
        raise NotFound("La DGFiP ne connaît pas cette entreprise, ou elle est hors du périmètre de l'attestation.")
    content = response.content
    if response.status_code != 200 or not is_pdf(content):
        raise Unreadable
    day = answered_on(response)
    try:
        refused = is_refusal(content)
    except NotRead:
        raise Unreadable("La DGFiP a remis un document trop long à lire pour en connaître le sens.") from None
    if refused:
        return Fleeting(refusal(day))
    certificate = delivered(day)
    file = File(
        content=content, name=f"attestation_fiscale_{key}.pdf", media_type="application/pdf", kept_for=_KEPT_FOR
    )
    return Delivered(file, lambda document: replace(certificate, document=document))


def analysed_day(day: date | None) -> date | None:
    """The last day of the month before."""
    return day.replace(day=1) - timedelta(days=1) if day is not None and day > date(1, 1, 31) else None


def delivered(day: date | None) -> AttestationFiscale:
    return AttestationFiscale(
        situation=Situation.DELIVREE,
        situation_au=analysed_day(day),
        libelle="Attestation délivrée",
        description="La DGFiP atteste que l'entreprise a déposé ses déclarations et payé l'impôt sur les sociétés et la TVA.",
        document=None,
        date_delivrance_attestation=day,
        date_periode_analysee=analysed_day(day),
        code_api=None,
    )


def refusal(day: date | None) -> AttestationFiscale:
    return AttestationFiscale(
        situation=Situation.REFUSEE,
        situation_au=analysed_day(day),
        libelle="Attestation non délivrée",
        description=(
            "La DGFiP ne délivre pas l'attestation en ligne : l'entreprise n'est pas à jour, ou sa situation demande un "
            "examen par son service des impôts (plan de règlement, sauvegarde, contestation, groupe fiscal)."
        ),
        document=None,
        date_delivrance_attestation=None,
        date_periode_analysee=analysed_day(day),
        code_api="03003",
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siren, AttestationFiscale]] = Source(
    id="dgfip.attestation_fiscale",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=15), read=timedelta(seconds=15), total=timedelta(seconds=30)),
    life=UntilTomorrow(time(8)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=15_000_000,
)

ATTESTATION_FISCALE: Final[Dataset[Siren, AttestationFiscale, AttestationFiscale]] = Dataset(
    id="dgfip.attestation_fiscale",
    seed="attestations_fiscales_dgfip",
    title="Attestation de régularité fiscale",
    description=(
        "Document par lequel la DGFiP atteste qu'une entreprise est à jour de ses obligations de déclaration et de "
        "paiement en matière d'impôt sur les sociétés et de TVA, au dernier jour du mois précédent. Un refus de "
        "délivrance est une réponse, pas une erreur."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(scopes=SCOPES, unmasked_for=frozenset(), mask=None, by_diffusion=False),
    source=SOURCE,
    record=AttestationFiscale,
    read=as_is,
    source_date=lambda attestation: attestation.situation_au,
    perimeter=(
        "Sociétés et associations soumises à l'impôt sur les sociétés et à la TVA. Sans les entreprises à l'impôt sur le "
        "revenu, celles créées dans l'année, ni celles sous plan de règlement, sauvegarde ou contestation avec sursis de "
        "paiement. Peu sûr pour les filiales de groupes fiscaux ; quelques sociétés de personnes manquent."
    ),
    key="SIREN",
    freshness="Situation au dernier jour du mois précédent ; réponse gardée jusqu'à huit heures le lendemain.",
    not_found_means="La DGFiP ne connaît pas l'entreprise, ou elle est hors du périmètre : ce n'est pas un manquement.",
    quota=QuotaGroup.DOCS_HIGH,
    rest_path="/v4/dgfip/unites_legales/{siren}/attestation_fiscale",
    example=Siren("910203041"),
    left_out=MappingProxyType({
        "PDF, numéro de délivrance": "Imprimé dans le document, qui est remis tel quel.",
        "PDF, nom et adresse": "Imprimés dans le document ; ils se lisent à l'INSEE.",
        "PDF, obligations et service des impôts": "Imprimés dans le document, qui est remis tel quel.",
        "PDF, société mère": "Imprimée dans le document d'un membre de groupe fiscal.",
        "PDF de refus": "N'est pas une attestation : seul son sens est rendu.",
    }),
    open_questions=(
        "Le sens exact d'un refus n'est pas documenté : il peut tenir à une situation hors périmètre.",
        "L'API REST rend un refus comme une entreprise inconnue (03003) ; ici, c'est une situation.",
        "Les dates suivent l'en-tête `Date` de la réponse, au jour de Paris ; sans lui, elles sont nulles.",
        "Ce que demande une attestation de groupe (`groupeIS`, `groupeTVA` à OUI) n'est pas documenté : jamais demandé.",
        "Un PDF abîmé passe pour une attestation, comme aujourd'hui ; un PDF trop long à lire est tenu pour illisible.",
    ),
)  # fmt: skip
