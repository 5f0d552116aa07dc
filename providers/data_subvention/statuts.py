"""What statuses mean at Data.Subvention, for the login as for the data.

Source: Data.Subvention. Its quota is told by the header `RateLimit` (draft 7 of the standard).
"""

import re
from datetime import timedelta
from typing import Final

import httpx

from providers import http_status
from providers.errors import Misidentified, Overloaded

_RESET: Final = re.compile(r"(?:^|[,;\s])(?:reset|t)=([0-9]{1,6})(?![0-9])")


def refuse_failure(response: httpx.Response) -> None:
    """Raise for what isn't an answer; a 500 is left to be read, since a malformed identifier may get one."""
    status = response.status_code
    if status == 401:
        raise Misidentified
    if status == 429:
        raise Overloaded(retry_in=_until_reset(response) or http_status.retry_after(response))
    http_status.refuse_outage(response)


def _until_reset(response: httpx.Response) -> timedelta | None:
    """The seconds left before calls are counted anew."""
    found = _RESET.search(response.headers.get("ratelimit", ""))
    return timedelta(seconds=int(found[1])) if found else None
