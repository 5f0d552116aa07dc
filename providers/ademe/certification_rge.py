"""The RGE certificates of an establishment: qualification, field of works, certifying body, validity.

One line per qualification and field of works; only current lines are asked for. Key: a SIRET.
Source: ADEME, dataset `historique-rge`, operation `lines`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Final

import httpx

from auth import scopes
from auth.scopes import OPEN_DATA
from providers import reading
from providers.ademe import wire
from providers.declaration import (
    Access,
    Bulk,
    Call,
    Dataset,
    Follow,
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
from providers.errors import NotFound, ProviderError, Unreadable
from providers.identifiers import Siret
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Qualification RGE.")
class QualificationRge:
    code: str | None = inherits("Code de la qualification.", source="results[].code_qualification")
    nom: str | None = inherits("Libellé de la qualification.", source="results[].nom_qualification")


@record("Ligne du jeu de données de l'ADEME d'où vient le certificat.")
class MetaCertificatRge:
    internal_id: str | None = inherits("Identifiant de la ligne.", source="results[]._id")
    archived: bool | None = inherits(
        "Ligne close ; faux, car seules les lignes en cours sont demandées.", source="results[].traitement_termine"
    )
    updated_at: date | None = inherits("Dernière modification, au jour de Paris.", source="results[]._updatedAt")


@record("Certificat RGE (reconnu garant de l'environnement) d'un établissement.")
class CertificatRge:
    url: str | None = inherits(
        "Adresse du certificat chez l'organisme certificateur, telle qu'il l'a donnée : ni vérifiée, ni copiée ; nulle au "
        "public pour une entité en diffusion partielle.",
        source="results[].url_qualification",
        personal=True,
    )
    nom_certificat: str | None = inherits("Nom du certificat.", source="results[].nom_certificat")
    domaine: str | None = inherits("Domaine de travaux ; le premier s'il y en a plusieurs.", source="results[].domaine")
    domaines: list[str] = inherits("Tous les domaines de travaux de la ligne.", source="results[].domaine")
    meta_domaine: str | None = inherits("Groupe de domaines.", source="results[].meta_domaine")
    qualification: QualificationRge = inherits("Qualification.")
    organisme: str | None = inherits("Organisme certificateur, en minuscules.", source="results[].organisme")
    date_attribution: date | None = inherits("Début de validité du certificat.", source="results[].lien_date_debut")
    date_expiration: date | None = inherits(
        "Fin de validité du certificat ; nulle s'il n'en a pas. Un certificat échu peut encore figurer ici.",
        source="results[].lien_date_fin",
    )
    meta: MetaCertificatRge = inherits("Ligne d'où vient le certificat.")


@record("Certificats RGE d'un établissement.")
class CertificationRge:
    items: list[CertificatRge] = inherits("Une entrée par qualification et par domaine.", source="results")
    count: int = inherits("Nombre d'entrées.")


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return wire.lines(access, [key], wire.PAGE, None)


def call_bulk(keys: Sequence[Siret], access: Access) -> Call:
    return wire.lines(access, keys, wire.BULK_PAGE, None)


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: Siret) -> CertificationRge | Follow[CertificationRge]:
    return _read(response, key, ())


def _read(
    response: httpx.Response, key: Siret, before: tuple[CertificatRge, ...]
) -> CertificationRge | Follow[CertificationRge]:
    """`before` holds the certificates of the pages already read."""
    page = wire.page(response)
    so_far = (*before, *(_certificat(line, key) for line in page.lines))
    if page.all_read(len(so_far)):
        return _certification(so_far)
    # More lines are announced: without a way to them, the answer is unreadable rather than short.
    after = page.after()
    return Follow(lambda access: wire.lines(access, [key], wire.PAGE, after), partial(_read, key=key, before=so_far))


def _certification(certificats: Sequence[CertificatRge]) -> CertificationRge:
    if not certificats:
        raise NotFound("Cet établissement n'a pas de certificat RGE en cours.")
    return CertificationRge(items=list(certificats), count=len(certificats))


def _certificat(line: wire.Json, key: Siret) -> CertificatRge:
    if line.get("siret") != key:
        # Never another establishment's certificates.
        raise Unreadable
    domaines = wire.texts(line, "domaine")
    end = reading.day(line, "lien_date_fin")
    return CertificatRge(
        url=reading.text(line, "url_qualification"),
        nom_certificat=reading.text(line, "nom_certificat"),
        domaine=domaines[0] if domaines else None,
        domaines=domaines,
        meta_domaine=reading.text(line, "meta_domaine"),
        qualification=QualificationRge(
            code=reading.text(line, "code_qualification"), nom=reading.text(line, "nom_qualification")
        ),
        organisme=reading.text(line, "organisme"),
        date_attribution=reading.day(line, "lien_date_debut"),
        date_expiration=None if end == wire.NO_END else end,
        meta=MetaCertificatRge(
            internal_id=reading.text(line, "_id"),
            archived=reading.flag(line, "traitement_termine"),
            updated_at=wire.paris_day(line, "_updatedAt"),
        ),
    )


def parse_bulk(response: httpx.Response, keys: Sequence[Siret]) -> Mapping[Siret, CertificationRge | ProviderError]:
    """What the answer says of each key; nothing when it was cut, so that each is asked alone."""
    page = wire.page(response)
    if not page.all_read(len(page.lines)):
        return {}
    by_siret: dict[str, list[wire.Json]] = {key: [] for key in keys}
    for line in page.lines:
        siret = line.get("siret")
        if isinstance(siret, str) and siret in by_siret:
            by_siret[siret].append(line)
    return {key: _certification_or_error(by_siret[key], key) for key in keys}


def _certification_or_error(lines: Sequence[wire.Json], key: Siret) -> CertificationRge | ProviderError:
    try:
        return _certification([_certificat(line, key) for line in lines])
    except ProviderError as error:
        return error


def _last_change(certification: CertificationRge) -> date | None:
    return max((item.meta.updated_at for item in certification.items if item.meta.updated_at), default=None)


# --- What the public doesn't see -----------------------------------------------------------------


def mask(certification: CertificationRge) -> CertificationRge:
    """Hide the certificates themselves: they print a name and an address."""
    return replace(certification, items=[replace(item, url=None) for item in certification.items])


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, CertificationRge]] = Source(
    id="ademe.certification_rge",
    how=Http(
        call=call,
        parse=parse,
        # Fifty establishments: a short enough query, and far fewer lines than a page holds.
        bulk=Bulk(size=50, call=call_bulk, parse=parse_bulk, missing_alone=True),
        steps=10,
    ),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=30)),
    # The dataset is rebuilt at night.
    life=For(timedelta(hours=3)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=32_000_000,
)

CERTIFICATION_RGE: Final[Dataset[Siret, CertificationRge, CertificationRge]] = Dataset(
    id="ademe.certification_rge",
    seed="certificats_rge_ademe",
    title="Certifications RGE",
    description=(
        "Qualifications RGE (reconnu garant de l'environnement) d'un établissement : qualification, domaine de travaux, "
        "organisme certificateur, dates de validité et adresse du certificat."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.CERTIFICAT_RGE_ADEME}), unmasked_for=LIFTED_BY, mask=mask, by_diffusion=True
    ),
    source=SOURCE,
    record=CertificationRge,
    read=as_is,
    source_date=_last_change,
    perimeter=(
        "Établissements qui détiennent une qualification RGE depuis 2014, environ 63 000 en cours. Les organismes "
        "Certibat, CNOA, Qualit'EnR, Qualibat et Qualifelec sont couverts ; les autres peuvent ne pas l'être en entier."
    ),
    key="SIRET",
    freshness="Mise à jour chaque nuit vers 3 heures ; réponse gardée trois heures.",
    not_found_means="Cet établissement n'a pas de certificat RGE en cours.",
    quota=QuotaGroup.JSON,
    rest_path="/v3/ademe/etablissements/{siret}/certification_rge",
    example=Siret("91020304100025"),
    left_out={
        "results[].date_debut, date_fin": "Bornes de la ligne d'historique, non du certificat.",
        "results[].motif_insertion": "Technique.",
        "results[].nom_entreprise, adresse, code_postal, commune": "Se lisent à l'INSEE.",
        "results[].latitude, longitude, _geopoint": "Position déduite de l'adresse.",
        "results[].telephone, email, site_internet": "Coordonnées, personnelles pour un entrepreneur individuel.",
        "results[].particulier": "Absent de la ressource d'API Entreprise.",
        "results[]._i, _rand, _score": "Techniques.",
    },
    open_questions=(
        "`domaine` est un texte ou une liste selon l'époque : les deux sont lus ; une ligne vaudra peut-être plusieurs domaines.",
        "On ne sait pas si le `Referer` est vérifié.",
        "Le statut rendu pour une clé d'API refusée n'est pas documenté : il donne une réponse illisible.",
        "Une page HTML est lue comme une panne interne du fournisseur, quel que soit son statut.",
    ),
)
