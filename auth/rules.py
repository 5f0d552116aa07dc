"""The words that say, on each field of the schema, who may read it.

`auth.registry` reads them from the finished schema; a field that carries none stops the server.
"""

from dataclasses import dataclass
from typing import Any, Final

METADATA_KEY: Final = "graphe.rule"
"""Key of a strawberry field's metadata under which its rule stands."""


@dataclass(frozen=True, slots=True)
class Public:
    """Readable by any valid token: it opens no company data. `reason` is for the reader of the list."""

    reason: str


@dataclass(frozen=True, slots=True)
class Inherits:
    """Readable by whoever could read the way here."""


@dataclass(frozen=True, slots=True)
class Requires:
    """Readable by holders of any of `scopes`, below a dataset that they could open."""

    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Opens:
    """The field of a dataset: readable by holders of any of `scopes`. `dataset` is its declaration."""

    scopes: frozenset[str]
    dataset: Any


Rule = Public | Inherits | Requires | Opens
