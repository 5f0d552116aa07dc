"""What the gateway of the GIP-MDS says when its quota is used up: until when.

Source: GIP-MDS, WSO2 gateway, status 429. The body was seen form-encoded and is documented as JSON: both are read.
"""

import re
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import parse_qs

import httpx
import orjson

from providers.errors import Overloaded
from providers.http_status import answered_at

DEFAULT_WAIT: Final = timedelta(seconds=60)
"""When the next access can't be read, or the answer isn't dated."""

_LONGEST_BODY: Final = 8_192
# The sign of the offset may have turned into a blank when the gateway didn't encode it.
_NEXT_ACCESS: Final = re.compile(
    r"([0-9]{4})-([A-Za-z]{3})-([0-9]{2})\s+([0-9]{2}):([0-9]{2}):([0-9]{2})\s*\+?\s*(?:0000)?\s*(?:UTC)?"
)
# English whatever the locale of this service.
_MONTHS: Final = MappingProxyType({
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
})  # fmt: skip


def used_up(response: httpx.Response) -> Overloaded:
    """Our quota is used up, until the instant that the gateway gives, reckoned from the answer's own clock."""
    until, answered = _instant(_next_access(response.content[:_LONGEST_BODY])), answered_at(response)
    if until is None or answered is None:
        return Overloaded(subcode="503", retry_in=DEFAULT_WAIT)
    return Overloaded(subcode="503", retry_in=max(until - answered, timedelta(seconds=1)))


def _next_access(body: bytes) -> str:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _from_form(body)
    if isinstance(answer, dict) and isinstance(answer.get("fault"), dict):
        answer = answer["fault"]
    value = answer.get("nextAccessTime") if isinstance(answer, dict) else None
    return value if isinstance(value, str) else ""


def _from_form(body: bytes) -> str:
    try:
        fields = parse_qs(body.decode(errors="replace"), max_num_fields=50)
    except ValueError:
        return ""
    return fields.get("nextAccessTime", [""])[0]


def _instant(text: str) -> datetime | None:
    found = _NEXT_ACCESS.fullmatch(text.strip())
    month = _MONTHS.get(found[2].lower()) if found else None
    if found is None or month is None:
        return None
    year, day, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
