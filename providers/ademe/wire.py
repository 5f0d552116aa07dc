"""The wire of ADEME's data-fair server: the query, the statuses, one page of lines, and readers of a line.

A line whose value is empty may lack the key. Errors are plain text or HTML, never JSON.
Source: documentation of data-fair, schema of the dataset `historique-rge`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import httpx
import orjson

from providers import reading
from providers.declaration import PARIS, Access, Call
from providers.errors import Unreadable, internal_error
from providers.http_status import refuse_failure
from providers.identifiers import Siret

Json = dict[str, Any]

PAGE: Final = 1000
"""Lines asked for one establishment; without `size` the server gives twelve."""
BULK_PAGE: Final = 10_000
"""The largest page that data-fair gives."""
NO_END: Final = date(2099, 1, 1)
"""How a certificate without an end is written."""


# --- Asking --------------------------------------------------------------------------------------


def lines(access: Access, keys: Sequence[Siret], size: int, after: str | None) -> Call:
    """Current lines of these establishments: the dataset is a history, closed lines are left out."""
    wanted = keys[0] if len(keys) == 1 else f"({' OR '.join(keys)})"
    cursor = (("after", after),) if after else ()
    return Call(
        method="GET",
        url=access.settings["url"] + "/data-fair/api/v1/datasets/historique-rge/lines",
        params=(("size", str(size)), ("qs", f"siret:{wanted} AND traitement_termine:false"), *cursor),
        headers=_headers(access),
    )


def _headers(access: Access) -> tuple[tuple[str, str], ...]:
    """The key is optional: without one the quota is lower."""
    optional = (("x-apiKey", access.settings["api_key"]), ("Referer", access.settings["referer"]))
    return (("Content-Type", "application/json"), *((name, value) for name, value in optional if value))


# --- One page ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """Some lines, how many there are in all, and the way to the following ones."""

    total: int | None
    lines: list[Json]
    following: object
    """The address of the next page, as given."""

    def all_read(self, count: int) -> bool:
        """Whether nothing is left after `count` lines. The server once gave a cursor on its only page."""
        if not self.lines:
            return True
        return self.following is None if self.total is None else count >= self.total

    def after(self) -> str:
        """The cursor in the address of the next page. The address is never called: it is the provider's word."""
        if not isinstance(self.following, str):
            raise Unreadable
        try:
            params = parse_qsl(urlsplit(self.following).query)
        except ValueError:
            raise Unreadable from None
        cursor = next((value for name, value in params if name == "after"), None)
        if cursor is None:
            raise Unreadable
        return cursor


def page(response: httpx.Response) -> Page:
    """The page that the server gives, or the error of its status."""
    refuse_failure(response)
    if "html" in response.headers.get("content-type", "").lower():
        # Its page of unavailability, whatever the status.
        raise internal_error()
    if response.status_code != 200:
        raise Unreadable
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        raise Unreadable from None
    found = body.get("results") if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(line, dict) for line in found):
        raise Unreadable
    total = body.get("total")
    return Page(total=total if type(total) is int else None, lines=found, following=body.get("next"))


# --- One line ------------------------------------------------------------------------------------


def texts(line: Json, name: str) -> list[str]:
    """A column that holds one text or several: it became a list in October 2025, not everywhere yet."""
    value = line.get(name)
    if value is None:
        return []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values):
        raise Unreadable
    return list(values)


def paris_day(line: Json, name: str) -> date | None:
    """The day in Paris of an instant in UTC: late in the evening it is already the next one."""
    value = reading.text(line, name)
    if not value:
        return None
    try:
        instant = datetime.fromisoformat(value)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(PARIS).date()
    except (ValueError, OverflowError):
        raise Unreadable from None
