"""The words with which a field of the graph says who may read it: `public`, `inherits`, `opens`."""

from collections.abc import Callable
from typing import Any

import strawberry
from strawberry.schema_directive import Location

from auth.rules import METADATA_KEY, Inherits, Opens, Public
from providers.declaration import Dataset
from providers.record import scopes_directive, scopes_sentence

Resolver = Callable[..., Any]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="jeuDeDonnees",
    description="Jeu de données du catalogue auquel ce champ donne accès.",
)
class JeuDeDonneesDirective:
    id: str
    fournisseur: str
    ouverture: str


def public(reason: str, description: str) -> Callable[[Resolver], Any]:
    """A field that any valid token may read, because it opens no company's data; `reason` says which."""
    return _field(description, {METADATA_KEY: Public(reason)}, [])


def inherits(description: str) -> Callable[[Resolver], Any]:
    """A field that leads on: readable by whoever could read the way here."""
    return _field(description, {METADATA_KEY: Inherits()}, [])


def opens(dataset: Dataset[Any, Any, Any], description: str) -> Callable[[Resolver], Any]:
    """The field of a dataset: enforces its scopes and prints them in the SDL."""
    directive = JeuDeDonneesDirective(
        id=strawberry.ID(dataset.id), fournisseur=dataset.provider_id, ouverture=dataset.ouverture.value
    )
    scopes = dataset.opening.scopes
    return _field(
        f"{description}\n\n`null` sans erreur : {dataset.not_found_means}\n\n{scopes_sentence(scopes)}",
        {METADATA_KEY: Opens(scopes, dataset)},
        [scopes_directive(scopes), directive],
    )


def _field(description: str, metadata: dict[str, Any], directives: list[object]) -> Callable[[Resolver], Any]:
    def wrap(resolver: Resolver) -> Any:
        return strawberry.field(resolver=resolver, description=description, metadata=metadata, directives=directives)

    return wrap
