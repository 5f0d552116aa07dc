"""The login at CIBTP: close to OAuth2 client credentials, with a JSON body and no `grant_type`.

Source: Congés intempéries BTP, service of certificates.
"""

from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, SessionToken, Timeouts
from providers.errors import Misidentified, Unreadable
from providers.http_status import refuse_outage
from providers.login import access_token, oauth_session, unauthorized

USUAL: Final = timedelta(seconds=3599)
"""How long a token lives when the service doesn't say."""


def call(access: Access) -> Call:
    return Call(
        method="POST",
        url=access.settings["url"] + "/apientreprise/token",
        headers=(("Content-Type", "application/json"),),
        json={"client_id": access.settings["client_id"], "client_secret": access.settings["client_secret"]},
    )


def parse(response: httpx.Response) -> SessionToken:
    """The token. An answer that isn't JSON is unreadable, and the session asks again."""
    status = response.status_code
    refuse_outage(response)
    if status == 401:
        raise Misidentified
    token, life = access_token(response, untold=USUAL)
    if status != 200:
        raise Unreadable
    return SessionToken(value=token, expires_in=life)


SESSION: Final = oauth_session(
    call=call,
    parse=parse,
    refused=unauthorized,
    still_refused=Misidentified,
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
)
