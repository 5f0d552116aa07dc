"""The certificate of the paid-leave fund of public works: the company is in order with its contributions.

Source: CNETP, web service of certificates. The status alone tells the outcomes apart: a "not found" also comes
labelled as a PDF, and 401 is how the service says that it is busy with its daily processing.
"""

from datetime import timedelta
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
from providers.errors import InMaintenance, NotFound, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import Siren
from providers.pdf import MAX_BYTES, certificate_source, pdf_file
from providers.record import Document, inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Attestation de cotisations congés payés et chômage intempéries de la CNETP (travaux publics).")
class AttestationCongesPayesCnetp:
    situation: Situation = inherits(
        "Ce que la CNETP dit de l'entreprise : toujours `DELIVREE`, car elle ne dit pas pourquoi elle ne délivre pas.",
        source="statut HTTP",
    )
    libelle: str = inherits("Situation, en quelques mots.")
    description: str = inherits("Situation, en une phrase.")
    document: Document = inherits(
        "L'attestation (PDF). Couverte par le secret des affaires : elle ne doit pas être transmise à des tiers.",
        source="corps de la réponse",
        # The certificate names the sole trader when the company is one.
        personal=True,
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    """Both secrets travel in the query string: this URL must never be logged whole."""
    return Call(
        method="GET",
        url=access.settings["url"] + "/webservice/doc/attestations/entreprises",
        params=(("id", access.settings["numero_client"]), ("jeton", access.settings["jeton"]), ("siren", key)),
        # Expected by the service, though the request has no body.
        headers=(("Content-Type", "application/octet-stream"),),
    )


# --- How to read ---------------------------------------------------------------------------------

_KEPT_FOR: Final = timedelta(days=1)


def parse(response: httpx.Response, _key: Siren) -> Delivered[AttestationCongesPayesCnetp]:
    status = response.status_code
    refuse_outage(response)
    match status:
        case 200:
            return _delivered(response.content)
        case 404:
            # The body says so in a sentence under a PDF type: neither is read.
            raise NotFound(
                "La CNETP n'a pas d'attestation pour cette entreprise, inconnue, hors de son périmètre ou pas à jour : "
                "son absence ne prouve aucune dette."
            )
        case 401:
            raise InMaintenance
    raise Unreadable


def _delivered(content: bytes) -> Delivered[AttestationCongesPayesCnetp]:
    file = pdf_file(content, name="certificat_cnetp.pdf", kept_for=_KEPT_FOR, producer="La CNETP")
    return Delivered(file, _attestation)


def _attestation(document: Document) -> AttestationCongesPayesCnetp:
    return AttestationCongesPayesCnetp(
        situation=Situation.DELIVREE,
        libelle="Attestation délivrée",
        description=(
            "La CNETP atteste que l'entreprise est à jour de ses cotisations congés payés et chômage intempéries."
        ),
        document=document,
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siren, AttestationCongesPayesCnetp]] = certificate_source(
    "cnetp.attestation_conges_payes", call, parse, max_bytes=MAX_BYTES
)

ATTESTATION_CONGES_PAYES: Final[Dataset[Siren, AttestationCongesPayesCnetp, AttestationCongesPayesCnetp]] = Dataset(
    id="cnetp.attestation_conges_payes",
    seed="certificats_cnetp",
    title="Attestation de cotisations congés payés et chômage intempéries (travaux publics)",
    description=(
        "Document par lequel la caisse des entrepreneurs de travaux publics atteste qu'une entreprise est à jour de ses "
        "cotisations de congés payés et de chômage intempéries. Pour une entreprise du BTP dont le métier n'est pas "
        "connu, demander aussi l'attestation du réseau CIBTP (bâtiment)."
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
    record=AttestationCongesPayesCnetp,
    read=as_is,
    source_date=None,
    perimeter=(
        "Entreprises qui relèvent des conventions collectives des travaux publics : ouvriers (15 décembre 1992), ETAM "
        "(12 juillet 2006), cadres (20 novembre 2015). Sans les entreprises du bâtiment, ni celles qui cotisent par le "
        "Tese de l'Urssaf."
    ),
    key="SIREN",
    freshness="Non documentée ; rien n'est gardé en cache.",
    not_found_means=(
        "La CNETP n'a pas d'attestation : entreprise inconnue, hors de son périmètre ou pas à jour, sans qu'elle dise "
        "laquelle. Ce n'est pas la preuve d'une dette."
    ),
    quota=QuotaGroup.DOCS_LOW,
    rest_path="/v3/cnetp/unites_legales/{siren}/attestation_cotisations_conges_payes_chomage_intemperies",
    example=Siren("384500195"),
    left_out={
        "corps de la réponse 404": "Phrase libre, étiquetée à tort comme un PDF.",
        "Content-Disposition": "Nom de fichier du fournisseur, toujours le même.",
        "texte du PDF": "Le document est remis tel quel, sans être lu.",
    },
    open_questions=(
        "La réponse à un jeton refusé n'est pas connue. Si c'est 401, un jeton révoqué passe pour une maintenance.",
        "Un 401 en dehors de 6 h - 6 h 30 doit donc alerter l'exploitant.",
        "La limite de débit du fournisseur n'est pas connue.",
    ),
)  # fmt: skip
