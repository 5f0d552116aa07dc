"""The login at the GIP-MDS: OAuth2, client credentials, no scope.

Source: GIP-MDS, token service of its WSO2 gateway.
"""

from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, SessionToken, Timeouts
from providers.errors import Misidentified
from providers.gip_mds import quota
from providers.http_status import refuse_outage
from providers.login import access_token, oauth_session


def still_refused() -> Misidentified:
    """Our credentials are refused for now; the gateway is known to change its mind within seconds."""
    return Misidentified(subcode="502", retry_in=timedelta(seconds=10))


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
    if response.status_code in (401, 403):
        raise still_refused()
    if response.status_code == 429:
        raise quota.used_up(response)
    refuse_outage(response, 500)
    token, life = access_token(response)
    return SessionToken(value=token, expires_in=life)


def refused(response: httpx.Response) -> bool:
    """A data call whose token isn't taken any more. A 403 is about us, not about the token."""
    return response.status_code == 401


SESSION: Final = oauth_session(
    call=call,
    parse=parse,
    refused=refused,
    still_refused=still_refused,
    timeouts=Timeouts(connect=timedelta(seconds=2), read=timedelta(seconds=6), total=timedelta(seconds=8)),
)
