"""The words with which a room describes its record: the record is the public GraphQL type.

Each field says in one word who may read it:

- `inherits("…")`: whoever could read the way here;
- `requires(SCOPES, "…")`: only holders of one of these scopes, whatever else they hold.

A field with neither word stops the server (see `auth.registry`). `personal=True` marks personal
data; it shows in the SDL. `source` names the element of the provider's answer. `enumeration` declares a closed list.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol, TypeVar, dataclass_transform

import strawberry
from strawberry.schema_directive import Location

from auth.rules import METADATA_KEY, Inherits, Requires
from auth.scopes import ANY_TOKEN

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="requiresScopes",
    description="Habilitations qui ouvrent ce champ : il suffit de détenir une des listes.",
)
class RequiresScopes:
    scopes: list[list[str]]


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="donneePersonnelle",
    description="Donnée à caractère personnel : à ne montrer qu'aux agents habilités.",
)
class DonneePersonnelle:
    pass


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    name="authenticated",
    description="Champ ouvert à tout jeton valable, quelles que soient ses habilitations.",
)
class Authenticated:
    pass


def scopes_directive(scopes: frozenset[str]) -> RequiresScopes | Authenticated:
    """How "any of these scopes" is written in the SDL."""
    if ANY_TOKEN in scopes:
        return Authenticated()
    return RequiresScopes(scopes=[[scope] for scope in sorted(scopes)])


def scopes_sentence(scopes: frozenset[str]) -> str:
    """The same for people: introspection does not carry directives."""
    if ANY_TOKEN in scopes:
        return "Habilitation : aucune en particulier, tout jeton valable."
    return f"Habilitation : {' ou '.join(f'`{scope}`' for scope in sorted(scopes))}."


def _described(description: str, source: str) -> str:
    return f"{description}\n\nSource : `{source}`." if source else description


def inherits(description: str, *, source: str = "", personal: bool = False, deprecated: str | None = None) -> Any:
    """A field of a record, readable by whoever could read the way here.

    `description` is in French, for partners; `source` is the path in the provider's answer.
    """
    return strawberry.field(
        description=_described(description, source),
        deprecation_reason=deprecated,
        directives=[DonneePersonnelle()] if personal else [],
        metadata={METADATA_KEY: Inherits()},
    )


def requires(
    scopes: frozenset[str], description: str, *, source: str = "", personal: bool = False, deprecated: str | None = None
) -> Any:
    """A field of a record that needs one of `scopes` of its own. It must be nullable."""
    directives: list[object] = [scopes_directive(scopes)]
    if personal:
        directives.append(DonneePersonnelle())
    return strawberry.field(
        description=f"{_described(description, source)}\n\n{scopes_sentence(scopes)}",
        deprecation_reason=deprecated,
        directives=directives,
        metadata={METADATA_KEY: Requires(scopes)},
    )


@dataclass_transform(kw_only_default=True, frozen_default=True, field_specifiers=(inherits, requires))
def record(description: str, *, name: str | None = None) -> Callable[[type[T]], type[T]]:
    """Declare a record: a GraphQL object type and the frozen value that `parse` returns.

    Frozen for the type checker: records are shared between requests by the cache.
    """

    def wrap(cls: type[T]) -> type[T]:
        return strawberry.type(cls, name=name, description=description)

    return wrap


def enumeration(description: str, *, name: str | None = None, **descriptions: str) -> Callable[[type[E]], type[E]]:
    """Declare a closed list: a GraphQL enum with a description for each value, whose Python values stay plain texts.

    Strawberry's own way to describe a value wraps it in an object, which a `StrEnum` refuses.
    """

    def wrap(enum: type[E]) -> type[E]:
        strawberry.enum(enum, name=name, description=description)
        for value in enum.__strawberry_definition__.values:  # type: ignore[attr-defined]  # put there by strawberry
            value.description = descriptions[value.name]
        return enum

    return wrap


class Links(Protocol):
    """What a request's context offers to a document: a signed link, minted when read."""

    def document_link(self, document: "Document") -> str: ...

    def remote_link(self, document: "DocumentDistant") -> str: ...


@record("Fichier remis par un fournisseur, gardé le temps indiqué par `expireLe`.")
class Document:
    """A stored file. Its link is never stored: it is minted for the token that reads it."""

    id: strawberry.ID = inherits("Identifiant stable du document.")
    nom: str = inherits("Nom de fichier proposé au téléchargement.")
    type: str = inherits("Type de contenu (MIME).")
    taille: int = inherits("Taille en octets.")
    sha256: str = inherits("Empreinte SHA-256 du contenu, en hexadécimal.")
    expire_le: datetime = inherits("Instant à partir duquel le document n'est plus conservé ni son lien valable.")
    sujet: strawberry.Private[str] = ""
    """Whom the document speaks of, and the dataset it came with: its downloads are traced with them."""
    jeu_de_donnees: strawberry.Private[str] = ""

    @strawberry.field(  # type: ignore[untyped-decorator]  # strawberry types a field without resolver as Any
        description="Lien de téléchargement signé, propre à votre jeton, valable jusqu'à `expireLe`.",
        metadata={METADATA_KEY: Inherits()},
    )
    def url(self, info: strawberry.Info) -> str:
        links: Links = info.context
        return links.document_link(self)


# The shared cache writes records by their annotations, and leaves a field that has none but its resolver.
Document.__annotations__["url"] = str


@record("Fichier qui reste chez le fournisseur : il est relayé au moment du téléchargement, sans copie.")
class DocumentDistant:
    """A file fetched from its provider when it is downloaded. Large ones are streamed, never kept.

    `reference` is what the dataset's source needs to build the call (`Source.download`).
    """

    id: strawberry.ID = inherits("Identifiant du document chez le fournisseur.")
    nom: str = inherits("Nom de fichier proposé au téléchargement.")
    type: str = inherits("Type de contenu (MIME).")
    reference: strawberry.Private[str]
    sujet: strawberry.Private[str]
    jeu_de_donnees: strawberry.Private[str]

    @strawberry.field(  # type: ignore[untyped-decorator]  # strawberry types a field without resolver as Any
        description="Lien de téléchargement signé, propre à votre jeton, valable une heure.",
        metadata={METADATA_KEY: Inherits()},
    )
    def url(self, info: strawberry.Info) -> str:
        links: Links = info.context
        return links.remote_link(self)


DocumentDistant.__annotations__["url"] = str
