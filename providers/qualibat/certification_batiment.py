"""The Qualibat certificate of an establishment: the document, and what is printed on it. Key: a SIRET.

"No certificate" is a JSON object with a status of 404 inside an HTTP 200. A certificate whose text can't be read is
delivered all the same. Labels are those printed on it: Qualibat's own list of labels isn't part of this service.
Source: Qualibat, operation `certificat/{siret}`.
"""

from dataclasses import replace
from datetime import date, time, timedelta
from typing import Final

import httpx
import orjson

from auth import scopes
from auth.scopes import OPEN_DATA
from providers.attestation import Extraction
from providers.declaration import (
    Access,
    Call,
    Dataset,
    Delivered,
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
from providers.diffusion import LIFTED_BY
from providers.errors import Misidentified, NotFound, Unreadable, internal_error
from providers.http_status import refuse_outage
from providers.identifiers import Siret
from providers.pdf import pdf_file
from providers.qualibat.lecture import Insurance, lire
from providers.record import Document, inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Assurance déclarée à Qualibat.")
class AssuranceQualibat:
    nom: str | None = inherits("Assureur ; nul s'il n'est pas reconnu.", source="PDF, page 1")
    identifiant: str | None = inherits("Numéro du contrat.", source="PDF, page 1")


@record("Qualification Qualibat.")
class QualificationQualibat:
    code: str = inherits("Code Qualibat, de deux à quatre chiffres.", source="PDF, tableau des qualifications")
    nom: str | None = inherits(
        "Libellé imprimé sur le certificat ; nul quand il y est coupé en plusieurs lignes.",
        source="PDF, tableau des qualifications",
    )
    rge: bool = inherits("Qualification RGE.", source="PDF, titre de la page")
    date_attribution: date = inherits("Date d'attribution.", source="PDF, tableau des qualifications")


@record("Certificat Qualibat d'un établissement.")
class CertificationBatiment:
    document: Document | None = inherits(
        "Le certificat (PDF), qui nomme l'entreprise ; nul au public pour une entité en diffusion partielle.",
        personal=True,
    )
    date_emission: date | None = inherits("Date d'édition du certificat.", source="PDF, page 1")
    date_fin_validite: date | None = inherits("Fin de validité.", source="PDF, page 1")
    assurance_responsabilite_travaux: AssuranceQualibat = inherits("Assurance de responsabilité travaux.")
    assurance_responsabilite_civile: AssuranceQualibat = inherits("Assurance de responsabilité civile.")
    certifications: list[QualificationQualibat] = inherits("Qualifications en cours de validité.")
    extraction: Extraction = inherits("Ce qu'a donné la lecture du document.")
    extractor_error: str | None = inherits(
        "Pourquoi le document n'a pas été lu : `invalid_file`, ou la nature du certificat suivie de "
        "`_pdf_not_supported` (`amiante`, `permeabilite_air`, `metallerie_feu`, `reseaux_aerauliques`, "
        "`traitement_bois`, `cordistes`, `verification_mesures_systemes_ventilation`)."
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return Call(
        method="GET",
        url=f"{access.settings['url']}/certificat/{key}",
        headers=(("Authorization", f"Bearer {access.session}"),),
    )


# --- How to read ---------------------------------------------------------------------------------

_KEPT_FOR: Final = timedelta(hours=24)


def parse(response: httpx.Response, key: Siret) -> Delivered[CertificationBatiment]:
    """The certificate. Checks come in the provider's order: a PDF never parses as JSON."""
    status, content = response.status_code, response.content
    if status == 500:
        raise internal_error()
    refuse_outage(response)
    if status == 401:
        raise Misidentified
    in_json = _json_status(content)
    if status == 404 or in_json == 404:
        raise NotFound("Qualibat n'a pas de certificat pour cet établissement.")
    if status != 200 or in_json is not None:
        raise Unreadable
    return _delivered(content, key)


def _json_status(content: bytes) -> int | None:
    """The status inside a JSON answer, 0 when it has none; `None` when the body isn't JSON."""
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        return None
    status = answer.get("status_code") if isinstance(answer, dict) else None
    return status if type(status) is int else 0


def _delivered(content: bytes, key: Siret) -> Delivered[CertificationBatiment]:
    file = pdf_file(content, name=f"certificat_qualibat_{key}.pdf", kept_for=_KEPT_FOR, producer="Qualibat")
    printed = lire(content)
    certificate = CertificationBatiment(
        document=None,
        date_emission=printed.date_emission,
        date_fin_validite=printed.date_fin_validite,
        assurance_responsabilite_travaux=_assurance(printed.travaux),
        assurance_responsabilite_civile=_assurance(printed.civile),
        certifications=[
            QualificationQualibat(code=row.code, nom=row.nom, rge=row.rge, date_attribution=row.date_attribution)
            for row in printed.rows
        ],
        extraction=Extraction.ECHOUEE if printed.error else Extraction.REUSSIE,
        extractor_error=printed.error,
    )
    return Delivered(file, lambda document: replace(certificate, document=document))


def _assurance(insurance: Insurance) -> AssuranceQualibat:
    return AssuranceQualibat(nom=insurance.nom, identifiant=insurance.identifiant)


# --- What the public doesn't see -----------------------------------------------------------------


def mask(certification: CertificationBatiment) -> CertificationBatiment:
    """Hide the certificate itself: it prints a name and an address."""
    return replace(certification, document=None)


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, CertificationBatiment]] = Source(
    id="qualibat.certification_batiment",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    life=UntilTomorrow(time(0)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=15_000_000,
)

CERTIFICATION_BATIMENT: Final[Dataset[Siret, CertificationBatiment, CertificationBatiment]] = Dataset(
    id="qualibat.certification_batiment",
    seed="certificats_qualibat",
    title="Certification du bâtiment (Qualibat)",
    description=(
        "Certificat Qualibat d'un établissement (PDF) et ce qui y est imprimé : qualifications, RGE ou non, avec leur "
        "date d'attribution, dates du certificat et assurances."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.QUALIBAT}), unmasked_for=LIFTED_BY, mask=mask, by_diffusion=True
    ),
    source=SOURCE,
    record=CertificationBatiment,
    read=as_is,
    source_date=lambda certification: certification.date_emission,
    perimeter=(
        "Établissements qui détiennent un certificat Qualibat en cours. Une qualification dure quatre ans, deux si elle "
        "est probatoire. Sept natures de certificats sont délivrées sans être lues, dont l'amiante et les cordistes."
    ),
    key="SIRET",
    freshness="Temps réel ; réponse gardée jusqu'à minuit.",
    not_found_means="L'établissement n'a pas de certificat Qualibat en cours.",
    quota=QuotaGroup.DOCS_LOW,
    rest_path="/v4/qualibat/etablissements/{siret}/certification_batiment",
    example=Siret("38450019500019"),
    left_out={
        "PDF, situation administrative et juridique": "Se lit à l'INSEE et au registre ; imprimé dans le document.",
        "PDF, téléphone, courriel et dirigeants": "Données personnelles, imprimées dans le document.",
        "PDF, effectifs": "Imprimés dans le document.",
        "PDF, catégories de travaux RGE": "Imprimées dans le document ; absentes de la ressource d'API Entreprise.",
        "message, error": "Texte libre du fournisseur ; le statut suffit.",
    },
    open_questions=(
        "La nomenclature de Qualibat (551 libellés) n'est pas fournie : le libellé est celui du certificat, ou nul.",
        "La mise en page des certificats postérieurs à 2023 n'a pas été vue.",
        "Ce que répond un jeton refusé n'est pas documenté : 401 renouvelle la session, un autre JSON est illisible.",
        "Le nom d'un assureur absent de la liste n'est pas reconnu ; il n'est pas journalisé, car il peut être personnel.",
    ),
)
