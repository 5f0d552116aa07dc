"""How old an answer of a cache may be, for a caller that says so: `X-Fraicheur-Max` or `extensions.fraicheurMax`, in seconds."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from graph.reason import BadReason

HEADER: Final = "x-fraicheur-max"
_LONGEST: Final = 400 * 86_400


def oldest_accepted(headers: Mapping[str, str], extensions: Mapping[str, Any]) -> timedelta | None:
    """The age beyond which nothing is served from a cache; `None` when the caller leaves it to the declarations.

    Raises `BadReason` for what is no number of seconds.
    """
    asked = headers.get(HEADER, extensions.get("fraicheurMax"))
    if asked is None:
        return None
    if isinstance(asked, str) and asked.isascii() and asked.isdigit() and len(asked) < 10:
        asked = int(asked)
    if type(asked) is not int or not 0 <= asked <= _LONGEST:
        raise BadReason(
            "« fraicheurMax » (ou l'en-tête X-Fraicheur-Max) est un nombre entier de secondes, positif ou nul.", "00401"
        )
    return timedelta(seconds=asked)
