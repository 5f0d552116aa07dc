"""The wire of INSEE's API Sirene 3.11, common to all datasets: credentials, calls, statuses, envelopes, readers.

Two planes serve one data model. The private plane wants a session token and gives true values; the public
plane wants an API key and replaces what is not for the public with the literal `[ND]`. Source: INSEE,
documentation of API Sirene 3.11.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

import httpx
import orjson

from providers import http_status, identifiers, reading
from providers.declaration import Access, Call, Timeouts
from providers.errors import LegalRestriction, Misidentified, NotFound, Overloaded, Unreadable
from providers.identifiers import InvalidIdentifier, Siren, Siret, iso_date

Json = dict[str, Any]

NON_DIFFUSE: Final = "[ND]"
"""What stands in the place of a value that is not for the public: a text to show, never to read anything into."""

UNKNOWN_BIRTH: Final = date(1900, 1, 1)
"""INSEE's way to write an unknown date of creation."""

PAGE_MAX: Final = 1000
"""The largest `nombre` that INSEE accepts, and the largest batch."""

FIRST_PAGE: Final = "*"

UNIT_TIMEOUTS: Final = Timeouts(connect=timedelta(seconds=2), read=timedelta(seconds=2), total=timedelta(seconds=6))
SEARCH_TIMEOUTS: Final = Timeouts(connect=timedelta(seconds=2), read=timedelta(seconds=2), total=timedelta(seconds=10))
FRESH_FOR: Final = timedelta(hours=1)

_API_KEY_HEADER = "X-INSEE-Api-Key-Integration"
_ACCEPT = ("Accept", "application/json")
_LONGEST_WAIT = timedelta(hours=1)


# --- Asking --------------------------------------------------------------------------------------


def on_public_plane(settings: Mapping[str, str]) -> bool:
    """An API key belongs to the public plane, which has no session."""
    return bool(settings["api_key"])


def _headers(access: Access) -> tuple[tuple[str, str], ...]:
    if on_public_plane(access.settings):
        return (_ACCEPT, (_API_KEY_HEADER, access.settings["api_key"]))
    return (_ACCEPT, ("Authorization", f"Bearer {access.session}"))


def get(access: Access, path: str, *params: tuple[str, str]) -> Call:
    return Call(method="GET", url=access.settings["url"] + path, params=params, headers=_headers(access))


def search(access: Access, path: str, *form: tuple[str, str]) -> Call:
    """A search by POST: no bound on the length of `q`, where a long GET is answered 414."""
    return Call(method="POST", url=access.settings["url"] + path, form=form, headers=_headers(access))


def any_of(variable: str, values: Iterable[str]) -> str:
    """`variable` is one of the values, in the grammar of `q`. Values are validated identifiers: digits only."""
    return " OR ".join(f'{variable}:"{value}"' for value in values)


# --- Statuses ------------------------------------------------------------------------------------


def still_refused() -> Misidentified:
    """The token was renewed and the call replayed, or the API key is refused: in both cases a temporary error."""
    return Misidentified(subcode="011", retry_in=timedelta(seconds=10))


def refuse_failure(response: httpx.Response) -> None:
    """What a failing status means on every call; returns on the statuses that a call must read itself."""
    if response.status_code == 401:
        raise still_refused()
    if response.status_code == 429:
        raise Overloaded(retry_in=_until_reset(response) or http_status.retry_after(response))
    http_status.refuse_failure(response)


def _until_reset(response: httpx.Response) -> timedelta | None:
    """The time left, by the answer's own clock, before INSEE counts anew: resets are in epoch milliseconds."""
    window = "x-quota-reset" if response.headers.get("x-quota-remaining") == "0" else "x-rate-limit-reset"
    reset = response.headers.get(window, "")
    if not (reset.isascii() and reset.isdigit() and len(reset) < 16):
        return None
    answered = http_status.answered_at(response)
    if answered is None:
        return None
    left = timedelta(milliseconds=int(reset) - int(answered.timestamp() * 1000))
    return min(max(left, timedelta()), _LONGEST_WAIT)


def unit_answer(response: httpx.Response) -> Json:
    """The body of a call on one unit or establishment."""
    match response.status_code:
        case 200:
            return json_object(response)
        case 403:
            # Only INSEE's own envelope says that the law closes a unit: a gateway's 403 speaks of us.
            reading.needed_node(json_object(response), "header")
            raise LegalRestriction
        case 404:
            raise _not_found(response)
    refuse_failure(response)
    raise Unreadable


def _not_found(response: httpx.Response) -> NotFound:
    """INSEE says "not found" in JSON. A page in HTML with this status is a gateway that lost its way."""
    json_object(response)
    return NotFound()


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """One page of a search."""

    total: int
    cursor: str | None
    next_cursor: str | None
    items: list[Json]

    def cursor_after(self, size: int, cursor: str) -> str | None:
        """The cursor of the next page; `None` when this one is the last.

        A page shorter than asked is the last: the cursor that INSEE still gives leads to an empty page.
        """
        whole = cursor == FIRST_PAGE and len(self.items) >= self.total
        if whole or len(self.items) < size or self.next_cursor == cursor:
            return None
        return self.next_cursor


def search_answer(response: httpx.Response, name: str) -> Envelope:
    """The page of a search; `name` is the key of its list. Raises `NotFound` when INSEE found nothing."""
    if response.status_code == 404:
        raise _not_found(response)
    if response.status_code != 200:
        refuse_failure(response)
        raise Unreadable
    body = json_object(response)
    if name not in body and "header" not in body:  # neither a page nor an empty one: an error told with a 200
        raise Unreadable
    items = reading.nodes(body, name)
    header = body.get("header")
    if not isinstance(header, dict):  # some answers have none
        header = {}
    total = header.get("total")
    return Envelope(
        total=total if type(total) is int and total >= len(items) else len(items),
        cursor=reading.text(header, "curseur"),
        next_cursor=reading.text(header, "curseurSuivant") or None,
        items=items,
    )


def surviving(response: httpx.Response) -> str | None:
    """The identifier that a duplicate gives way to: the last segment of `Location`, whose base no longer answers."""
    if response.status_code != 301:
        return None
    location: str = response.headers.get("location", "")
    return location.partition("?")[0].partition("#")[0].rstrip("/").rpartition("/")[2]


# --- Reading -------------------------------------------------------------------------------------


def json_object(response: httpx.Response) -> Json:
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise Unreadable from error
    if not isinstance(body, dict):
        raise Unreadable
    return body


def day(parent: Json, name: str) -> date | None:
    """The day of a date or of an instant, with or without milliseconds."""
    value = reading.text(parent, name)
    return _day_of(value[:10]) if value else None


@lru_cache(maxsize=8192)
def _day_of(value: str) -> date | None:
    try:
        return iso_date(value)
    except ValueError as error:
        raise Unreadable from error


def birth_day(parent: Json, name: str) -> date | None:
    """A date of creation, where INSEE writes "unknown" as a day of 1900."""
    value = day(parent, name)
    return None if value == UNKNOWN_BIRTH else value


def siren(value: object) -> Siren:
    """A SIREN written by INSEE: without a true one an answer speaks of nobody."""
    try:
        return identifiers.siren(value if isinstance(value, str) else "")
    except InvalidIdentifier as error:
        raise Unreadable from error


def siret(value: object) -> Siret:
    """A SIRET written by INSEE."""
    try:
        return identifiers.siret(value if isinstance(value, str) else "")
    except InvalidIdentifier as error:
        raise Unreadable from error


def siret_of_nic(unit: Siren, nic: str | None) -> Siret | None:
    """The SIRET of a siège; `None` when the unit has no readable NIC."""
    return Siret(unit + nic) if nic and len(nic) == 5 and nic.isascii() and nic.isdigit() else None


def current_period(periods: list[Json]) -> Json | None:
    """The period that has no end: the present state."""
    return next((period for period in periods if period.get("dateFin") is None), None)


def last_change(periods: list[Json], name: str) -> date | None:
    """When the newest period that `name` says to be opened by a change began. Periods come newest first."""
    return next((day(period, "dateDebut") for period in periods if reading.flag(period, name)), None)


def joined(separator: str, *values: str | None) -> str:
    """The values that are there, in one line; `[ND]` alone as soon as one of them is not for the public."""
    if NON_DIFFUSE in values:
        return NON_DIFFUSE
    return separator.join(value for value in values if value)
