"""What HTTP statuses mean at every provider, before a room reads anything into the body.

Source: the common subcodes of the "API Entreprise" bouquet. A room handles its own meanings first, then
calls `refuse_failure` for what all providers share.
"""

from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from providers.declaration import PARIS
from providers.errors import Overloaded, TimedOut, Unavailable, Unreadable, internal_error

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_OUTAGES: Final = frozenset({502, 503, 504}) | REDIRECTS


def retry_after(response: httpx.Response) -> timedelta | None:
    """The delay asked by `Retry-After` when it is a number of seconds; a date or nonsense is ignored."""
    text = response.headers.get("retry-after", "")
    return timedelta(seconds=int(text)) if text.isascii() and text.isdigit() and len(text) < 8 else None


def refuse_failure(response: httpx.Response) -> None:
    """Raise the typed error of a failing status; return on any 2xx and on the 4xx that a room must read itself."""
    status = response.status_code
    if status in (502, 503):
        raise Unavailable(retry_in=retry_after(response))
    if status == 504:
        raise TimedOut
    if status >= 500:
        raise internal_error(retry_after(response))
    if status == 429:
        raise Overloaded(retry_in=retry_after(response))
    if status in REDIRECTS:
        raise Unavailable("Le fournisseur redirige vers une autre adresse, ce qui n'est jamais suivi.", "000")


def refuse_other_than_ok(response: httpx.Response) -> None:
    """Raise for anything but 200: the failing statuses by their meaning, the rest as not understood."""
    refuse_failure(response)
    if response.status_code != 200:
        raise Unreadable


def refuse_outage(response: httpx.Response, *also: int) -> None:
    """Raise for the statuses that never come from the application: gateways that fail, redirects that aren't followed.

    `also` names the statuses that mean at this provider what they mean everywhere; the others are its own to read.
    """
    if response.status_code in _OUTAGES or response.status_code in also:
        refuse_failure(response)


def answered_at(response: httpx.Response) -> datetime | None:
    """The instant of an answer, by the provider's own clock; nothing when it isn't dated as HTTP wants."""
    try:
        return parsedate_to_datetime(response.headers.get("date", "")).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def answered_epoch(response: httpx.Response) -> int | None:
    """The same in seconds, to reckon with the end of a token."""
    instant = answered_at(response)
    return None if instant is None else int(instant.timestamp())


def answered_on(response: httpx.Response) -> date | None:
    """The day of an answer, in Paris."""
    instant = answered_at(response)
    return None if instant is None else instant.astimezone(PARIS).date()
