"""The files of an association: those filed in the RNA, and those that it puts in Le Compte Asso.

Source: API Association, `documents`. The service gives links, never bytes: files stay with it and are fetched when
they are downloaded.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, date, datetime
from types import MappingProxyType
from typing import Final

import strawberry

from providers.ministere_interieur import wire
from providers.ministere_interieur.wire import Noeud
from providers.record import DocumentDistant, inherits, record

# --- What it says --------------------------------------------------------------------------------


@record("Nature d'un document déposé au RNA.")
class SousTypeDocumentRna:
    code: str | None = inherits("Code, par exemple STC.", source="documents/document_rna/sous_type")
    libelle: str | None = inherits("Libellé, par exemple « Statuts ».", source="documents/document_rna/lib_sous_type")


@record("Document déposé au répertoire national des associations (RNA).")
class DocumentRna:
    id: str = inherits("Empreinte SHA-256 de l'identifiant du document.", source="documents/document_rna/id")
    type: str = inherits(
        "« Pièce », ou « Récipicé » (graphie de l'API Entreprise) pour un récépissé.",
        source="documents/document_rna/type",
    )
    sous_type: SousTypeDocumentRna = inherits("Nature du document.")
    annee_depot: str | None = inherits(
        "Année du dépôt ; 1970 quand le dépôt n'est pas daté.", source="documents/document_rna/annee"
    )
    date_depot: datetime | None = inherits(
        "Instant du dépôt ; nul quand il est inconnu.", source="documents/document_rna/time"
    )
    timestamp: str | None = inherits("Le même instant, en secondes depuis 1970.", source="documents/document_rna/time")
    document: DocumentDistant | None = inherits(
        "Le fichier (PDF) ; nul quand le fournisseur ne donne pas de lien.",
        source="documents/document_rna/url",
        personal=True,
    )


@record("Document déposé par l'association dans Le Compte Asso.")
class DocumentLeCompteAsso:
    id: str = inherits("Empreinte SHA-256 de l'identifiant du document.", source="documents/document_dac/uuid")
    nom: str | None = inherits(
        "Nom du fichier, dont les accents sont parfois abîmés.", source="documents/document_dac/nom"
    )
    commentaire: str | None = inherits(
        "Commentaire du déposant.", source="documents/document_dac/commentaire", personal=True
    )
    type: str | None = inherits(
        "Type de document, en clair quand il est connu, sinon son code.", source="documents/document_dac/meta/type"
    )
    annee_validite: str | None = inherits(
        "Année dont parle le document.", source="documents/document_dac/meta/annee_validite"
    )
    etat: str | None = inherits("« courant » ou « archivé ».", source="documents/document_dac/meta/etat")
    date_depot: date | None = inherits("Date du dépôt.", source="documents/document_dac/time_depot")
    document: DocumentDistant | None = inherits(
        "Le fichier, dans le format où il a été déposé.", source="documents/document_dac/url", personal=True
    )


# --- How to read ---------------------------------------------------------------------------------

_TYPES_DAC: Final[Mapping[str, str]] = MappingProxyType(
    {
        # Spelled as partners know them from today's REST API.
        "BPA": "Budget prévisionnel",
        "CPA": "Comptes du dernier exercice clôt",
        "RCA": "Rapport du commissaire au compte",
        "RAR": "Rapport d'activité (le plus récent)",
        "RFA": "Rapport financier",
        "AGR": "Arrêté de l'agrement",
        "AFF": "Attestation d'affiliation",
        "PRS": "Projet sportif",
    }
)
_MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "pdf": "application/pdf",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "odt": "application/vnd.oasis.opendocument.text",
        "ods": "application/vnd.oasis.opendocument.spreadsheet",
        "jpg": "image/jpeg",
        "jpeg": "image/jpeg",
        "png": "image/png",
    }
)
_NOT_IN_A_NAME: Final = re.compile(r"[^A-Za-z0-9._-]+")
_EPOCH_SECONDS: Final = re.compile(r"[0-9]{1,11}")


def documents_rna(racine: Noeud, sujet: str, jeu_de_donnees: str) -> list[DocumentRna]:
    """The documents of the RNA. The older JSON has them at the top."""
    return [_document_rna(node, sujet, jeu_de_donnees) for node in _documents(racine, "document_rna")]


def _document_rna(node: Noeud, sujet: str, jeu_de_donnees: str) -> DocumentRna:
    code, label = wire.texte(node, "sous_type"), wire.texte(node, "lib_sous_type")
    year = wire.texte(node, "annee")
    url = _reference(node)
    identifier = _fingerprint(wire.texte(node, "id") or url or "")
    filed = wire.texte(node, "time")
    # Zero stands for an unknown instant; the year is then that of zero.
    filed = None if filed == "0" and year in ("1970", None) else filed
    name = file_name("_".join(part for part in (label or code or "document", year) if part)) + ".pdf"
    return DocumentRna(
        id=identifier,
        type="Pièce" if wire.texte(node, "type") == "PIECE" else "Récipicé",
        sous_type=SousTypeDocumentRna(code=code, libelle=label),
        annee_depot=year,
        date_depot=_instant(filed),
        timestamp=filed,
        document=None if url is None else _remote(identifier, name, "application/pdf", url, sujet, jeu_de_donnees),
    )


def documents_le_compte_asso(racine: Noeud, sujet: str, jeu_de_donnees: str) -> dict[str, list[DocumentLeCompteAsso]]:
    """The files of Le Compte Asso by SIRET, without bank details nor what was deleted."""
    found: dict[str, list[DocumentLeCompteAsso]] = {}
    for node in _documents(racine, "document_dac"):
        meta = wire.noeud(node, "meta")
        siret = wire.chiffres(meta, 14, "id_siret")
        if siret is None or wire.texte(meta, "type") == "RIB" or wire.texte(meta, "etat") == "supprimé":
            continue
        found.setdefault(siret, []).append(_document_dac(node, meta, sujet, jeu_de_donnees))
    return found


def _document_dac(node: Noeud, meta: Noeud, sujet: str, jeu_de_donnees: str) -> DocumentLeCompteAsso:
    code = wire.texte(meta, "type")
    name, url = wire.texte(node, "nom"), _reference(node)
    identifier = _fingerprint(wire.texte(node, "uuid") or url or "")
    # Without a name the last segment of the link stands in for it.
    proposed = file_name(name or (url or "").partition("?")[0].rstrip("/").rpartition("/")[2])
    media_type = _MEDIA_TYPES.get(proposed.rpartition(".")[2].lower(), "application/octet-stream")
    return DocumentLeCompteAsso(
        id=identifier,
        nom=name,
        commentaire=wire.texte(node, "commentaire"),
        type=_TYPES_DAC.get(code, code) if code else None,
        annee_validite=wire.texte(meta, "annee_validite"),
        etat=wire.texte(meta, "etat"),
        date_depot=wire.jour(node, "time_depot"),
        document=None if url is None else _remote(identifier, proposed, media_type, url, sujet, jeu_de_donnees),
    )


def _documents(racine: Noeud, child: str) -> list[Noeud]:
    return wire.collection(wire.noeud(racine, "documents"), child) or wire.collection(racine, child)


def _reference(node: Noeud) -> str | None:
    """The link as written; what isn't one of the web is none."""
    url = wire.texte(node, "url")
    return url if url and url.startswith(("https://", "http://")) and " " not in url and url.isascii() else None


def _remote(
    identifier: str, name: str, media_type: str, reference: str, sujet: str, jeu_de_donnees: str
) -> DocumentDistant:
    return DocumentDistant(
        id=strawberry.ID(identifier),
        nom=name,
        type=media_type,
        reference=reference,
        sujet=sujet,
        jeu_de_donnees=jeu_de_donnees,
    )


def _fingerprint(identifier: str) -> str:
    return hashlib.sha256(identifier.encode("utf-8", "surrogatepass")).hexdigest()


def _instant(seconds: str | None) -> datetime | None:
    """Eleven digits go up to the year 5138: always a date that exists."""
    return datetime.fromtimestamp(int(seconds), tz=UTC) if seconds and _EPOCH_SECONDS.fullmatch(seconds) else None


def file_name(text: str) -> str:
    """A name that travels in a header and on any file system: ASCII, no blank."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return _NOT_IN_A_NAME.sub("_", folded)[-100:].strip("._") or "document"
