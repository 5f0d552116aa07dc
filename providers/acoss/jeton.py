"""The login at URSSAF: OAuth2, client credentials.

Source: URSSAF, token service of its API gateway.
"""

from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, SessionToken, Timeouts
from providers.errors import Misidentified
from providers.http_status import refuse_outage
from providers.login import access_token, oauth_session, unauthorized


def call(access: Access) -> Call:
    return Call(
        method="POST",
        url=access.settings["url"] + "/api/oauth/v1/token",
        form=(
            ("client_id", access.settings["client_id"]),
            ("client_secret", access.settings["client_secret"]),
            ("grant_type", "client_credentials"),
            ("scope", "attn.api_entreprise"),
        ),
    )


def parse(response: httpx.Response) -> SessionToken:
    """The token. `X-Rate-Limit` is informative and left aside."""
    refuse_outage(response, 429)
    if response.status_code in (401, 403):
        raise Misidentified
    token, life = access_token(response)
    return SessionToken(value=token, expires_in=life)


SESSION: Final = oauth_session(
    call=call,
    parse=parse,
    refused=unauthorized,
    still_refused=Misidentified,
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
)
