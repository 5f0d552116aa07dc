"""Relay connections over a provider's own pages.

INSEE gives whole pages, one after the other by cursor; Relay wants a cursor per item. Ours names the page it was read
in (INSEE's cursor and the size of the page) and the rank of the item in it: any item can be continued from.
"""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import orjson
import strawberry
from graphql import GraphQLError

from providers.record import inherits as leaf

MAX_PAGE = 100
_FIRST = "*"
_OPAQUE = re.compile(r"[!-~]{1,500}")
"""What a provider's own cursor may look like: it comes back from the caller and goes into an address."""

T = TypeVar("T", covariant=True)
N = TypeVar("N")


@strawberry.type(description="Position dans une liste paginée.")
class PageInfo:
    has_next_page: bool = leaf("Vrai s'il reste des éléments après cette page.")
    has_previous_page: bool = leaf("Vrai si la page a été demandée après un curseur.")
    start_cursor: str | None = leaf("Curseur du premier élément de la page.")
    end_cursor: str | None = leaf("Curseur du dernier élément de la page, à donner à `after` pour la suite.")


@strawberry.type(description="Un élément dans une liste paginée.")
class Edge(Generic[N]):
    cursor: str = leaf("Curseur de cet élément.")
    node: N = leaf("L'élément.")


@strawberry.type(description="Liste paginée.")
class Connection(Generic[N]):
    total_count: int = leaf("Nombre d'éléments en tout, d'après le fournisseur.")
    edges: list[Edge[N]] = leaf("Éléments de la page, avec leurs curseurs.")
    nodes: list[N] = leaf("Éléments de la page.")
    page_info: PageInfo = leaf("Position de la page dans la liste.")


class Page(Protocol[T]):
    """A page as a provider gives it."""

    @property
    def total(self) -> int: ...

    @property
    def curseur_suivant(self) -> str | None: ...

    @property
    def items(self) -> Sequence[T]: ...


@dataclass(frozen=True, slots=True)
class Position:
    """After the item of that rank, in the page that the provider gives for that cursor and size."""

    curseur: str
    taille: int
    rang: int


def write_cursor(position: Position) -> str:
    packed = orjson.dumps([position.curseur, position.taille, position.rang])
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def read_cursor(text: str) -> Position:
    """Raises a client error for anything that isn't a cursor of ours."""
    try:
        values = orjson.loads(base64.urlsafe_b64decode((text + "=" * (-len(text) % 4)).encode("ascii")))
    except (binascii.Error, UnicodeError, orjson.JSONDecodeError):
        values = None
    match values:
        case [str(curseur), int(taille), int(rang)] if (
            1 <= taille <= MAX_PAGE and 0 <= rang < taille and _OPAQUE.fullmatch(curseur)
        ):
            return Position(curseur, taille, rang)
        case _:
            raise GraphQLError(
                "Le curseur donné à « after » n'est pas valable : reprenez « endCursor » d'une page précédente.",
                extensions={"code": "BAD_USER_INPUT"},
            )


def checked_page_size(first: int) -> int:
    """Raises a client error unless a page of that size may be asked."""
    if 1 <= first <= MAX_PAGE:
        return first
    raise GraphQLError(
        f"« first » vaut {first} : demandez de 1 à {MAX_PAGE} éléments par page.", extensions={"code": "BAD_USER_INPUT"}
    )


async def connection(
    fetch: Callable[[int, str], Awaitable[Page[T] | None]], node_of: Callable[[T], N], first: int, after: str | None
) -> Connection[N] | None:
    """The page asked, from `fetch(size, cursor)`; `None` when the provider knows nothing of the key."""
    size = checked_page_size(first)
    position = Position(_FIRST, size, -1) if after is None else read_cursor(after)
    edges: list[Edge[N]] = []
    while True:
        page = await fetch(position.taille, position.curseur)
        if page is None:
            return None
        for rank, item in enumerate(page.items):
            if rank <= position.rang:
                continue
            if len(edges) == size:
                return _connection(edges, page.total, after is not None, True)
            cursor = write_cursor(Position(position.curseur, position.taille, rank))
            edges.append(Edge(cursor=cursor, node=node_of(item)))
        if len(edges) == size or page.curseur_suivant is None:
            return _connection(edges, page.total, after is not None, page.curseur_suivant is not None)
        position = Position(page.curseur_suivant, size, -1)


def _connection(edges: list[Edge[N]], total: int, previous: bool, following: bool) -> Connection[N]:
    return Connection(
        total_count=total,
        edges=edges,
        nodes=[edge.node for edge in edges],
        page_info=PageInfo(
            has_next_page=following,
            has_previous_page=previous,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
    )
