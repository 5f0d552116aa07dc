"""CIBTP's oddities: a login in JSON, "known but not in order" as a value, a certificate for the day only."""

import asyncio
from datetime import date, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from providers.attestation import Situation
from providers.cibtp import CIBTP, jeton
from providers.cibtp.attestation_conges_payes import AttestationCongesPayesCibtp, call, parse
from providers.declaration import Access, Call, Delivered
from providers.errors import Misidentified, NotFound, ProviderError, TimedOut, Unavailable, Unreadable
from providers.identifiers import Siret
from sandbox import cibtp
from sandbox.cibtp import ROUTES
from sandbox.personas import company, named, with_check_digit

SETTINGS = {setting.name: setting.default for setting in CIBTP.settings} | {"url": "http://testserver"}
CLAIR_VALLON = Siret(named("clair-vallon").head_office.siret)
DAY = {"date": "Tue, 04 Mar 2025 23:30:00 GMT"}


def access(session: str = "", **settings: str) -> Access:
    return Access(settings={**SETTINGS, **settings}, session=session, recipient="")


def send(made: Call) -> httpx.Response:
    """The simulator's answer, without any socket."""

    async def sent() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=ROUTES))) as client:
            return await client.request(made.method, made.url, params=made.params, headers=made.headers, json=made.json)

    return asyncio.run(sent())


@pytest.fixture
def session() -> str:
    return jeton.parse(send(jeton.call(access()))).value


def ask(siret: str, session: str) -> httpx.Response:
    return send(call(Siret(siret), access(session)))


# --- The login -----------------------------------------------------------------------------------


def test_the_login_is_json_without_grant_type() -> None:
    made = jeton.call(access(client_id="i", client_secret="s"))
    assert made.json == {"client_id": "i", "client_secret": "s"}
    assert made.form is None
    assert (jeton.SESSION.attempts, jeton.SESSION.pause, jeton.SESSION.margin) == (
        5,
        timedelta(milliseconds=200),
        timedelta(seconds=10),
    )


@pytest.mark.parametrize(
    ("status", "body", "error", "subcode"),
    [
        (201, b'{"access_token":"eyJ"}', Unreadable, "999"),
        (500, b"", Unreadable, "999"),
        (401, b"{}", Misidentified, "006"),
        (302, b"", Unavailable, "000"),
        (503, b"", Unavailable, "001"),
        (504, b"", TimedOut, "002"),
    ],
)
def test_a_login_without_token(status: int, body: bytes, error: type[ProviderError], subcode: str) -> None:
    with pytest.raises(error) as raised:
        jeton.parse(httpx.Response(status, content=body))
    assert (type(raised.value), raised.value.subcode) == (error, subcode)


def test_wrong_credentials_and_lost_tokens(session: str) -> None:
    with pytest.raises(Misidentified):
        jeton.parse(send(jeton.call(access(client_secret="autre"))))
    not_json = Call(method="POST", url=jeton.call(access()).url)
    with pytest.raises(Unavailable, match="jeton"):
        jeton.parse(send(not_json))
    cibtp.TOKENS.discard(session)
    refused = ask(CLAIR_VALLON, session)
    assert jeton.SESSION.refused(refused)
    with pytest.raises(Misidentified):
        parse(refused, CLAIR_VALLON)


# --- The document --------------------------------------------------------------------------------


def test_the_document_is_asked_without_content_type() -> None:
    made = call(CLAIR_VALLON, access("jeton"))
    assert (made.params, made.headers) == ((("siret", CLAIR_VALLON),), (("Authorization", "Bearer jeton"),))


def test_a_certificate_counts_for_the_day(session: str) -> None:
    answer = parse(ask(CLAIR_VALLON, session), CLAIR_VALLON)
    assert isinstance(answer, Delivered)
    assert (answer.file.name, answer.file.kept_for) == ("certificat_cibtp.pdf", timedelta(minutes=10))
    value = answer.attach(None)
    assert (value.situation, value.situation_au, value.code_api) == (Situation.DELIVREE, None, None)
    dated = parse(httpx.Response(200, content=b"%PDF-1.5", headers=DAY), CLAIR_VALLON)
    assert isinstance(dated, Delivered)
    assert dated.attach(None).situation_au == date(2025, 3, 5)  # in Paris


def test_not_in_order_is_what_the_network_says() -> None:
    value = parse(httpx.Response(422, json={"type": "Fonctionnelle", "message": "phrase"}, headers=DAY), CLAIR_VALLON)
    assert isinstance(value, AttestationCongesPayesCibtp)
    assert (value.situation, value.code_api, value.document) == (Situation.REFUSEE, "38422", None)
    assert value.situation_au == date(2025, 3, 5)
    assert "phrase" not in value.description


@pytest.mark.parametrize("day", ["", "hier", "Tue, 99 Mar 2025 23:30:00 GMT", "0"])
def test_a_date_that_is_none(day: str) -> None:
    value = parse(httpx.Response(422, headers={"date": day}), CLAIR_VALLON)
    assert isinstance(value, AttestationCongesPayesCibtp)
    assert value.situation_au is None


def test_fates(session: str) -> None:
    refused = Siret(named("en-defaut").head_office.siret)
    value = parse(ask(refused, session), refused)
    assert isinstance(value, AttestationCongesPayesCibtp)
    assert value.situation is Situation.REFUSEE
    for slug, error in (
        ("terrassement", NotFound),
        ("doublon", NotFound),
        ("interdite", NotFound),
        ("en-panne", Unavailable),
    ):
        siret = Siret(named(slug).head_office.siret)
        with pytest.raises(error):
            parse(ask(siret, session), siret)


def test_random_companies_have_every_documented_outcome(session: str) -> None:
    outcomes = []
    for number in range(250):
        known = company(with_check_digit(f"{60000000 + number * 7919}"))
        assert known is not None
        siret = Siret(known.head_office.siret)
        try:
            answer = parse(ask(siret, session), siret)
        except ProviderError as error:
            outcomes.append((type(error).__name__, error.subcode))
        else:
            outcomes.append(("", "" if isinstance(answer, Delivered) else str(answer.code_api)))
    assert set(outcomes) == {
        ("", ""), ("", "38422"), ("NotFound", "003"), ("Unavailable", "000"), ("Unreadable", "055"), ("Unreadable", "056"),
    }  # fmt: skip
    assert outcomes.count(("", "")) > 150
