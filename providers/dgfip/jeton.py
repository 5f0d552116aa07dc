"""The login at DGFIP: OAuth2, client credentials, in the body of a form.

Source: DGFIP, token service of its API manager.
"""

from datetime import timedelta
from typing import Final

import httpx

from providers import http_status
from providers.declaration import Access, Call, SessionToken
from providers.dgfip import wire
from providers.errors import Misidentified
from providers.login import access_token, oauth_session

_NOT_KEPT: Final = timedelta()
"""A life that isn't told is none: the token serves the call at hand."""


def call(access: Access) -> Call:
    return Call(
        method="POST",
        url=access.settings["url"] + "/token",
        form=(
            ("client_id", access.settings["client_id"]),
            ("client_secret", access.settings["client_secret"]),
            ("grant_type", "client_credentials"),
        ),
    )


def parse(response: httpx.Response) -> SessionToken:
    """The token. What isn't JSON is unreadable, hence asked again; JSON without a token is final."""
    http_status.refuse_outage(response, 429)
    if response.status_code in (401, 403):
        raise Misidentified
    token, life = access_token(response, untold=_NOT_KEPT)
    return SessionToken(value=token, expires_in=life)


def refused(response: httpx.Response) -> bool:
    """A data call whose token isn't taken any more."""
    return response.status_code in (401, 403)


SESSION: Final = oauth_session(
    call=call,
    parse=parse,
    refused=refused,
    still_refused=Misidentified,
    timeouts=wire.TIMEOUTS,
)
