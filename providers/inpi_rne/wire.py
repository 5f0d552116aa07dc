"""The wire of the national register of companies (RNE), common to its datasets: calls, statuses, readers.

Only the HTTP status of an error is meaningful; its JSON body adds nothing. A web application firewall sometimes
answers 200 with a page in HTML. Source: INPI, RNE API.
"""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import httpx
import orjson

from providers import reading
from providers.declaration import Access, Call, Timeouts
from providers.errors import Misidentified, NotFound, Overloaded, TimedOut, Unavailable, Unreadable
from providers.http_status import REDIRECTS, refuse_failure, retry_after
from providers.identifiers import iso_date

Json = dict[str, Any]

TIMEOUTS: Final = Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=15), total=timedelta(seconds=25))

# --- Asking --------------------------------------------------------------------------------------


def get(access: Access, path: str, *params: tuple[str, str]) -> Call:
    return Call(method="GET", url=access.settings["url"] + path, params=params, headers=headers(access))


def headers(access: Access) -> tuple[tuple[str, str], ...]:
    """The provider wants a content type even on a GET."""
    return (("Authorization", f"Bearer {access.session}"), ("Content-Type", "application/json"))


# --- Statuses ------------------------------------------------------------------------------------


def still_refused() -> Misidentified:
    """The session was renewed and the call replayed: the register still refuses it."""
    return Misidentified(subcode="999")


def refuse_other_than_ok(response: httpx.Response, *, internal: str) -> None:
    """Raise for anything but 200. `internal` is the subcode of a fault of the register's own (500)."""
    status = response.status_code
    if status == 200:
        return
    if status == 404:
        raise NotFound
    if status == 401:
        raise still_refused()
    if status == 429:
        raise Overloaded(retry_in=retry_after(response))
    if status == 500:
        raise Unavailable(
            "Le fournisseur signale une erreur interne. Réessayez plus tard.", internal, retry_after(response)
        )
    if status == 504:
        raise TimedOut
    if status in (502, 503) or status in REDIRECTS:
        refuse_failure(response)
    raise Unreadable


# --- Reading -------------------------------------------------------------------------------------

_LATIN_1: Final = {0xDC00 + byte: byte for byte in range(0x80, 0x100)}
"""What Python makes of a byte that isn't UTF-8, to the character that the byte is in Latin-1."""


def json_value(content: bytes) -> Any:
    """The JSON value of a body; free texts typed by clerks sometimes hold Latin-1 amid UTF-8.

    Raises `orjson.JSONDecodeError`: a page in HTML does not mean the same on every call.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return orjson.loads(content.decode("utf-8", "surrogateescape").translate(_LATIN_1))


def texts(parent: Json, name: str) -> list[str] | None:
    values = parent.get(name)
    if values is None:
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Unreadable
    return values


def upper(parent: Json, name: str) -> str | None:
    value = reading.text(parent, name)
    return None if value is None else value.upper()


def number(parent: Json, name: str) -> Decimal | None:
    """An integer or a float, as the decimal number that was written."""
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unreadable
    return Decimal(str(value))


def day(parent: Json, name: str) -> date | None:
    """The day of a date or of an instant. Null for nothing, for a sentinel (`-0001-11-30`), for what is no date."""
    written = (reading.text(parent, name) or "").strip()
    try:
        return iso_date(written) if len(written) == 10 or written[10:11] == "T" else None
    except ValueError:
        return None
