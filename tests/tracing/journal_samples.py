"""Entries to write, and a place to write them; used by the tests and by the processes they start."""

import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tracing.entry import Entry, Issue, Nature, Origin

KEY = bytes(range(32))
START = datetime(2026, 5, 12, 9, 30, tzinfo=UTC)


def origin(**changes: Any) -> Origin:
    fields: dict[str, Any] = {
        "requete": str(uuid.uuid4()),
        "habilitation": "hab-mairie",
        "jeton": "jeton-1",
        "siret_habilite": "13002526500013",
        "agent": None,
        "contexte": "Marches publics",
        "objet": "marche 2026-12",
        "destinataire": "13002526500013",
        "operation": "Profil",
        "document": "a" * 64,
        "adresse": "127.0.0.1",
        "agent_utilisateur": "essai/1.0",
    }
    return Origin(**(fields | changes))


def entry(of: Origin | None = None, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "nature": Nature.ACCES,
        "instant": START,
        "origine": of or origin(),
        "sujet": "130025265",
        "jeu_de_donnees": "insee.unite_legale",
        "fournisseur": "insee",
        "champs": ("adresse.commune", "denomination"),
        "issue": Issue.REPONDU,
        "code": None,
        "portees_manquantes": (),
        "cache": False,
        "perimee": False,
        "duree_ms": 12.5,
        "statut_http": 200,
        "intention": None,
    }
    return Entry(**(fields | changes))


def intention(of: Origin, **changes: Any) -> Entry:
    fields: dict[str, Any] = {
        "nature": Nature.INTENTION,
        "issue": Issue.EN_COURS,
        "duree_ms": None,
        "statut_http": None,
    }
    return entry(of, **(fields | changes))


def outcome(opened: Entry, **changes: Any) -> Entry:
    return entry(opened.origine, **({"intention": opened.id, "instant": opened.instant} | changes))


def stopped(instant: datetime) -> Callable[[], datetime]:
    return lambda: instant
