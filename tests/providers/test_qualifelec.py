"""Qualifelec's oddities: a token that tells its own end, epochs of midnight in Paris, an empty list for no class."""

import asyncio
import base64
from collections import Counter
from datetime import date, timedelta

import httpx
import orjson
import pytest
from starlette.applications import Starlette

from providers.declaration import Access, Call
from providers.errors import Misidentified, NotFound, ProviderError, Unavailable, Unreadable
from providers.identifiers import Siret
from providers.qualifelec import QUALIFELEC, jeton
from providers.qualifelec.certificats import CertificatsQualifelec, call, parse
from sandbox.personas import named, siret_of, with_check_digit
from sandbox.qualifelec import ROUTES

CLAIR_VALLON = Siret(named("clair-vallon").head_office.siret)
SETTINGS = {setting.name: setting.default for setting in QUALIFELEC.settings} | {
    setting.name: f"http://testserver{setting.sandbox_path}"
    for setting in QUALIFELEC.settings
    if setting.sandbox_path is not None
}


def access(session: str = "", **settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session=session, recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        transport = httpx.ASGITransport(Starlette(routes=ROUTES))
        async with httpx.AsyncClient(transport=transport) as client:
            return await client.request(made.method, made.url, headers=made.headers, json=made.json)

    return asyncio.run(sent())


def login(**settings: str) -> httpx.Response:
    return send(jeton.call(access(**settings)))


def ask(siret: str, session: str | None = None) -> httpx.Response:
    return send(call(Siret(siret), access(session or jeton.parse(login()).value)))


def token(claims: object) -> str:
    part = base64.urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return f"e30.{part}.signature"


# --- The login -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("claims", "seconds"),
    [
        ({"iat": 1000, "exp": 4600}, 3600),
        ({"iat": 1000, "exp": 500}, 0),
        ({"iat": 1000, "exp": 10**15}, 86400),
        ({"exp": 4600}, 60),
        ({"iat": 1000}, 60),
        ({"iat": 1000, "exp": "4600"}, 60),
        ([], 60),
        ("texte", 60),
    ],
)
def test_the_life_of_a_token_is_in_the_token(claims: object, seconds: int) -> None:
    response = httpx.Response(200, json={"token": token(claims)})
    assert jeton.parse(response).expires_in == timedelta(seconds=seconds)


def test_the_answer_s_own_clock_wins_over_the_making_of_the_token() -> None:
    headers = {"date": "Thu, 01 Jan 1970 01:00:00 GMT"}
    response = httpx.Response(200, json={"token": token({"iat": 1000, "exp": 4600})}, headers=headers)
    assert jeton.parse(response).expires_in == timedelta(seconds=1000)


@pytest.mark.parametrize("value", ["opaque", "a.b.c", "a.!!.c", "..", "a.e30"])
def test_a_token_that_says_nothing_is_trusted_a_minute(value: str) -> None:
    assert jeton.parse(httpx.Response(200, json={"token": value})).expires_in == timedelta(minutes=1)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"token":""}', b'{"token":1}', b'{"token":"a\\nb"}'])
def test_a_login_without_token_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        jeton.parse(httpx.Response(200, content=body))


def test_credentials_and_tokens_refused() -> None:
    with pytest.raises(Misidentified):
        jeton.parse(login(password="autre"))
    refused = ask(CLAIR_VALLON, session="perime")
    assert jeton.SESSION.refused(refused)
    with pytest.raises(Misidentified):
        parse(refused, CLAIR_VALLON)


# --- The answers ---------------------------------------------------------------------------------


def test_epochs_are_days_in_paris() -> None:
    value = parse(httpx.Response(200, json=[{"start_date": 1710198000, "end_date": 1719784800}]), CLAIR_VALLON)
    assert (value.items[0].date_debut, value.items[0].date_fin) == (date(2024, 3, 12), date(2024, 7, 1))


def test_the_two_ways_of_having_no_certificate_are_told_apart() -> None:
    messages = set()
    for response in (httpx.Response(200, json=[]), httpx.Response(404, json={"code": 404})):
        with pytest.raises(NotFound) as raised:
            parse(response, CLAIR_VALLON)
        messages.add(raised.value.message)
    assert len(messages) == 2


# --- The simulator -------------------------------------------------------------------------------


def test_fates() -> None:
    value = parse(ask(CLAIR_VALLON), CLAIR_VALLON)
    assert value.count == len(value.items) > 0
    for slug, error in (("en-panne", Unavailable), ("interdite", NotFound), ("doublon", NotFound), ("gaec", NotFound)):
        siret = Siret(named(slug).head_office.siret)
        with pytest.raises(error):
            parse(ask(siret), siret)


def test_random_establishments_have_every_documented_outcome() -> None:
    session = jeton.parse(login()).value
    outcomes: Counter[str] = Counter()
    for number in range(200):
        siret = Siret(siret_of(with_check_digit(f"{60000000 + number * 7919}"), 1))
        response = ask(siret, session)
        try:
            value = parse(response, siret)
        except ProviderError as error:
            outcomes[f"{type(error).__name__} {response.status_code}"] += 1
            continue
        assert isinstance(value, CertificatsQualifelec)
        outcomes["certified"] += 1
        outcomes["classless"] += any(item.qualification.classification.code is None for item in value.items)
        outcomes["uninsured"] += any(item.assurance_civile.date_debut is None for item in value.items)
    assert set(outcomes) == {"certified", "classless", "uninsured", "NotFound 200", "NotFound 404"}
    assert outcomes["certified"] > 120
