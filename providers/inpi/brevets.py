"""Patents of a company: how many, and the latest. Source: INPI, PI APIs, `brevets/search`."""

from datetime import date
from typing import Final

from auth import scopes
from auth.scopes import OPEN_DATA
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup, as_is
from providers.identifiers import Siren
from providers.inpi import recherche
from providers.inpi.recherche import Collection, Resultats, Titre
from providers.record import inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Brevet ou certificat complémentaire de protection.")
class Brevet:
    titre: str | None = inherits("Titre.", source="TIT")
    date_publication: date | None = inherits("Date de publication.", source="PUBD")
    date_depot: date | None = inherits("Date de dépôt.", source="DEPD")
    numero_publication: str | None = inherits("Numéro complet : zone, numéro et catégorie à la suite.", source="PUBN")
    code_zone: str | None = inherits("Zone : FR, EP, WO…", source="PUBN/country")
    numero_brevet: str | None = inherits("Numéro du brevet.", source="PUBN/doc-number")
    categorie_publication: str | None = inherits("Catégorie de la publication.", source="PUBN/kind")
    notice_url: str | None = inherits("Adresse de la notice.", source="xml.href")


@record("Brevets d'une entreprise.")
class Brevets:
    count: int = inherits("Nombre de brevets trouvés.", source="metadata.count")
    complet: bool = inherits("Toujours faux : seuls les titres qui portent un SIREN sont trouvés.")
    items: list[Brevet] = inherits("Les vingt plus récents au plus.", source="results")


# --- How to ask, how to read ---------------------------------------------------------------------

COLLECTION: Final = Collection(
    name="brevets",
    offices=("FR", "EP", "WO", "CCP"),
    holder="TISI",
    fields=("TIT", "PUBD", "DEPD", "PUBN"),
    sort=("APPLICATION_DATE desc",),
    illegible="502",
)


def read(results: Resultats) -> Brevets:
    return Brevets(count=results.count, complet=False, items=[_brevet(titre) for titre in results.titres])


def _brevet(titre: Titre) -> Brevet:
    country, number, kind = publication(titre.text("PUBN") or "")
    return Brevet(
        titre=titre.text("TIT"),
        date_publication=titre.day("PUBD"),
        date_depot=titre.day("DEPD"),
        numero_publication="".join(part for part in (country, number, kind) if part) or None,
        code_zone=country,
        numero_brevet=number,
        categorie_publication=kind,
        notice_url=titre.notice_url,
    )


def publication(fragment: str) -> tuple[str | None, str | None, str | None]:
    """Zone, number and category: three elements side by side, without a root. Nulls when they aren't."""
    try:
        root = recherche.xml(f"<PUBN>{fragment}</PUBN>".encode())
    except recherche.Illegible:
        return None, None, None
    country, number, kind = (
        (root.findtext(f"{{*}}{name}") or "").strip() or None for name in ("country", "doc-number", "kind")
    )
    return country, number, kind


# --- The declaration -----------------------------------------------------------------------------

BREVETS: Final[Dataset[Siren, Brevets, Brevets]] = Dataset(
    id="inpi.brevets",
    seed="extraits_courts_inpi",
    title="Brevets",
    description="Nombre de brevets dont une entreprise est titulaire, et les vingt plus récents.",
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset({OPEN_DATA, scopes.EXTRAIT_COURT_INPI}),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=recherche.source("inpi.brevets", COLLECTION, read),
    record=Brevets,
    read=as_is,
    source_date=None,
    perimeter="Brevets français dont la notice porte le SIREN du titulaire : environ quatre sur cinq.",
    key="SIREN",
    freshness=recherche.FRESHNESS,
    not_found_means=recherche.NOT_FOUND_MEANS,
    quota=QuotaGroup.JSON,
    rest_path="/v3/inpi/unites_legales/{siren}/brevets",
    example=Siren("910203041"),
    left_out={
        "results[].documentId": "Redondant avec le numéro de publication.",
        "DENM, INVNE": "Noms des déposants et des inventeurs : données personnelles sans usage.",
        "IPCR, ABFR": "Classement et abrégé se lisent dans la notice.",
    },
    open_questions=(
        *recherche.OPEN_QUESTIONS,
        "Le nom exact de la clé de tri (`sortList` ou `sort`) n'est pas établi.",
    ),
)
