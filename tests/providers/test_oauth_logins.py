"""The logins in the manner of OAuth2, all rooms alike: how long a token is trusted, and what an answer without one means."""

from datetime import timedelta
from types import ModuleType

import httpx
import orjson
import pytest

from providers.acoss import jeton as acoss
from providers.cibtp import jeton as cibtp
from providers.dgfip import jeton as dgfip
from providers.errors import Unavailable, Unreadable
from providers.gip_mds import jeton as gip_mds
from providers.qualibat import jeton as qualibat

UNTOLD = {acoss: 60, cibtp: 3599, dgfip: 0, gip_mds: 60, qualibat: 60}
"""How long a token is trusted, in seconds, by the rooms whose provider may not say."""

rooms = pytest.mark.parametrize("jeton", UNTOLD, ids=[module.__name__.split(".")[1] for module in UNTOLD])


@rooms
@pytest.mark.parametrize(
    ("expires_in", "seconds"),
    [(3600, 3600), ("3600", 3600), (1800.0, 1800), (12.5, 12.5), (-5, 0), (10**12, 86_400), (10**30, 86_400)],
)
def test_the_life_of_a_token(jeton: ModuleType, expires_in: object, seconds: float) -> None:
    response = httpx.Response(200, json={"access_token": "Xk3", "expires_in": expires_in})
    assert jeton.parse(response).expires_in == timedelta(seconds=seconds)


@rooms
@pytest.mark.parametrize("expires_in", [None, True, [], "soixante", "-1"])
def test_a_life_that_is_not_told(jeton: ModuleType, expires_in: object) -> None:
    response = httpx.Response(200, json={"access_token": "Xk3", "expires_in": expires_in})
    assert jeton.parse(response).expires_in == timedelta(seconds=UNTOLD[jeton])


@rooms
@pytest.mark.parametrize("body", [b"", b"<html>", b'{"access_token":'])
def test_a_login_that_is_not_json_is_asked_again(jeton: ModuleType, body: bytes) -> None:
    with pytest.raises(Unreadable):
        jeton.parse(httpx.Response(200, content=body))
    assert (jeton.SESSION.attempts, jeton.SESSION.pause) == (5, timedelta(milliseconds=200))


@rooms
@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize("value", [[], None, {}, {"access_token": ""}, {"access_token": "a\nb"}, {"access_token": [1]}])
def test_a_login_without_token_is_final(jeton: ModuleType, status: int, value: object) -> None:
    """Insisting on a refusal locks accounts: `Unreadable`, which is asked again, would be wrong."""
    with pytest.raises(Unavailable) as raised:
        jeton.parse(httpx.Response(status, content=orjson.dumps(value)))
    assert (type(raised.value), raised.value.subcode) == (Unavailable, "999")
