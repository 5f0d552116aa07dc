"""The certificate of qualification of an engineering company: qualifications, validity, insurers. Key: a SIREN.

Dates are written day first; "RGE" is a text, `"0"` or `"1"`; a missing list is an empty one. The address of the
online certificate is given, never called.
Source: OPQIBI, operation `certificats/{siren}`.
"""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final

import httpx

from auth import scopes
from auth.scopes import OPEN_DATA
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
    Timeouts,
    as_is,
)
from providers.diffusion import LIFTED_BY
from providers.errors import NotFound, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import Siren
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Qualification d'ingénierie.")
class QualificationOpqibi:
    code_qualification: str | None = inherits("Code.", source="qualifications[].CodeQualification")
    nom: str | None = inherits("Nom.", source="qualifications[].Nom")
    definition: str | None = inherits(
        "Définition, telle que l'OPQIBI l'écrit : elle peut contenir des balises HTML.",
        source="qualifications[].Definition",
    )
    rge: bool | None = inherits(
        "Qualification RGE ; nul quand l'OPQIBI ne répond ni oui ni non.", source="qualifications[].rge"
    )


@record("Certificat de qualification d'une entreprise d'ingénierie.")
class CertificationIngenierie:
    numero_certificat: str | None = inherits("Numéro du certificat.", source="numero_certificat")
    url: str | None = inherits(
        "Adresse du certificat en ligne, ni vérifiée ni copiée ; nulle au public pour une entité en diffusion partielle.",
        source="url",
        personal=True,
    )
    date_delivrance_certificat: date | None = inherits("Date de délivrance.", source="date_de_delivrance_du_certificat")
    duree_validite_certificat: str | None = inherits(
        "Durée de validité, en toutes lettres.", source="duree_de_validite_du_certificat"
    )
    assurances: str | None = inherits("Assureurs, séparés par des tirets.", source="assurance")
    qualifications: list[QualificationOpqibi] = inherits("Qualifications pleines.", source="qualifications")
    date_validite_qualifications: date | None = inherits(
        "Fin de validité des qualifications pleines.", source="date_de_validite_des_qualification"
    )
    qualifications_probatoires: list[QualificationOpqibi] = inherits(
        "Qualifications probatoires.", source="qualifications_probatoires"
    )
    date_validite_qualifications_probatoires: date | None = inherits(
        "Fin de validité des qualifications probatoires ; nulle s'il n'y en a pas.",
        source="date_de_validite_des_qualifications_probatoires",
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    """No credentials. The cookie that the site sets is never sent back."""
    return Call(
        method="GET",
        url=f"{access.settings['url']}/certificats/{key}",
        headers=(("Content-Type", "application/json"),),
    )


# --- How to read ---------------------------------------------------------------------------------

_RGE: Final = {"0": False, "1": True}


def parse(response: httpx.Response, _key: Siren) -> CertificationIngenierie:
    status = response.status_code
    if status == 404:
        raise NotFound("L'OPQIBI ne connaît pas cette entreprise, ou elle n'a pas de qualification.")
    refuse_outage(response)
    if status != 200:
        # 500 included: what the service means by it isn't documented.
        raise Unreadable
    body = reading.json_object(response.content)
    if "numero_certificat" not in body and "qualifications" not in body:
        raise Unreadable
    return CertificationIngenierie(
        numero_certificat=reading.text(body, "numero_certificat"),
        url=reading.text(body, "url"),
        date_delivrance_certificat=reading.french_day(body, "date_de_delivrance_du_certificat"),
        duree_validite_certificat=reading.text(body, "duree_de_validite_du_certificat"),
        assurances=reading.text(body, "assurance"),
        qualifications=_qualifications(body, "qualifications"),
        # "qualification" without its plural: the name is the provider's.
        date_validite_qualifications=reading.french_day(body, "date_de_validite_des_qualification"),
        qualifications_probatoires=_qualifications(body, "qualifications_probatoires"),
        date_validite_qualifications_probatoires=reading.french_day(
            body, "date_de_validite_des_qualifications_probatoires"
        ),
    )


def _qualifications(body: dict[str, Any], name: str) -> list[QualificationOpqibi]:
    return [
        QualificationOpqibi(
            code_qualification=reading.text(value, "CodeQualification"),
            nom=reading.text(value, "Nom"),
            definition=reading.text(value, "Definition"),
            rge=_rge(value.get("rge")),
        )
        for value in reading.nodes(body, name)
    ]


def _rge(value: object) -> bool | None:
    """Only the two documented texts say something."""
    return _RGE.get(value) if isinstance(value, str) else None


# --- What the public doesn't see -----------------------------------------------------------------


def mask(certification: CertificationIngenierie) -> CertificationIngenierie:
    """Hide the certificate itself: it prints a name and an address."""
    return replace(certification, url=None)


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siren, CertificationIngenierie]] = Source(
    id="opqibi.certification_ingenierie",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    # The provider itself announces an hour.
    life=For(timedelta(hours=1)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=2_000_000,
)

CERTIFICATION_INGENIERIE: Final[Dataset[Siren, CertificationIngenierie, CertificationIngenierie]] = Dataset(
    id="opqibi.certification_ingenierie",
    seed="certificats_opqibi",
    title="Certification d'ingénierie (OPQIBI)",
    description=(
        "Certificat de qualification d'une entreprise d'ingénierie : qualifications pleines et probatoires, RGE ou non, "
        "dates de validité, assureurs et adresse du certificat en ligne."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.CERTIFICAT_OPQIBI, scopes.CERTIFICATION_OPQIBI}),
        unmasked_for=LIFTED_BY,
        mask=mask,
        by_diffusion=True,
    ),
    source=SOURCE,
    record=CertificationIngenierie,
    read=as_is,
    source_date=lambda certification: certification.date_delivrance_certificat,
    perimeter=(
        "Entreprises d'ingénierie et autres structures qui détiennent au moins une qualification, pleine ou "
        "probatoire : environ 2 000."
    ),
    key="SIREN",
    freshness="Temps réel ; réponse gardée une heure, comme le fournisseur l'annonce.",
    not_found_means="L'entreprise n'est pas qualifiée par l'OPQIBI, ou il ne la connaît pas.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/opqibi/unites_legales/{siren}/certification_ingenierie",
    example=Siren("910203041"),
    left_out={},
    open_questions=(
        "D'autres valeurs de `rge` que « 0 » et « 1 » n'ont jamais été vues : elles donnent une valeur nulle.",
        "Une date nulle ou vide dans un certificat n'a jamais été vue : elle est rendue nulle.",
        "Ce que contient `url`, page HTML ou PDF, a changé avec le temps.",
        "La limite de débit du fournisseur n'est pas publiée ; un statut 429 est donc lu comme inconnu.",
    ),
)
