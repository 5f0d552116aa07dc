"""The login at Data.Subvention: an address and a password give a token of two days.

Source: Data.Subvention, `POST /auth/login`. A login puts an end to the previous token of the account, hence one
session for all. A "consumer" account may have a token without end instead: set as `token`, no login is made.
"""

from datetime import UTC, datetime, timedelta

import httpx

from providers.data_subvention.statuts import refuse_failure
from providers.declaration import Access, Call, Session, SessionToken, Timeouts
from providers.errors import Misidentified, Unreadable
from providers.http_status import answered_at
from providers.login import carried
from providers.reading import json_object, needed_node

UNTOLD = timedelta(hours=1)
"""How long a token is trusted when its end can't be told."""
SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=2)


def call(access: Access) -> Call:
    return Call(
        method="POST",
        url=access.settings["url"] + "/auth/login",
        headers=(("Accept", "application/json"), ("Content-Type", "application/json")),
        json={"email": access.settings["email"], "password": access.settings["password"]},
    )


def parse(response: httpx.Response) -> SessionToken:
    """The token and what is left of its life."""
    refuse_failure(response)
    if response.status_code not in (200, 201):
        raise Unreadable
    jwt = needed_node(needed_node(json_object(response.content), "user"), "jwt")
    token = carried(jwt.get("token"))
    if token is None:
        raise Unreadable
    return SessionToken(value=token, expires_in=_left(jwt.get("expirateDate"), response))


def _left(end: object, response: httpx.Response) -> timedelta:
    """From the answer's own clock to the end, which is an instant and not a number of seconds."""
    answered = answered_at(response)
    if answered is None or not isinstance(end, str):
        return UNTOLD
    try:
        left = datetime.fromisoformat(end).astimezone(UTC) - answered
    except (ValueError, OverflowError):
        return UNTOLD
    return min(max(left, SHORTEST), LONGEST)


def refused(response: httpx.Response) -> bool:
    """A data call whose token ended, or gave way to another login."""
    return response.status_code == 401


SESSION = Session(
    needed=lambda settings: not settings["token"],
    call=call,
    parse=parse,
    refused=refused,
    still_refused=Misidentified,
    timeouts=Timeouts(connect=timedelta(seconds=10), read=timedelta(seconds=10), total=timedelta(seconds=20)),
    margin=timedelta(minutes=5),
    # Each attempt would end the token of the one before, and counts against the quota.
    attempts=1,
    pause=timedelta(),
)
