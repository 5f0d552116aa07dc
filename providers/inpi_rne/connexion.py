"""The login at the register: an account and its password give a JWT that lives a day.

Source: INPI, RNE API, `POST /api/sso/login`. Logging in once per call bans our address, and five wrong passwords
lock the account: the token is kept as long as it says. Its signature is not checked: we only carry it.
"""

import binascii
from base64 import urlsafe_b64decode
from datetime import timedelta
from typing import Any, Final

import httpx
import orjson

from providers.declaration import Access, Call, Session, SessionToken, Timeouts
from providers.errors import Misidentified, Unreadable
from providers.http_status import answered_epoch, refuse_failure
from providers.inpi_rne import wire
from providers.login import carried

SHORTEST: Final = timedelta(minutes=1)
"""How long a token is used at the least: one that is over sooner is refused, hence renewed, without harm."""
LONGEST: Final = timedelta(days=1)


def call(access: Access) -> Call:
    return Call(
        method="POST",
        url=access.settings["url"] + "/api/sso/login",
        json={"username": access.settings["username"], "password": access.settings["password"]},
    )


def parse(response: httpx.Response) -> SessionToken:
    """The token. A page instead of JSON is the firewall's: `Unreadable`, hence asked again."""
    if response.status_code == 401:
        raise Misidentified(
            "Le fournisseur a refusé le compte de notre service, ou l'a verrouillé. L'exploitant est alerté.", "020"
        )
    refuse_failure(response)
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        if response.status_code == 200:
            raise Unreadable from None
        raise Misidentified from None
    token = carried(answer.get("token")) if isinstance(answer, dict) else None
    if token is None:
        raise Misidentified
    return SessionToken(value=token, expires_in=_lifetime(token, response))


def _lifetime(token: str, response: httpx.Response) -> timedelta:
    """Until the token's `exp`, by the answer's own clock; its `expiresIn` when the answer gives no hour."""
    payload = _payload(token)
    end, answered = _seconds(payload.get("exp")), answered_epoch(response)
    left = _seconds(payload.get("expiresIn")) if end is None or answered is None else end - answered
    longest = int(LONGEST.total_seconds())
    return max(SHORTEST, timedelta(seconds=min(left or 0, longest)))


def _payload(token: str) -> dict[str, Any]:
    """The claims of a JWT; none when it is no JWT."""
    claims = token.split(".")[1:2]
    try:
        payload = orjson.loads(urlsafe_b64decode(claims[0] + "=" * (-len(claims[0]) % 4))) if claims else {}
    except (binascii.Error, orjson.JSONDecodeError, ValueError):
        return {}
    return payload if isinstance(payload, dict) else {}


def _seconds(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 10**11 else None


SESSION: Final = Session(
    needed=lambda _settings: True,
    call=call,
    parse=parse,
    refused=lambda response: response.status_code == 401,
    still_refused=wire.still_refused,
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=15), total=timedelta(seconds=25)),
    margin=timedelta(seconds=10),
    attempts=5,
    pause=timedelta(milliseconds=200),
)
