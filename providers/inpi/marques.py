"""Trade marks of a company: how many, and the latest. Source: INPI, PI APIs, `marques/search`."""

from dataclasses import replace
from typing import Final

from auth import scopes
from auth.scopes import OPEN_DATA
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup, as_is
from providers.diffusion import LIFTED_BY, hidden
from providers.identifiers import Siren
from providers.inpi import recherche
from providers.inpi.recherche import Collection, Resultats, Titre
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Marque.")
class Marque:
    numero_application: str | None = inherits("Numéro de dépôt.", source="ApplicationNumber")
    nom: str | None = inherits(
        "Nom ; nul pour une marque figurative, `[ND]` au public pour une entité en diffusion partielle.",
        source="Mark",
        personal=True,
    )
    status: str | None = inherits("État, en toutes lettres : « Marque enregistrée »…", source="MarkCurrentStatusCode")
    depositaire: str | None = inherits(
        "Déposant, qui peut être une personne physique ; `[ND]` au public pour une entité en diffusion partielle.",
        source="DEPOSANT",
        personal=True,
    )
    clef: str | None = inherits("Clef : FMARK française, CTMARK européenne, TMINT internationale.", source="ukey")
    notice_url: str | None = inherits("Adresse de la notice.", source="xml.href")


@record("Marques d'une entreprise.")
class Marques:
    count: int = inherits("Nombre de marques trouvées.", source="metadata.count")
    complet: bool = inherits("Toujours faux : seuls les titres qui portent un SIREN sont trouvés.")
    items: list[Marque] = inherits("Les vingt plus récentes au plus.", source="results")


# --- How to ask, how to read ---------------------------------------------------------------------

COLLECTION: Final = Collection(
    name="marques",
    offices=("FR", "EU", "WO"),
    holder="ApplicantIdentifier",
    fields=("ApplicationNumber", "Mark", "MarkCurrentStatusCode", "DEPOSANT", "ukey"),
    sort=(),
    illegible="504",
)


def read(results: Resultats) -> Marques:
    return Marques(count=results.count, complet=False, items=[_marque(titre) for titre in results.titres])


def _marque(titre: Titre) -> Marque:
    return Marque(
        numero_application=titre.text("ApplicationNumber"),
        nom=titre.text("Mark"),
        status=status(titre.text("MarkCurrentStatusCode")),
        depositaire=titre.text("DEPOSANT"),
        clef=titre.text("ukey"),
        notice_url=titre.notice_url,
    )


def status(written: str | None) -> str | None:
    """A label, or the constant of the same words (`MARQUE_ENREGISTRÉE`), as a label."""
    if written is None:
        return None
    return written.replace("_", " ").capitalize() if written.isupper() else written


# --- What the public doesn't see -----------------------------------------------------------------


def mask(marques: Marques) -> Marques:
    """Hide who filed a mark, and the mark itself: a person's is often her name."""
    items = [
        replace(marque, nom=hidden(marque.nom), depositaire=hidden(marque.depositaire)) for marque in marques.items
    ]
    return replace(marques, items=items)


# --- The declaration -----------------------------------------------------------------------------

MARQUES: Final[Dataset[Siren, Marques, Marques]] = Dataset(
    id="inpi.marques",
    seed="extraits_courts_inpi",
    title="Marques",
    description="Nombre de marques déposées par une entreprise, et les vingt plus récentes.",
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.EXTRAIT_COURT_INPI}), unmasked_for=LIFTED_BY, mask=mask, by_diffusion=True
    ),
    source=recherche.source("inpi.marques", COLLECTION, read),
    record=Marques,
    read=as_is,
    source_date=None,
    perimeter="Marques françaises dont la notice porte le SIREN du déposant : environ trois sur cinq.",
    key="SIREN",
    freshness=recherche.FRESHNESS,
    not_found_means=recherche.NOT_FOUND_MEANS,
    quota=QuotaGroup.JSON,
    rest_path="/v3/inpi/unites_legales/{siren}/marques",
    example=Siren("910203041"),
    left_out={"results[].documentId": "Redondant avec le numéro de dépôt.", "image": "Se lit dans la notice."},
    open_questions=(
        *recherche.OPEN_QUESTIONS,
        "Liste des états possibles d'une marque : libellés et constantes sont acceptés tels quels.",
    ),
)
