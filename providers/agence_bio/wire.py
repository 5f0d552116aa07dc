"""Readers of the answers of Agence BIO: counts as texts, dates that say `Invalid date`, lists that may be missing.

Source: description of the open API of operators.
"""

from datetime import date
from math import isfinite
from typing import Any, Final

from providers import reading
from providers.errors import Unreadable
from providers.identifiers import iso_date

Json = dict[str, Any]

_NO_DATE: Final = "Invalid date"


def names(parent: Json, name: str) -> list[str]:
    """The names of a list of `{id, nom}`."""
    return [
        label for label in (reading.text(value, "nom") for value in reading.nodes(parent, name)) if label is not None
    ]


def integer(parent: Json, name: str) -> int:
    """A whole number that must be there."""
    value = reading.integer(parent, name)
    if value is None:
        raise Unreadable
    return value


def number(parent: Json, name: str) -> float | None:
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise Unreadable
    return float(value)


def count(parent: Json, name: str) -> int:
    """A count, written as digits in a text or as a number; 0 when there is none."""
    value = parent.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    if value is None or type(value) is int:
        return value or 0
    raise Unreadable


def day(parent: Json, name: str) -> date | None:
    value = reading.text(parent, name)
    try:
        return None if value == _NO_DATE else iso_date(value)
    except ValueError:
        raise Unreadable from None
