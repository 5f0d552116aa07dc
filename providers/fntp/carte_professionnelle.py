"""The professional card of a public-works contractor: its legal references and the trades that are recognised.

Source: FNTP, web service of cards. The answer is the PDF itself, or a bare status.
"""

from dataclasses import replace
from datetime import timedelta
from typing import Final

import httpx

from auth import scopes
from auth.scopes import OPEN_DATA
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
from providers.diffusion import LIFTED_BY
from providers.errors import Misidentified, NotFound, Unreadable, internal_error
from providers.http_status import refuse_outage
from providers.identifiers import Siren
from providers.pdf import MAX_BYTES, certificate_source, pdf_file
from providers.record import Document, inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Carte professionnelle d'entrepreneur de travaux publics, délivrée par la FNTP.")
class CarteProfessionnelle:
    situation: Situation = inherits(
        "Ce que la FNTP dit de l'entreprise : toujours `DELIVREE`, car elle ne dit pas pourquoi elle n'a pas de carte.",
        source="statut HTTP",
    )
    libelle: str = inherits("Situation, en quelques mots.")
    description: str = inherits("Situation, en une phrase.")
    document: Document | None = inherits(
        "La carte (PDF) ; sa durée de validité y est imprimée.",
        source="corps de la réponse",
        # The card may name people.
        personal=True,
    )


# --- How to ask ----------------------------------------------------------------------------------


def call(key: Siren, access: Access) -> Call:
    """The token travels in the query string: this URL must never be logged whole."""
    return Call(
        method="GET",
        url=f"{access.settings['url']}/rip/sgmap/{key}/cartepro",
        params=(("token", access.settings["jeton"]),),
        # Looks like a slip for `Accept`; nobody knows whether the service reads it, so it is sent.
        headers=(("Content-Type", "application/pdf"),),
    )


# --- How to read ---------------------------------------------------------------------------------

_KEPT_FOR: Final = timedelta(days=1)


def parse(response: httpx.Response, _key: Siren) -> Delivered[CarteProfessionnelle]:
    status = response.status_code
    refuse_outage(response)
    match status:
        case 200:
            return _delivered(response.content)
        case 404:
            raise NotFound(
                "La FNTP n'a pas de carte professionnelle pour cette entreprise. La carte est délivrée sur demande : "
                "son absence ne prouve aucune dette."
            )
        case 401 | 403:
            # Never observed: the plain meaning of both statuses is that our token was refused.
            raise Misidentified
        case 500:
            raise internal_error()
    raise Unreadable


def _delivered(content: bytes) -> Delivered[CarteProfessionnelle]:
    file = pdf_file(content, name="carte_professionnelle_fntp.pdf", kept_for=_KEPT_FOR, producer="La FNTP")
    return Delivered(file, _carte)


def _carte(document: Document) -> CarteProfessionnelle:
    return CarteProfessionnelle(
        situation=Situation.DELIVREE,
        libelle="Carte délivrée",
        description="La FNTP a délivré une carte professionnelle d'entrepreneur de travaux publics à cette entreprise.",
        document=document,
    )


# --- What the public doesn't see -----------------------------------------------------------------


def mask(card: CarteProfessionnelle) -> CarteProfessionnelle:
    """Hide the card itself: it prints a name and an address."""
    return replace(card, document=None)


# --- The declaration -----------------------------------------------------------------------------

SOURCE: Final[Source[Siren, CarteProfessionnelle]] = certificate_source(
    "fntp.carte_professionnelle", call, parse, max_bytes=MAX_BYTES
)

CARTE_PROFESSIONNELLE: Final[Dataset[Siren, CarteProfessionnelle, CarteProfessionnelle]] = Dataset(
    id="fntp.carte_professionnelle",
    seed="cartes_professionnelles_fntp",
    title="Carte professionnelle de travaux publics",
    description=(
        "Carte d'entrepreneur de travaux publics : références légales de l'entreprise et métiers que la fédération lui "
        "reconnaît. Elle n'est remise qu'à une entreprise à jour des cotisations professionnelles que collecte sa caisse "
        "de congés payés."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.FNTP_CARTE_PRO}),
        unmasked_for=LIFTED_BY,
        mask=mask,
        by_diffusion=True,
    ),
    source=SOURCE,
    record=CarteProfessionnelle,
    read=as_is,
    source_date=None,
    perimeter="Entreprises de travaux publics qui ont demandé une carte : environ 7 400 en avril 2022.",
    key="SIREN",
    freshness="Non documentée ; rien n'est gardé en cache.",
    not_found_means="L'entreprise n'a pas de carte, qui se donne sur demande : ce n'est pas la preuve d'une dette.",
    quota=QuotaGroup.DOCS_LOW,
    rest_path="/v3/fntp/unites_legales/{siren}/carte_professionnelle_travaux_publics",
    example=Siren("384500195"),
    left_out={"texte du PDF": "Le document est remis tel quel, sans être lu : sa validité y est imprimée."},
    open_questions=(
        "La réponse à un jeton refusé n'a jamais été observée : 401 et 403 sont lus ainsi.",
        "Tous les échanges connus datent de 2017 : les en-têtes ont pu changer ; aucun n'est lu.",
        "La limite de débit du fournisseur n'est pas connue.",
    ),
)
