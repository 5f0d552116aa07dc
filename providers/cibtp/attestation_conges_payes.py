"""The certificate of the paid-leave funds of the building trade: the company is in order with its contributions.

Source: Congés intempéries BTP, service of certificates. Asked by SIRET, the certificate speaks of the whole legal
unit. The status tells the outcomes apart; the French sentence of an error body is never read. "Known, but not in
order" (422) is what the network says of the company: a value, not an error.
"""

from datetime import date, timedelta
from typing import Final

import httpx

from auth import scopes
from providers.attestation import Situation
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Delivered,
    Opening,
    Ouverture,
    QuotaGroup,
    Source,
    as_is,
)
from providers.errors import Misidentified, NotFound, Unavailable, Unreadable, internal_error
from providers.http_status import answered_on, refuse_outage
from providers.identifiers import Siret
from providers.pdf import MAX_BYTES, certificate_source, pdf_file
from providers.record import Document, inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Attestation de cotisations congés payés et chômage intempéries du réseau CIBTP (bâtiment).")
class AttestationCongesPayesCibtp:
    situation: Situation = inherits(
        "Ce que le réseau CIBTP dit de l'entreprise, tous établissements compris.", source="statut HTTP"
    )
    situation_au: date | None = inherits(
        "Jour dont parle la situation, celui de la réponse : l'attestation ne vaut que pour ce jour.",
        source="en-tête Date",
    )
    libelle: str = inherits("Situation, en quelques mots.")
    description: str = inherits("Situation, en une phrase.")
    document: Document | None = inherits(
        "L'attestation (PDF) ; nul quand elle n'est pas délivrée. Couverte par le secret des affaires : elle ne doit "
        "pas être transmise à des tiers.",
        source="corps de la réponse",
        # The certificate names the sole trader when the company is one.
        personal=True,
    )
    code_api: str | None = inherits(
        "Code de l'API Entreprise pour une attestation qui n'est pas délivrée (38422).", source="statut HTTP"
    )


def _delivree(document: Document, on: date | None) -> AttestationCongesPayesCibtp:
    return AttestationCongesPayesCibtp(
        situation=Situation.DELIVREE,
        situation_au=on,
        libelle="Attestation délivrée",
        description=(
            "Le réseau CIBTP atteste que l'entreprise est à jour de ses cotisations congés payés et chômage intempéries."
        ),
        document=document,
        code_api=None,
    )


def _refusee(on: date | None) -> AttestationCongesPayesCibtp:
    return AttestationCongesPayesCibtp(
        situation=Situation.REFUSEE,
        situation_au=on,
        libelle="Attestation non délivrée",
        description=(
            "Le réseau CIBTP connaît l'entreprise mais ne délivre pas l'attestation : elle n'est pas à jour de ses "
            "cotisations."
        ),
        document=None,
        code_api="38422",
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return Call(
        method="GET",
        url=access.settings["url"] + "/apientreprise/attestationmarche",
        params=(("siret", key),),
        headers=(("Authorization", f"Bearer {access.session}"),),
    )


# --- How to read ---------------------------------------------------------------------------------

_KEPT_FOR: Final = timedelta(seconds=600)
"""Short on purpose: the certificate counts for the day only."""

Answer = AttestationCongesPayesCibtp | Delivered[AttestationCongesPayesCibtp]


def parse(response: httpx.Response, _key: Siret) -> Answer:
    status = response.status_code
    refuse_outage(response)
    match status:
        case 200:
            return _delivered(response.content, answered_on(response))
        case 401:
            raise Misidentified
        case 404:
            raise NotFound(
                "Le réseau CIBTP ne connaît pas cet établissement, ou sa caisse n'est pas raccordée à ce service : "
                "ce n'est pas la preuve d'une dette."
            )
        case 409:
            raise Unavailable(
                "Le réseau CIBTP connaît l'établissement mais ne peut pas établir l'attestation en ce moment, par "
                "exemple pendant un changement de caisse.",
                "000",
            )
        case 422:
            return _refusee(answered_on(response))
        case 500:
            raise internal_error()
    raise Unreadable


def _delivered(content: bytes, on: date | None) -> Delivered[AttestationCongesPayesCibtp]:
    file = pdf_file(content, name="certificat_cibtp.pdf", kept_for=_KEPT_FOR, producer="Le réseau CIBTP")
    return Delivered(file, lambda document: _delivree(document, on))


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, AttestationCongesPayesCibtp]] = certificate_source(
    "cibtp.attestation_conges_payes", call, parse, max_bytes=MAX_BYTES
)

ATTESTATION_CONGES_PAYES: Final[Dataset[Siret, AttestationCongesPayesCibtp, AttestationCongesPayesCibtp]] = Dataset(
    id="cibtp.attestation_conges_payes",
    seed=None,
    title="Attestation de cotisations congés payés et chômage intempéries (bâtiment)",
    description=(
        "Document par lequel le réseau des caisses Congés intempéries BTP atteste qu'une entreprise est à jour de ses "
        "cotisations de congés payés et de chômage intempéries. Demandée par SIRET, elle vaut pour toute l'unité légale. "
        "Un refus de délivrance est une réponse, pas une erreur. Pour une entreprise du BTP dont le métier n'est pas "
        "connu, demander aussi l'attestation de la CNETP (travaux publics)."
    ),
    ouverture=Ouverture.PROTEGEE,
    opening=Opening(
        scopes=frozenset({
            scopes.ATTESTATION_COTISATIONS_CONGES_PAYES_CHOMAGE_INTEMPERIES_CIBTP_CNETP,
            scopes.CERTIFICATION_CNETP,
            scopes.CERTIFICAT_CNETP,
        }),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=SOURCE,
    record=AttestationCongesPayesCibtp,
    read=as_is,
    source_date=lambda attestation: attestation.situation_au,
    perimeter=(
        "Entreprises de métropole qui relèvent des conventions collectives du bâtiment : ouvriers, jusqu'à dix salariés "
        "et au-delà (8 octobre 1990), ETAM (12 juillet 2006), cadres (1er juin 2004). Sans les adhérents de la CNETP, ni "
        "les caisses de La Réunion, des Antilles et de la Guyane."
    ),
    key="SIRET",
    freshness="Temps réel : l'attestation vaut pour le jour de sa délivrance, et rien n'est gardé en cache.",
    not_found_means=(
        "Le réseau CIBTP ne connaît pas l'établissement, ou sa caisse n'est pas raccordée : ce n'est pas la preuve "
        "d'une dette."
    ),
    quota=QuotaGroup.DOCS_HIGH,
    rest_path="/v3/cibtp/etablissements/{siret}/attestation_cotisations_conges_payes_chomage_intemperies",
    example=Siret("91020304100025"),
    left_out={
        "type": "Vaut « Fonctionnelle » dans tous les cas connus.",
        "message": "Texte libre du fournisseur ; le statut suffit.",
        "Content-Disposition": "Nom de fichier interne au réseau.",
        "texte du PDF": "Le document est remis tel quel, sans être lu.",
    },
    open_questions=(
        "Un statut 422 est toujours lu comme « pas à jour » : on ne sait pas s'il peut dire autre chose.",
        "D'autres valeurs de `type` existent peut-être ; aucune n'est lue.",
        "La réponse du service de jetons peut-elle être sans `expires_in` ? Elle vaudrait alors 3 599 secondes.",
        "Seul le message, jamais lu, distingue un SIRET inconnu d'une caisse qui n'est pas raccordée.",
    ),
)  # fmt: skip
