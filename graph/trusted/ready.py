"""Ready-made documents, one per use case, with the scopes that each needs: shipped, asked by their identifier.

Each is a file of this folder; its scopes are computed from the registry and never written by hand.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

FOLDER = Path(__file__).parent / "ready"
PREFIX = "graphe:"


@dataclass(frozen=True, kw_only=True, slots=True)
class UseCase:
    """One administrative use: its title, and the document that answers it in one request."""

    slug: str
    title: str
    usage: str

    @property
    def identifier(self) -> str:
        return PREFIX + self.slug

    @property
    def text(self) -> str:
        return (FOLDER / f"{self.slug}.graphql").read_text(encoding="utf-8")


USE_CASES = (
    UseCase(slug="marches-publics", title="Marchés publics", usage="Analyser la candidature d'une entreprise."),
    UseCase(slug="aides-publiques", title="Aides publiques", usage="Instruire une demande d'aide publique."),
    UseCase(slug="subventions", title="Subventions", usage="Instruire la demande de subvention d'un organisme."),
    UseCase(slug="pre-remplissage", title="Pré-remplissage", usage="Pré-remplir un formulaire, en données publiques."),
    UseCase(slug="detection-de-fraude", title="Détection de la fraude", usage="Recouper ce que les registres disent."),
)
READY: Mapping[str, str] = MappingProxyType({case.identifier: case.text for case in USE_CASES})
READY_TEXTS = frozenset(READY.values())
