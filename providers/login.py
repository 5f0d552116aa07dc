"""What logins share: a token that may travel in a header, how long to trust it, and the manners of OAuth2."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, Session, SessionToken, Timeouts
from providers.errors import ProviderError, Unavailable
from providers.reading import json_value

UNTOLD: Final = timedelta(minutes=1)
"""How long a token is trusted when its provider doesn't say."""
LONGEST: Final = timedelta(days=1)


def carried(token: object) -> str | None:
    """The token, when it can travel in a header: anything but visible ASCII has no place there."""
    if not isinstance(token, str) or not token.isascii() or not token.isprintable() or not token.strip():
        return None
    return token


def lifetime(seconds: object, *, untold: timedelta = UNTOLD) -> timedelta:
    """The life that a provider gives to a token, in seconds: a number, some with a decimal point, or its digits."""
    if isinstance(seconds, str) and seconds.isascii() and seconds.isdigit() and len(seconds) < 10:
        seconds = int(seconds)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return untold
    return timedelta(seconds=max(0, min(seconds, int(LONGEST.total_seconds()))))


def access_token(response: httpx.Response, *, untold: timedelta = UNTOLD) -> tuple[str, timedelta]:
    """Token and life of an OAuth2 answer.

    What isn't JSON is unreadable, hence asked again. JSON without a usable token is the service's own refusal, which
    insisting won't change: accounts are locked for less.
    """
    answer = json_value(response.content)
    token = carried(answer.get("access_token")) if isinstance(answer, dict) else None
    if token is None:
        raise without_token()
    return token, lifetime(answer.get("expires_in"), untold=untold)


def without_token() -> Unavailable:
    """The service of tokens answered, and gave none."""
    return Unavailable("Le fournisseur n'a pas délivré de jeton d'accès.", "999")


def unauthorized(response: httpx.Response) -> bool:
    """A data call whose token isn't taken any more, where the provider says so by the plain status."""
    return response.status_code == 401


def oauth_session(
    *,
    call: Callable[[Access], Call],
    parse: Callable[[httpx.Response], SessionToken],
    refused: Callable[[httpx.Response], bool],
    still_refused: Callable[[], ProviderError],
    timeouts: Timeouts,
) -> Session:
    """The session of a service of tokens: always wanted, left ten seconds before its end, asked five times of a bad gateway."""
    return Session(
        needed=lambda _settings: True,
        call=call,
        parse=parse,
        refused=refused,
        still_refused=still_refused,
        timeouts=timeouts,
        margin=timedelta(seconds=10),
        attempts=5,
        pause=timedelta(milliseconds=200),
    )
