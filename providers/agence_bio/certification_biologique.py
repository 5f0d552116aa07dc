"""Organic operators at an establishment: activities, products, addresses, state of their certificates. Key: a SIRET.

The provider ignores a parameter that it doesn't know and gives its whole register: only items of the SIRET asked for are
kept. Some SIRETs have several items, left by a migration.
Source: Agence BIO, open API, operation `api/gouv/operateurs`.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from typing import Final

import httpx

from auth import scopes
from auth.scopes import OPEN_DATA
from providers import reading
from providers.agence_bio import wire
from providers.declaration import (
    Access,
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
from providers.diffusion import LIFTED_BY, hidden
from providers.errors import Misidentified, NotFound, Unreadable
from providers.http_status import refuse_failure
from providers.identifiers import Siret
from providers.record import inherits, record

PAGE: Final = 100
"""Items asked for at once: the default is small and not documented."""

# --- What it says --------------------------------------------------------------------------------


@record("Adresse d'un opérateur biologique.")
class AdresseOperateurBio:
    lieu: str | None = inherits("Voie.", source="items[].adressesOperateurs[].lieu", personal=True)
    code_postal: str | None = inherits("Code postal.", source="items[].adressesOperateurs[].codePostal", personal=True)
    ville: str | None = inherits("Commune.", source="items[].adressesOperateurs[].ville")
    lat: float | None = inherits("Latitude (WGS 84).", source="items[].adressesOperateurs[].lat", personal=True)
    long: float | None = inherits("Longitude (WGS 84).", source="items[].adressesOperateurs[].long", personal=True)
    type: list[str] = inherits(
        "Usages de l'adresse : siège social, lieux d'activité, lieux de vente.",
        source="items[].adressesOperateurs[].typeAdresseOperateurs",
    )


@record("Produit d'un opérateur biologique.")
class ProductionBio:
    nom: str | None = inherits("Libellé.", source="items[].productions[].nom")
    code: str | None = inherits(
        "Code de la nomenclature CPF, ou « GP. » et des chiffres pour un groupe.", source="items[].productions[].code"
    )


@record("Certificat biologique d'un opérateur, chez un organisme certificateur.")
class CertificatBio:
    organisme: str | None = inherits(
        "Organisme certificateur ; nul, comme l'adresse, pour un opérateur dispensé de certification.",
        source="items[].certificats[].organisme",
    )
    date_engagement: date | None = inherits("Date d'engagement.", source="items[].certificats[].dateEngagement")
    date_arret: date | None = inherits("Date d'arrêt.", source="items[].certificats[].dateArret")
    date_suspension: date | None = inherits("Date de suspension.", source="items[].certificats[].dateSuspension")
    url: str | None = inherits(
        "Adresse du certificat chez l'organisme, ni vérifiée ni copiée ; peut manquer, et manque au public pour une entité "
        "en diffusion partielle.",
        source="items[].certificats[].url",
        personal=True,
    )
    etat_certification: str | None = inherits(
        "État : ENGAGEE (en vigueur), SUSPENDUE, ARRETEE, RETIREE (suspendue depuis plus d'un an), NON ENGAGEE, "
        "ENGAGEE FUTUR.",
        source="items[].certificats[].etatCertification",
    )


@record("Opérateur du registre de l'agriculture biologique.")
class OperateurBio:
    siret: str = inherits("SIRET de l'établissement.", source="items[].siret")
    numero_bio: int = inherits("Numéro de l'opérateur.", source="items[].numeroBio")
    date_derniere_mise_a_jour: date | None = inherits("Dernière mise à jour.", source="items[].dateMaj")
    reseau: str | None = inherits("Enseigne ou réseau.", source="items[].reseau")
    categories: list[str] = inherits("Modes de vente.", source="items[].categories[].nom")
    activites: list[str] = inherits(
        "Activités : production, préparation, distribution, stockage, importation, restauration.",
        source="items[].activites[].nom",
    )
    adresses_operateurs: list[AdresseOperateurBio] = inherits(
        "Adresses ; du public, seule la commune est vue pour une entité en diffusion partielle.",
        source="items[].adressesOperateurs",
    )
    productions: list[ProductionBio] = inherits("Produits.", source="items[].productions")
    certificats: list[CertificatBio] = inherits("Certificats, un par organisme.", source="items[].certificats")


@record("Opérateurs biologiques d'un établissement.")
class CertificationBiologique:
    items: list[OperateurBio] = inherits("Opérateurs ; presque toujours un seul.", source="items")
    count: int = inherits("Nombre d'opérateurs.")


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siret, access: Access) -> Call:
    return _page(key, access, 0)


def _page(key: Siret, access: Access, start: int) -> Call:
    return Call(
        method="GET",
        url=access.settings["url"] + "/api/gouv/operateurs/",
        params=(("siret", key), ("nb", str(PAGE)), ("debut", str(start))),
        headers=(("Accept", "application/json"), ("User-Agent", access.settings["user_agent"])),
    )


# --- How to read ---------------------------------------------------------------------------------


def parse(response: httpx.Response, key: Siret) -> CertificationBiologique | Follow[CertificationBiologique]:
    return _read(response, key, ())


def _read(
    response: httpx.Response, key: Siret, before: tuple[wire.Json, ...]
) -> CertificationBiologique | Follow[CertificationBiologique]:
    """`before` holds the items of the pages already read."""
    body = _body(response)
    items = reading.nodes(body, "items")
    mine = [item for item in items if item.get("siret") == key]
    so_far = (*before, *mine)
    # With an item of somebody else the filter was ignored: what follows is the register, not more of this key.
    if mine and len(mine) == len(items) and len(so_far) < wire.count(body, "nbTotal"):
        return Follow(partial(_following, key, len(so_far)), partial(_read, key=key, before=so_far))
    if not so_far:
        raise NotFound("L'Agence BIO ne connaît pas d'opérateur biologique à ce SIRET.")
    operateurs = [_operateur(item, key) for item in so_far]
    kept = _without_leftovers(operateurs)
    return CertificationBiologique(items=kept, count=len(kept))


def _following(key: Siret, start: int, access: Access) -> Call:
    return _page(key, access, start)


def _body(response: httpx.Response) -> wire.Json:
    if response.status_code == 404:
        raise NotFound("L'Agence BIO ne connaît pas d'opérateur biologique à ce SIRET.")
    if response.status_code == 403:
        # Our name is refused: a matter of configuration, which the ecosystem codes as an unknown answer.
        raise Misidentified(subcode="999")
    refuse_failure(response)
    if response.status_code != 200:
        raise Unreadable
    body = reading.json_object(response.content)
    if body.get("items") is None:
        raise Unreadable
    return body


def _without_leftovers(operateurs: Sequence[OperateurBio]) -> list[OperateurBio]:
    """Operators with a certificate in force win over those without; without any, all stay."""
    in_force = [
        operateur
        for operateur in operateurs
        if any(certificat.etat_certification == "ENGAGEE" for certificat in operateur.certificats)
    ]
    return in_force or list(operateurs)


def _operateur(item: wire.Json, key: Siret) -> OperateurBio:
    return OperateurBio(
        siret=key,
        numero_bio=wire.integer(item, "numeroBio"),
        date_derniere_mise_a_jour=wire.day(item, "dateMaj"),
        reseau=reading.text(item, "reseau") or None,
        categories=wire.names(item, "categories"),
        activites=wire.names(item, "activites"),
        adresses_operateurs=[_adresse(node) for node in reading.nodes(item, "adressesOperateurs")],
        productions=[
            ProductionBio(nom=reading.text(node, "nom"), code=reading.text(node, "code"))
            for node in reading.nodes(item, "productions")
        ],
        certificats=[_certificat(node) for node in reading.nodes(item, "certificats")],
    )


def _adresse(node: wire.Json) -> AdresseOperateurBio:
    return AdresseOperateurBio(
        lieu=reading.text(node, "lieu"),
        code_postal=reading.text(node, "codePostal"),
        ville=reading.text(node, "ville"),
        lat=wire.number(node, "lat"),
        long=wire.number(node, "long"),
        type=reading.texts(node, "typeAdresseOperateurs"),
    )


def _certificat(node: wire.Json) -> CertificatBio:
    return CertificatBio(
        organisme=reading.text(node, "organisme"),
        date_engagement=wire.day(node, "dateEngagement"),
        date_arret=wire.day(node, "dateArret"),
        date_suspension=wire.day(node, "dateSuspension"),
        url=reading.text(node, "url"),
        etat_certification=reading.text(node, "etatCertification"),
    )


def _last_change(certification: CertificationBiologique) -> date | None:
    days = (item.date_derniere_mise_a_jour for item in certification.items)
    return max((day for day in days if day), default=None)


# --- What the public doesn't see -----------------------------------------------------------------


def mask(certification: CertificationBiologique) -> CertificationBiologique:
    """Hide where an operator is, less the town: a farmer's address is often a home. The certificate prints it too."""
    return replace(certification, items=[_located(operator) for operator in certification.items])


def _located(operator: OperateurBio) -> OperateurBio:
    places = [
        replace(place, lieu=hidden(place.lieu), code_postal=hidden(place.code_postal), lat=None, long=None)
        for place in operator.adresses_operateurs
    ]
    certificats = [replace(certificat, url=None) for certificat in operator.certificats]
    return replace(operator, adresses_operateurs=places, certificats=certificats)


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siret, CertificationBiologique]] = Source(
    id="agence_bio.certification_biologique",
    how=Http(call=call, parse=parse, bulk=None, steps=5),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    # The register changes weekly, daily for some bodies.
    life=For(timedelta(hours=24)),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=16_000_000,
)

CERTIFICATION_BIOLOGIQUE: Final[Dataset[Siret, CertificationBiologique, CertificationBiologique]] = Dataset(
    id="agence_bio.certification_biologique",
    seed="certificats_agence_bio",
    title="Certification biologique",
    description=(
        "Opérateurs de l'agriculture biologique d'un établissement : activités, produits, adresses et état du certificat "
        "chez chaque organisme certificateur."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.CERTIFICAT_AGENCE_BIO}),
        unmasked_for=LIFTED_BY,
        mask=mask,
        by_diffusion=True,
    ),
    source=SOURCE,
    record=CertificationBiologique,
    read=as_is,
    source_date=_last_change,
    perimeter=(
        "Opérateurs qui ont notifié leur activité à l'Agence BIO et ont un SIRET, y compris ceux qui ont arrêté depuis "
        "2018 ; environ 95 % des certificats sont accessibles."
    ),
    key="SIRET",
    freshness="Mise à jour hebdomadaire, quotidienne pour certains organismes ; réponse gardée un jour.",
    not_found_means="L'établissement n'est pas au registre des opérateurs biologiques.",
    quota=QuotaGroup.JSON,
    rest_path="/v2/certificats_agence_bio/{siret}",
    example=Siret("41200356800018"),
    left_out={
        "items[].gerant": "Nom du gérant : donnée personnelle.",
        "items[].telephone, telephoneNational, telephoneCommerciale, email": "Coordonnées, souvent personnelles.",
        "items[].raisonSociale, denominationcourante, codeNAF": "Se lisent à l'INSEE.",
        "items[].datePremierEngagement, mixite, venteAnnuaire": "Absents de la ressource d'API Entreprise.",
        "items[].annuaireActivites, siteWebs": "Propres à l'annuaire public.",
        "items[].adressesOperateurs[].departementId": "Numéro interne, qui n'est pas celui du département.",
        "items[].adressesOperateurs[].codeCommune, pays, active": "Absents de la ressource d'API Entreprise.",
        "items[].productions[].etatProductions": "Absent de la ressource d'API Entreprise.",
        "items[].certificats[].numeroControleEu, dateNotification": "Absents de la ressource d'API Entreprise.",
    },
    open_questions=(
        "La taille de page par défaut et la plus grande acceptée ne sont pas documentées : cent est demandé.",
        "La forme d'une réponse 4xx n'a jamais été vue : seul son statut est lu.",
        "« Invalid date » n'est documenté que pour le premier engagement : il est lu comme nul dans toute date.",
        "Le portail d'habilitation dit que `certificat_agence_bio` n'ouvre rien aujourd'hui, faute de service v3 : il ouvre "
        "ici ce jeu de données public.",
    ),
)
