"""The session of the PI gateway: three cookies and a token against cross-site requests (XSRF).

Source: INPI, PI APIs on `api-gateway`. The token travels twice, in a cookie and in a header, and the gateway compares
the two; it changes with each answer. The technical password of this service is not the account's.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
import orjson

from providers.declaration import Access, Call, Follow, Session, SessionToken, Timeouts
from providers.errors import Misidentified, Unreadable
from providers.http_status import refuse_failure

FIRST_XSRF: Final = "6f1d8c52-9b07-4e3a-8a44-2d5c0e7b9f10"
"""What a login shows twice when the gateway gave it nothing: it only compares."""
UNSTATED: Final = timedelta(minutes=30)
"""How long a session is used when the gateway doesn't say: one that is over sooner is refused, hence renewed."""
LONGEST: Final = timedelta(days=1)

TIMEOUTS: Final = Timeouts(connect=timedelta(seconds=5), read=timedelta(seconds=5), total=timedelta(seconds=10))


@dataclass(frozen=True, kw_only=True, slots=True)
class Cookies:
    """A session, as each call shows it."""

    xsrf: str
    access: str
    refresh: str

    def value(self) -> str:
        """As one text: no cookie holds a space."""
        return f"{self.xsrf} {self.access} {self.refresh}"

    def headers(self) -> tuple[tuple[str, str], ...]:
        jar = f"XSRF-TOKEN={self.xsrf}; access_token={self.access}; session_token={self.refresh}"
        return (("X-XSRF-TOKEN", self.xsrf), ("Cookie", jar))


def cookies_of(session: str) -> Cookies:
    xsrf, _, rest = session.partition(" ")
    access, _, refresh = rest.partition(" ")
    return Cookies(xsrf=xsrf, access=access, refresh=refresh)


def call(access: Access) -> Call:
    """The first of two calls: refused on purpose, it gives the token that the login must show."""
    return Call(method="GET", url=access.settings["url"] + "/services/uaa/api/authenticate")


def begin(response: httpx.Response) -> Follow[SessionToken]:
    """The login, with the token that the first answer gave."""
    if response.status_code != 401:
        refuse_failure(response)
    xsrf = new_xsrf(response) or FIRST_XSRF
    return Follow(lambda access: log_in(access, xsrf), parse)


def log_in(access: Access, xsrf: str) -> Call:
    return Call(
        method="POST",
        url=access.settings["url"] + "/auth/login",
        headers=(("X-XSRF-TOKEN", xsrf), ("Cookie", f"XSRF-TOKEN={xsrf}")),
        json={"username": access.settings["username"], "password": access.settings["password"], "rememberMe": True},
    )


def parse(response: httpx.Response) -> SessionToken:
    """The cookies of a login; its body may repeat them and tell how long they live."""
    if response.status_code in (400, 401, 403):
        raise Misidentified
    refuse_failure(response)
    if response.status_code != 200:
        raise Unreadable
    body = _body(response)
    access = cookie(response, "access_token") or body.get("access_token")
    refresh = cookie(response, "refresh_token") or body.get("refresh_token")
    if not safe(access) or not safe(refresh):
        raise Misidentified
    cookies = Cookies(xsrf=new_xsrf(response) or FIRST_XSRF, access=str(access), refresh=str(refresh))
    return SessionToken(value=cookies.value(), expires_in=_lifetime(body.get("expires_in")))


def _body(response: httpx.Response) -> dict[str, Any]:
    """What the body says beside the cookies: often nothing."""
    try:
        body = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, dict) else {}


def _lifetime(seconds: object) -> timedelta:
    if type(seconds) is not int or seconds <= 0:
        return UNSTATED
    return timedelta(seconds=min(seconds, int(LONGEST.total_seconds())))


def cookie(response: httpx.Response, name: str) -> str | None:
    """The last value that the answer gives to a cookie."""
    given: str | None = None
    for line in response.headers.get_list("set-cookie"):
        found, _, value = line.partition(";")[0].partition("=")
        if found.strip() == name:
            given = value.strip()
    return given or None


def new_xsrf(response: httpx.Response) -> str | None:
    value = cookie(response, "XSRF-TOKEN")
    return value if safe(value) else None


def safe(value: object) -> bool:
    """It will travel in a header: visible ASCII, and nothing that ends or quotes a cookie."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isprintable()
        and not set(value) & set(' ;,"\\')
        and value != ""
    )


SESSION: Final = Session(
    needed=lambda _settings: True,
    call=call,
    parse=begin,
    refused=lambda response: response.status_code == 401,
    still_refused=Misidentified,
    timeouts=TIMEOUTS,
    margin=timedelta(seconds=10),
    attempts=2,
    pause=timedelta(milliseconds=200),
)
