"""Designs of a company: how many, and the latest. Source: INPI, PI APIs, `modeles/search`."""

from dataclasses import replace
from datetime import date
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


@record("Dessin ou modèle.")
class DessinModele:
    id: str | None = inherits("Identifiant de la notice.", source="documentId")
    titre: str | None = inherits("Titre.", source="DesignTitle")
    total_representations: int | None = inherits("Nombre de représentations.", source="TotalRepresentationSheet")
    deposant: str | None = inherits(
        "Déposant, qui peut être une personne physique ; `[ND]` au public pour une entité en diffusion partielle.",
        source="DEPOSANT",
        personal=True,
    )
    date_depot: date | None = inherits("Date de dépôt.", source="DesignApplicationDate")
    date_publication: date | None = inherits("Date de publication.", source="PublicationDate")
    classe: str | None = inherits("Classe de Locarno.", source="ClassNumber")
    reference: str | None = inherits("Référence du dessin ou modèle.", source="DesignReference")
    numero_depot: str | None = inherits("Numéro de dépôt.", source="DesignApplicationNumber")
    notice_url: str | None = inherits("Adresse de la notice.", source="xml.href")


@record("Dessins et modèles d'une entreprise.")
class DessinsModeles:
    count: int = inherits("Nombre de dessins et modèles trouvés.", source="metadata.count")
    complet: bool = inherits("Toujours faux : seuls les titres qui portent un SIREN sont trouvés.")
    items: list[DessinModele] = inherits("Les vingt plus récents au plus.", source="results")


# --- How to ask, how to read ---------------------------------------------------------------------

COLLECTION: Final = Collection(
    name="modeles",
    offices=("FR", "WO"),
    holder="ApplicantIdentifier",
    fields=(
        "DesignTitle",
        "PublicationDate",
        "DesignApplicationDate",
        "DesignApplicationNumber",
        "TotalRepresentationSheet",
        "DEPOSANT",
        "ClassNumber",
        "DesignReference",
    ),
    sort=(),
    illegible="503",
)


def read(results: Resultats) -> DessinsModeles:
    return DessinsModeles(count=results.count, complet=False, items=[_modele(titre) for titre in results.titres])


def _modele(titre: Titre) -> DessinModele:
    return DessinModele(
        id=titre.id,
        titre=titre.text("DesignTitle"),
        total_representations=titre.integer("TotalRepresentationSheet"),
        deposant=titre.text("DEPOSANT"),
        date_depot=titre.day("DesignApplicationDate"),
        date_publication=titre.day("PublicationDate"),
        classe=titre.text("ClassNumber"),
        reference=titre.text("DesignReference"),
        numero_depot=titre.text("DesignApplicationNumber"),
        notice_url=titre.notice_url,
    )


# --- What the public doesn't see -----------------------------------------------------------------


def mask(dessins: DessinsModeles) -> DessinsModeles:
    """Hide who filed a design."""
    return replace(dessins, items=[replace(item, deposant=hidden(item.deposant)) for item in dessins.items])


# --- The declaration -----------------------------------------------------------------------------

DESSINS_MODELES: Final[Dataset[Siren, DessinsModeles, DessinsModeles]] = Dataset(
    id="inpi.dessins_modeles",
    seed="extraits_courts_inpi",
    title="Dessins et modèles",
    description="Nombre de dessins et modèles déposés par une entreprise, et les vingt plus récents.",
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.EXTRAIT_COURT_INPI}), unmasked_for=LIFTED_BY, mask=mask, by_diffusion=True
    ),
    source=recherche.source("inpi.dessins_modeles", COLLECTION, read),
    record=DessinsModeles,
    read=as_is,
    source_date=None,
    perimeter="Dessins et modèles français dont la notice porte le SIREN du déposant : environ un sur deux.",
    key="SIREN",
    freshness="Mise à jour toutes les deux semaines ; réponse gardée sept jours.",
    not_found_means=recherche.NOT_FOUND_MEANS,
    quota=QuotaGroup.JSON,
    rest_path="/v3/inpi/unites_legales/{siren}/modeles",
    example=Siren("910203041"),
    left_out={"image": "Les représentations se lisent dans la notice."},
    open_questions=recherche.OPEN_QUESTIONS,
)
