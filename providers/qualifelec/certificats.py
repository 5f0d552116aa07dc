"""The Qualifelec certificates of an establishment: qualification, indices, mentions, insurances. Key: a SIRET.

Dates are epochs of midnight in Paris: in UTC they fall on the day before. A missing class is an empty list in the place
of an object.
Source: Qualifelec, service of certificates.
"""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import httpx
import orjson

from auth.scopes import OPEN_DATA
from providers import reading
from providers.declaration import (
    PARIS,
    Access,
    Call,
    Dataset,
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
from providers.errors import Misidentified, NotFound, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import Siret
from providers.record import inherits, record

Json = dict[str, Any]

# --- What it says --------------------------------------------------------------------------------


@record("Indice, mention ou domaine d'une qualification Qualifelec.")
class ElementQualifelec:
    label: str | None = inherits("Libellé.", source="[].indexes[].label")
    code: str | None = inherits("Code.", source="[].indexes[].code")


@record("Classe d'effectif d'une qualification Qualifelec ; tout est nul quand il n'y en a pas.")
class ClassificationQualifelec:
    code: int | None = inherits("Code.", source="[].classification.code")
    label: str | None = inherits("Libellé.", source="[].classification.label")


@record("Qualification Qualifelec.")
class QualificationQualifelec:
    label: str | None = inherits("Libellé.", source="[].label")
    date_debut: date | None = inherits("Début de la qualification.", source="[].qualification_start_date")
    date_fin: date | None = inherits("Fin de la qualification.", source="[].qualification_end_date")
    indices: list[ElementQualifelec] = inherits("Indices.", source="[].indexes")
    mentions: list[ElementQualifelec] = inherits("Mentions.", source="[].mentions")
    domaines: list[ElementQualifelec] = inherits("Domaines.", source="[].domains")
    classification: ClassificationQualifelec = inherits("Classe d'effectif.", source="[].classification")


@record("Assurance déclarée à Qualifelec.")
class AssuranceQualifelec:
    nom: str | None = inherits("Assureur.", source="[].decennial_insurance, [].liability_insurance")
    date_debut: date | None = inherits("Début.", source="[].decennial_insurance_start_date")
    date_fin: date | None = inherits("Fin.", source="[].decennial_insurance_end_date")


@record("Certificat Qualifelec.")
class CertificatQualifelec:
    document_url: str | None = inherits(
        "Adresse du certificat (PDF) chez Qualifelec, ni vérifiée ni copiée ; nulle au public pour une entité en diffusion "
        "partielle.",
        source="[].url",
        personal=True,
    )
    numero: int | None = inherits("Numéro.", source="[].num")
    rge: bool | None = inherits("Certificat RGE.", source="[].rge")
    date_debut: date | None = inherits("Début de validité du certificat.", source="[].start_date")
    date_fin: date | None = inherits("Fin de validité du certificat.", source="[].end_date")
    qualification: QualificationQualifelec = inherits("Qualification.")
    assurance_decennale: AssuranceQualifelec = inherits("Assurance décennale.", source="[].decennial_insurance")
    assurance_civile: AssuranceQualifelec = inherits("Assurance civile.", source="[].liability_insurance")


@record("Certificats Qualifelec d'un établissement.")
class CertificatsQualifelec:
    items: list[CertificatQualifelec] = inherits("Certificats en cours.", source="[]")
    count: int = inherits("Nombre de certificats.")


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return Call(
        method="GET",
        url=f"{access.settings['url']}/{key}",
        headers=(("Authorization", f"Bearer {access.session}"), ("Content-Type", "application/json")),
    )


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, _key: Siret) -> CertificatsQualifelec:
    status = response.status_code
    if status == 404:
        raise NotFound("Qualifelec ne connaît pas cet établissement.")
    refuse_outage(response)
    if status == 401:
        raise Misidentified
    if status != 200:
        # 500 included: what the service means by it isn't documented.
        raise Unreadable
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    if isinstance(body, dict) and type(body.get("code")) is int and body["code"] == 404:
        raise NotFound("Qualifelec ne connaît pas cet établissement.")
    if not isinstance(body, list) or not all(isinstance(item, dict) for item in body):
        raise Unreadable
    if not body:
        raise NotFound("Qualifelec connaît cet établissement, qui n'a pas de certificat en cours.")
    items = [_certificat(item) for item in body]
    return CertificatsQualifelec(items=items, count=len(items))


def _certificat(item: Json) -> CertificatQualifelec:
    return CertificatQualifelec(
        document_url=reading.text(item, "url"),
        numero=reading.integer(item, "num"),
        rge=reading.flag(item, "rge"),
        date_debut=_paris_day(item, "start_date"),
        date_fin=_paris_day(item, "end_date"),
        qualification=QualificationQualifelec(
            label=reading.text(item, "label"),
            date_debut=_paris_day(item, "qualification_start_date"),
            date_fin=_paris_day(item, "qualification_end_date"),
            indices=_elements(item, "indexes"),
            mentions=_elements(item, "mentions"),
            domaines=_elements(item, "domains"),
            classification=_classification(item.get("classification")),
        ),
        assurance_decennale=_assurance(item, "decennial_insurance"),
        assurance_civile=_assurance(item, "liability_insurance"),
    )


def _assurance(item: Json, name: str) -> AssuranceQualifelec:
    return AssuranceQualifelec(
        nom=reading.text(item, name),
        date_debut=_paris_day(item, f"{name}_start_date"),
        date_fin=_paris_day(item, f"{name}_end_date"),
    )


def _elements(item: Json, name: str) -> list[ElementQualifelec]:
    return [
        ElementQualifelec(label=reading.text(value, "label"), code=reading.text(value, "code"))
        for value in reading.nodes(item, name)
    ]


def _classification(value: object) -> ClassificationQualifelec:
    """The class by headcount; none is written as an empty list."""
    if value is None or value == []:
        return ClassificationQualifelec(code=None, label=None)
    if not isinstance(value, dict):
        raise Unreadable
    return ClassificationQualifelec(code=reading.integer(value, "code"), label=reading.text(value, "label"))


def _paris_day(parent: Json, name: str) -> date | None:
    """The day in Paris of an epoch in seconds."""
    value = parent.get(name)
    if value is None:
        return None
    if type(value) is not int:
        raise Unreadable
    try:
        return datetime.fromtimestamp(value, PARIS).date()
    except (ValueError, OverflowError, OSError):
        raise Unreadable from None


# --- What the public doesn't see -----------------------------------------------------------------


def mask(certificates: CertificatsQualifelec) -> CertificatsQualifelec:
    """Hide the certificates themselves: they print a name and an address."""
    return replace(certificates, items=[replace(item, document_url=None) for item in certificates.items])


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, CertificatsQualifelec]] = Source(
    id="qualifelec.certificats",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    # Live data: nothing says that an answer may be served again.
    life=NotKept(),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=4_000_000,
)

CERTIFICATS: Final[Dataset[Siret, CertificatsQualifelec, CertificatsQualifelec]] = Dataset(
    id="qualifelec.certificats",
    seed=None,
    title="Certificats Qualifelec",
    description=(
        "Certificats de qualification d'un établissement pour les travaux d'électricité, RGE ou non : qualification, "
        "indices, mentions, domaines, dates, assurances et adresse du certificat."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(scopes=frozenset({OPEN_DATA}), unmasked_for=LIFTED_BY, mask=mask, by_diffusion=True),
    source=SOURCE,
    record=CertificatsQualifelec,
    read=as_is,
    source_date=None,
    perimeter=(
        "Environ 5 000 établissements, en métropole et dans les départements et collectivités d'outre-mer, qui ont un "
        "certificat en cours. Une qualification dure quatre ans, deux si elle est probatoire."
    ),
    key="SIRET",
    freshness="Temps réel.",
    not_found_means="Qualifelec ne connaît pas l'établissement, ou il n'a pas de certificat en cours.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/qualifelec/etablissements/{siret}/certificats",
    example=Siret("91020304100025"),
    left_out={},
    open_questions=(
        "On ne sait pas si un assureur nul peut avoir des dates : les trois valeurs sont lues séparément.",
        "La limite de débit du fournisseur n'est pas publiée ; un statut 429 est donc lu comme inconnu.",
        "Ce que rend un jeton échu n'est pas documenté : 401 renouvelle la session une fois.",
        "Un objet `{code: 404}` sous un statut 200 n'a jamais été vu : il est lu comme inconnu de Qualifelec.",
    ),
)
