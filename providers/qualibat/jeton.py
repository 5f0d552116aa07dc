"""The login at Qualibat: an empty POST under Basic gives a token for half an hour.

Source: Qualibat, operation `token`.
"""

import base64
from datetime import timedelta
from typing import Final

import httpx

from providers.declaration import Access, Call, SessionToken, Timeouts
from providers.errors import Misidentified
from providers.http_status import refuse_outage
from providers.login import access_token, oauth_session, unauthorized


def call(access: Access) -> Call:
    pair = f"{access.settings['user']}:{access.settings['password']}".encode()
    return Call(
        method="POST",
        url=access.settings["url"] + "/token",
        headers=(("Authorization", f"Basic {base64.b64encode(pair).decode()}"),),
        content=b"",
    )


def parse(response: httpx.Response) -> SessionToken:
    """The token; an answer that can't be read is asked again."""
    refuse_outage(response)
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
