"""Actes and annual accounts that a company filed, each with the PDF to download.

Source: INPI, RNE API, `attachments`: `actes[]` and `bilans[]`. Only public documents are listed. They hold names,
addresses and signatures, and many are scans: nothing is read in them.
"""

from datetime import date
from typing import Final

from auth import scopes
from auth.scopes import OPEN_DATA
from providers import reading
from providers.declaration import Dataset, Opening, Ouverture, QuotaGroup
from providers.errors import NotFound
from providers.identifiers import Siren
from providers.inpi_rne import telechargement, wire
from providers.inpi_rne.pieces import PIECES, TYPES_DE_BILAN, Pieces
from providers.record import DocumentDistant, inherits, record

ID: Final = "inpi_rne.actes"

# --- What it says --------------------------------------------------------------------------------


@record("Nature d'un acte, et décision qu'il porte.")
class TypeActeRne:
    type_acte: str | None = inherits("Nature de l'acte.", source="actes[].typeRdd[].typeActe")
    type_decision: str | None = inherits("Décision ; nulle si aucune n'est dite.", source="actes[].typeRdd[].decision")


@record("Acte déposé au registre : statuts, procès-verbal, décision…")
class ActeRne:
    id: str = inherits("Identifiant de l'acte, sur 24 caractères.", source="actes[].id")
    nom_document: str | None = inherits("Nom du fichier, sans extension.", source="actes[].nomDocument")
    date_depot: date | None = inherits("Date de dépôt.", source="actes[].dateDepot")
    date_mise_a_jour: date | None = inherits("Date de dernière mise à jour.", source="actes[].updatedAt")
    types_actes: list[TypeActeRne] | None = inherits(
        "Natures de l'acte ; nul quand le registre n'en dit aucune.", source="actes[].typeRdd"
    )
    document: DocumentDistant = inherits("L'acte (PDF).", source="GET /api/actes/{id}/download", personal=True)


@record("Comptes annuels déposés au registre.")
class BilanRne:
    id: str = inherits("Identifiant du dépôt, sur 24 caractères.", source="bilans[].id")
    nom_document: str | None = inherits("Nom du fichier, sans extension.", source="bilans[].nomDocument")
    date_depot: date | None = inherits("Date de dépôt.", source="bilans[].dateDepot")
    date_cloture: date | None = inherits("Date de clôture de l'exercice.", source="bilans[].dateCloture")
    date_mise_a_jour: date | None = inherits("Date de dernière mise à jour.", source="bilans[].updatedAt")
    type: str | None = inherits("Type de bilan ; nul si son code est inconnu.", source="bilans[].typeBilan")
    code_type: str | None = inherits("Code du type de bilan : C, S, K, B, A, AS.", source="bilans[].typeBilan")
    document: DocumentDistant = inherits("Les comptes (PDF).", source="GET /api/bilans/{id}/download", personal=True)


@record("Actes et comptes annuels publics d'une entreprise.")
class ActesEtBilansRne:
    actes: list[ActeRne] = inherits("Les actes, dans l'ordre du registre.", source="actes")
    bilans: list[BilanRne] = inherits("Les comptes annuels, dans l'ordre du registre.", source="bilans")


# --- How to read ---------------------------------------------------------------------------------


def read(pieces: Pieces, key: Siren) -> ActesEtBilansRne:
    if not pieces.actes and not pieces.bilans:
        raise NotFound("Le registre ne publie aucun acte ni compte annuel de cette entreprise.")
    return ActesEtBilansRne(
        actes=[_acte(entry, key) for entry in pieces.actes], bilans=[_bilan(entry, key) for entry in pieces.bilans]
    )


def _acte(entry: wire.Json, key: Siren) -> ActeRne:
    id_, name = telechargement.identifiant(entry.get("id")), reading.text(entry, "nomDocument")
    kinds = None if entry.get("typeRdd") is None else reading.nodes(entry, "typeRdd")
    return ActeRne(
        id=id_,
        nom_document=name,
        date_depot=wire.day(entry, "dateDepot"),
        date_mise_a_jour=wire.day(entry, "updatedAt"),
        types_actes=None if kinds is None else [_type_acte(kind) for kind in kinds],
        document=telechargement.depose("actes", id_, name, subject=key, dataset=ID),
    )


def _type_acte(kind: wire.Json) -> TypeActeRne:
    decision = reading.text(kind, "decision")
    return TypeActeRne(
        type_acte=reading.text(kind, "typeActe"), type_decision=None if decision is None else decision.strip()
    )


def _bilan(entry: wire.Json, key: Siren) -> BilanRne:
    id_, name, code = (
        telechargement.identifiant(entry.get("id")),
        reading.text(entry, "nomDocument"),
        reading.text(entry, "typeBilan"),
    )
    return BilanRne(
        id=id_,
        nom_document=name,
        date_depot=wire.day(entry, "dateDepot"),
        date_cloture=wire.day(entry, "dateCloture"),
        date_mise_a_jour=wire.day(entry, "updatedAt"),
        type=TYPES_DE_BILAN.get(code or ""),
        code_type=code,
        document=telechargement.depose("bilans", id_, name, subject=key, dataset=ID),
    )


# --- The declaration -----------------------------------------------------------------------------

ACTES: Final[Dataset[Siren, Pieces, ActesEtBilansRne]] = Dataset(
    id=ID,
    seed="actes_inpi",
    title="Actes et comptes annuels déposés",
    description=(
        "Liste des actes (statuts, procès-verbaux, décisions…) et des comptes annuels publics qu'une entreprise a "
        "déposés, avec le PDF de chacun à télécharger."
    ),
    ouverture=Ouverture.PUBLIQUE,
    opening=Opening(
        scopes=frozenset(
            {OPEN_DATA, scopes.ACTES_INPI, scopes.BILANS_INPI, scopes.COMPTES_ANNUELS_INPI, scopes.ACTES_BILANS_INPI}
        ),
        unmasked_for=frozenset(),
        mask=None,
        by_diffusion=False,
    ),
    source=PIECES,
    record=ActesEtBilansRne,
    read=read,
    source_date=None,
    perimeter=(
        "Actes depuis 1993, entreprises de toute taille, sans les associations. Comptes annuels de 2017 à 2023 des "
        "seules entreprises inscrites au RCS ; depuis 2023, tous ceux qui sont déposés. France métropolitaine et "
        "outre-mer, sans la Polynésie française, la Nouvelle-Calédonie ni Wallis-et-Futuna."
    ),
    key="SIREN",
    freshness="Mise à jour quotidienne ; jamais gardé.",
    not_found_means="L'entreprise n'est pas au registre, ou rien de ce qu'elle a déposé n'est public.",
    quota=QuotaGroup.INPI_RNE,
    rest_path="/v3/inpi/rne/unites_legales/open_data/{siren}/actes_bilans",
    example=Siren("910203041"),
    left_out={
        "actes[].siren, bilans[].siren": "C'est le SIREN demandé.",
        "actes[].denomination, bilans[].denomination": "L'identité de l'entreprise se lit ailleurs.",
        "numChrono, numNat": "Numéros de dépôt ; ils ne servent qu'à rapprocher les comptes de leurs valeurs.",
        "confidentiality": "Seuls les documents publics sont listés.",
        "bilans[].version": "Version technique de l'enregistrement.",
        "deleted": "Les documents retirés ne sont pas montrés.",
    },
    open_questions=(
        "Un document peut être remis dans un ZIP : seul le début du fichier le dit, au moment du téléchargement.",
        "On ignore si les comptes confidentiels seraient listés pour un compte d'accès plus habilité.",
        "Le statut HTTP d'un quota quotidien dépassé n'est pas documenté : 429 est supposé.",
        "L'ancien service de 2020 (RNCS, archives ZIP) est arrêté : il n'est pas interrogé.",
    ),
)
