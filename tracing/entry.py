"""What one line of the access journal says: who saw which fields of which company, when and why.

The law asks for it, and for 36 months. One entry per (request, subject, dataset). Values are never
kept, nor the token, nor any datum of a company beyond its identifier.
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct


class Nature(StrEnum):
    """What kind of line this is."""

    INTENTION = "INTENTION"
    """A provider is about to be called for this subject; written durably before the call."""
    ACCES = "ACCES"
    """What became of one (request, subject, dataset)."""
    DOCUMENT = "DOCUMENT"
    """A stored document was downloaded."""
    PURGE = "PURGE"
    """A whole month, older than the retention, was removed."""


class Issue(StrEnum):
    """How it ended."""

    EN_COURS = "EN_COURS"
    """Of an intention: the outcome comes with the entry that names it."""
    REPONDU = "REPONDU"
    """Granted and answered."""
    INTROUVABLE = "INTROUVABLE"
    """Granted; the provider knows nothing of this subject."""
    ECHEC = "ECHEC"
    """Granted; the provider failed, `code` says how."""
    REFUSE = "REFUSE"
    """Not granted; `portees_manquantes` says what would have opened it."""
    ABANDONNE = "ABANDONNE"
    """The caller left, or a sibling's failure cancelled the work, before the outcome was known."""
    INTERROMPU = "INTERROMPU"
    """The process died, or the journal was lost, between the intention and the outcome; written at the next start, or return."""


class Origin(Struct, frozen=True, kw_only=True):
    """What all entries of one request share. Instants are UTC; `agent` is a keyed hash; `adresse` the caller's IP."""

    requete: str
    habilitation: str
    jeton: str
    siret_habilite: str
    agent: str | None
    contexte: str | None
    objet: str | None
    destinataire: str | None
    operation: str | None
    document: str
    """SHA-256 of the document text, hexadecimal."""
    adresse: str
    agent_utilisateur: str


class Entry(Struct, frozen=True, kw_only=True):
    """One line. `champs` are field paths below the dataset's field, sorted, e.g. `capital.montant`.

    `intention` is the id of the intention that this outcome closes, or none when no call was made for it
    (cache, refusal, call shared with another request).
    """

    id: str
    """UUID version 7 or 4, lower case, unique for ever."""
    nature: Nature
    instant: datetime
    origine: Origin
    sujet: str
    """SIREN, SIRET or RNA; empty when the line speaks of none."""
    jeu_de_donnees: str
    fournisseur: str
    champs: tuple[str, ...]
    issue: Issue
    code: str | None
    portees_manquantes: tuple[str, ...]
    cache: bool
    perimee: bool
    duree_ms: float | None
    statut_http: int | None
    intention: str | None
