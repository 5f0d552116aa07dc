"""What both units and establishments do of a duplicate, and of an answer that speaks of many.

INSEE answers 301 for an identifier that was found to be another's, and names the one that survives at an address that no
longer answers: the exchange goes on with the identifier alone. Source: INSEE, API Sirene 3.11.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

import httpx

from providers.errors import NotFound, ProviderError
from providers.identifiers import InvalidIdentifier
from providers.insee import wire
from providers.insee.wire import Json

Key = TypeVar("Key", bound=str)
R = TypeVar("R")

HOPS: Final = 2
"""Redirections followed: a duplicate of a duplicate is the most that was ever seen."""


def survivor(response: httpx.Response, path: Sequence[Key], checked: Callable[[str], Key]) -> Key | None:
    """The identifier to go on with, if the answer is one of a duplicate.

    `path` holds those called so far. Nothing for an identifier that `checked` refuses, that was called already, or that
    comes after too many others: the answer is then read as any other, and refused.
    """
    try:
        found = checked(wire.surviving(response) or "")
    except InvalidIdentifier:
        return None
    return found if found not in path and len(path) <= HOPS else None


def items_of(
    response: httpx.Response, collection: str, identifier: str, keys: Sequence[Key]
) -> Iterator[tuple[Key, Json]]:
    """The items of a batch that speak of a key, in any order; none when INSEE found nothing at all."""
    try:
        envelope = wire.search_answer(response, collection)
    except NotFound:  # INSEE says so of a whole batch without a result
        return
    asked = {str(key): key for key in keys}
    for item in envelope.items:
        name = item.get(identifier)
        key = asked.get(name) if isinstance(name, str) else None
        if key is not None:
            yield key, item


def or_error(read: Callable[[Json], R], item: Json) -> R | ProviderError:
    """What an item says, or why it can't be read: one bad item never takes the others with it."""
    try:
        return read(item)
    except ProviderError as error:
        return error
