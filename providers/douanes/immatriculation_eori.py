"""Whether an economic operator is registered under an EORI number, active or not, with its name and address.

Source: DGDDI, web service EORI. Asked by SIRET or by EORI number; since April 2023 French numbers may be made of a
SIREN, so that the number that comes back is not always the one asked. The provider knows nothing of INSEE's
diffusion statuses: name and address are hidden here from those who may not see them.
"""

import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote

import httpx

from auth import scopes
from auth.scopes import OPEN_DATA
from providers import identifiers, reading
from providers.declaration import (
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
from providers.diffusion import LIFTED_BY, hidden
from providers.errors import NotFound, Unreadable
from providers.http_status import refuse_outage
from providers.identifiers import InvalidIdentifier, Siret
from providers.record import inherits, record

# --- The key -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class NumeroOperateur:
    """What customs are asked with. `sujet` is the SIREN or SIRET inside a French number, empty for a foreign one."""

    numero: str
    sujet: str


_FOREIGN: Final = re.compile(r"(?!FR)[A-Z]{2}[!-~]{1,15}\Z")
"""Two letters of a country, then up to fifteen visible characters: their form is that country's affair."""


def par_siret(siret: Siret) -> NumeroOperateur:
    return NumeroOperateur(numero=siret, sujet=siret)


def numero_operateur(text: str) -> NumeroOperateur:
    """A SIRET, `FR` and a SIRET or a SIREN, or a foreign EORI number. Raises `InvalidIdentifier`."""
    if _FOREIGN.match(text):
        return NumeroOperateur(numero=text, sujet="")
    inner = text.removeprefix("FR")
    try:
        checked = identifiers.siren(inner) if len(text) == 11 else identifiers.siret(inner)
    except InvalidIdentifier:
        raise InvalidIdentifier(
            "Numéro invalide : un SIRET, ou un numéro EORI en majuscules (FR suivi d'un SIRET ou d'un SIREN, ou les "
            "deux lettres d'un autre pays suivies de quinze caractères au plus).",
            "00304",
        ) from None
    return NumeroOperateur(numero=text, sujet=checked)


# --- What it says --------------------------------------------------------------------------------


@record("Immatriculation d'un opérateur économique auprès des douanes (numéro EORI).")
class ImmatriculationEori:
    id: str | None = inherits(
        "Numéro EORI ; il peut différer du numéro demandé (formé du SIREN plutôt que du SIRET).",
        source="EORI.identifiant",
    )
    actif: bool = inherits("Si l'immatriculation est en vigueur.", source="EORI.actif")
    libelle: str | None = inherits("Nom de l'opérateur.", source="EORI.libelle", personal=True)
    rue: str | None = inherits("Voie.", source="EORI.rue", personal=True)
    code_postal: str | None = inherits("Code postal.", source="EORI.codePostal", personal=True)
    ville: str | None = inherits("Ville.", source="EORI.ville")
    pays: str | None = inherits("Pays, en français et en majuscules.", source="EORI.pays")
    code_pays: str | None = inherits("Code ISO du pays.", source="EORI.codePays")


# --- How to ask ----------------------------------------------------------------------------------


def call(key: NumeroOperateur, access: Access) -> Call:
    return Call(
        method="GET",
        url=f"{access.settings['url']}/{quote(key.numero, safe='')}",
        params=(("idClient", access.settings["id_client"]),),
        headers=(("Content-Type", "application/json"), ("Accept", "*/*")),
    )


# --- How to read ---------------------------------------------------------------------------------

Json = dict[str, Any]


def parse(response: httpx.Response, _key: NumeroOperateur) -> ImmatriculationEori:
    status = response.status_code
    refuse_outage(response)
    if status == 200:
        return _immatriculation(reading.needed_node(reading.json_object(response.content), "EORI"))
    # Beside its status an error has a code, which tells a number that customs don't know from a page gone astray.
    match status, _error_code(response.content):
        case 404, "FONC001":
            raise NotFound(
                "Les douanes ne connaissent pas ce numéro. L'opérateur peut être immatriculé sous une autre forme, ou "
                "dans un autre État membre."
            )
        case 400, "TECH002":
            raise Unreadable("Les douanes refusent la forme de ce numéro.", code_api="00304")
    raise Unreadable


def _immatriculation(found: Json) -> ImmatriculationEori:
    active = found.get("actif")
    # Whether the registration is in force is all that the dataset is about.
    if not isinstance(active, bool):
        raise Unreadable
    return ImmatriculationEori(
        id=reading.filled_text(found, "identifiant"),
        actif=active,
        libelle=reading.filled_text(found, "libelle"),
        rue=reading.filled_text(found, "rue"),
        code_postal=reading.filled_text(found, "codePostal"),
        ville=reading.filled_text(found, "ville"),
        pays=reading.filled_text(found, "pays"),
        code_pays=reading.filled_text(found, "codePays"),
    )


def _error_code(body: bytes) -> str | None:
    return reading.filled_text(reading.needed_node(reading.json_object(body), "erreur"), "code")


# --- What the public doesn't see of an entity in partial diffusion --------------------------------


def mask(registration: ImmatriculationEori) -> ImmatriculationEori:
    """Hide the name and, of the address, all but the town. INSEE has nothing to say of a foreign operator."""
    if registration.id is not None and not registration.id.startswith("FR"):
        return registration
    return replace(
        registration,
        libelle=hidden(registration.libelle),
        rue=hidden(registration.rue),
        code_postal=hidden(registration.code_postal),
    )


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[NumeroOperateur, ImmatriculationEori]] = Source(
    id="douanes.immatriculation_eori",
    how=Http(call=call, parse=parse, bulk=None, steps=1),
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    life=NotKept(),
    not_found_life=NotKept(),
    completion=None,
    max_bytes=1_000_000,
)

IMMATRICULATION_EORI: Final[Dataset[NumeroOperateur, ImmatriculationEori, ImmatriculationEori]] = Dataset(
    id="douanes.immatriculation_eori",
    seed="eori_douanes",
    title="Immatriculation EORI",
    description=(
        "Immatriculation d'un opérateur économique sous un numéro EORI, l'identifiant douanier de l'Union européenne : "
        "en vigueur ou non, nom et adresse. Une immatriculation inactive ou introuvable pour un SIRET ne suffit pas à "
        "conclure : l'opérateur peut être immatriculé sous un autre numéro."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.EORI_DOUANES}),
        unmasked_for=LIFTED_BY,
        mask=mask,
        by_diffusion=True,
    ),
    source=SOURCE,
    record=ImmatriculationEori,
    read=as_is,
    source_date=None,
    perimeter=(
        "Opérateurs de l'Union européenne qui commercent hors de l'Union. Par SIRET, ceux qui sont immatriculés en France ; "
        "par numéro EORI, ceux des autres États membres aussi."
    ),
    key="SIRET ou numéro EORI",
    freshness="Temps réel pour la France ; à intervalles irréguliers pour les autres États membres.",
    not_found_means=(
        "Les douanes ne connaissent pas ce numéro ; l'opérateur peut être immatriculé sous une autre forme ou ailleurs."
    ),
    quota=QuotaGroup.JSON,
    rest_path="/v3/douanes/etablissements/{siret_or_eori}/immatriculations_eori",
    example=par_siret(Siret("91020304100025")),
    left_out={
        "erreur.libelle": "Texte libre du fournisseur ; le code suffit.",
        "erreur.message": "Texte libre du fournisseur ; le code suffit.",
    },
    open_questions=(
        "La réponse à un numéro formé de FR et d'un SIREN n'a jamais été observée.",
        "D'autres codes FONC et TECH existent peut-être : ils donnent une réponse illisible.",
        "On ne sait pas si `idClient` est vérifié, ni comment un refus est signalé.",
        "Le débit accepté par le fournisseur n'est pas connu.",
        "D'autres attributs accompagnent peut-être les numéros inactifs, comme leurs dates.",
    ),
)
