"""The login at Qualifelec: a token that tells its own end.

Source: Qualifelec, operation of login.
"""

import base64
import binascii
from datetime import timedelta

import httpx

from providers.declaration import Access, Call, Session, SessionToken, Timeouts
from providers.errors import Misidentified, Unreadable
from providers.http_status import answered_epoch, refuse_outage
from providers.login import carried
from providers.reading import json_object

SHORTEST = timedelta(minutes=1)
"""How long a token is trusted when it doesn't say its end."""
LONGEST = timedelta(days=1)


def call(access: Access) -> Call:
    return Call(
        method="POST",
        url=access.settings["auth_url"],
        headers=(("accept", "application/json"),),
        json={"username": access.settings["username"], "password": access.settings["password"]},
    )


def parse(response: httpx.Response) -> SessionToken:
    refuse_outage(response)
    if response.status_code == 401:
        raise Misidentified
    if response.status_code != 200:
        raise Unreadable
    token = carried(json_object(response.content).get("token"))
    if token is None:
        raise Unreadable
    return SessionToken(value=token, expires_in=_lifetime(token, response))


def _lifetime(token: str, response: httpx.Response) -> timedelta:
    """The claim `exp` of the token, its signature unchecked, less the time of the answer, or else of its making."""
    try:
        claims = json_object(_decoded(token.split(".")[1]))
    except (Unreadable, IndexError, binascii.Error):
        return SHORTEST
    end, start = claims.get("exp"), answered_epoch(response) or claims.get("iat")
    if type(end) is not int or type(start) is not int:
        return SHORTEST
    return timedelta(seconds=max(0, min(end - start, int(LONGEST.total_seconds()))))


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def refused(response: httpx.Response) -> bool:
    """A data call whose token isn't taken any more."""
    return response.status_code == 401


SESSION = Session(
    needed=lambda _settings: True,
    call=call,
    parse=parse,
    refused=refused,
    still_refused=Misidentified,
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    margin=timedelta(seconds=10),
    attempts=1,
    pause=timedelta(0),
)
