"""Readers of JSON answers: a value of the documented type, nothing when the provider says nothing, or `Unreadable`.

What a provider writes its own way (dates day first, numbers as texts, sentinels) is read in its room.
"""

import re
from datetime import date
from typing import Any, Final

import orjson

from providers.errors import Unreadable
from providers.identifiers import iso_date

Json = dict[str, Any]

_GRAPHQL_INT: Final = 2**31
_DAY_FIRST: Final = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")


def json_value(content: bytes) -> Any:
    """The JSON value of a body, as UTF-8 whatever its declared type; an empty body is none."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        raise Unreadable from None


def json_object(content: bytes) -> Json:
    """The object that a body holds."""
    value = json_value(content)
    if not isinstance(value, dict):
        raise Unreadable
    return value


def needed_node(parent: Json, name: str) -> Json:
    """An object that must be there."""
    value = parent.get(name)
    if not isinstance(value, dict):
        raise Unreadable
    return value


def node(parent: Json, name: str) -> Json:
    """An object; a missing one is empty."""
    return {} if parent.get(name) is None else needed_node(parent, name)


def nodes(parent: Json, name: str) -> list[Json]:
    """A list of objects; a missing one is empty."""
    values = parent.get(name)
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
        raise Unreadable
    return values


def text(parent: Json, name: str) -> str | None:
    value = parent.get(name)
    if value is None or isinstance(value, str):
        return value
    raise Unreadable


def filled_text(parent: Json, name: str) -> str | None:
    """The same from providers whose empty text means that there is none."""
    return text(parent, name) or None


def texts(parent: Json, name: str) -> list[str]:
    """A list of texts; a missing one is empty."""
    values = parent.get(name)
    if values is None:
        return []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Unreadable
    return values


def flag(parent: Json, name: str) -> bool | None:
    value = parent.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise Unreadable


def integer(parent: Json, name: str) -> int | None:
    """A whole number that a GraphQL `Int` holds."""
    value = parent.get(name)
    if value is None or (type(value) is int and abs(value) < _GRAPHQL_INT):
        return value
    raise Unreadable


def day(parent: Json, name: str) -> date | None:
    """The day of an ISO date or instant, never shifted by a time zone; an empty text is none."""
    try:
        return iso_date(text(parent, name))
    except ValueError:
        raise Unreadable from None


def french_day(parent: Json, name: str) -> date | None:
    """A date written day first; never guessed."""
    value = text(parent, name)
    if not value:
        return None
    found = _DAY_FIRST.fullmatch(value)
    if found is None:
        raise Unreadable
    try:
        return date(int(found[3]), int(found[2]), int(found[1]))
    except ValueError:
        raise Unreadable from None
