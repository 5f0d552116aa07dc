"""The wire of DGFIP's Adélie service, common to its operations: calls, failing statuses, readers of JSON.

Adélie reports faults in three ways: an HTTP status, a JSON object with an error code (status 500), or a page in
HTML declared ISO-8859-15, which may come with status 200. Source: DGFIP, API manager, service Adélie v1.
"""

from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID, uuid5

import httpx
import orjson

from providers import http_status
from providers.declaration import Access, Call, Timeouts
from providers.errors import Misidentified, Unavailable, Unreadable, internal_error
from providers.http_status import REDIRECTS
from providers.identifiers import iso_date

Json = dict[str, Any]

TIMEOUTS: Final = Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20))
FRESH_FOR: Final = timedelta(hours=1)
MAX_BYTES: Final = 32_000_000

_CONSUMERS: Final = UUID("5b1c7a52-0f0e-4c0e-9d5c-2f3a6a1b7d10")
"""Namespaces of the UUIDs that the provider wants: one for consumers, one for requests."""

_TRANSPORT: Final = frozenset({429, 502, 503, 504}) | REDIRECTS
_ADELIE_FAULT: Final = b"Une erreur applicative s'est produite sur le serveur ADELIE."
"""ASCII: found in the bytes of the page, whatever its charset really is."""


# --- Asking --------------------------------------------------------------------------------------


def consumer(access: Access) -> UUID:
    """Who asks, for the provider's audit trail: always the same UUID for the same public body."""
    return uuid5(_CONSUMERS, access.recipient)


def get(access: Access, operation: str, *params: tuple[str, str]) -> Call:
    """A call of one operation, under the identifier of the request that causes it: the journal holds the same."""
    query = (("userId", str(consumer(access))), *params)
    return Call(method="GET", url=url_of(access, operation), params=query, headers=headers_of(access))


def url_of(access: Access, operation: str) -> str:
    return f"{access.settings['url']}/adelie/v1/{operation}"


def headers_of(access: Access) -> tuple[tuple[str, str], ...]:
    """The headers of every operation, that of its health included."""
    return (
        ("Authorization", f"Bearer {access.session}"),
        ("X-Correlation-ID", access.request_id),
        ("X-Request-ID", access.request_id),
        # The provider wants it though there is no body.
        ("Content-Type", "application/json"),
        ("Accept", "*/*"),
    )


# --- Statuses ------------------------------------------------------------------------------------


def refuse_failure(response: httpx.Response) -> None:
    """Raise what a failing answer means on every operation; return on what an operation must read itself."""
    status = response.status_code
    if status in _TRANSPORT:
        http_status.refuse_failure(response)
    if _is_adelie_page(response):
        raise internal_error()
    if status in (401, 403):
        raise Misidentified
    if status == 500 and _has_error_code(response.content):
        raise Unavailable("L'administration fiscale signale une erreur passagère. Réessayez bientôt.", "011")


def _is_adelie_page(response: httpx.Response) -> bool:
    """The page of an application fault. A good answer in JSON or PDF may quote the sentence without being one."""
    body = response.content
    good = response.status_code == 200 and body.lstrip()[:1] in (b"{", b"[", b"%")
    return not good and _ADELIE_FAULT in body


def _has_error_code(body: bytes) -> bool:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    error = answer.get("erreur") if isinstance(answer, dict) else None
    return isinstance(error, dict) and error.get("code") is not None


# --- Reading -------------------------------------------------------------------------------------


def nodes(value: Any) -> list[Json]:
    """A list of objects. The provider writes a list of one as the object itself, and an empty one as nothing."""
    if not value and (value is None or isinstance(value, list | dict | str)):
        return []
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in values):
        raise Unreadable
    return values


def text(parent: Json, name: str) -> str | None:
    """A text. Some are written as integers now and then (`millesime`): same text, without its quotes."""
    value = parent.get(name)
    if value is None or isinstance(value, str):
        return value
    if type(value) is int:
        return str(value)
    raise Unreadable


def needed_text(parent: Json, name: str) -> str:
    """A text without which the record means nothing."""
    value = text(parent, name)
    if not value:
        raise Unreadable
    return value


def day(parent: Json, name: str) -> date | None:
    """The first ten characters: an instant is midnight in Paris, which in UTC would be the day before."""
    try:
        return iso_date(text(parent, name))
    except ValueError:
        raise Unreadable from None
